"""Synthetic traffic: users with several flows over the VNFCs of a story, and the tables that generator and taps leave.

A user is placed once, by the share in force (error diffusion, as the sample's decider does) and in turn among the VNFCs
that take new users; it stays there until the EM moves the users of its VNFC. Packets lie at even distances, so that
everything can be worked out instead of simulated packet by packet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from synthetic_world import Vnfc

INTERVAL_S = 0.1
PACKET_EVERY_S = 0.1
SERVER = "198.19.1.20"
DSCP = {"old": 0, "new": 18}
Clock = Callable[[float], int]


@dataclass
class Flow:
    """A flow with the VNFCs that serve it, each from a time on, and the times of the packets that get lost."""

    number: int
    user: str
    begin: float
    end: float
    stays: list[tuple[float, float, Vnfc]] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    duplicates: int = 0
    reordered: int = 0
    mapping_changes: int = 0
    return_lost: int = 0

    @cached_property
    def packets(self) -> list[float]:
        """Times at which packets are sent."""
        count = max(2, int((self.end - self.begin) / PACKET_EVERY_S) + 1)
        return [self.begin + i * (self.end - self.begin) / (count - 1) for i in range(count)]


@dataclass
class Seen:
    """What the recorders of the traffic leave."""

    tables: dict[str, pa.Table]
    intervals: list[tuple[float, dict[str, Any]]]
    trial: dict[str, Any]


@dataclass
class Traffic:
    """The load of a scenario.

    ``moves`` are (time, from, to) by name of VNFC; ``dead`` is (VNFC, killed at, users moved away at); ``alter`` may
    change the flows before they are written down.
    """

    begin: float
    end: float
    users_per_s: float = 40.0
    lasting: int = 12
    moves: list[tuple[float, str, str]] = field(default_factory=list)
    dead: tuple[str, float, float] | None = None
    alter: list[Callable[[list[Flow]], None]] = field(default_factory=list)
    trial: dict[str, Any] = field(default_factory=dict)

    def run(self, vnfcs: Sequence[Vnfc], shares: Sequence[tuple[float, float]], clock: Clock) -> Seen:
        """Offer the load to the VNFCs of the first service."""
        flows = self._flows([v for v in vnfcs if v.vdu == "worker" and v.main], shares)
        for change in self.alter:
            change(flows)
        flows.sort(key=lambda flow: flow.begin)
        sent = sum(len(flow.packets) for flow in flows)
        lost = sum(len(flow.lost) for flow in flows)
        span = self.end - self.begin
        trial = {
            "observer_blind": 0,
            "intended": sent,
            "sent": sent,
            "intended_duration": span,
            "duration": span,
            "send_errors": 0,
            "receiver_drops": 0,
            "received": sent - lost,
            "lost": lost,
            "duplicates": sum(flow.duplicates for flow in flows),
            "reordered": sum(flow.reordered for flow in flows),
            "stalls": [],
            "late": [],
            "latency_us": {"p50": 175.0, "p99": 1080.0, "max": 5000.0},
        }
        return Seen(
            {"flows": _flows_table(flows, clock), "observed": _observed_table(flows, clock)},
            self._intervals(flows, clock),
            {**trial, **self.trial},
        )

    def _flows(self, workers: list[Vnfc], shares: Sequence[tuple[float, float]]) -> list[Flow]:
        flows: list[Flow] = []
        error, turn = 0.0, Counter[str]()
        count = round((self.end - 1.5 - self.begin) * self.users_per_s)
        for number in range(count + self.lasting):
            lasts = number < self.lasting
            at = self.begin + (0.002 * number if lasts else 0.3 + (number - self.lasting) / self.users_per_s)
            share = [value for since, value in shares if since <= at][-1]
            error += share
            generation = "new" if error >= 50.0 else "old"
            error -= 100.0 if generation == "new" else 0.0
            pool = [v for v in workers if v.generation == generation and max(v.start, v.serves) <= at < v.retired]
            vnfc = pool[turn[generation] % len(pool)]
            turn[generation] += 1
            for own in range(2 if lasts else 1 + number % 3):
                begin = at + 0.04 * own
                end = self.end - 0.2 if lasts else begin + 0.15 + 0.1 * (number % 5)
                user = f"198.18.{16 + number // 250}.{number % 250 + 1}"
                flows.append(self._placed(Flow(len(flows), user, begin, end), at, vnfc, {v.name: v for v in workers}))
        return flows

    def _placed(self, flow: Flow, since: float, vnfc: Vnfc, by_name: dict[str, Vnfc]) -> Flow:
        """Cut the life of a flow at the moves of its user; what goes to a dead VNFC is seen at its port and lost."""
        places = [(since, vnfc)]
        moves = list(self.moves)
        if self.dead is not None:
            victim, _, moved = self.dead
            moves.append((moved, victim, next(n for n, v in by_name.items() if v.generation == "old")))
        for at, source, target in sorted(moves):
            if at > since and places[-1][1].name == source:
                places.append((at, by_name[target]))
        for (begin, place), (end, _) in zip(places, [*places[1:], (flow.end + 1, vnfc)], strict=True):
            within = [t for t in flow.packets if begin <= t < end]
            if self.dead is not None and place.name == self.dead[0]:
                flow.lost += [t for t in within if t >= self.dead[1]]
            if within:
                flow.stays.append((within[0], within[-1], place))
        return flow

    def _intervals(self, flows: list[Flow], clock: Clock) -> list[tuple[float, dict[str, Any]]]:
        lost = Counter(int((t - self.begin) / INTERVAL_S) for flow in flows for t in flow.lost)
        served: dict[int, Counter[str]] = {}
        for flow in flows:
            for first, last, vnfc in flow.stays:
                for t in flow.packets:
                    if first <= t <= last and t not in flow.lost:
                        slot = served.setdefault(int((t - self.begin) / INTERVAL_S), Counter())
                        slot[str(DSCP[vnfc.generation])] += 1
        found = []
        for number in range(int((self.end - self.begin) / INTERVAL_S)):
            begin = self.begin + number * INTERVAL_S
            by_dscp = served.get(number, Counter())
            data = {
                "t0": clock(begin),
                "t1": clock(begin + INTERVAL_S),
                "tx": by_dscp.total() + lost[number],
                "rx": by_dscp.total(),
                "lost": lost[number],
                "dup": 0,
                "reordered": 0,
                "by_dscp": dict(by_dscp),
                "lat_us": {"p50": 171.5, "p99": 447.5, "max": 480.6},
            }
            found.append((begin + INTERVAL_S, data))
        return found


def _flows_table(flows: list[Flow], clock: Clock) -> pa.Table:
    rows = []
    for flow in flows:
        packets = flow.packets
        sent, received = len(packets), len(packets) - len(flow.lost)
        markers = [DSCP[vnfc.generation] for _, _, vnfc in flow.stays] or [-1]
        gap, gap_at = PACKET_EVERY_S, packets[1]
        if flow.lost:
            gap, gap_at = max(flow.lost) - min(flow.lost) + 2 * PACKET_EVERY_S, max(flow.lost) + PACKET_EVERY_S
        rows.append(
            {
                "flow_id": flow.number,
                "user": flow.user,
                "src": flow.user,
                "sport": 10_000 + flow.number % 50_000,
                "dst": SERVER,
                "dport": 5000,
                "first_tx_ns": clock(packets[0]),
                "last_tx_ns": clock(packets[-1]),
                "sent": sent,
                "received": received,
                "duplicates": flow.duplicates,
                "reordered": flow.reordered,
                "max_gap_ns": round(gap * 1e9),
                "max_gap_at_ns": clock(gap_at),
                "first_dscp": markers[0],
                "last_dscp": markers[-1],
                "dscp_changes": len(set(markers)) - 1,
                "ext_changes": flow.mapping_changes,
                "return_sent": received // 2,
                "return_received": received // 2 - flow.return_lost,
            }
        )
    return pa.Table.from_pylist(rows)


def _observed_table(flows: list[Flow], clock: Clock) -> pa.Table:
    """Rows of the taps: towards the VNFC with the flow's own addresses, from it with translated ones."""
    rows = []
    for flow in flows:
        sport = 10_000 + flow.number % 50_000
        for first, last, vnfc in flow.stays:
            internal, external = vnfc.ports[0], vnfc.ports[1]
            packets = sum(first <= t <= last for t in flow.packets)
            own = {"src": flow.user, "sport": sport, "dst": SERVER, "dport": 5000}
            translated = {"src": "198.19.2.3", "sport": 1024 + flow.number, "dst": SERVER, "dport": 5000}
            seen = {"packets": packets, "first_ns": clock(first), "last_ns": clock(last) + 50_000}
            rows.append({"port": "port-lb-internal", "direction": "in", **own, **seen})
            rows.append({"port": internal, "direction": "out", **own, **seen})
            rows.append({"port": external, "direction": "in", **translated, **seen})
    return pa.Table.from_pylist(rows)
