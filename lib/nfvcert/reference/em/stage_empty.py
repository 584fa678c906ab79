"""Stages `retire` and `drain`: empty workers that are to go, and name those that are empty."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nfvcert.errors import StackError
from nfvcert.reference.em import decider as model
from nfvcert.reference.em.elements import Balancer, WorkerStats
from nfvcert.reference.em.fleet import Fleet
from nfvcert.reference.em.inputs import Drain
from nfvcert.reference.em.management import ElementError, UnreachableError
from nfvcert.reference.em.moves import heirs, plan_moves
from nfvcert.reference.em.stage import Outcome, StageContext
from nfvcert.reference.em.steering import uninterrupted
from nfvcert.reference.em.transfer import Moved, transfer

PAUSE_S = 0.1
QUIET_MARGIN_S = 2.0
"""How much longer than the idle time it may take until a worker whose users were moved has fallen silent."""


@dataclass
class Emptying:
    """What has become of the workers that are to go, by id."""

    quiet: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)
    forced: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


async def empty(context: StageContext) -> Outcome:
    """Carry out the stage."""
    fleet = await context.fleets.load(context.instance_id)
    asked = {given: fleet.names.get(given, given) for given in context.inputs.vnfcIds}
    known = context.steering.now
    going = [id for id in dict.fromkeys(asked.values()) if known.member(id) is not None]
    if not going:
        return Outcome(output={"retire": list(asked), "moved": {}})
    balancer = fleet.balancer
    drain = context.inputs.policy.drain
    targets = heirs(known, going)
    done = Emptying()
    if not targets:
        return await _without_heirs(context, fleet, asked, going, done)
    await context.steering.apply(balancer, _without_new_users(known, going, targets))
    await _await_quiet(context, fleet, going, drain, done, time.monotonic() + drain.timeout_s)
    await _treat_remaining(context, fleet, balancer, going, drain, done)
    gone = [id for id in going if id not in done.waiting]
    await context.steering.apply(balancer, model.without_members(context.steering.now, gone))
    warnings = await fall_silent(context, fleet, done.moved, drain.idle_s)
    warnings += [f"VNFC {id} could not be drained: {reason}" for id, reason in done.lost.items()]
    return Outcome(output=_report(asked, done), warnings=warnings)


async def _without_heirs(
    context: StageContext, fleet: Fleet, asked: dict[str, str], going: list[str], done: Emptying
) -> Outcome:
    """All workers are to go: that is only done to those that do not answer, as before a repair."""
    for id in going:
        try:
            await fleet.worker(id).hello()
        except StackError as error:
            await _confirm_lost(context, fleet, id, error, done)
    if len(done.lost) < len(going):
        raise StackError("no worker is left that could take over the users", where=f"VNF {context.instance_id}")
    await context.steering.apply(fleet.balancer, model.without_members(context.steering.now, going))
    return Outcome(output=_report(asked, done), warnings=[f"VNFC {id} is lost: {r}" for id, r in done.lost.items()])


def _without_new_users(known: model.Decider, going: list[str], targets: list[str]) -> model.Decider:
    """Those that go get no new users; if a whole group goes its share falls to the group of its heirs."""
    wanted = model.draining(known, going)
    empty_groups = {group for group, share in wanted.shares.items() if share and not wanted.members(group)}
    if empty_groups:
        heir = known.member(targets[0])
        assert heir is not None
        shares = {group: share for group, share in wanted.shares.items() if group not in empty_groups}
        shares[heir.group] = 100 - sum(share for group, share in shares.items() if group != heir.group)
        wanted = model.with_shares(wanted, shares)
    return wanted


async def _await_quiet(
    context: StageContext, fleet: Fleet, going: Iterable[str], drain: Drain, done: Emptying, deadline: float
) -> None:
    """Wait until all that go are empty or unreachable, at most until `deadline`."""
    while True:
        for id in [id for id in going if id not in done.quiet and id not in done.lost]:
            try:
                stats = await _stats(fleet, id, drain)
                if context.behaviour.drained(stats, drain):
                    done.quiet.add(id)
            except StackError as error:
                await _confirm_lost(context, fleet, id, error, done)
        if len(done.quiet) + len(done.lost) >= len(list(going)) or time.monotonic() >= deadline:
            return
        await asyncio.sleep(PAUSE_S)


async def _confirm_lost(context: StageContext, fleet: Fleet, id: str, error: StackError, done: Emptying) -> None:
    """A worker that is silent once may only be slow: it counts as lost when it stays silent for the health limit."""
    deadline = time.monotonic() + context.config.health_limit_s
    while id in fleet.sites and time.monotonic() < deadline:
        try:
            await fleet.worker(id).hello(timeout_s=context.config.health_limit_s / 2)
        except ElementError:
            await asyncio.sleep(PAUSE_S)
        else:
            return
    done.lost[id] = error.message


async def _treat_remaining(
    context: StageContext, fleet: Fleet, balancer: Balancer, going: list[str], drain: Drain, done: Emptying
) -> None:
    """What the policy says about the sessions that are left."""
    action = context.behaviour.remaining(drain)
    if action == "wait":
        limit = time.monotonic() + context.config.drain_limit_s
        await _await_quiet(context, fleet, going, drain, done, limit)
    left: dict[str, WorkerStats] = {}
    for id in [id for id in going if id not in done.lost]:
        try:
            left[id] = await _stats(fleet, id, drain)
        except UnreachableError as error:
            done.lost[id] = error.message
    if action == "wait":
        done.waiting = {id: stats.active_sessions for id, stats in left.items() if id not in done.quiet}
    elif action == "force":
        done.forced = {id: stats.sessions for id, stats in left.items() if stats.sessions}
    else:
        await _move_all(context, fleet, balancer, [id for id, stats in left.items() if stats.sessions], going, done)


async def _move_all(
    context: StageContext, fleet: Fleet, balancer: Balancer, sources: list[str], going: list[str], done: Emptying
) -> None:
    """Move what is left, idle sessions too, for they may speak again; one after the other."""
    targets = [id for id in heirs(context.steering.now, going) if id in fleet.sites]
    users = (await balancer.stats()).users
    for move in plan_moves(sources, targets, users):
        done.moved[move.source] = await uninterrupted(
            transfer(fleet, balancer, move, context.behaviour, context.config)
        )


async def fall_silent(context: StageContext, fleet: Fleet, moved: Iterable[str], idle_s: float) -> list[str]:
    """Wait until workers whose users were moved have forwarded nothing for `idle_s`; warnings about those that did."""
    warnings = []
    deadline = time.monotonic() + idle_s + QUIET_MARGIN_S
    for id in moved:
        while True:
            try:
                stats = await fleet.worker(id).stats(active_s=max(idle_s, 0.001))
            except StackError as error:
                warnings.append(f"VNFC {id} no longer answers after its users were moved: {error.message}")
                break
            if stats.active_sessions == 0:
                break
            if time.monotonic() >= deadline:
                warnings.append(f"VNFC {id} still forwards packets of {stats.active_sessions} sessions")
                break
            await asyncio.sleep(PAUSE_S)
    return warnings


async def _stats(fleet: Fleet, id: str, drain: Drain) -> WorkerStats:
    return await fleet.worker(id).stats(active_s=max(drain.idle_s, 0.001))


def _report(asked: dict[str, str], done: Emptying) -> dict[str, Any]:
    """The outputParams: who may go now (by the ids of the request), what was done with sessions that were left."""
    return {
        "retire": [given for given, id in asked.items() if id not in done.waiting],
        "moved": {id: moved.report() for id, moved in done.moved.items()},
        "drained": sorted(done.quiet),
        "forced": done.forced,
        "waiting": done.waiting,
        "unreachable": done.lost,
    }
