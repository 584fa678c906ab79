"""Open vSwitch in the place of the hardware-switch model: a bridge with the same ports and links."""

from __future__ import annotations

from pathlib import Path

from nfvcert.dataplane.openvswitch import MemifPort, OpenVSwitchDaemons
from nfvcert.dataplane.switch.pipeline import RULES, static_flows
from nfvcert.testbed.dataplane.layout import SINK, SINK_MAC, SWITCH, Layout

LONGEST_SLEEP_US = 50
"""An idle polling thread sleeps so long at most: others of its core get their turn, rings hold what comes meanwhile."""
IDLE_MS = 500
"""The longer it keeps decisions on flows that have ended, the longer it takes to look at all of them after a change."""


class BridgedSwitch:
    """The daemons, and the bridge with its limited table; a process as others are.

    Args:
        netns: network namespace of the dataplane.
    """

    def __init__(self, layout: Layout, *, log_dir: Path, netns: str) -> None:
        self._layout = layout
        settings = layout.settings
        self._daemons = OpenVSwitchDaemons(
            layout.folder,
            polling_core=settings.cores.device,
            most_ports=len(layout.switch_ports),
            hugepages=settings.hugepages,
            longest_sleep_us=LONGEST_SLEEP_US,
            idle_ms=IDLE_MS,
            netns=netns,
            log_dir=log_dir,
        )
        self._made = False

    @property
    def pid(self) -> int:
        """Process id of ovs-vswitchd."""
        return self._daemons.pid

    @property
    def running(self) -> bool:
        """Whether ovs-vswitchd runs."""
        return self._daemons.running

    def start(self) -> None:
        """Start it, or start it again after it was killed; the limited table is empty, everything around it is there.

        Raises:
            TestbedError: it is not installed, or does not come up.
        """
        layout = self._layout
        self._daemons.start()
        if not self._made:
            names = sorted(layout.switch_ports, key=layout.switch_ports.__getitem__)
            ports = [MemifPort(name, layout.socket(name)) for name in names]
            self._daemons.add_bridge(SWITCH, ports)
            self._daemons.limit_table(SWITCH, RULES, layout.table_capacity)
            self._made = True
        macs = {SINK: SINK_MAC, **{server: layout.server_mac(server) for server in layout.server_names}}
        self._daemons.replace_flows(SWITCH, static_flows(layout.switch_ports, macs))

    def close(self, grace_s: float = 2.0) -> None:
        """End it."""
        self._daemons.close(grace_s)
