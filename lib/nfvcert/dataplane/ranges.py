"""Id ranges: maps over all ids and the runs of which they consist; prefixes for switches that match masks only.

A *map* is a numpy array of one value for each of the 65,536 ids. A *run* is a maximal range of ids of equal value;
ranges are inclusive at both ends.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nfvcert.dataplane.identity import IDS

IdMap = npt.NDArray[np.int8]
IdSet = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
Range = tuple[int, int]
Cost = Callable[[Indices, Indices], Indices]
"""Entries that ranges (first ids, last ids) cost in the table of a switch, for each of them."""


NOBODY = -1
"""In a map of owners that server switches take: an id without owner."""


def owner_map(owners: IdMap) -> str:
    """What server switches take: an octet for each id, in base64, the index of its owner among those that are named."""
    return base64.b64encode(owners.tobytes()).decode()


def empty_set() -> IdSet:
    """No id."""
    return np.zeros(IDS, np.bool_)


def set_of(ranges: list[Range]) -> IdSet:
    """The ids of inclusive ranges."""
    found = empty_set()
    for lo, hi in ranges:
        found[lo : hi + 1] = True
    return found


def boundaries(values: IdMap | IdSet) -> tuple[Indices, Indices]:
    """First and last ids of the runs of a map, in order; together they cover every id."""
    changes = np.flatnonzero(values[1:] != values[:-1]).astype(np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), changes + 1))
    ends = np.concatenate((changes, np.array([IDS - 1], np.int64)))
    return starts, ends


def ranges_of(ids: IdSet) -> list[Range]:
    """The runs of a set of ids."""
    starts, ends = boundaries(ids)
    chosen = ids[starts]
    return list(zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True))


def upper_part(domain: IdSet, share: float) -> IdSet:
    """The upper `share` (0 to 1) of the ids of a domain: [M, Y] of REL002 clause 6.2."""
    ids = np.flatnonzero(domain)
    part = empty_set()
    part[ids[len(ids) - round(len(ids) * share) :]] = True
    return part


def bitmap(text: str) -> IdSet:
    """The set of ids that a base64 bitmap of 65,536 bits tells, least significant bit first."""
    bits = np.frombuffer(base64.b64decode(text), np.uint8)
    if bits.size != IDS // 8:
        raise ValueError(f"a bitmap of {IDS // 8} octets is expected, not of {bits.size}")
    return np.unpackbits(bits, bitorder="little").astype(np.bool_)


def prefixes(lo: int, hi: int) -> list[tuple[int, int]]:
    """(value, mask) pairs of 16 bits that cover exactly the ids lo to hi: the fewest aligned blocks."""
    found = []
    while lo <= hi:
        size = lo & -lo or IDS
        while size > hi - lo + 1:
            size >>= 1
        found.append((lo, 0xFFFF & ~(size - 1)))
        lo += size
    return found


def one_entry(starts: Indices, ends: Indices) -> Indices:
    """Entries that ranges cost in a switch which matches ranges: one each."""
    return np.ones(len(starts), np.int64)


def blocks(starts: Indices, ends: Indices) -> tuple[Indices, Indices]:
    """First and last ids of the aligned blocks of which ranges consist, in no order: each costs one entry anywhere."""
    lo, hi = starts.copy(), ends + 1
    found: list[tuple[Indices, Indices]] = []
    for bit in range(17):
        size = 1 << bit
        low = (lo < hi) & (lo & size != 0)
        found.append((lo[low], lo[low] + size - 1))
        lo = np.where(low, lo + size, lo)
        high = (lo < hi) & (hi & size != 0)
        found.append((hi[high] - size, hi[high] - 1))
        hi = np.where(high, hi - size, hi)
    return np.concatenate([first for first, _ in found]), np.concatenate([last for _, last in found])


def prefix_entries(starts: Indices, ends: Indices) -> Indices:
    """Entries that ranges cost in a switch which matches masks: one for each aligned block."""
    lo, hi = starts.copy(), ends + 1
    count = np.zeros(len(starts), np.int64)
    for bit in range(17):
        size = 1 << bit
        low = (lo < hi) & (lo & size != 0)
        count += low
        lo = np.where(low, lo + size, lo)
        high = (lo < hi) & (hi & size != 0)
        count += high
        hi = np.where(high, hi - size, hi)
    return count
