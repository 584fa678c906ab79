"""What a profile sends over time: which streams are on at once, at most how much, and for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.rates import Load
from nfvcert.traffic.trex.server.streams import MultiBurst, SingleBurst, Stream

LONGEST_CHAIN = 10_000
"""Visits of streams that are followed when bursts lead back to earlier ones."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stream sends from ``begin`` to ``end`` (seconds; infinite when nothing ends it), ``packets`` in all."""

    stream: int
    begin: float
    end: float
    load: Load
    packets: float


@dataclass(frozen=True, slots=True)
class Outline:
    """A profile at multiplier 1: the largest load at any time; seconds and packets until its end, if it ends."""

    peak: Load
    seconds: float
    packets: float
    spans: tuple[Span, ...]


def check_links(streams: Mapping[int, Stream]) -> None:
    """Whether streams that follow others are there.

    Raises:
        RpcError: one is not, or nothing would ever start.
    """
    for stream in streams.values():
        follower = stream.next_number
        if stream.described.enabled and follower is not None:
            found = streams.get(follower)
            if found is None or not found.described.enabled:
                state = "missing" if found is None else "not enabled"
                raise RpcError(
                    "the next stream cannot follow", where=f"stream {stream.number}", found=f"{follower}: {state}"
                )
    if not any(stream.described.enabled and stream.described.self_start for stream in streams.values()):
        raise RpcError("no stream starts by itself", hint="let at least one enabled stream have self_start")


def outline(streams: Mapping[int, Stream], speed_bps: float) -> Outline:
    """Follow all streams that start by themselves; bursts with gaps count as on from first to last packet.

    Streams that repeat each other without end are followed once round and then taken to go on for ever.
    """
    spans: list[Span] = []
    endless = False
    for stream in streams.values():
        if stream.described.enabled and stream.described.self_start:
            chain, cut = _follow(stream, streams, speed_bps)
            spans += chain
            endless = endless or cut
    end = max((span.end for span in spans), default=0.0)
    packets = sum(span.packets for span in spans)
    return Outline(_peak(spans), math.inf if endless else end, math.inf if endless else packets, tuple(spans))


def _follow(first: Stream, streams: Mapping[int, Stream], speed_bps: float) -> tuple[list[Span], bool]:
    spans: list[Span] = []
    visits: dict[int, int] = {}
    stream: Stream | None = first
    clock = 0.0
    while stream is not None and len(spans) < LONGEST_CHAIN:
        loops = stream.described.action_count
        visits[stream.number] = visits.get(stream.number, 0) + 1
        begin = clock + stream.described.isg / 1e6
        length, packets = _length(stream, speed_bps)
        clock = begin + length
        spans.append(Span(stream.number, begin, clock, stream.load(speed_bps), 0 if stream.dummy else packets))
        follower = stream.next_number
        if math.isinf(length) or follower is None or (loops and visits[stream.number] >= loops):
            return spans, False
        if not loops and visits[stream.number] > 1:
            return spans, True
        stream = streams.get(follower)
    return spans, stream is not None


def _length(stream: Stream, speed_bps: float) -> tuple[float, float]:
    """Seconds and packets of one visit."""
    pps = stream.pps(speed_bps)
    match stream.described.mode:
        case SingleBurst() as burst:
            return burst.total_pkts / pps, burst.total_pkts
        case MultiBurst() as bursts:
            one = bursts.pkts_per_burst / pps
            return bursts.count * one + (bursts.count - 1) * bursts.ibg / 1e6, bursts.count * bursts.pkts_per_burst
        case _:
            return math.inf, math.inf


def _peak(spans: list[Span]) -> Load:
    """The largest sum of loads at any time."""
    moments: list[tuple[float, int, Load]] = []
    for span in spans:
        moments.append((span.begin, 1, span.load))
        if math.isfinite(span.end):
            moments.append((span.end, 0, span.load.times(-1)))
    moments.sort(key=lambda moment: (moment[0], moment[1]))
    present = largest = Load()
    for _, _, change in moments:
        present = present + change
        if present.bps_l1 > largest.bps_l1:
            largest = present
    return largest
