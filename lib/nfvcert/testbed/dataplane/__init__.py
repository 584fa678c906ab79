"""The dataplane of a testbed: generator, switches, network functions, controller, each a process of its own."""

from nfvcert.testbed.dataplane.handle import DataplaneHandle, ProcessState, open_dataplane
from nfvcert.testbed.dataplane.setup import Setup

__all__ = ["DataplaneHandle", "ProcessState", "Setup", "open_dataplane"]
