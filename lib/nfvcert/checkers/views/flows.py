"""Flows: what the generator sent and received, joined with the taps at the virtual ports of the VNFCs.

Which VNFC handled a flow is read at the taps: the flow's own addresses and ports, going towards a VNFC (``out``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from nfvcert.checkers.case import Missing
from nfvcert.checkers.views.inventory import Generation, Lifetime
from nfvcert.history import History
from nfvcert.history.marks import FLOWS_TABLE, OBSERVED_TABLE


@dataclass(frozen=True, slots=True)
class Stay:
    """The packets of one flow that went to one VNFC; times in ns."""

    vnfc: str
    generation: Generation
    first: int
    last: int
    packets: int


@dataclass(slots=True)
class Flow:
    """One flow as its sender and receiver counted it; times in ns.

    ``marker`` and ``last_marker`` are the DSCP values of the first and the last packet received (witness W2).
    """

    id: int
    user: str
    start: int
    end: int
    sent: int
    received: int
    duplicates: int
    reordered: int
    longest_gap: int
    longest_gap_at: int
    marker: int
    last_marker: int
    marker_changes: int
    mapping_changes: int
    return_sent: int
    return_received: int
    stays: list[Stay] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Packets sent and never received."""
        return self.sent - self.received

    @property
    def first_generation(self) -> Generation:
        """Version of the VNFC that got the first packet."""
        return self.stays[0].generation if self.stays else "unknown"


@dataclass(frozen=True, slots=True)
class User:
    """A service request: a user from the first packet of the first flow on."""

    id: str
    start: int
    end: int
    generation: Generation
    marker: int
    vnfcs: tuple[str, ...]
    flows: tuple[Flow, ...]


def flows(history: History, lives: dict[str, Lifetime]) -> list[Flow]:
    """All flows in order of their first packet, each with its stays in order.

    Args:
        lives: all VNFCs of the history, see :func:`nfvcert.checkers.views.inventory.lifetimes`.

    Raises:
        Missing: the flows of sender or taps were not recorded.
    """
    return history.derived("flows", lambda: _flows(history, lives))


def _flows(history: History, lives: dict[str, Lifetime]) -> list[Flow]:
    sent = history.tables.get(FLOWS_TABLE)
    observed = history.tables.get(OBSERVED_TABLE)
    if sent is None or observed is None:
        raise Missing("the flow records of generator and port taps were not recorded")
    stays = _stays(observed, lives)
    columns = [sent.column(name).to_pylist() for name in _COLUMNS]
    keys = zip(*(sent.column(name).to_pylist() for name in ("src", "sport", "dst", "dport")), strict=True)
    result = []
    for key, values in zip(keys, zip(*columns, strict=True), strict=True):
        flow = Flow(*values)
        flow.stays = sorted(stays.get(key, ()), key=lambda stay: stay.first)
        result.append(flow)
    result.sort(key=lambda flow: flow.start)
    return result


def users(flows_: list[Flow]) -> list[User]:
    """Service requests in order of time; flows must be in order of their start."""
    by_user: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows_:
        by_user[flow.user].append(flow)
    found = []
    for name, own in by_user.items():
        stays = sorted((stay for flow in own for stay in flow.stays), key=lambda stay: stay.first)
        vnfcs = tuple(dict.fromkeys(stay.vnfc for stay in stays))
        end = max(flow.end for flow in own)
        generation = stays[0].generation if stays else "unknown"
        found.append(User(name, own[0].start, end, generation, own[0].marker, vnfcs, tuple(own)))
    return sorted(found, key=lambda user: user.start)


_COLUMNS = (
    "flow_id",
    "user",
    "first_tx_ns",
    "last_tx_ns",
    "sent",
    "received",
    "duplicates",
    "reordered",
    "max_gap_ns",
    "max_gap_at_ns",
    "first_dscp",
    "last_dscp",
    "dscp_changes",
    "ext_changes",
    "return_sent",
    "return_received",
)


def _stays(observed: object, lives: dict[str, Lifetime]) -> dict[tuple[str, int, str, int], list[Stay]]:
    owner = {port: life.vnfc for life in lives.values() for port in life.vnfc.ports}
    names = ("port", "direction", "src", "sport", "dst", "dport", "packets", "first_ns", "last_ns")
    columns = [observed.column(name).to_pylist() for name in names]  # type: ignore[attr-defined]
    merged: dict[tuple[tuple[str, int, str, int], str], Stay] = {}
    for port, direction, src, sport, dst, dport, packets, first, last in zip(*columns, strict=True):
        vnfc = owner.get(port)
        if vnfc is None or direction != "out" or vnfc.generation not in ("old", "new"):
            continue
        key = ((src, sport, dst, dport), vnfc.id)
        known = merged.get(key)
        if known is not None:
            first, last, packets = min(first, known.first), max(last, known.last), packets + known.packets
        merged[key] = Stay(vnfc.id, vnfc.generation, first, last, packets)
    stays: dict[tuple[str, int, str, int], list[Stay]] = defaultdict(list)
    for (tuple_, _), stay in merged.items():
        stays[tuple_].append(stay)
    return stays
