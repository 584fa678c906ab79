"""What every stage of a coordination works with, and what it ends with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.inputs import StageInput
from nfvcert.reference.em.migrations import Migrations
from nfvcert.reference.em.settings import EmConfig
from nfvcert.reference.em.steering import Steering
from nfvcert.sol.lcmcoord import LcmCoordResultType


@dataclass(frozen=True)
class Outcome:
    """End of a coordination; `error` says why it is not CONTINUE."""

    result: LcmCoordResultType = LcmCoordResultType.CONTINUE
    output: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True)
class StageContext:
    """One coordination at work.

    Attributes:
        coordination_id, instance_id, op_occ_id: what it belongs to.
        inputs: what was asked for.
        answered: set when the VNFM can read the result.
    """

    coordination_id: str
    instance_id: str
    op_occ_id: str
    inputs: StageInput
    config: EmConfig
    behaviour: EmBehaviour
    fleets: Fleets
    steering: Steering
    migrations: Migrations
    answered: asyncio.Event
