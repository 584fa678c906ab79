"""Flow entries, changes of them, and counters of tables and ports as values with their encoding (ONF TS-012). Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from nfvcert.dataplane.openflow.wire import Kind, pack

ANY = 0xFFFFFFFF
"""Any port, any group, no buffer."""
EVERYTHING = (1 << 64) - 1
"""Mask of a cookie that has to be equal in all bits."""


class Field(IntEnum):
    """Fields of a match: class, number and length (octets) of OXM, packed as its header without mask (clause 7.2.3)."""

    REGISTER_0 = 0x00010004
    """A register of Open vSwitch (nicira extensions)."""
    ETH_TYPE = 0x80000A02
    IP_PROTO = 0x80001401
    IPV4_SRC = 0x80001604
    IPV4_DST = 0x80001804
    TCP_SRC = 0x80001A02
    TCP_DST = 0x80001C02
    UDP_SRC = 0x80001E02
    UDP_DST = 0x80002002


_MASKED = 0x100
Match = dict[int, tuple[int, int | None]]
"""Field -> value and mask (None: all bits); fields not of :class:`Field` by their OXM header without mask."""


class Command(IntEnum):
    """What a change does (clause 7.3.4.2)."""

    ADD = 0
    DELETE_STRICT = 4


CHECK_OVERLAP = 1 << 1
"""Flag of an addition: refused where another entry of the same priority matches some of the same packets."""

_FLOW_MOD = struct.Struct("!QQBBHHHIIIHH")
_FLOW_REQUEST = struct.Struct("!B3xII4xQQ")
_FLOW_STATS = struct.Struct("!HBxIIHHHHH2xQQQ")
_TABLE_STATS = struct.Struct("!B3xIQQ")
_TABLE_FEATURES = struct.Struct("!HB5x32sQQII")
_PORT_STATS = struct.Struct("!H2xIII8Q")
_MATCH = struct.Struct("!HH")
_OXM = struct.Struct("!I")
_TLV = struct.Struct("!HH")
_OUTPUT = struct.Struct("!HHIH6x")
_INSTRUCTION = struct.Struct("!HH4x")
_MATCH_OXM, _APPLY_ACTIONS, _ACTION_OUTPUT, _TO_CONTROLLER_WHOLE = 1, 4, 0, 0xFFFF


@dataclass(frozen=True)
class FlowEntry:
    """An entry of a table with what it has matched; ``output`` None: it does something else than output to one port."""

    table: int
    priority: int
    cookie: int
    match: Match
    output: int | None
    packets: int = 0
    octets: int = 0


@dataclass(frozen=True)
class FlowMod:
    """A change of one entry; deletions only touch an entry with that cookie."""

    command: Command
    table: int
    priority: int
    cookie: int
    match: Match
    output: int | None = None

    def encode(self, xid: int) -> bytes:
        """As a message."""
        adding = self.command is Command.ADD
        head = _FLOW_MOD.pack(
            self.cookie,
            0 if adding else EVERYTHING,
            self.table,
            self.command,
            0,
            0,
            self.priority,
            ANY,
            ANY,
            ANY,
            CHECK_OVERLAP if adding else 0,
            0,
        )
        actions = b"" if self.output is None else _output(self.output)
        return pack(Kind.FLOW_MOD, xid, head + encode_match(self.match) + actions)

    @classmethod
    def decode(cls, body: bytes) -> FlowMod:
        """Of the body of a message.

        Raises:
            ValueError: it is neither an addition nor a strict deletion.
        """
        cookie, _, table, command, _, _, priority, *_ = _FLOW_MOD.unpack_from(body)
        match, rest = decode_match(body[_FLOW_MOD.size :])
        return cls(Command(command), table, priority, cookie, match, _output_of(rest))


@dataclass(frozen=True)
class TableCounters:
    """Of a table: entries, packets looked up, packets that matched."""

    table: int
    active: int
    lookups: int
    matched: int


@dataclass(frozen=True)
class PortCounters:
    """Of a port since it was made."""

    port: int
    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int
    rx_dropped: int
    tx_dropped: int
    rx_errors: int
    tx_errors: int


def flow_request(table: int) -> bytes:
    """Body of a request for the entries of a table."""
    return _FLOW_REQUEST.pack(table, ANY, ANY, 0, 0) + encode_match({})


def port_request() -> bytes:
    """Body of a request for the counters of all ports."""
    return struct.pack("!I4x", ANY)


def flow_entries(body: bytes) -> Iterator[FlowEntry]:
    """The entries of an answer."""
    for content in _chunks(body):
        _, table, _, _, priority, _, _, _, _, cookie, packets, octets = _FLOW_STATS.unpack_from(content)
        match, output = _deed_of(content[_FLOW_STATS.size :])
        yield FlowEntry(table, priority, cookie, match, output, packets, octets)


def port_counters(body: bytes) -> Iterator[PortCounters]:
    """The ports of an answer; counters that a port does not have are 0."""
    for content in _chunks(body):
        _, port, _, _, *counts = _PORT_STATS.unpack_from(content)
        yield PortCounters(port, *(0 if count == EVERYTHING else count for count in counts))


def table_counters(body: bytes) -> Iterator[TableCounters]:
    """The tables of an answer."""
    for values in _TABLE_STATS.iter_unpack(body):
        yield TableCounters(*values)


def table_capacities(body: bytes) -> Iterator[tuple[int, int]]:
    """Number and largest number of entries of each table of an answer."""
    for content in _chunks(body):
        _, table, _, _, _, _, most = _TABLE_FEATURES.unpack_from(content)
        yield table, most


def encode_match(match: Match) -> bytes:
    """A match with its padding to 8 octets."""
    fields = b""
    for field, (value, mask) in match.items():
        size = field & 0xFF
        head = field if mask is None else (field | _MASKED) + size
        fields += _OXM.pack(head) + value.to_bytes(size, "big")
        if mask is not None:
            fields += mask.to_bytes(size, "big")
    length = _MATCH.size + len(fields)
    return _MATCH.pack(_MATCH_OXM, length) + fields + bytes(-length % 8)


def decode_match(data: bytes) -> tuple[Match, bytes]:
    """The match at the beginning, and what follows it.

    Raises:
        ValueError: it is cut short.
    """
    _, length = _MATCH.unpack_from(data)
    if length > len(data):
        raise ValueError("a match is cut short")
    match: Match = {}
    at = _MATCH.size
    while at < length:
        [head] = _OXM.unpack_from(data, at)
        at += _OXM.size
        size = head & 0xFF
        masked = bool(head & _MASKED)
        width = size // 2 if masked else size
        value = int.from_bytes(data[at : at + width], "big")
        mask = int.from_bytes(data[at + width : at + size], "big") if masked else None
        match[(head & ~0x1FF) | width] = (value, mask)
        at += size
    return match, data[length + (-length % 8) :]


@lru_cache(maxsize=1 << 14)
def _deed_of(content: bytes) -> tuple[Match, int | None]:
    """Match and port of an entry; most are the same in one dump after the other."""
    match, rest = decode_match(content)
    return match, _output_of(rest)


def _chunks(body: bytes) -> Iterator[bytes]:
    """Records that begin with their length."""
    at = 0
    while at + 2 <= len(body):
        [length] = struct.unpack_from("!H", body, at)
        if length < 2 or at + length > len(body):
            raise ValueError("a record is cut short")
        yield body[at : at + length]
        at += length


def _output(port: int) -> bytes:
    action = _OUTPUT.pack(_ACTION_OUTPUT, _OUTPUT.size, port, _TO_CONTROLLER_WHOLE)
    return _INSTRUCTION.pack(_APPLY_ACTIONS, _INSTRUCTION.size + len(action)) + action


def _output_of(instructions: bytes) -> int | None:
    """The port, where the instructions are nothing but output to it."""
    single = _INSTRUCTION.size + _OUTPUT.size
    if len(instructions) != single:
        return None
    kind, _ = _INSTRUCTION.unpack_from(instructions)
    action, _, port, _ = _OUTPUT.unpack_from(instructions, _INSTRUCTION.size)
    return int(port) if kind == _APPLY_ACTIONS and action == _ACTION_OUTPUT else None
