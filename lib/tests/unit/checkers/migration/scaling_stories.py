"""Good histories of the scenarios of dynamic scaling: what a conforming controller and its switches leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scaling_world import NEVER, Change, Mask, Scaling, ns

from nfvcert.history import History, marks
from nfvcert.history import migration as m

HALF = (32768, 65535)
BOTH = [(0, 32767, "s1"), (32768, 65535, "s2")]
DETOUR_AT = 0.03


def push_time(world: Scaling, old: Mask, after: float, threshold: int) -> float:
    """When a conforming controller pushes: it knows of the end of a flow one state timeout after its last packet."""
    times = np.arange(after, world.end, 0.005)
    born, died = np.sort(world.born[old]), np.sort(world.died[old])
    living = np.searchsorted(born, times, side="right") - np.searchsorted(died, times, side="right")
    above = np.flatnonzero(living >= threshold)
    return float(times[above[-1] + 1 if len(above) else 0]) + world.timeout_s + 0.05


def split_plainly(
    world: Scaling,
    at: float,
    given: tuple[int, int] = HALF,
    ranges: Any = None,
    threshold: int = 200,
    pause: float = 0.0,
    label: str = m.FIRST_SPLIT,
) -> float:
    """Steps 4 to 6 of clause 6.2: new flows of the range are detoured, then one push; returns its time."""
    begin = at + DETOUR_AT
    inside = world.within(*given)
    new = inside & (world.born >= begin)
    world.owner[new] = 2
    old = inside & ~new
    push = push_time(world, old, begin, threshold) + pause
    world.detour(new & (world.born < push), begin, push)
    world.ask(at, label, answer={"given": [list(given)]})
    world.did(at + 0.01, m.ACCEPTED, label)
    world.did(begin, m.SNAPSHOT, label)
    world.did(begin, m.DETOUR, label)
    world.rules(push, ranges or BOTH)
    world.protect(old & (world.died > push - world.timeout_s), push)
    world.did(push, m.PUSH, label, final=True)
    world.ended("CONVERGED", label, threshold=threshold)
    return push


def ma_plain() -> Scaling:
    world = Scaling("ma-plain")
    split_plainly(world, world.trigger)
    return world


def ma_openvswitch() -> Scaling:
    world = Scaling("ma-openvswitch", driver="openvswitch", identity="source-port")
    split_plainly(world, world.trigger)
    return world


def steer(world: Scaling, at: float, share: float, balance_at: float) -> Mask:
    """New flows go to A' with a high share until the loads are equal, then to whoever has less; returns those of A'."""
    dice = np.random.default_rng(3)
    living = [int(world.alive(at).sum()), 0]
    leaves: list[tuple[float, int]] = sorted((float(t), 0) for t in world.died[world.alive(at)])
    import heapq

    heapq.heapify(leaves)
    for row in np.flatnonzero(world.born >= at).tolist():
        while leaves and leaves[0][0] <= world.born[row]:
            living[heapq.heappop(leaves)[1]] -= 1
        ahead = living[1] >= living[0] or world.born[row] > balance_at
        side = int(living[1] < living[0]) if ahead else int(dice.random() < share)
        world.owner[row] = side + 1
        living[side] += 1
        heapq.heappush(leaves, (float(world.died[row]), side))
    return world.owner == 2


def sub_ranges() -> list[tuple[int, int, str]]:
    """A table with as many sub-ranges as fit."""
    edges = np.linspace(0, 65536, 181).astype(int).tolist()
    return [
        (low, high - 1, "s2" if i % 8 else "s1") for i, (low, high) in enumerate(zip(edges, edges[1:], strict=False))
    ]


def ma_sub_ranges(scenario: str = "ma-sub-ranges") -> Scaling:
    world = Scaling(scenario, method="sub-ranges")
    to_new = steer(world, world.trigger + 0.05, 0.85, world.trigger + 4.5)
    dice = np.random.default_rng(5)
    some = to_new & (dice.random(len(world)) < 0.15)
    world.detour(some & (world.born < 5.5), world.trigger, 5.5)
    world.ask(world.trigger)
    world.did(2.05, m.DETOUR)
    world.did(2.06, m.PUSH)
    world.did(5.5, m.PUSH, final=True)
    world.did(6.5, m.CONVERGED)
    world.rules(2.06, sub_ranges())
    world.ended("CONVERGED")
    return world


def ma_never_migrate() -> Scaling:
    world = Scaling("ma-never-migrate", method="never-migrate", flows=150, born_per_s=30.0)
    inside = world.within(*HALF)
    new = inside & (world.born >= 2.05)
    world.owner[new] = 2
    old = inside & ~new & (world.died > 2.05 - world.timeout_s)
    world.ask(2.0)
    world.did(2.05, m.PUSH, final=True)
    world.rules(2.05, BOTH)
    world.protect(old, 2.05)
    world.ended("CONVERGED")
    return world


def ma_table_full() -> Scaling:
    world = Scaling("ma-table-full", method="never-migrate", end=8.0)
    world.foreign = 5
    world.fault(2.02, "fill", "switch", entries=130)
    world.ask(2.0, status=409, answer={"detail": "498 exceptions are needed, 200 entries are free"})
    return world


def ma_always_migrate() -> Scaling:
    world = Scaling("ma-always-migrate", method="always-migrate", end=8.0)
    inside = world.within(*HALF)
    new = inside & (world.born >= 2.1)
    world.owner[new] = 2
    moved = inside & ~new & (world.died > 2.1)
    world.stray(moved, 2.2, NEVER, 2)
    world.ask(2.0)
    world.did(2.1, m.MOVE_BEGIN)
    world.did(2.35, m.MOVED)
    world.did(2.35, m.PUSH, final=True)
    world.p99 = lambda t: 200_000.0 if 2.0 <= t <= 2.4 else 30_000.0
    world.rules(2.35, BOTH)
    world.ended("COMPLETED")
    hold(world, "final", 8.3, {2: (world.owner == 2) | moved, 1: (world.owner == 1) & ~moved})
    return world


def hold(world: Scaling, label: str, t: float, holders: dict[int, Mask], off: int = 0) -> None:
    """Dump the states that the instances hold of their flows."""
    packets = world.sent_until(t)
    for number, chosen in holders.items():
        for row in np.flatnonzero(chosen).tolist():
            named = dict(zip(("src", "dst", "sport", "dport", "proto"), world.key(row), strict=True))
            world.states.append(
                {
                    "label": label, "t_ns": ns(t), "instance": world.instances[number], **named,
                    "packets": int(packets[row]) - off, "bytes": 0,
                }
            )  # fmt: skip


def _half_moved(scenario: str, at: float = 2.2) -> tuple[Scaling, Mask, Mask]:
    """A move of which half is done before ``at``; returns the flows moved before and after it, too."""
    world = Scaling(scenario, method="always-migrate", end=8.0)
    inside = world.within(*HALF)
    world.owner[inside & (world.born >= 2.1)] = 2
    moved = inside & (world.born < 2.1) & (world.died > 2.5)
    first = moved & (np.arange(len(world)) % 2 == 0)
    world.stray(first, at - 0.05, NEVER, 2)
    world.did(2.1, m.MOVE_BEGIN)
    return world, first, moved & ~first


def _end_of_move(world: Scaling, holders: dict[int, Mask], t: float = 4.5) -> Scaling:
    hold(world, "after", t, {number: chosen & world.alive(t) for number, chosen in holders.items()})
    hold(world, "final", world.end + 0.4, holders)
    return world


def ma_move_interrupted() -> Scaling:
    world, first, then = _half_moved("ma-move-interrupted")
    world.stray(then, 3.3, NEVER, 2)
    world.ask(2.0)
    world.fault(2.2, "kill", "controller")
    world.did(3.35, m.MOVED)
    world.rules(3.35, BOTH)
    world.ended("COMPLETED")
    target = (world.owner == 2) | first | then
    return _end_of_move(world, {2: target, 1: ~target})


def ma_move_target_stopped() -> Scaling:
    world = ma_move_interrupted()
    world.scenario = "ma-move-target-stopped"
    for event in world._events:
        if event.data.get("kind") == "kill":
            event.data.update(kind="stop", target="s2/v1", seconds=2.0)
    return world


def ma_move_target_killed() -> Scaling:
    world, first, then = _half_moved("ma-move-target-killed")
    world.instances = {1: "s1/v1", 2: "s2/v1", 3: "s3/v1"}
    world.elsewhere[0].last[:] = np.minimum(world.elsewhere[0].last, 2.3)
    world.swaps[first] = 2
    late = world.within(*HALF) & (world.born >= 2.3)
    world.owner[late] = np.where(world.born[late] < 4.0, 1, 3)
    stayed = then | (late & (world.owner == 1))
    world.stray(stayed & (world.died > 4.5), 4.2, NEVER, 3)
    world.ask(2.0)
    world.fault(2.2, "kill", "s2/v1")
    world.ended("WITHDRAWN")
    world.ask(4.0, "again", to="s3/v1")
    world.did(4.1, m.MOVE_BEGIN, "again")
    world.did(4.35, m.MOVED, "again")
    world.rules(4.35, [(0, 32767, "s1"), (32768, 65535, "s3")])
    world.ended("COMPLETED", "again")
    gone = first | (world.owner == 2)
    target = (world.owner == 3) | (stayed & (world.died > 4.5))
    return _end_of_move(world, {3: target, 1: ~target & ~gone}, 5.0)


def ma_burst() -> Scaling:
    world = Scaling("ma-burst")
    dice = np.random.default_rng(9)
    split_plainly(world, world.trigger)
    push = world.detours[0].last.max()
    chosen = np.flatnonzero(world.born > 0.1)
    extra = dice.choice(chosen, size=600, replace=False)
    moments = np.where(np.arange(600) % 2 == 0, 2.03, push)
    length = world.died[extra] - world.born[extra]
    world.born[extra] = moments + dice.uniform(-0.09, 0.09, 600)
    world.died[extra] = np.minimum(world.born[extra] + length, world.end)
    again = Scaling("ma-burst")
    again.born, again.died = world.born, world.died
    split_plainly(again, again.trigger)
    return again


def ma_idle() -> Scaling:
    world = Scaling("ma-idle")
    pausing = np.arange(200)
    world.born[pausing], world.died[pausing] = 0.01, world.end - 0.1
    world.silence_ms[pausing] = np.array([20, 100, 180, 220])[pausing % 4]
    split_plainly(world, world.trigger)
    world.workload["idle"] = {"flows": 200, "silences_ms": [20, 100, 180, 220]}
    return world


def ma_refused_rules() -> Scaling:
    world = Scaling("ma-refused-rules")
    push = split_plainly(world, world.trigger)
    world.order(push, "switch", "apply", {"add": []}, ok=False, code="refused", error="rule refused")
    return world


def ma_controller_killed() -> Scaling:
    world = Scaling("ma-controller-killed")
    push = split_plainly(world, world.trigger, pause=0.8)
    world.fault(push - 0.8, "kill", "controller")
    world.mark(push - 0.4, marks.RESTARTED, component="controller", down_from=ns(push - 0.8), up_at=ns(push - 0.4))
    return world


def ma_quota() -> Scaling:
    world = Scaling("ma-quota", quota=15, table_capacity=205, endless=60)
    world.foreign = 190
    begin = world.trigger + DETOUR_AT
    new = world.within(*HALF) & (world.born >= begin)
    world.owner[new] = 2
    world.detour(new, begin, NEVER)
    world.ask(world.trigger)
    world.did(begin, m.DETOUR)
    world.did(4.0, m.WAITING)
    world.ended("DETOURING", threshold=13, reason="31 old flows are left, the threshold is 13")
    return world


def ma_alternative(scenario: str = "ma-alternative") -> Scaling:
    world = Scaling(scenario, method="alternative", end=10.0)
    begin, push = 2.03, 3.0
    new = world.within(*HALF) & (world.born >= begin)
    old = world.within(*HALF) & ~new
    world.owner[new] = 2
    world.detour(new & (world.born < push), begin, push, "s1")
    world.detour(old & (world.died > push), push, NEVER, "s2")
    world.ask(world.trigger)
    world.did(begin, m.DETOUR)
    world.did(push - 0.05, m.EXPECTED)
    world.did(push, m.PUSH, final=True)
    world.rules(push, BOTH)
    world.order(push - 0.05, "s2", "expect_flows", {"flows": [], "to": "s1"})
    world.order(push, "switch", "apply", {"add": [{"rule": "b", "range": [32768, 65535], "port": "s2"}]})
    world.ended("CONVERGED")
    return world


def ma_list_delayed() -> Scaling:
    world = ma_alternative("ma-list-delayed")
    world.fault(2.9, "slow", "s2", seconds=0.05)
    world.fault(4.0, "restart", "s2")
    world.mark(4.3, marks.RESTARTED, component="s2", down_from=ns(4.0), up_at=ns(4.3))
    return world


def ma_doubling() -> Scaling:
    names = {n: f"s{n}/v1" for n in range(1, 9)}
    world = Scaling(
        "ma-doubling", method="sub-ranges", end=18.0, born_per_s=500.0, mean_s=1.5, endless=50, instances=names
    )
    rounds = [(2.0, "split", 2), (5.0, "split-2", 4), (8.0, "split-3", 8)]
    for at, label, count in rounds:
        world.ask(at, label, to=f"s{count}/v1")
        for extra in range(count // 2 + 1, count):
            world.ask(at + 0.01, f"{label}-{extra}", to=f"s{extra}/v1")
        world.did(at + 0.1, m.PUSH, label)
        width = 65536 // count
        world.rules(at + 0.1, [(i * width, (i + 1) * width - 1, f"s{i + 1}") for i in range(count)])
    for row in np.flatnonzero(world.born > 8.0).tolist():
        living = world.alive(float(world.born[row]))
        world.owner[row] = 1 + int(np.argmin([(living & (world.owner == n)).sum() for n in range(1, 9)]))
    world.ended("CONVERGED")
    return world


def ma_overload() -> Scaling:
    world = Scaling("ma-overload")
    split_plainly(world, world.trigger, label="overload")
    world.ask(2.01, "doubled", status=200, id="op-overload")
    world.ask(10.0, "no-place", status=409, to="", answer={"detail": "no server is free"})
    return world


def ma_stillborn() -> Scaling:
    world = Scaling("ma-stillborn")
    begin, kill, back = 2.03, 2.13, 2.2
    inside = world.within(*HALF)
    new = inside & (world.born >= begin) & (world.born < back)
    world.owner[new] = 2
    world.detour(new & (world.born < kill), begin, kill)
    world.lose(new, kill, NEVER)
    world.owner[new & (world.born >= kill)] = 0
    world.ask(world.trigger)
    world.did(begin, m.DETOUR)
    world.fault(kill, "kill", "s2/v1")
    world.did(back, m.WITHDRAW)
    world.ended("FAILED", reason="s2/v1 does not answer")
    return world


def ma_version(scenario: str = "ma-version", end: float = 20.0) -> Scaling:
    world = Scaling(scenario, end=end, mean_s=1.5, born_per_s=300.0, instances={1: "s1/v1", 2: "s2/v2"})
    dice = np.random.default_rng(11)
    for at, until, share in ((2.0, 5.0, 0.1), (5.0, 8.0, 0.3), (8.0, end, 1.0)):
        label = f"stage-{share * 100:.0f}"
        world.ask(at, label, kind="version", share=share, to="s2/v2")
        world.did(at + 0.05, m.DETOUR, label)
        within = np.flatnonzero((world.born >= at + 0.05) & (world.born < until + 0.05))
        world.owner[within[dice.permutation(len(within))[: round(share * len(within))]]] = 2
        spread = within[np.arange(len(within)) % 10 < round(10 * share)]
        world.owner[within] = 1
        world.owner[spread] = 2
    world.gone["s1/v1"] = float(world.died[world.owner == 1].max()) + 0.3
    world.ended("COMPLETED", "stage-100")
    return world


def ma_version_back() -> Scaling:
    world = Scaling("ma-version-back", instances={1: "s1/v1", 2: "s2/v2"})
    third = (np.arange(len(world)) % 10 < 3) & (world.born >= 2.05) & (world.born < 6.05)
    world.owner[third] = 2
    again = (np.arange(len(world)) % 10 < 3) & (world.born >= 8.05) & (world.born < 10.05)
    world.owner[again] = 2
    world.ask(2.0, "stage-30", kind="version", share=0.3, to="s2/v2")
    world.ask(6.0, "rollback", kind="version", share=0.0, to="s2/v2")
    world.ask(8.0, "stage-30-again", kind="version", share=0.3, to="s2/v2")
    world.ask(10.0, "abrupt", kind="version", share=0.0, to="s2/v2")
    world.lose((world.owner == 2) & world.alive(10.0), 10.1, NEVER)
    world.lose(again & (world.born >= 10.0), 10.1, NEVER)
    world.owner[again & (world.born >= 10.0)] = 1
    world.losses.pop()
    world.did(10.1, m.TERMINATED, "abrupt")
    world.ended("COMPLETED", "abrupt")
    return world


def balanced(scenario: str, end: float = 24.0, **settings: Any) -> Scaling:
    """A and A' in balance from the beginning."""
    world = Scaling(scenario, end=end, method="plain", mean_s=1.5, born_per_s=300.0, **settings)
    world.owner[world.within(*HALF)] = 2
    world.rules(-0.9, BOTH)
    world.ask(-0.5)
    world.ended("CONVERGED")
    return world


def ma_scale_in() -> Scaling:
    world = balanced("ma-scale-in")
    at, change = 4.0, 4.05
    new = world.within(*HALF) & (world.born >= change)
    world.owner[new] = 1
    world.ask(at, "scale-in", kind="scale-in", **{"from": "s2/v1", "to": "s1/v1"})
    world.did(change, m.DETOUR, "scale-in")
    left = (world.owner == 2) & (world.died > change)
    merge = push_time(world, world.owner == 2, change, 200)
    world.detour(new & (world.born < merge), change, merge, "s2")
    world.rules(merge, [(0, 65535, "s1")])
    world.protect(left & (world.died > merge - 0.2), merge, "s2")
    last = float(world.died[world.owner == 2].max())
    world.gone["s2/v1"] = last + 0.4
    world.did(merge, m.MERGE, "scale-in", final=True)
    world.did(last + 0.4, m.TERMINATED, "scale-in")
    world.ended("COMPLETED", "scale-in")
    return world


def ma_scale_in_endless() -> Scaling:
    world = balanced("ma-scale-in-endless", end=14.0, endless=50)
    change = 4.05
    new = world.within(*HALF) & (world.born >= change)
    world.owner[new] = 1
    world.ask(4.0, "scale-in", kind="scale-in", longest_wait_s=6.0, **{"from": "s2/v1", "to": "s1/v1"})
    world.did(change, m.DETOUR, "scale-in")
    cut = (world.owner == 2) & world.alive(10.05)
    world.lose(cut, 10.05, NEVER)
    world.gone["s2/v1"] = 10.06
    world.did(10.06, m.TERMINATED, "scale-in")
    told = [list(world.key(row)) for row in np.flatnonzero(cut).tolist()]
    world.ended("COMPLETED", "scale-in", cut_flows=told, reason=f"{len(told)} flows were cut")
    return world


def ma_turn_round() -> Scaling:
    world = balanced("ma-turn-round", end=14.0, endless=50)
    meanwhile = world.within(*HALF) & (world.born >= 4.05) & (world.born < 9.05)
    world.owner[meanwhile] = 1
    world.ask(4.0, "scale-in", kind="scale-in", **{"from": "s2/v1", "to": "s1/v1"})
    world.ask(9.0, "turn-round", kind="scale-out")
    world.ended("CONVERGED", "turn-round")
    return world


def ma_both_ways() -> Scaling:
    from translated_stories import ma_both_ways as story

    return story()


SCENARIOS: dict[str, Callable[[], Scaling]] = {
    "ma-plain": ma_plain,
    "ma-openvswitch": ma_openvswitch,
    "ma-sub-ranges": ma_sub_ranges,
    "ma-heavy-tailed": lambda: ma_sub_ranges("ma-heavy-tailed"),
    "ma-never-migrate": ma_never_migrate,
    "ma-table-full": ma_table_full,
    "ma-always-migrate": ma_always_migrate,
    "ma-move-interrupted": ma_move_interrupted,
    "ma-move-target-killed": ma_move_target_killed,
    "ma-move-target-stopped": ma_move_target_stopped,
    "ma-burst": ma_burst,
    "ma-idle": ma_idle,
    "ma-refused-rules": ma_refused_rules,
    "ma-controller-killed": ma_controller_killed,
    "ma-quota": ma_quota,
    "ma-alternative": ma_alternative,
    "ma-list-delayed": ma_list_delayed,
    "ma-both-ways": ma_both_ways,
    "ma-doubling": ma_doubling,
    "ma-overload": ma_overload,
    "ma-stillborn": ma_stillborn,
    "ma-version": ma_version,
    "ma-version-back": ma_version_back,
    "ma-scale-in": ma_scale_in,
    "ma-scale-in-endless": ma_scale_in_endless,
    "ma-turn-round": ma_turn_round,
}


def told(scenario: str, *changes: Change) -> History:
    """The history of a scenario with some changes to its world."""
    world = SCENARIOS[scenario]()
    for change in changes:
        change(world)
    return world.finish()
