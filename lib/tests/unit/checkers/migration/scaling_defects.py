"""What each seeded defect of dynamic scaling leaves: by its id, the scenario where it shows and what changes there."""

from __future__ import annotations

import numpy as np
from scaling_stories import BOTH, HALF, hold, split_plainly
from scaling_world import NEVER, Change, Scaling
from translated_stories import first_fragments_elsewhere

from nfvcert.history import migration as m


def _fresh(world: Scaling) -> None:
    """Forget what the good story did, so that it can be told otherwise."""
    plain = Scaling(world.scenario)
    world.owner, world.contents = plain.owner, plain.contents
    world.detours, world.elsewhere, world.losses, world.exceptions, world._events = [], [], [], [], []


def _old_half(world: Scaling, t: float) -> np.ndarray:
    return world.within(*HALF) & (world.owner == 1) & world.alive(t)


# never migrate


def _ignores_full_table(world: Scaling) -> None:
    """The exceptions that did not fit are forgotten."""
    old = np.flatnonzero(_old_half(world, 2.05))
    world._events = [e for e in world._events if e.data.get("name") != m.SPLIT]
    world.owner[world.within(*HALF) & (world.born >= 2.05)] = 2
    refused = world.none()
    refused[old[190:]] = True
    world.stray(refused, 2.05, NEVER, 2)
    world.rules(2.05, BOTH)
    kept = world.none()
    kept[old[:190]] = True
    world.protect(kept, 2.05)
    world.ask(2.0)
    world.did(2.05, m.PUSH, final=True)
    world.ended("CONVERGED")


def _ignores_refusal(world: Scaling) -> None:
    """The switch refused the whole push; the controller says that it was taken."""
    world._events = [e for e in world._events if e.data.get("name") != m.SPLIT]
    world.ask(2.0)
    world.did(2.05, m.PUSH, final=True)
    world.ended("CONVERGED", reason="ranges and exceptions are in the hardware switch")


def _evicts(world: Scaling) -> None:
    """A rule of somebody else makes room for one more exception."""
    _ignores_full_table(world)
    world.evicted = (2.05, 1)


def _leaves_out_exceptions(world: Scaling) -> None:
    for row, *_ in world.exceptions[::20]:
        chosen = world.none()
        chosen[row] = True
        world.stray(chosen, 2.05, NEVER, 2)
    del world.exceptions[::20]


def _removes_exceptions_early(world: Scaling) -> None:
    world.exceptions = [(row, since, min(until, since + 1.0), port) for row, since, until, port in world.exceptions]
    early = world.none()
    early[[row for row, *_ in world.exceptions if world.died[row] > 3.1]] = True
    world.stray(early, 3.05, NEVER, 2)


def no_dump_sees_exceptions(world: Scaling) -> None:
    """They go again before the table is looked at."""
    early = world.none()
    early[[row for row, *_ in world.exceptions if world.died[row] > 3.1]] = True
    world.exceptions = []
    world.stray(early, 2.06, NEVER, 2)


# always migrate


def _filter_before_import(world: Scaling) -> None:
    """What came before the state was counted anew, and the state cannot be taken in beside it."""
    world._events = [e for e in world._events if e.data.get("name") != m.SCALING_END]
    world.ended("FAILED", reason="s2/v1: state that was moved conflicts with what the instance has")
    world.contents = world.contents[:1]


def _deletes_when_sent(world: Scaling) -> None:
    """What was under way when the controller died is begun anew by the new instance."""
    for state in [s for s in world.states if s["instance"] == "s2/v1" and s["packets"] > 100][::3]:
        state["packets"] = state["packets"] // 2


def _dead_copy(world: Scaling) -> None:
    """The old instance keeps what it has given away."""
    hold(world, "final", 2.2, {1: world.elsewhere[0].chosen})


# migration avoidance


def _gap_after_snapshot(world: Scaling) -> None:
    begin = 2.03
    between = world.within(*HALF) & (world.born >= begin - 0.02) & (world.born < begin)
    assert between.any()
    world.stray(between, begin, NEVER, 2)


def _short_silence(world: Scaling) -> None:
    world.stray((world.silence_ms == 180) & (world.owner == 1) & world.within(*HALF), 3.0, NEVER, 2)


def _ranges_first(world: Scaling) -> None:
    push = next(c.since for c in world.contents if c.ranges == BOTH)
    late = [row for row, *_ in world.exceptions]
    world.exceptions = [(row, since + 0.4, until, port) for row, since, until, port in world.exceptions]
    chosen = world.none()
    chosen[late] = True
    world.stray(chosen, push, push + 0.4, 2)


def _constant_threshold(world: Scaling) -> None:
    """Pushes as soon as the whole table would take it."""
    _fresh(world)
    world.endless = 60
    split_plainly(world, world.trigger, threshold=204)


def _never_pushes(world: Scaling) -> None:
    _fresh(world)
    begin = 2.03
    new = world.within(*HALF) & (world.born >= begin)
    world.owner[new] = 2
    world.detour(new, begin, NEVER)
    world.ask(2.0, answer={"given": [list(HALF)]})
    world.did(begin, m.DETOUR)
    world.ended("DETOURING", threshold=200)


def _other_hash(world: Scaling) -> None:
    """The hardware switch works out other ids: from the push on half of all flows go to the wrong server."""
    push = next(c.since for c in world.contents if c.ranges == BOTH)
    wrong = (np.arange(len(world)) % 2 == 0) & (world.died > push)
    world.stray(wrong & (world.owner == 1) & (world.born < push), push, NEVER, 2)
    swapped = wrong & (world.born >= push)
    world.owner[swapped] = 3 - world.owner[swapped]


# alternative


def _list_in_parallel(world: Scaling) -> None:
    world._events = [e for e in world._events if e.data.get("op") != "expect_flows"]
    world.order(3.05, "s2", "expect_flows", {"flows": [], "to": "s1"})
    world.stray(_old_half(world, 3.0), 3.0, 3.05, 2)


def _handled_and_sent_back(world: Scaling) -> None:
    world.doubled |= world.detours[1].chosen


def _loop(world: Scaling) -> None:
    world.loops = 4000
    world.lose(world.detours[1].chosen, 3.0, NEVER)


def _forgets_at_restart(world: Scaling) -> None:
    """Ranges and flows are gone: nothing that comes there gets any further."""
    world.lose(_old_half(world, 4.3), 4.3, NEVER)


# scale-out


def _kernel_socket(world: Scaling) -> None:
    world.latency = (8_000.0, 45_000.0)


def _upper_end_left_out(world: Scaling) -> None:
    """New flows with these ids reach the new instance by way of the old one for ever."""
    world.detour((world.owner == 2) & (world.id % 64 == 63), 2.1, NEVER)


def _overwrites_exceptions(world: Scaling) -> None:
    early = (world.owner == 1) & (world.born < 2.0) & world.alive(5.1)
    world.stray(early & (world.id >= 32768), 5.1, NEVER, 4)


def _two_splits(world: Scaling) -> None:
    world._events = [event for event in world._events if event.data.get("label") != "doubled"]
    world.ask(2.01, "doubled")
    world.did(2.06, m.DETOUR, "doubled")


# versions


def _version_per_packet(world: Scaling) -> None:
    born = (world.born > 2.1) & (world.born < 8.0)
    world.stray(born, 2.5, 3.0, 2)
    world.elsewhere[-1].chosen &= world.owner == 1


def _stops_slow_flows(world: Scaling) -> None:
    last = float(world.died[world.owner == 1].max())
    world.gone["s1/v1"] = last - 1.0
    world.lose(world.owner == 1, last - 1.0, NEVER)


def _restores_saved_table(world: Scaling) -> None:
    world.stray((world.owner == 2) & world.alive(6.05), 6.05, NEVER, 1)


# scale-in


def _fixed_end(world: Scaling) -> None:
    world.gone["s2/v1"] = 6.0
    world.lose(world.owner == 2, 6.0, NEVER)


def _merges_first(world: Scaling) -> None:
    merge = next(c.since for c in world.contents if c.ranges == [(0, 65535, "s1")] and c.since > 0)
    world.exceptions = [(row, since + 0.3, until, port) for row, since, until, port in world.exceptions]
    world.stray((world.owner == 2) & (world.died > merge), merge, merge + 0.3, 1)


def _turns_everything(world: Scaling) -> None:
    both = (world.owner == 2) & (world.born < 4.0) & (world.died > 9.5)
    world.stray(both, 9.05, 11.0, 1)
    world.swaps[both] = 2


STORIES: dict[str, dict[str, list[Change]]] = {
    "DEF.MA.01.a": {"ma-table-full": [_ignores_refusal]},
    "DEF.MA.01.c": {"ma-table-full": [_evicts]},
    "DEF.MA.01.d": {"ma-never-migrate": [_leaves_out_exceptions]},
    "DEF.MA.01.e": {"ma-never-migrate": [_removes_exceptions_early]},
    "DEF.MA.01.f": {"ma-table-full": [_ignores_full_table]},
    "DEF.MA.02.a": {"ma-always-migrate": [_filter_before_import]},
    "DEF.MA.02.b": {"ma-always-migrate": [_dead_copy]},
    "DEF.MA.02.c": {"ma-move-interrupted": [_deletes_when_sent]},
    "DEF.MA.03.a": {"ma-burst": [_gap_after_snapshot]},
    "DEF.MA.03.b": {"ma-idle": [_short_silence]},
    "DEF.MA.03.c": {"ma-refused-rules": [_ranges_first]},
    "DEF.MA.03.d": {"ma-quota": [_constant_threshold]},
    "DEF.MA.03.e": {"ma-plain": [_never_pushes]},
    "DEF.MA.03.f": {"ma-plain": [_other_hash]},
    "DEF.MA.03.g": {"ma-openvswitch": [_leaves_out_exceptions]},
    "DEF.MA.04.a": {"ma-list-delayed": [_list_in_parallel]},
    "DEF.MA.04.b": {"ma-alternative": [_handled_and_sent_back]},
    "DEF.MA.04.c": {"ma-alternative": [_loop]},
    "DEF.MA.04.d": {"ma-list-delayed": [_forgets_at_restart]},
    "DEF.MA.05.b": {"ma-both-ways": [first_fragments_elsewhere]},
    "DEF.MA.05.c": {"ma-doubling": [_overwrites_exceptions]},
    "DEF.MA.05.d": {"ma-sub-ranges": [_kernel_socket]},
    "DEF.MA.05.e": {"ma-overload": [_two_splits]},
    "DEF.MA.05.f": {"ma-sub-ranges": [_upper_end_left_out]},
    "DEF.MA.06.a": {"ma-version": [_version_per_packet]},
    "DEF.MA.06.b": {"ma-version": [_stops_slow_flows]},
    "DEF.MA.06.c": {"ma-version-back": [_restores_saved_table]},
    "DEF.MA.07.a": {"ma-scale-in": [_fixed_end]},
    "DEF.MA.07.b": {"ma-scale-in": [_merges_first]},
    "DEF.MA.07.c": {"ma-turn-round": [_turns_everything]},
}
