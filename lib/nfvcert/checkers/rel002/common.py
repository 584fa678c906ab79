"""Measures and expectations that several purposes on dynamic scaling share."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case
from nfvcert.checkers.rel002.figures import Figures
from nfvcert.checkers.rel002.table import Dump, unprotected
from nfvcert.checkers.rel002.truth import Mask, Truth
from nfvcert.checkers.rel002.workload import Request, Workload, scaling_end
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

AFFINITY = "REL002 6.2 (affinity), nfvcert value"
SWITCH_A1 = "REL002 A.1 switch"
MARGIN_NS = 60_000_000
"""A flow is left out around its first and last packet when a dump is compared with the flows: the answer of a switch
takes its time."""


def affinity(case: Case, flows: Truth, *, among: Mask | None = None, name: str = "affinity_violations") -> None:
    """No flow may meet an instance other than its owner."""
    bad = flows.violated if among is None else flows.violated & among
    case.measure(
        Measure(name, int(bad.sum()), "count", "=", 0, AFFINITY),
        "flows of which packets were handled by an instance other than their owner",
    )
    if bad.any():
        row = int(np.flatnonzero(bad)[np.argmin(flows["first_other_ns"][bad])])
        case.observe(
            f"the first such packet left at {int(flows['first_other_ns'][row]) / 1e9:.3f} s: flow with id "
            f"{int(flows.id[row])} of instance {int(flows['first_instance'][row])}, "
            f"{int(flows['other_packets'][row])} of {int(flows['received'][row])} packets elsewhere"
        )


def lossless(case: Case, flows: Truth, *, among: Mask | None = None, source: str = "nfvcert") -> None:
    """No packet may be lost."""
    lost = flows.lost if among is None else flows.lost[among]
    case.measure(Measure("packets_lost", int(lost.sum()), "count", "=", 0, source), "packets lost")


def table_within(case: Case, measured: Figures) -> None:
    """The table never holds more than the switch can."""
    case.measure(
        Measure("table_entries_max", measured.table_max, "count", "<=", measured.table_capacity, SWITCH_A1),
        "entries in the table of the hardware switch",
    )


def nothing_twice(case: Case, flows: Truth) -> None:
    """No packet may be handled twice: it would reach the sink twice."""
    case.measure(
        Measure("packets_handled_twice", int(flows["duplicates"].sum()), "count", "=", 0, "nfvcert"),
        "packets that reached the sink twice",
    )


def exceptions_suffice(
    case: Case, history: History, found: list[Dump], flows: Truth, offered: Workload, request: Request
) -> None:
    """At no dump may a range act in hardware without the exceptions that living flows of the source need."""
    owner = offered.number(request.source)
    home, port = offered.server(owner), offered.server(offered.number(request.target))
    for dump in found:
        rows = unprotected(dump, flows, owner, home, port, margin_ns=MARGIN_NS)
        if rows:
            case.rests_on(history, [dump.event])
            case.expect(
                False,
                f"exception missing: a range acts in the hardware switch without the exceptions of {len(rows)} living "
                f"flows of another server",
            )
            return


def reached_end(case: Case, history: History, *states: str, label: str = m.FIRST_SPLIT) -> str:
    """Guard that the controller carried a request to one of the states; returns the state that it reached."""
    end = scaling_end(history, label)
    case.rests_on(history, [end])
    state = str(end.data.get("state"))
    why = end.data.get("reason") or "no reason given"
    case.guard(state in states, f"the scaling '{label}' ended as {state}, not as {' or '.join(states)}: {why}")
    return state
