"""Procedures of scaling out without disturbance, one for each method."""

from __future__ import annotations

from typing import Any

from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.rules import Change, FlowRule
from nfvcert.dataplane.switch import Switch
from nfvcert.history import migration as m
from nfvcert.scenarios.migration_avoidance.stage import Stage

TAIL = 50
"""Flows that never end in the workload of that name."""
TENANT = "tenant"
FOREIGN_BEFORE = 100
"""Entries of another tenant before the split."""
HELD_S = 0.3
"""So long a push is held back while somebody else takes entries."""
LONGEST_S = 30.0
ROUND_S = 10.0
LATE_S = 10.0
"""A round begins so much later at most, as long as a split of the last one is under way."""
LAST_ROUND_S = 12.0
LEAST_ENDLESS = 15
DOUBLING_PACKETS = 0.1
OPEN_VSWITCH_LOAD = 0.1
"""Share of the full load that Open vSwitch surely carries on a core that it shares; all ratios are kept.

It carries more packets. But it looks at all flows anew after each change of its table, and does not give its turn away
meanwhile: with ten times as many flows those of them that send seldom would be taken for ended.
"""
SETTLED_S = 16.0
"""After that time sub-ranges have been merged and exceptions have ended."""


def plain(stage: Stage) -> None:
    """Steps 1 to 6 of clause 6.2 on the annex's workload."""
    _split(stage, "plain", least_s=SETTLED_S)


def sub_ranges(stage: Stage) -> None:
    """The same workload, handed over in sub-ranges that hold no old flow."""
    _split(stage, "sub-ranges", least_s=SETTLED_S)


def heavy_tailed(stage: Stage) -> None:
    """Heavy-tailed lengths in the place of exponential ones."""
    _split(stage, "sub-ranges", least_s=SETTLED_S, name="tail", heavy_tailed=True)


def openvswitch(stage: Stage) -> None:
    """The plain method with Open vSwitch as hardware switch, at the rate that it can carry."""
    setup = {"driver": "openvswitch", "identity": "source-port"}
    _split(stage, "plain", setup=setup, least_s=SETTLED_S, most_load=OPEN_VSWITCH_LOAD)


def alternative(stage: Stage) -> None:
    """The alternative of step 6: no entry for exceptions."""
    _split(stage, "alternative")


def never_migrate(stage: Stage) -> None:
    """1,500 living flows, so that every exception fits."""
    _split(stage, "never-migrate", concurrent=0.15)


def table_full(stage: Stage) -> None:
    """10,000 living flows, so that 5,000 exceptions would be needed; some entries are somebody else's.

    Between the controller's look at the table and its push another tenant takes two thirds of what was free.
    """
    with stage.experiment("never-migrate") as experiment:
        tenant = experiment.handle.switch(TENANT)
        held = stage.entries(FOREIGN_BEFORE)
        foreign(tenant, held)
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        push = experiment.relays["switch"]
        push.hold_next("apply", HELD_S)
        experiment.split()
        if push.await_order("apply", LONGEST_S):
            used, capacity = tenant.used()
            taken = (capacity - used) * 2 // 3
            experiment.fault("fill", "switch", entries=taken)
            foreign(tenant, taken, first=held)
        experiment.finish()


def always_migrate(stage: Stage) -> None:
    """State moves while each flow sends."""
    setup = {"function": "monitor", "parameters": {"idle_timeout_ms": 120_000}}
    with stage.experiment("always-migrate", setup=setup) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        identifier = experiment.split()
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        experiment.finish()
        experiment.dump_states("final")
        experiment.record_states()


def doubling(stage: Stage) -> None:
    """One to two to four to eight; the next round begins while old flows of the last live.

    Eighteen processes share the cores, so packets come at a tenth of the rate.
    """
    least = stage.trigger_s + 3 * ROUND_S + LAST_ROUND_S + LATE_S
    extra = {"endless": max(LEAST_ENDLESS, round(TAIL * stage.profile.load))}
    with stage.experiment(
        "sub-ranges", servers=8, least_s=least, name="tail", mean_s=2.0, extra=extra, packets=DOUBLING_PACKETS
    ) as experiment:
        experiment.start_traffic()
        under_way: list[str | None] = []
        for number, count in enumerate((1, 2, 4)):
            experiment.until(stage.trigger_s + number * ROUND_S)
            for identifier in under_way:
                experiment.controller.await_state(identifier, timeout_s=LATE_S)
            under_way = []
            for source in range(1, count + 1):
                label = m.FIRST_SPLIT if count == 1 else f"{m.FIRST_SPLIT}-{source + count}"
                target = f"s{source + count}/v1"
                under_way.append(experiment.split(label, source=f"s{source}/v1", target=target))
        experiment.finish()


def foreign(tenant: Switch, count: int, *, first: int = 0) -> None:
    """Put rules of another tenant into the table: exceptions of flows that are never offered, from number ``first``."""
    flows = [Flow(0, 0x64400000 + n, 0x64500000 + n, 1, 1, 6) for n in range(first, first + count)]
    tenant.apply(Change([], [FlowRule(flow, "s1") for flow in flows]))


def _split(stage: Stage, method: str, **more: Any) -> None:
    with stage.experiment(method, **more) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        experiment.split()
        experiment.finish()
