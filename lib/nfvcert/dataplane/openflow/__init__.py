"""OpenFlow 1.4 as far as a switch with a limited table needs it: messages as values, and a client."""

from nfvcert.dataplane.openflow.client import OpenFlowClient, OpenFlowRefused
from nfvcert.dataplane.openflow.flows import Field, FlowEntry, FlowMod, Match, PortCounters, TableCounters

__all__ = [
    "Field",
    "FlowEntry",
    "FlowMod",
    "Match",
    "OpenFlowClient",
    "OpenFlowRefused",
    "PortCounters",
    "TableCounters",
]
