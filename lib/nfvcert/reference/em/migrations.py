"""Migration steps as the administrator sees them, and his decisions."""

from __future__ import annotations

import asyncio
import logging
import time
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Store
from nfvcert.sol.common import now
from nfvcert.sol.lcmcoord import LcmCoordResultType

log = logging.getLogger(__name__)
KIND = "migration"


class MigrationState(StrEnum):
    """Where a step stands."""

    PREPARING = "preparing"
    OBSERVING = "observing"
    AWAITING_DECISION = "awaiting_decision"
    CONTINUED = "continued"
    ABORTED = "aborted"

    @property
    def final(self) -> bool:
        """Nothing follows."""
        return self in (MigrationState.CONTINUED, MigrationState.ABORTED)


class Decision(BaseModel):
    """What the administrator decides."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["CONTINUE", "ABORT"]
    reason: str = ""


class Entered(BaseModel):
    """One state and when it was entered (wall clock, and CLOCK_MONOTONIC in ns)."""

    state: MigrationState
    at: str = Field(default_factory=now)
    monotonic_ns: int = Field(default_factory=time.monotonic_ns)


class Migration(BaseModel):
    """One migration step; `share` is the percentage of new service requests that the new version gets in it."""

    id: str
    coordination_id: str
    instance_id: str
    op_occ_id: str
    stage: str
    share: int
    states: list[Entered]
    kpi: dict[str, Any] = Field(default_factory=dict)
    decision: Decision | None = None
    reason: str = ""

    @property
    def state(self) -> MigrationState:
        """Where it stands."""
        return self.states[-1].state

    def view(self) -> dict[str, Any]:
        """As the administrator's interface shows it."""
        return {
            "id": self.id,
            "coordinationId": self.coordination_id,
            "vnfInstanceId": self.instance_id,
            "vnfLcmOpOccId": self.op_occ_id,
            "stage": self.stage,
            "share": self.share,
            "state": self.state.value,
            "since": self.states[-1].at,
            "states": [
                {"state": entered.state.value, "at": entered.at, "monotonicNs": entered.monotonic_ns}
                for entered in self.states
            ],
            "kpi": self.kpi,
            "decision": self.decision.model_dump() if self.decision else None,
            "reason": self.reason,
        }


class Migrations:
    """All migration steps since the EM was installed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._decided: dict[str, asyncio.Future[Decision]] = {}

    def open(self, coordination_id: str, instance_id: str, op_occ_id: str, stage: str, share: int) -> Migration:
        """A new step in preparation."""
        migration = Migration(
            id=str(uuid4()),
            coordination_id=coordination_id,
            instance_id=instance_id,
            op_occ_id=op_occ_id,
            stage=stage,
            share=share,
            states=[Entered(state=MigrationState.PREPARING)],
        )
        self._decided[migration.id] = asyncio.get_running_loop().create_future()
        self.save(migration)
        log.info("migration %s of VNF %s to %d %%: preparing", migration.id, instance_id, share)
        return migration

    def enter(self, migration: Migration, state: MigrationState, reason: str = "") -> None:
        """Note a new state."""
        migration.states.append(Entered(state=state))
        migration.reason = reason or migration.reason
        self.save(migration)
        log.info("migration %s of VNF %s: %s %s", migration.id, migration.instance_id, state.value, reason)

    def save(self, migration: Migration) -> None:
        """Store its present content."""
        self._store.put(KIND, migration.id, migration.model_dump(mode="json"))

    def list(self, instance_id: str | None = None) -> list[dict[str, Any]]:
        """Views of all steps, oldest first, of one VNF instance or of all."""
        found = [Migration.model_validate(document.body) for document in self._store.list(KIND)]
        return [m.view() for m in found if instance_id is None or m.instance_id == instance_id]

    def get(self, id: str) -> Migration:
        """A step as it was last saved; 404 if there is none."""
        document = self._store.get(KIND, id)
        if document is None:
            raise not_found("migration", id)
        return Migration.model_validate(document.body)

    def decide(self, id: str, decision: Decision) -> None:
        """Take the administrator's decision.

        Raises:
            Problem: 404 unknown; 409 already decided, ended, or to be continued before it awaits a decision.
        """
        migration = self.get(id)
        waiting = self._decided.get(id)
        if migration.state.final or waiting is None or waiting.done():
            raise Problem(409, f"migration {id} has been decided: it is {migration.state.value}")
        if decision.decision == "CONTINUE" and migration.state is not MigrationState.AWAITING_DECISION:
            raise Problem(409, f"migration {id} does not await a decision yet: it is {migration.state.value}")
        waiting.set_result(decision)

    async def decided(self, migration: Migration) -> Decision:
        """Wait for the administrator."""
        decision = await asyncio.shield(self._decided[migration.id])
        migration.decision = decision
        self.save(migration)
        return decision

    def close(self, migration: Migration, result: LcmCoordResultType, reason: str = "") -> None:
        """Note the end of a step."""
        ended = result is LcmCoordResultType.CONTINUE
        self.enter(migration, MigrationState.CONTINUED if ended else MigrationState.ABORTED, reason)
        self._decided.pop(migration.id, None)

    def interrupt(self) -> None:
        """After a start of the EM: abort the steps that were going on."""
        for document in self._store.list(KIND):
            migration = Migration.model_validate(document.body)
            if not migration.state.final:
                self.enter(migration, MigrationState.ABORTED, "the element manager was started again")
