"""Stages `activate`, `complete` and `reverted`: the traffic decider fits the workers that there are."""

from __future__ import annotations

from nfvcert.errors import StackError
from nfvcert.reference.em import decider as model
from nfvcert.reference.em.inputs import Stage
from nfvcert.reference.em.stage import Outcome, StageContext


async def activate(context: StageContext) -> Outcome:
    """The VNFCs that the request names (all if it names none) are ready; the VNF's workers are in the pool.

    The first time all new requests go to the running version; later the shares stay as they are.
    """
    named = context.inputs.vnfcIds or context.inputs.newVnfcs
    fleet = await context.fleets.load(context.instance_id, await_ready=named or None)
    known = context.steering.now
    workers = fleet.workers()
    kept = model.without_members(known, [m.id for m in known.pool if m.id not in workers])
    going = {member.id for member in kept.pool if member.draining} - set(fleet.resolve(named))
    wanted = model.with_members(kept, [fleet.member(id) for id in workers if id not in going])
    if not any(wanted.members(group) for group, share in wanted.shares.items() if share):
        wanted = model.with_shares(wanted, model.only(_running(context, fleet.vnfd_id, wanted)))
    await context.steering.apply(fleet.balancer, wanted, afresh=True)
    return Outcome(output={"shares": wanted.shares, "workers": [member.id for member in wanted.pool]})


def _running(context: StageContext, vnfd_id: str, decider: model.Decider) -> str:
    """The version that serves: that of the VNF if it has workers, else that of the first worker."""
    for group in (vnfd_id, context.inputs.sourceVnfdId, context.inputs.destinationVnfdId):
        if group and decider.members(group):
            return group
    return decider.pool[0].group if decider.pool else vnfd_id


async def settle(context: StageContext) -> Outcome:
    """Only the remaining version is configured: the new one after `complete`, the old one after `reverted`."""
    inputs = context.inputs
    group = (inputs.destinationVnfdId if inputs.stage is Stage.COMPLETE else inputs.sourceVnfdId) or ""
    known = context.steering.now
    if inputs.stage is Stage.COMPLETE or context.behaviour.restores(inputs.stage):
        fleet = await context.fleets.load(context.instance_id)
        wanted = model.without_members(known, [m.id for m in known.pool if m.group != group])
        if not wanted.members(group):
            raise StackError("no worker of the version that is to remain is in the pool", where=f"VNFD {group}")
        await context.steering.apply(fleet.balancer, model.with_shares(wanted, model.only(group)), afresh=True)
    return Outcome(output={"shares": context.steering.now.shares})
