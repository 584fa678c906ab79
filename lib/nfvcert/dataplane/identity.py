"""Flow identity: the 16-bit id that hardware and server switches compute alike from header fields.

REL002 clause 6.2, assumption 1: each flow maps to a flow id in an interval R, here [0, 65535].
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import NamedTuple

IDS = 65536
"""Size of the interval R."""

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, bits reversed."""


class Identity(StrEnum):
    """Which header fields a flow id is computed from."""

    FIVE_TUPLE = "five-tuple"
    """Addresses, ports, protocol. Fragments after the first carry no ports: use `ADDRESSES` where they occur."""
    ADDRESSES = "addresses"
    """Addresses and protocol: right for fragments and ICMP errors, coarser."""
    SOURCE_PORT = "source-port"
    """The transport's source port itself: what OpenFlow can match without a hash."""


class Flow(NamedTuple):
    """A flow with its id; addresses and ports in host order."""

    id: int
    src: int
    dst: int
    sport: int
    dport: int
    proto: int

    @property
    def key(self) -> list[int]:
        """The five fields that tell the flow from others, as control interfaces take them."""
        return list(self[1:])


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def crc32c(data: bytes) -> int:
    """CRC-32C: initial value and final xor 0xffffffff."""
    crc = 0xFFFFFFFF
    for octet in data:
        crc = crc >> 8 ^ _CRC[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFFFFFF


def flow_id(src: int, dst: int, sport: int, dport: int, proto: int, identity: Identity = Identity.FIVE_TUPLE) -> int:
    """Flow id of header fields (addresses and ports in host order), 0 to 65535."""
    if identity is Identity.SOURCE_PORT:
        return sport
    if identity is Identity.ADDRESSES:
        crc = crc32c(struct.pack("!IIB", src, dst, proto))
    else:
        crc = crc32c(struct.pack("!IIHHB", src, dst, sport, dport, proto))
    return (crc ^ crc >> 16) & 0xFFFF


def flow(src: int, dst: int, sport: int, dport: int, proto: int, identity: Identity = Identity.FIVE_TUPLE) -> Flow:
    """A flow with its id computed."""
    return Flow(flow_id(src, dst, sport, dport, proto, identity), src, dst, sport, dport, proto)
