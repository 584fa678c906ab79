"""Packets of translated flows, as offered in streams and as they reached the sink."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nfvcert.checkers.case import Missing
from nfvcert.checkers.rel002.truth import Mask, Numbers
from nfvcert.history import History
from nfvcert.history.migration import OFFERED_TABLE, PACKETS_TABLE

DATAGRAM, OUT = "datagram", "out"


@dataclass(frozen=True, slots=True)
class Offered:
    """A stream: packets of one kind of one flow in one direction (out or back); ``old``: it began before the split."""

    stream: int
    flow: int
    kind: str
    way: str
    old: bool
    packets: int


@dataclass(frozen=True)
class Packets:
    """The packets in columns, in the order in which they came, and the streams by their numbers."""

    columns: dict[str, Numbers]
    streams: dict[int, Offered]

    def __getitem__(self, name: str) -> Numbers:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["stream"])

    @cached_property
    def owner(self) -> dict[int, int]:
        """The instance that handled the first packet of each flow: the first one outward that was received."""
        found: dict[int, int] = {}
        for stream, instance in zip(self["stream"].tolist(), self["instance"].tolist(), strict=True):
            offered = self.streams[stream]
            if offered.way == OUT:
                found.setdefault(offered.flow, instance)
        return found

    @cached_property
    def flow(self) -> Numbers:
        """The flow of each packet."""
        return np.array([self.streams[stream].flow for stream in self["stream"].tolist()], dtype=np.int64)

    @cached_property
    def elsewhere(self) -> Mask:
        """Packets that another instance than the flow's owner handled."""
        owners = np.array([self.owner.get(flow, 0) for flow in self.flow.tolist()], dtype=np.int64)
        return np.asarray(self["instance"] != owners)

    @cached_property
    def missing(self) -> dict[int, int]:
        """Packets of each stream that were sent and never came, streams of which all came left out."""
        pairs = set(zip(self["stream"].tolist(), self["sequence"].tolist(), strict=True))
        came = Counter(stream for stream, _ in pairs)
        short = {number: offered.packets - came[number] for number, offered in self.streams.items()}
        return {number: count for number, count in short.items() if count > 0}

    @cached_property
    def reordered(self) -> int:
        """Packets that came after a later one of their stream."""
        highest: dict[int, int] = {}
        late = 0
        for stream, sequence in zip(self["stream"].tolist(), self["sequence"].tolist(), strict=True):
            late += sequence < highest.get(stream, 0)
            highest[stream] = max(sequence, highest.get(stream, 0))
        return late

    @cached_property
    def endpoints(self) -> dict[int, set[tuple[int, int]]]:
        """External endpoints (address, port) that each flow's datagrams outward had."""
        found: dict[int, set[tuple[int, int]]] = {}
        columns = (self["stream"].tolist(), self["source"].tolist(), self["sport"].tolist())
        for stream, source, sport in zip(*columns, strict=True):
            offered = self.streams[stream]
            if offered.kind == DATAGRAM and offered.way == OUT:
                found.setdefault(offered.flow, set()).add((source, sport))
        return found

    def by_instance(self) -> Counter[int]:
        """How many packets each instance handled."""
        return Counter(self["instance"].tolist())


def packets(history: History) -> Packets:
    """The packets of translated flows of a scenario.

    Raises:
        Missing: they, or the streams that they are of, were not recorded, or do not belong together.
    """
    return history.derived("rel002.packets", lambda: _packets(history))


def recorded(history: History) -> bool:
    """Whether the scenario offered such packets at all."""
    return PACKETS_TABLE in history.tables


def _packets(history: History) -> Packets:
    table, offered = history.tables.get(PACKETS_TABLE), history.tables.get(OFFERED_TABLE)
    if table is None or offered is None or not table.num_rows:
        raise Missing("the packets of translated flows were not recorded")
    columns: dict[str, Any] = {
        name: table.column(name).to_numpy().astype(np.int64)
        for name in ("t_ns", "stream", "sequence", "instance", "detours", "source", "sport")
    }
    streams = {int(row["stream"]): Offered(**row) for row in offered.to_pylist()}
    strange = set(columns["stream"].tolist()) - set(streams)
    if strange:
        raise Missing(f"packets of {len(strange)} streams arrived that were never offered")
    return Packets(columns, streams)
