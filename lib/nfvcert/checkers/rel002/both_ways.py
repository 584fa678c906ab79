"""REL002.MA.5, traffic that the prototype of annex A.1 did not show: translated flows with all that is theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import AFFINITY, reached_end
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.streams import DATAGRAM, OUT, Offered, Packets, packets
from nfvcert.checkers.rel002.truth import Truth
from nfvcert.checkers.rel002.workload import Workload, last_push, steps, the_request
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

LEAST_FLOWS = 3
"""Flows that have to be seen of each sort at each instance, so that it was put to the test."""
SETTLED_NS = 100_000_000


@checker("TP.MA.05.2")
def translated_both_ways(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Both directions, fragments and ICMP errors reach the owner of their flow, in order."""
    history = history_of(histories, "ma-both-ways")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    seen = packets(history)
    sent = history.mark(m.OFFERED)
    if sent is not None:
        case.rests_on(history, [sent])
    case.guard(sent is not None and bool(sent.data.get("finished")), "not all packets of translated flows were sent")
    reached_end(case, history, "CONVERGED", "COMPLETED")
    _put_to_the_test(case, history, seen, offered)
    _reach_the_owner(case, seen, flows)
    parted = sum(len(found) > 1 for found in seen.endpoints.values())
    case.expect(not parted, f"{parted} flows got another external endpoint while they lived: their state was lost")
    case.measure(
        Measure(
            "packets_reordered", seen.reordered + int(flows["reordered"].sum()), "count", "=", 0, "nfvcert",
            rule="by the count of each stream and flow, whose packets are further apart than the two ways differ",
        ),
        "packets reordered",
    )  # fmt: skip
    lost = int(flows.lost.sum())
    case.expect(not lost, f"{lost} packets of the usual load were lost")
    return case.judge(
        f"{len(seen)} packets of {len(seen.owner)} translated flows reached the owner, in both directions, "
        f"as fragments and as ICMP errors"
    )


def _reach_the_owner(case: Case, seen: Packets, flows: Truth) -> None:
    strayed = set(seen.flow[seen.elsewhere].tolist())
    case.measure(
        Measure("affinity_violations", len(strayed) + int(flows.violated.sum()), "count", "=", 0, AFFINITY),
        "flows of which packets were handled by an instance other than their owner",
    )
    if strayed:
        numbers = seen["stream"][seen.elsewhere].tolist()
        case.observe(f"packets handled elsewhere: {_listed(seen.streams[number] for number in numbers)}")
    missing = sum(seen.missing.values())
    kinds: Counter[str] = Counter()
    for number, count in seen.missing.items():
        kinds[_name(seen.streams[number])] += count
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    case.expect(not missing, f"{missing} packets did not reach the owner of their flow, or got no further: {told}")


def _put_to_the_test(case: Case, history: History, seen: Packets, offered: Workload) -> None:
    """Guard that each sort of packets was seen at each instance, and new flows on the detour and then directly."""
    push, split = last_push(history), the_request(history)
    detour = steps(history, m.DETOUR, label=split.label)
    if not case.guard(push is not None and bool(detour), "the push was not reached"):
        return
    assert push is not None
    case.rests_on(history, [detour[0].event, push.event])
    after = seen["t_ns"] > push.t + SETTLED_NS
    before = (seen["t_ns"] > detour[0].t) & (seen["t_ns"] < push.t)
    target = offered.number(split.target)
    sorts = {_name(stream) for stream in seen.streams.values()}
    for sort in sorted(sorts):
        of_sort = np.array([_name(seen.streams[number]) == sort for number in seen["stream"].tolist()])
        for instance in sorted(offered.instances):
            count = len(set(seen.flow[of_sort & after & (seen["instance"] == instance)].tolist()))
            case.guard(count >= LEAST_FLOWS, f"{sort}: only {count} flows of instance {instance} seen after the push")
    moved = seen["instance"] == target
    outward = np.array([seen.streams[number].way == OUT for number in seen["stream"].tolist()])
    detoured = set(seen.flow[outward & moved & before & (seen["detours"] > 0)].tolist())
    direct = set(seen.flow[outward & moved & after & (seen["detours"] == 0)].tolist())
    both = len(detoured & direct)
    case.guard(both >= LEAST_FLOWS, f"only {both} flows changed from the detour to the direct way")
    case.observe(f"{both} flows changed from the detour to the direct way while they were sending")


def _name(stream: Offered) -> str:
    kind = "datagrams" if stream.kind == DATAGRAM else f"{stream.kind}s"
    return f"{kind} {'outward' if stream.way == OUT else 'back'}"


def _listed(streams: Iterable[Offered]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(map(_name, streams)).items()))
