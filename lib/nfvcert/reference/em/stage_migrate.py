"""Stage `migrate`: give the new version its share of new service requests, watch it, and let it be decided."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nfvcert.errors import StackError
from nfvcert.reference.em import decider as model
from nfvcert.reference.em.elements import Balancer, BalancerStats
from nfvcert.reference.em.fleet import Fleet
from nfvcert.reference.em.health import VnfcFaultError, watch
from nfvcert.reference.em.management import ElementError, UnreachableError
from nfvcert.reference.em.migrations import Migration, MigrationState
from nfvcert.reference.em.stage import Outcome, StageContext
from nfvcert.sol.lcmcoord import LcmCoordResultType

KPI_PAUSE_S = 0.5


@dataclass(frozen=True)
class Step:
    """A step about to be taken: the share asked for, who is new and who is old (ids of workers), and their groups."""

    share: int
    new: list[str]
    old: list[str]
    new_group: str
    old_group: str


async def migrate(context: StageContext) -> Outcome:
    """Carry out the stage."""
    inputs = context.inputs
    migration = context.migrations.open(
        context.coordination_id, context.instance_id, context.op_occ_id, inputs.stage.value, inputs.share or 0
    )
    try:
        outcome = await _migrate(context, migration)
    except BaseException as error:
        reason = "cancelled" if isinstance(error, asyncio.CancelledError) else str(error)
        context.migrations.close(migration, LcmCoordResultType.ABORT, reason)
        raise
    context.migrations.close(migration, outcome.result, outcome.error or "")
    return outcome


async def _migrate(context: StageContext, migration: Migration) -> Outcome:
    inputs = context.inputs
    try:
        fleet = await context.fleets.load(context.instance_id, await_ready=inputs.newVnfcs)
    except UnreachableError as error:
        return await _fault(context, str(error), inputs.newVnfcs)
    step = _step(context, fleet)
    balancer = fleet.balancer
    await context.behaviour.change_traffic(lambda: _set_traffic(context, fleet, step), context.answered)
    for move in context.behaviour.moves_at_step(context.steering.now, step.old, step.new):
        await balancer.move(move.source, move.target)
        await balancer.unhold(move.source)
    before = await balancer.stats()
    watching = [
        asyncio.create_task(
            watch(
                [fleet.worker(id) for id in step.new],
                interval_s=context.config.health_interval_s,
                limit_s=context.config.health_limit_s,
            )
        ),
        asyncio.create_task(_sample(context, migration, balancer, step, before)),
    ]
    deciding = asyncio.create_task(_decide(context, migration))
    try:
        await asyncio.wait([deciding, *watching], return_when=asyncio.FIRST_COMPLETED)
        for task in watching:
            if task.done():
                task.result()
        return await deciding
    except VnfcFaultError as fault:
        return await _fault(context, str(fault), [fault.vnfc_id], fleet)
    finally:
        deciding.cancel()
        for task in watching:
            task.cancel()
        await asyncio.gather(deciding, *watching, return_exceptions=True)


def _step(context: StageContext, fleet: Fleet) -> Step:
    inputs = context.inputs
    new = [id for id in fleet.resolve(inputs.newVnfcs) if id in fleet.workers()]
    if not new:
        raise StackError("none of the new VNFCs is a worker", where=f"VNF {context.instance_id}")
    new_group = inputs.destinationVnfdId or fleet.sites[new[0]].vnfc.vnfd_id
    shares = context.steering.now.shares
    others = sorted((share, group) for group, share in shares.items() if group != new_group)
    old_group = inputs.sourceVnfdId or (others[-1][1] if others else new_group)
    old = [member.id for member in context.steering.now.members(old_group) if member.id not in new]
    share = context.behaviour.step_share(inputs.share or 0, inputs.policy)
    return Step(share, new, old, new_group, old_group)


async def _set_traffic(context: StageContext, fleet: Fleet, step: Step) -> None:
    known = context.steering.now
    members = [fleet.member(id).model_copy(update={"group": step.new_group}) for id in step.new]
    wanted = model.with_members(known, members)
    wanted = model.with_shares(wanted, model.split(step.new_group, step.old_group, step.share))
    await context.steering.apply(fleet.balancer, wanted)


async def _decide(context: StageContext, migration: Migration) -> Outcome:
    """Observe, then wait for the administrator or decide."""
    migrations, policy = context.migrations, context.inputs.policy
    migrations.enter(migration, MigrationState.OBSERVING)
    administrator = asyncio.ensure_future(migrations.decided(migration))
    try:
        # An administrator may abort while the step is still observed.
        await asyncio.wait([administrator], timeout=context.behaviour.observe_seconds(policy))
        if not administrator.done() and policy.decision == "automatic":
            result = context.behaviour.decide(policy)
            return _decided(migration, result, "decided by the element manager")
        if not administrator.done():
            migrations.enter(migration, MigrationState.AWAITING_DECISION)
            limit = policy.decision_timeout_s or context.config.decision_timeout_s
            await asyncio.wait([administrator], timeout=limit)
            if not administrator.done():
                return _decided(migration, LcmCoordResultType.ABORT, f"no decision within {limit:g} s")
        decision = await administrator
        return _decided(migration, LcmCoordResultType(decision.decision), decision.reason or "by the administrator")
    finally:
        administrator.cancel()


def _decided(migration: Migration, result: LcmCoordResultType, reason: str) -> Outcome:
    error = None if result is LcmCoordResultType.CONTINUE else f"migration step aborted: {reason}"
    return Outcome(result, {"share": migration.share, "kpi": migration.kpi}, error=error)


async def _fault(context: StageContext, fault: str, at_fault: Iterable[str], fleet: Fleet | None = None) -> Outcome:
    """A new VNFC failed: take it out and give its part back to the old version, then answer as the behaviour says."""
    warnings = []
    if context.behaviour.contains_fault(fault):
        try:
            await _contain(context, list(at_fault), fleet)
        except StackError as error:
            warnings.append(f"the traffic could not be given back to the old version: {error}")
    result = context.behaviour.verdict_on_fault(fault)
    return Outcome(result, warnings=warnings, error=None if result is LcmCoordResultType.CONTINUE else fault)


async def _contain(context: StageContext, at_fault: list[str], fleet: Fleet | None) -> None:
    known = context.steering.now
    fleet = fleet or await context.fleets.load(context.instance_id)
    gone = set(fleet.resolve(at_fault))
    if not any(member.id in gone for member in known.pool):
        return
    new_groups = {member.group for member in known.pool if member.id in gone}
    old_group = context.inputs.sourceVnfdId or next((g for g in known.shares if g not in new_groups), None)
    wanted = model.without_members(known, gone)
    if old_group is not None and wanted.members(old_group):
        wanted = model.with_shares(wanted, model.only(old_group))
    await context.steering.apply(fleet.balancer, wanted)


async def _sample(
    context: StageContext, migration: Migration, balancer: Balancer, step: Step, before: BalancerStats
) -> None:
    """Keep the step's indicators up to date; a decider that does not answer once is no reason to end the step."""
    while True:
        try:
            migration.kpi = indicators(await balancer.stats(), before, step)
            context.migrations.save(migration)
        except ElementError as error:
            migration.kpi = migration.kpi | {"unavailable": error.message}
        await asyncio.sleep(KPI_PAUSE_S)


def indicators(after: BalancerStats, before: BalancerStats, step: Step) -> dict[str, Any]:
    """New users of each version since the step began, the share measured from them (percent), and present users."""

    def count(ids: list[str]) -> int:
        return sum(after.new_users.get(id, 0) - before.new_users.get(id, 0) for id in ids)

    new, old = count(step.new), count(step.old)
    return {
        "newUsers": {"new": new, "old": old},
        "measuredShare": round(100 * new / (new + old), 2) if new + old else None,
        "users": {
            "new": sum(after.users.get(id, 0) for id in step.new),
            "old": sum(after.users.get(id, 0) for id in step.old),
        },
        "noWorkerDrops": after.no_worker_drops - before.no_worker_drops,
    }
