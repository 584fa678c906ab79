"""The dataplane of a testbed: generator, switches, network functions, controller, each a process of its own."""

from nfvcert.testbed.dataplane.handle import POLLING_WEIGHT, DataplaneHandle, ProcessState, open_dataplane
from nfvcert.testbed.dataplane.processes import TURN_NS
from nfvcert.testbed.dataplane.setup import Setup

__all__ = ["POLLING_WEIGHT", "TURN_NS", "DataplaneHandle", "ProcessState", "Setup", "open_dataplane"]
