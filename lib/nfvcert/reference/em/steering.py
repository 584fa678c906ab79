"""Bringing the decider's model into force, in an order that never sends a request where nobody serves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from nfvcert.reference.common.store import Store
from nfvcert.reference.em import decider as model
from nfvcert.reference.em.decider import Decider
from nfvcert.reference.em.elements import Balancer

log = logging.getLogger(__name__)
KIND = "decider"
ResultT = TypeVar("ResultT")


class Deciders:
    """What the EM has set at the traffic decider of each VNF instance; survives a restart of the EM."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, instance_id: str) -> Decider:
        """The model of an instance's decider; an empty one if nothing was set yet."""
        document = self._store.get(KIND, instance_id)
        return Decider.model_validate(document.body) if document else Decider()

    def put(self, instance_id: str, decider: Decider) -> None:
        """Remember what is in force."""
        self._store.put(KIND, instance_id, decider.model_dump(mode="json"))


async def uninterrupted(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Await `work` to its end even if the caller is cancelled meanwhile; the cancellation then goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Steering:
    """Sets pool and shares of one VNF instance."""

    def __init__(self, deciders: Deciders, instance_id: str) -> None:
        self._deciders = deciders
        self.instance_id = instance_id

    @property
    def now(self) -> Decider:
        """What is in force."""
        return self._deciders.get(self.instance_id)

    async def apply(self, balancer: Balancer, wanted: Decider, *, afresh: bool = False) -> None:
        """Make `wanted` the decider's pool and shares.

        Workers are added before shares name their group and removed after shares no longer do.

        Args:
            balancer: the VNFC to tell.
            wanted: the new model.
            afresh: tell everything, as to a VNFC that may have been started again.

        Raises:
            ElementError: the decider refuses or does not answer; the model keeps what was in force before.
        """
        await uninterrupted(self._apply(balancer, wanted, afresh))

    async def _apply(self, balancer: Balancer, wanted: Decider, afresh: bool) -> None:
        before = Decider() if afresh else self.now
        leaving = [member for member in before.pool if wanted.member(member.id) is None]
        union = wanted.model_copy(update={"pool": (*wanted.pool, *leaving)})
        if afresh or model.wire_pool(union) != model.wire_pool(before):
            await balancer.set_workers(model.wire_pool(union))
        if afresh or model.wire_shares(union) != model.wire_shares(before):
            await balancer.set_shares(model.wire_shares(union))
        if leaving:
            await balancer.set_workers(model.wire_pool(wanted))
            if model.wire_shares(wanted) != model.wire_shares(union):
                await balancer.set_shares(model.wire_shares(wanted))
        self._deciders.put(self.instance_id, wanted)
        log.info(
            "VNF %s: shares %s, pool %s",
            self.instance_id,
            wanted.shares,
            [f"{m.id}{' (draining)' if m.draining else ''}" for m in wanted.pool],
        )
