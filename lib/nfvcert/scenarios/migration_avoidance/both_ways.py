"""Translated flows with both directions, fragments and ICMP errors, beside the usual load, while a split goes on.

Packets outward enter at the source, as those of the usual load do. What they look like behind the translator is read
from the packets themselves; the way back begins when the external endpoint of a flow is known.
"""

from __future__ import annotations

import time
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
LATE = "1.late"
"""A profile of its own beside what the sink's port sends already."""
OLD, NEW = 48, 32
PACKETS_PER_S, ERRORS_PER_S = 20.0, 5.0
BEHIND_US = 500.0
"""A later fragment follows the first one by that time, which is longer than the two ways differ."""
GATEWAY = "02:4e:46:02:00:01"
OUTSIDE = "203.0.113.0/24"
ROUTER = "203.0.113.254"
QUEUE = 100_000
FETCH_S = 0.3
"""As long as external endpoints are to be found; packets that come later are fetched in the end."""
KNOWN_S = 5.0
"""By then a packet of each flow has reached the sink."""
BUILT_S = 0.5
"""Streams are made and loaded within that time."""
NEW_S, APART_S = 1.2, 0.02
"""New flows begin that long after the request, one after the other."""
STILL_S = 1.5
"""The streams are to end that long before the usual load does."""
ENDED_S = 1.4


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
        self._packets = 0
        self._outward: dict[int, int] = {}

    def run(self) -> None:
        """Offer everything, ask for the split, record what arrived."""
        experiment, generator = self._experiment, self._generator
        generator.keep_received(SINK, QUEUE, pcap_filter=f"net {OUTSIDE}")
        self._fetching = experiment.recording.every(FETCH_S, "packets", self._fetch)
        generator.add_streams(SOURCE, self._out())
        experiment.start_traffic()
        generator.start([SOURCE])
        self._answer(self._flows[:OLD], SINK)
        experiment.until(self._trigger_s)
        experiment.split()
        experiment.until(self._flows[-1].begin_s)
        self._answer(self._flows[OLD:], LATE)
        self._fetching.stop()
        self._require_fetched()
        experiment.until(self._end_s)
        finished = generator.wait([SOURCE, SINK], ENDED_S)
        experiment.recorder.mark(m.OFFERED, finished=finished, packets=self._packets)
        experiment.until(experiment.load.duration_s)
        experiment.finish()
        self._fetch()
        record_table(experiment.recorder, m.PACKETS_TABLE, self._sink.table(), m.GENERATOR)
        record_table(experiment.recorder, m.OFFERED_TABLE, pa.Table.from_pylist(self._streams.rows), m.GENERATOR)

    def _answer(self, flows: list[Flow], port: int | str) -> None:
        """Let packets come back to flows as soon as it is known where to."""
        known = [(flow, self._known(flow)) for flow in flows]
        self._generator.add_streams(port, self._back(known, self._experiment.now_s + BUILT_S))
        self._generator.start([port], force=True)

    def _known(self, flow: Flow) -> tuple[Seen, str]:
        """The first packet of a flow at the sink, and its source address there."""
        deadline = time.monotonic() + KNOWN_S
        while time.monotonic() < deadline:
            found = self._sink.external(self._outward[flow.number])
            if found is not None:
                return found
            self._require_fetched()
            time.sleep(FETCH_S / 2)
        raise TestbedError(
            f"no packet of a translated flow reached the sink within {KNOWN_S:g} s",
            where=str(flow.out),
            found=f"{len(self._sink.rows)} packets of such flows",
        )

    def _require_fetched(self) -> None:
        if self._fetching.failure is not None:
            raise TestbedError("packets at the sink were not fetched", found=str(self._fetching.failure))

    def _fetch(self) -> None:
        self._sink.take(self._generator.received(SINK))

    def _out(self) -> list[Stream]:
        """Everything that inside hosts send, from the beginning on."""
        made: list[Stream] = []
        for flow in self._flows:
            begin = flow.begin_s + flow.number % 40 / 1000
            lasting = self._end_s - begin
            count = int(lasting * PACKETS_PER_S)
            number = self._streams.take(flow, "datagram", "out", count)
            self._outward[flow.number] = number
            made.append(self._stream(datagram(flow.out, number), count, begin))
            if flow.has("fragments out"):
                made += self._fragments(flow, flow.out, "out", count, begin + 0.013)
            if flow.has("errors from inside"):
                count = int((lasting - 1.0) * ERRORS_PER_S)
                number = self._streams.take(flow, "ICMP error", "out", count)
                out = flow.out
                reply = Way(out.destination, out.dport, out.source, out.sport, out.mac)
                frame = icmp_error(reply, out.source, GATEWAY, number)
                made.append(self._stream(frame, count, begin + 1.0, ERRORS_PER_S))
        return made

    def _back(self, flows: list[tuple[Flow, tuple[Seen, str]]], begin_s: float) -> list[Stream]:
        """Everything that comes to the external endpoints of these flows; it is sent from ``begin_s`` on."""
        made: list[Stream] = []
        lasting = self._end_s - begin_s
        for flow, (told, external) in flows:
            mac = self._experiment.handle.layout.server_mac(self._server(told.instance))
            out = flow.out
            back = Way(out.destination, out.dport, external, told.sport, mac)
            begin = flow.number % 40 / 1000
            count = int(lasting * PACKETS_PER_S)
            number = self._streams.take(flow, "datagram", "back", count)
            made.append(self._stream(datagram(back, number), count, begin))
            if flow.has("fragments back"):
                made += self._fragments(flow, back, "back", count, begin + 0.013)
            if flow.has("errors from outside"):
                count = int(lasting * ERRORS_PER_S)
                number = self._streams.take(flow, "ICMP error", "back", count)
                sent = Way(external, told.sport, out.destination, out.dport, mac)
                frame = icmp_error(sent, ROUTER, mac, number)
                made.append(self._stream(frame, count, begin, ERRORS_PER_S))
        return made

    def _fragments(self, flow: Flow, way: Way, which: str, count: int, begin_s: float) -> list[Stream]:
        first = self._streams.take(flow, "first fragment", which, count)
        later = self._streams.take(flow, "later fragment", which, count)
        head, tail = fragments(way, first, later)
        return [
            self._stream(head, count, begin_s),
            self._stream(tail, count, begin_s + BEHIND_US / 1e6),
        ]

    def _stream(self, frame: bytes, count: int, begin_s: float, pps: float = PACKETS_PER_S) -> Stream:
        self._packets += count
        return Stream(frame, Rate("pps", pps), SingleBurst(count), instructions=COUNTED, isg_us=begin_s * 1e6)

    def _server(self, instance: int) -> str:
        names = {number: name for name, number in self._experiment.handle.layout.instances.items()}
        return names[instance].partition("/")[0]
