"""Stage `revert`: everything back to the old version, users of new workers with their sessions."""

from __future__ import annotations

from dataclasses import dataclass, field

from nfvcert.errors import StackError
from nfvcert.reference.em import decider as model
from nfvcert.reference.em.elements import Balancer, WorkerStats
from nfvcert.reference.em.fleet import Fleet
from nfvcert.reference.em.management import ElementError, UnreachableError
from nfvcert.reference.em.moves import Move, plan_moves
from nfvcert.reference.em.stage import Outcome, StageContext
from nfvcert.reference.em.stage_empty import fall_silent
from nfvcert.reference.em.steering import uninterrupted
from nfvcert.reference.em.transfer import Moved, transfer


@dataclass
class Reversal:
    """What was done; `lost` are new workers that do not answer, whose sessions are gone with them."""

    moved: dict[str, Moved] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


async def revert(context: StageContext) -> Outcome:
    """Carry out the stage."""
    inputs = context.inputs
    group = inputs.sourceVnfdId or ""
    fleet = await context.fleets.load(context.instance_id, await_ready=_old_ids(context, group))
    balancer = fleet.balancer
    known = context.steering.now
    old = [id for id in fleet.resolve(_old_ids(context, group)) if id in fleet.workers()]
    if not old:
        raise StackError("no worker of the old version is there to take the users back", where=f"VNFD {group}")
    workers = {*fleet.workers(), *(member.id for member in known.pool)}
    listed = [id for id in fleet.resolve(inputs.newVnfcs) if id in workers and id not in old]
    new = list(dict.fromkeys([*listed, *(m.id for m in known.pool if m.group != group and m.id not in old)]))
    wanted = model.with_members(known, [fleet.member(id).model_copy(update={"group": group}) for id in old])
    if context.behaviour.restores(inputs.stage):
        wanted = model.with_shares(wanted, model.only(group))
    await context.steering.apply(balancer, wanted)
    done = Reversal()
    await _bring_back(context, fleet, balancer, new, old, done)
    unusable = await _reclaim(fleet, old, done)
    if context.behaviour.restores(inputs.stage):
        keep = model.without_members(context.steering.now, [*new, *unusable])
        await context.steering.apply(balancer, keep)
    idle_s = inputs.policy.drain.idle_s
    warnings = done.warnings + await fall_silent(context, fleet, done.moved, idle_s)
    warnings += [f"sessions on VNFC {id} are lost: {reason}" for id, reason in done.lost.items()]
    output = {
        "moved": {id: moved.report() for id, moved in done.moved.items()},
        "unreachable": done.lost,
        "shares": context.steering.now.shares,
    }
    return Outcome(output=output, warnings=warnings)


def _old_ids(context: StageContext, group: str) -> list[str]:
    """Who takes the users back: those the request names, else all of the old version in the pool."""
    return context.inputs.oldVnfcs or [m.id for m in context.steering.now.pool if m.group == group]


async def _bring_back(
    context: StageContext, fleet: Fleet, balancer: Balancer, new: list[str], old: list[str], done: Reversal
) -> None:
    stats: dict[str, WorkerStats] = {}
    for id in [*new, *old]:
        if id not in fleet.sites:
            continue
        try:
            stats[id] = await fleet.worker(id).stats()
        except UnreachableError as error:
            if id in old:
                raise
            done.lost[id] = error.message
    sources = [id for id in new if id in stats and (stats[id].sessions or stats[id].users)]
    sources = [id for id in sources if context.steering.now.member(id) is not None]
    users = (await balancer.stats()).users
    for move in homeward(sources, old, users, stats):
        try:
            done.moved[move.source] = await uninterrupted(
                transfer(fleet, balancer, move, context.behaviour, context.config)
            )
        except ElementError as error:
            if await _answers(fleet, move.target):
                done.lost[move.source] = error.message
            else:
                raise


def homeward(sources: list[str], old: list[str], users: dict[str, int], stats: dict[str, WorkerStats]) -> list[Move]:
    """Moves back to the old workers.

    A new worker that took over the external address of an old one gives its users to that one, so that the address
    comes home; the rest is spread evenly.
    """
    home: dict[str, str] = {}
    for source in sources:
        adopted = set(stats[source].adopted_addresses)
        owners = [id for id in old if id in stats and stats[id].external_address in adopted]
        if owners:
            home[source] = owners[0]
    load = dict(users)
    moves = []
    for source, target in home.items():
        load[target] = load.get(target, 0) + load.get(source, 0)
        moves.append(Move(source, target))
    return moves + plan_moves([source for source in sources if source not in home], old, load)


async def _reclaim(fleet: Fleet, old: list[str], done: Reversal) -> list[str]:
    """Old workers that had been released answer for their addresses again, unless another one has the address now.

    Returns:
        Those for whom that is so; they can serve no new users.
    """
    stats = {id: await fleet.worker(id).stats() for id in old}
    unusable = []
    for id in [id for id in old if stats[id].released]:
        address = stats[id].external_address
        holder = next((o for o in old if o != id and address in stats[o].adopted_addresses), None)
        if holder is not None:
            done.warnings.append(f"VNFC {id} stays without users: VNFC {holder} has its address {address}")
            unusable.append(id)
            continue
        hello = await fleet.worker(id).hello()
        await fleet.worker(id).reclaim(hello.state_format or 1)
        await fleet.balancer.unhold(id)
    return unusable


async def _answers(fleet: Fleet, id: str) -> bool:
    try:
        await fleet.worker(id).hello()
    except ElementError:
        return False
    return True
