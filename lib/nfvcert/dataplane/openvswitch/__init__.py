"""Open vSwitch as a hardware switch: its daemons, started in a folder of their own."""

from nfvcert.dataplane.openvswitch.daemons import PACKAGE, QUEUES, MemifPort, OpenVSwitchDaemons

__all__ = ["PACKAGE", "QUEUES", "MemifPort", "OpenVSwitchDaemons"]
