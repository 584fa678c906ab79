"""The good history of translated flows with both directions, fragments and ICMP errors, and what defects make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scaling_stories import split_plainly
from scaling_world import Scaling

from nfvcert.history import migration as m

SORTS = [
    (kind, way) for kind in ("datagram", "first fragment", "later fragment", "ICMP error") for way in ("out", "back")
]
PER_S, OLD, NEW = 10.0, 8, 8
UNTIL_S = 12.0


@dataclass(frozen=True)
class Sent:
    """One packet of a translated flow."""

    t: float
    stream: int
    flow: int
    sequence: int
    owner: int
    detours: int

    def row(self, **changes: Any) -> dict[str, Any]:
        """As the sink tells of it."""
        return {
            "t": self.t, "stream": self.stream, "sequence": self.sequence, "instance": self.owner,
            "detours": self.detours, "source": 0xC0000200 + self.owner, "sport": 40_000 + self.flow, **changes,
        }  # fmt: skip


def ma_both_ways() -> Scaling:
    world = Scaling("ma-both-ways")
    push = split_plainly(world, world.trigger)
    for flow in range(OLD + NEW):
        begin = 0.3 if flow < OLD else 2.6
        owner = 1 if flow < OLD or flow % 2 else 2
        for kind, way in SORTS:
            _send(world, flow, owner, kind, way, begin if way == "out" else begin + 1.0, push)
    world.packets.sort(key=lambda row: row["t"])
    world.mark(UNTIL_S + 0.5, m.OFFERED, finished=True, packets=len(world.packets))
    return world


def _send(world: Scaling, flow: int, owner: int, kind: str, way: str, begin: float, push: float) -> None:
    stream, later = len(world.offered), 0.0005 if kind == "later fragment" else 0.0
    times = np.arange(begin, UNTIL_S, 1 / PER_S) + flow / 1000 + later
    row = {"stream": stream, "flow": flow, "kind": kind, "way": way, "old": flow < OLD, "packets": len(times)}
    world.offered.append(row)
    for sequence, t in enumerate(times.tolist(), 1):
        detours = int(owner == 2 and way == "out" and t < push)
        world.packets.append(Sent(t, stream, flow, sequence, owner, detours).row())


def _sort(world: Scaling, row: dict[str, Any]) -> tuple[str, str]:
    offered = world.offered[row["stream"]]
    return offered["kind"], offered["way"]


def _push(world: Scaling) -> float:
    return float(world.detours[0].last.max())


def lose(kind: str, way: str = "out") -> Callable[[Scaling], None]:
    """Packets of this sort of old flows get nowhere from the push on."""

    def change(world: Scaling) -> None:
        push = _push(world)
        world.packets = [
            row
            for row in world.packets
            if not (row["t"] > push and world.offered[row["stream"]]["old"] and _sort(world, row) == (kind, way))
        ]

    return change


def first_fragments_elsewhere(world: Scaling) -> None:
    """First fragments of old flows meet the new instance after the push; later ones, which stay, are then nobody's."""
    lose("later fragment")(world)
    for row in world.packets:
        old = world.offered[row["stream"]]["old"]
        if row["t"] > _push(world) and old and _sort(world, row) == ("first fragment", "out"):
            row.update(instance=2, source=0xC0000202, sport=50_000)


def overtaken(world: Scaling) -> None:
    """One packet comes after the next one of its stream."""
    places = [i for i, row in enumerate(world.packets) if row["stream"] == 0][:2]
    first, second = (world.packets[i] for i in places)
    first["sequence"], second["sequence"] = second["sequence"], first["sequence"]


def endpoint_lost(world: Scaling) -> None:
    """A flow that lives gets another external port."""
    for row in world.packets:
        if row["stream"] == 0 and row["t"] > 6.0:
            row["sport"] += 1


def broken_off(world: Scaling) -> None:
    """The generator did not send all of them."""
    for event in world._events:
        if event.data.get("name") == m.OFFERED:
            event.data["finished"] = False
