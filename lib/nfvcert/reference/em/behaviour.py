"""The decisions of the EM: the published extension point.

A class of the name ``Behaviour`` derived from :class:`EmBehaviour`, in a file given by ``--extension``, replaces single
decisions; everything else stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nfvcert.reference.em.decider import Decider
from nfvcert.reference.em.elements import WorkerStats
from nfvcert.reference.em.inputs import Drain, Policy, Remaining, Stage
from nfvcert.reference.em.moves import Move
from nfvcert.sol.lcmcoord import LcmCoordResultType


class EmBehaviour:
    """What the EM decides while it coordinates a life cycle operation."""

    def step_share(self, asked: int, policy: Policy) -> int:
        """Percent of new service requests that the new version gets in a step for which the VNFM asked for `asked`."""
        return asked

    async def change_traffic(self, change: Callable[[], Awaitable[None]], answered: asyncio.Event) -> None:
        """Bring the shares of a migration step into force by awaiting `change()`.

        Args:
            change: sets pool and shares at the traffic decider.
            answered: set when the VNFM can read the result of this coordination.
        """
        await change()

    def moves_at_step(self, decider: Decider, old: Sequence[str], new: Sequence[str]) -> list[Move]:
        """Workers whose users the decider gives to others in a migration step: none, users stay where they are."""
        return []

    def observe_seconds(self, policy: Policy) -> float:
        """How long a step is watched before it is decided."""
        return policy.observe_s

    def verdict_on_fault(self, fault: str) -> LcmCoordResultType:
        """Answer to the VNFM when a new VNFC fails in a migration step."""
        return LcmCoordResultType.ABORT

    def contains_fault(self, fault: str) -> bool:
        """Whether the traffic goes back to the old version at once when a new VNFC fails."""
        return True

    def decide(self, policy: Policy) -> LcmCoordResultType:
        """Answer at the end of a step without a fault where no administrator decides."""
        return LcmCoordResultType.CONTINUE

    def drained(self, stats: WorkerStats, drain: Drain) -> bool:
        """Whether a worker that gets no new users is empty; its stats count sessions as active for `drain.idle_s`."""
        return stats.active_sessions == 0

    def remaining(self, drain: Drain) -> Remaining:
        """What happens with sessions that are still there when a drain ends."""
        return drain.remaining

    def export_format(self, source: int | None, target: int | None) -> int:
        """State format in which sessions go from a worker of native format `source` to one of `target`."""
        return min(source or 1, target or 1)

    def restores(self, stage: Stage) -> bool:
        """Whether `revert` and `reverted` set shares and pool of the traffic decider back to the old version."""
        return True
