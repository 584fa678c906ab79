"""Translated flows with both directions, fragments and ICMP errors, beside the usual load, while a split goes on.

Packets outward enter at the source, as those of the usual load do. What they look like behind the translator is read
from the packets themselves; the way back begins when the external endpoint of a flow is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pyarrow as pa

from nfvcert.errors import TestbedError
from nfvcert.history import migration as m
from nfvcert.scenarios.migration_avoidance.experiment import Experiment
from nfvcert.scenarios.migration_avoidance.stage import Stage
from nfvcert.scenarios.migration_avoidance.trial import record_table
from nfvcert.traffic.translated import COUNTED, Kind, Seen, Way, datagram, fragments, icmp_error, seen
from nfvcert.traffic.trex.plan import Rate, SingleBurst, Stream

SOURCE, SINK = 0, 1
OLD, NEW = 48, 32
PACKETS_PER_S, ERRORS_PER_S = 25.0, 5.0
BEHIND_US = 500.0
"""A later fragment follows the first one by that time, which is longer than the two ways differ."""
GATEWAY = "02:4e:46:02:00:01"
ROUTER = "203.0.113.254"
QUEUE = 20_000
FETCH_S = 0.2
KNOWN_S = 1.0
NEW_S, APART_S = 0.6, 0.02
"""New flows begin that long after the request, one after the other."""
ALL_KNOWN_S = 1.9
STILL_S = 1.0
"""The streams end that long before the usual load does."""


@dataclass
class Flow:
    """A translated flow; ``back`` is the way of packets to it from outside, once that is known."""

    number: int
    begin_s: float

    @property
    def out(self) -> Way:
        """As its packets enter."""
        client, server = f"10.64.{self.number // 250}.{self.number % 250 + 1}", f"203.0.113.{self.number + 1}"
        return Way(client, 40_000 + self.number, server, 7_000, GATEWAY)

    def has(self, kind: str) -> bool:
        """Whether it has packets of that kind: each of the four has a quarter of the flows."""
        kinds = ("fragments out", "fragments back", "errors from outside", "errors from inside")
        return kinds.index(kind) == self.number % len(kinds)


@dataclass
class Streams:
    """Numbers streams, and keeps what is to be known of each for the record."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def take(self, flow: Flow, kind: Kind, way: str, packets: int) -> int:
        """The number of one more."""
        number = len(self.rows)
        old = flow.number < OLD
        row = {"stream": number, "flow": flow.number, "kind": kind, "way": way, "old": old, "packets": packets}
        self.rows.append(row)
        return number


@dataclass
class Sink:
    """Packets of these streams that reached the sink."""

    rows: list[tuple[int, Seen]] = field(default_factory=list)

    def take(self, received: list[tuple[int, bytes]]) -> None:
        """Keep those that are of these streams."""
        for t_ns, frame in received:
            told = seen(frame)
            if told is not None:
                self.rows.append((t_ns, told))

    def external(self, stream: int) -> tuple[Seen, str] | None:
        """The first packet of a stream outward, and its source address as text; None when there is none yet."""
        for _, told in self.rows:
            if told.stream == stream:
                return told, str(IPv4Address(told.source))
        return None

    def table(self) -> pa.Table:
        """In columns."""
        names = ("stream", "sequence", "instance", "detours", "source", "sport")
        columns: dict[str, Any] = {name: [getattr(told, name) for _, told in self.rows] for name in names}
        return pa.table({"t_ns": pa.array([t for t, _ in self.rows], pa.int64()), **columns})


def both_ways(stage: Stage) -> None:
    """Both directions, fragments and ICMP errors of translated flows that live before, through and after a split."""
    addresses = {"s1/v1": "192.0.2.1", "s2/v1": "192.0.2.2"}
    setup = {"function": "nat", "identity": "addresses", "addresses": addresses}
    with stage.experiment("plain", setup=setup, name="a1bidir") as experiment:
        _Procedure(experiment, stage).run()


class _Procedure:
    """The scenario from its first packet on; times are seconds since the usual load began."""

    def __init__(self, experiment: Experiment, stage: Stage) -> None:
        self._experiment = experiment
        self._generator = experiment.handle.generator
        self._trigger_s = stage.trigger_s
        self._end_s = experiment.load.duration_s - STILL_S
        self._streams, self._sink = Streams(), Sink()
        born = [stage.trigger_s + NEW_S + n * APART_S for n in range(NEW)]
        self._flows = [Flow(number, begin) for number, begin in enumerate([0.3] * OLD + born)]
        self._packets = {SOURCE: 0, SINK: 0}
        self._outward: dict[int, int] = {}

    def run(self) -> None:
        """Offer everything, ask for the split, record what arrived."""
        experiment = self._experiment
        self._generator.keep_received(SINK, QUEUE)
        fetching = experiment.recording.every(FETCH_S, "packets", self._fetch)
        experiment.start_traffic()
        self._send(SOURCE, self._out(experiment.now_s))
        experiment.until(KNOWN_S)
        halfway = self._trigger_s + ALL_KNOWN_S
        self._send(SINK, self._back(self._flows[:OLD], halfway))
        experiment.until(self._trigger_s)
        experiment.split()
        experiment.until(halfway)
        finished = self._generator.wait([SINK], 2.0)
        self._generator.stop([SINK])
        self._generator.remove_streams([SINK])
        self._send(SINK, self._back(self._flows, self._end_s))
        experiment.until(self._end_s)
        finished &= self._generator.wait([SOURCE, SINK], 2.0)
        experiment.recorder.mark(m.OFFERED, finished=finished, packets=sum(self._packets.values()))
        experiment.until(experiment.load.duration_s)
        fetching.stop()
        self._fetch()
        experiment.finish()
        self._fetch()
        record_table(experiment.recorder, m.PACKETS_TABLE, self._sink.table(), m.GENERATOR)
        record_table(experiment.recorder, m.OFFERED_TABLE, pa.Table.from_pylist(self._streams.rows), m.GENERATOR)
        if fetching.failures:
            raise TestbedError("packets at the sink were not fetched", found=str(fetching.failure))

    def _fetch(self) -> None:
        self._sink.take(self._generator.received(SINK))

    def _send(self, port: int, streams: list[Stream]) -> None:
        self._generator.add_streams(port, streams)
        self._generator.start([port])

    def _out(self, now_s: float) -> list[Stream]:
        """Everything that inside hosts send."""
        made: list[Stream] = []
        for flow in self._flows:
            begin = max(0.0, flow.begin_s - now_s) + flow.number % 40 / 1000
            lasting = self._end_s - now_s - begin
            count = int(lasting * PACKETS_PER_S)
            number = self._streams.take(flow, "datagram", "out", count)
            self._outward[flow.number] = number
            made.append(self._stream(datagram(flow.out, number), count, begin, SOURCE))
            if flow.has("fragments out"):
                made += self._fragments(flow, flow.out, "out", count, begin + 0.013, SOURCE)
            if flow.has("errors from inside"):
                count = int((lasting - 1.0) * ERRORS_PER_S)
                number = self._streams.take(flow, "ICMP error", "out", count)
                out = flow.out
                reply = Way(out.destination, out.dport, out.source, out.sport, out.mac)
                frame = icmp_error(reply, out.source, GATEWAY, number)
                made.append(self._stream(frame, count, begin + 1.0, SOURCE, ERRORS_PER_S))
        return made

    def _back(self, flows: list[Flow], until_s: float) -> list[Stream]:
        """Everything that comes to the external endpoints of these flows."""
        made: list[Stream] = []
        for flow in flows:
            known = self._sink.external(self._outward[flow.number])
            if known is None:
                raise TestbedError("no packet of a translated flow reached the sink", found=str(flow.out))
            told, external = known
            mac = self._experiment.handle.layout.server_mac(self._server(told.instance))
            out = flow.out
            back = Way(out.destination, out.dport, external, told.sport, mac)
            lasting = until_s - self._experiment.now_s - 0.3
            begin = flow.number % 40 / 1000
            count = int(lasting * PACKETS_PER_S)
            number = self._streams.take(flow, "datagram", "back", count)
            made.append(self._stream(datagram(back, number), count, begin, SINK))
            if flow.has("fragments back"):
                made += self._fragments(flow, back, "back", count, begin + 0.013, SINK)
            if flow.has("errors from outside"):
                count = int(lasting * ERRORS_PER_S)
                number = self._streams.take(flow, "ICMP error", "back", count)
                sent = Way(external, told.sport, out.destination, out.dport, mac)
                frame = icmp_error(sent, ROUTER, mac, number)
                made.append(self._stream(frame, count, begin, SINK, ERRORS_PER_S))
        return made

    def _fragments(self, flow: Flow, way: Way, which: str, count: int, begin_s: float, port: int) -> list[Stream]:
        first = self._streams.take(flow, "first fragment", which, count)
        later = self._streams.take(flow, "later fragment", which, count)
        head, tail = fragments(way, first, later)
        return [
            self._stream(head, count, begin_s, port),
            self._stream(tail, count, begin_s + BEHIND_US / 1e6, port),
        ]

    def _stream(self, frame: bytes, count: int, begin_s: float, port: int, pps: float = PACKETS_PER_S) -> Stream:
        self._packets[port] += count
        return Stream(frame, Rate("pps", pps), SingleBurst(count), instructions=COUNTED, isg_us=begin_s * 1e6)

    def _server(self, instance: int) -> str:
        names = {number: name for name, number in self._experiment.handle.layout.instances.items()}
        return names[instance].partition("/")[0]
