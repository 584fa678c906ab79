"""Open vSwitch as a hardware switch: its daemons, started in a folder of their own."""

from nfvcert.dataplane.openvswitch.daemons import MOST_RING, PACKAGE, QUEUES, MemifPort, OpenVSwitchDaemons

__all__ = ["MOST_RING", "PACKAGE", "QUEUES", "MemifPort", "OpenVSwitchDaemons"]
