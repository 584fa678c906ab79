"""Moving all users of one worker to another without losing a packet or a session.

hold at the decider, export from the old worker, import into the new one (which announces the external addresses), move
at the decider (which then sends on what it held, in order), release at the old worker. If a step before the move fails
the users stay: the old worker takes its addresses back and gets what the decider held.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.elements import Balancer
from nfvcert.reference.em.fleet import Fleet
from nfvcert.reference.em.management import ElementError
from nfvcert.reference.em.moves import Move
from nfvcert.reference.em.settings import EmConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moved:
    """What a transfer did."""

    move: Move
    users: int
    sessions: int
    conflicts: int
    state_format: int

    def report(self) -> dict[str, object]:
        """For outputParams."""
        return {
            "to": self.move.target,
            "users": self.users,
            "sessions": self.sessions,
            "conflicts": self.conflicts,
            "stateFormat": self.state_format,
        }


async def transfer(fleet: Fleet, balancer: Balancer, move: Move, behaviour: EmBehaviour, config: EmConfig) -> Moved:
    """Carry out one move; the source answers for no address afterwards.

    Raises:
        ElementError: the source refuses or is not reachable, so that its users stay; or the target is, which is the
            same; or the release failed, when the users have moved.
    """
    source, target = fleet.worker(move.source), fleet.worker(move.target)
    formats = [(await worker.hello()).state_format for worker in (source, target)]
    state_format = behaviour.export_format(*formats)
    limit = config.transfer_timeout_s
    await balancer.hold(move.source)
    state = None
    try:
        await asyncio.sleep(config.settle_s)
        state = await source.export_state(state_format, timeout_s=limit)
        adopted = await target.import_state(state, timeout_s=limit)
        answer = await balancer.move(move.source, move.target)
    except BaseException:
        if state is not None:
            with suppress(ElementError):
                await source.import_state(state, timeout_s=limit)
        with suppress(ElementError):
            await balancer.unhold(move.source)
        raise
    await source.release()
    moved = Moved(
        move,
        users=int(answer.get("users", 0)),
        sessions=int(adopted.get("sessions", 0)),
        conflicts=int(adopted.get("conflicts", 0)),
        state_format=state_format,
    )
    log.info("VNF %s: %s", fleet.instance_id, moved)
    return moved
