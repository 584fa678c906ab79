"""REL002.MA.4: the alternative of step 6: two ranges in hardware, the new side returns remaining old flows."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, lossless, nothing_twice, reached_end
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.loads import loads
from nfvcert.checkers.rel002.table import dumps
from nfvcert.checkers.rel002.workload import faults, last_push, orders, the_request
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.history import migration as m
from nfvcert.measure import Measure

LATENCY_LIMIT_US = 10.0
REACHED_AGAIN_NS = 1_000_000_000


@checker("TP.MA.04.1")
def two_ranges(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The hardware holds two ranges only; packets of old flows pass the new side without being handled there."""
    history = history_of(histories, "ma-alternative")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split, push = the_request(history), last_push(history)
    reached_end(case, history, "CONVERGED", "COMPLETED", "DETOURING")
    affinity(case, flows)
    lossless(case, flows)
    nothing_twice(case, flows)
    loops = sum(int(event.data.get("loops") or 0) for event in _last_counters(history))
    case.expect(not loops, f"loop: {loops} packets went round between the server switches and were dropped")
    if not case.guard(push is not None, "the range change was not reached"):
        return case.judge("")
    assert push is not None
    found = [dump for dump in dumps(history) if dump.t > push.t + 100_000_000]
    if case.guard(bool(found), "the table was not dumped after the range change"):
        case.rests_on(history, [push.event, found[0].event, found[-1].event])
        for dump in found:
            if len(dump.ranges) != 2 or dump.exceptions or not dump.covers_all_once():
                case.expect(
                    False,
                    f"the hardware holds {len(dump.ranges)} ranges and {len(dump.exceptions)} exceptions, not just two",
                )
                break
    given = found[0].towards(offered.server(offered.number(split.target))) if found else []
    old = (
        flows.owned_by(offered.number(split.source)) & flows.within(given) & (flows["last_tx_ns"] > push.t + 50_000_000)
    )
    old &= flows["first_tx_ns"] < push.t
    returned = int((old & (flows["last_detoured_ns"] > push.t)).sum())
    case.guard(returned >= 10, f"only {returned} old flows were returned by the new side after the range change")
    latency = loads(history).added_latency_us(push.t, figures(history).end_ns)
    if case.guard(latency is not None, "the latency of returned flows was not measured"):
        assert latency is not None
        case.measure(
            Measure(
                "added_latency_median_old_flows",
                round(latency[0], 2),
                "us",
                "<=",
                LATENCY_LIMIT_US,
                "nfvcert",
                rule="median over intervals of the difference of medians, weighted by returned packets",
            ),
            "latency added to returned old flows",
        )
    return case.judge(
        f"two ranges in hardware; {returned} old flows were returned to their owner and handled there only"
    )


def _last_counters(history: History) -> list[Event]:
    last: dict[str, Event] = {}
    for event in history.of(EventKind.PACKET_INTERVAL, where=lambda e: e.source.startswith(m.SERVER_SWITCH)):
        last[event.source] = event
    return list(last.values())


@checker("TP.MA.04.2")
def old_flows_known_first(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The range change waits until the new side knows the old flows, and a restart there forgets none of them."""
    history = history_of(histories, "ma-list-delayed")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split, push = the_request(history), last_push(history)
    affinity(case, flows)
    server = offered.server(offered.number(split.target))
    disturbed = faults(history, "slow", "cut")
    restarted = [event for event in history.marks(marks.RESTARTED) if event.data.get("component") == server]
    case.rests_on(history, [*disturbed, *restarted])
    case.guard(bool(disturbed), "the transfer of the list was not disturbed")
    case.guard(bool(restarted), "the server switch of the new side was not restarted")
    lists = [event for event in orders(history, server, "expect_flows") if event.data.get("ok")]
    changes = [
        event
        for event in orders(history, m.SWITCH, "apply")
        if event.data.get("ok") and any(rule.get("port") == server for rule in event.data["request"].get("add") or [])
    ]
    if not case.guard(bool(changes) and push is not None, "the range change was not reached"):
        return case.judge("")
    case.rests_on(history, [changes[0], *lists[:2]])
    first = int(changes[0].data["t_request"])
    known = [event for event in lists if event.t <= first]
    case.expect(bool(known), "the range change went out before the new side had acknowledged the list of old flows")
    if restarted:
        up = int(restarted[-1].data["up_at"])
        old = flows.owned_by(offered.number(split.source)) & (flows["first_tx_ns"] < first) & (flows["last_tx_ns"] > up)
        returned = int((old & (flows["last_detoured_ns"] > up)).sum())
        case.guard(returned >= 10, f"only {returned} old flows were returned after the restart")
        late = old & flows.within(dumps(history)[-1].towards(server)) & (flows["last_tx_ns"] > up + REACHED_AGAIN_NS)
        cut = late & (flows["last_owner_ns"] < flows["last_tx_ns"] - REACHED_AGAIN_NS)
        case.expect(not cut.any(), f"{int(cut.sum())} old flows no longer reach their owner after the restart")
    return case.judge("the list was known before the range change, and survived the restart")
