"""The id of a flow, worked out from its addresses independently of the switches.

CRC-32C (Castagnoli polynomial, reflected, all ones before and after) over the octets of the identity in network order,
folded to 16 bits by exclusive or of its halves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

IDS = 65_536
_POLYNOMIAL = 0x82F63B78


def _table() -> NDArray[np.uint32]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(_POLYNOMIAL), values >> 1).astype(np.uint32)
    return values


_CRC = _table()


def ids(columns: dict[str, NDArray[Any]], identity: str) -> NDArray[np.int64]:
    """Ids of flows from their columns src, dst (32 bits), sport, dport (16 bits) and proto (8 bits).

    Args:
        identity: ``five-tuple``, ``addresses`` or ``source-port``.

    Raises:
        ValueError: there is no such identity.
    """
    if identity == "source-port":
        return columns["sport"].astype(np.int64)
    addresses = [*_octets(columns["src"], 4), *_octets(columns["dst"], 4)]
    protocol = _octets(columns["proto"], 1)
    if identity == "five-tuple":
        octets = [*addresses, *_octets(columns["sport"], 2), *_octets(columns["dport"], 2), *protocol]
    elif identity == "addresses":
        octets = [*addresses, *protocol]
    else:
        raise ValueError(f"no identity is called '{identity}'")
    value = np.full(len(columns["src"]), 0xFFFFFFFF, dtype=np.uint32)
    for octet in octets:
        value = _CRC[(value ^ octet) & 0xFF] ^ (value >> 8)
    value = ~value
    return ((value ^ (value >> 16)) & 0xFFFF).astype(np.int64)


def _octets(column: NDArray[Any], count: int) -> list[NDArray[np.uint32]]:
    values = column.astype(np.uint32)
    return [(values >> np.uint32(8 * place)) & np.uint32(0xFF) for place in reversed(range(count))]
