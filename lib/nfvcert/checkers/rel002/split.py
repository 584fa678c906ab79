"""The best balance that whole flows allow: no controller can part a flow without breaking its affinity."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from nfvcert.checkers.rel002.truth import Truth

SECOND_NS = 1_000_000_000


def best_split_percent(flows: Truth, instances: Sequence[int], first: int, last: int) -> float:
    """Imbalance in percent of the best split of the flows of a second, the worst of the seconds between two times.

    The loads of flows are put on the least loaded instance, largest first; what remains is at most the largest of them.
    """
    worst = 0.0
    for begin in range(first, last - SECOND_NS + 1, SECOND_NS):
        worst = max(worst, _best(flows, len(instances), begin, begin + SECOND_NS))
    return worst


def _best(flows: Truth, instances: int, first: int, last: int) -> float:
    began, ended = flows["first_tx_ns"], flows["last_tx_ns"]
    overlap = np.minimum(ended, last) - np.maximum(began, first)
    present = overlap > 0
    if not present.any():
        return 0.0
    length = np.maximum(1, (ended - began)[present])
    offered = flows["sent"][present] * overlap[present] / length
    mean = float(offered.sum()) / instances
    largest = float(offered.max())
    if largest < 0.01 * mean:
        return 100.0 * largest / mean
    heap = [0.0] * instances
    for load in np.sort(offered)[::-1].tolist():
        heapq.heapreplace(heap, heap[0] + load)
    return 100.0 * (max(heap) - min(heap)) / mean
