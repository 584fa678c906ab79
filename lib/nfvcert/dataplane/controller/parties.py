"""What the controller speaks with beside the hardware switch: the servers' switches and the instances."""

from __future__ import annotations

import time
from typing import Any

from nfvcert.dataplane.control import ControlClient
from nfvcert.dataplane.controller.config import ControllerConfig
from nfvcert.dataplane.fabric import Place
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.ranges import IdSet, Range, bitmap
from nfvcert.errors import TestbedError

MOVE_S = 10.0
DRAIN_S = 2.0
"""How long packets on their way to an instance are waited for before its state is copied."""


class Parties:
    """Clients of all of them, by index of server and place."""

    def __init__(self, config: ControllerConfig) -> None:
        self._identity = config.identity
        self.servers = tuple(config.servers)
        self.ports = tuple(server.switch_port for server in config.servers.values())
        self.places = tuple(
            Place(f"{name}/{local}", name, local)
            for name, server in config.servers.items()
            for local in server.instances
        )
        self.switches = [ControlClient(server.control) for server in config.servers.values()]
        self.instances = [
            ControlClient(instance.control, timeout_s=MOVE_S)
            for server in config.servers.values()
            for instance in server.instances.values()
        ]
        self._loads: dict[int, tuple[float, int]] = {}

    def set_ranges(self, server: int, ranges: dict[str, Any]) -> int:
        """Tell a server's switch who gets new flows; returns when it took effect (ns)."""
        return int(self.switches[server].call("set_ranges", **ranges)["t_ns"])

    def occupancy(self, place: int) -> IdSet:
        """Ids with living flows of an instance."""
        return bitmap(self._switch_of(place).call("occupancy", to=self.places[place].local)["bitmap"])

    def flows(self, place: int, ranges: list[Range]) -> list[Flow]:
        """Living flows of an instance in ranges of ids."""
        rows = self._switch_of(place).call("flows", ranges=ranges, owner=self.places[place].local)["flows"]
        return [Flow(*row[:6]) for row in rows]

    def count(self, place: int, ranges: list[Range]) -> int:
        """How many living flows of an instance there are in ranges of ids."""
        return int(self._switch_of(place).call("count", ranges=ranges, owner=self.places[place].local)["flows"])

    def load(self, place: int) -> float | None:
        """Packets per second handed to an instance since the last reading; None at the first."""
        counters = self._switch_of(place).call("counters")
        now, packets = counters["t_ns"] / 1e9, int(counters["ports"][self.places[place].local]["tx_packets"])
        before = self._loads.get(place)
        self._loads[place] = (now, packets)
        if before is None or now <= before[0] or packets < before[1]:
            return None
        return (packets - before[1]) / (now - before[0])

    def expect(self, server: int, flows: list[Flow], place: int) -> None:
        """Make flows of an instance known to a server's switch."""
        self.switches[server].call("expect_flows", flows=[flow.key for flow in flows], to=self.owner(server, place))

    def forget(self, place: int) -> None:
        """Let all servers' switches forget the flows of an instance; those that do not answer have none."""
        for server, switch in enumerate(self.switches):
            switch.call("forget_owner", owner=self.owner(server, place))

    def hold(self, server: int, ranges: list[Range]) -> None:
        """Let a server's switch hold back packets of ranges."""
        self.switches[server].call("hold_flows", ranges=ranges)

    def resume(self, server: int, place: int) -> None:
        """Let a server's switch send what it holds to an instance, which owns those flows from then on."""
        self.switches[server].call("release_held", to=self.owner(server, place))

    def copy(self, source: int, target: int, ranges: list[Range]) -> int:
        """Copy the state of flows; the packets that were on their way to `source` have been handled before.

        Raises:
            TestbedError: the state conflicts with what the target has, or packets do not drain.
        """
        self._drain(source)
        exported = self.instances[source].call("export_flows", ranges=ranges, identity=self._identity)
        imported = self.instances[target].call("import_flows", state=exported["state"])
        if imported.get("conflicts"):
            raise TestbedError(
                "state that was moved conflicts with what the instance has",
                where=self.places[target].name,
                found=f"{imported['conflicts']} flows",
            )
        return int(imported["flows"])

    def give_up_move(self, source: int) -> None:
        """Let an instance go on with the state that it was moving, and with the packets held back for it."""
        self.instances[source].call("resume_flows", all=True)
        server = self.servers.index(self.places[source].server)
        self.resume(server, source)

    def discard(self, place: int, ranges: list[Range]) -> None:
        """Let an instance discard the state of the flows of ranges."""
        self.instances[place].call("release_flows", ranges=ranges, identity=self._identity)

    def terminate(self, place: int) -> None:
        """End an instance."""
        self.instances[place].call("terminate")

    def owner(self, server: int, place: int) -> str:
        """The name that a server's switch has for an instance: its own by their local names, others by their server."""
        found = self.places[place]
        return found.local if found.server == self.servers[server] else found.server

    def close(self) -> None:
        """Close all connections."""
        for client in (*self.switches, *self.instances):
            client.close()

    def _switch_of(self, place: int) -> ControlClient:
        return self.switches[self.servers.index(self.places[place].server)]

    def _drain(self, place: int) -> None:
        local = self.places[place].local
        handed = int(self._switch_of(place).call("ports")["ports"][local]["tx_packets"])
        deadline = time.monotonic() + DRAIN_S
        while int(self.instances[place].call("ports")["ports"]["left"]["rx_packets"]) < handed:
            if time.monotonic() > deadline:
                raise TestbedError(
                    "packets on their way are not handled",
                    where=self.places[place].name,
                    found=f"fewer than {handed} of them after {DRAIN_S:g} s",
                )
