"""Coordinations from request to result: one at a time for each VNF instance, each with a bounded end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, Field

from nfvcert.errors import NfvcertError
from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Store
from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.inputs import Stage, StageInput
from nfvcert.reference.em.migrations import Migrations
from nfvcert.reference.em.settings import EmConfig
from nfvcert.reference.em.stage import Outcome, StageContext
from nfvcert.reference.em.stage_empty import empty
from nfvcert.reference.em.stage_migrate import migrate
from nfvcert.reference.em.stage_revert import revert
from nfvcert.reference.em.stage_settle import activate, settle
from nfvcert.reference.em.steering import Deciders, Steering
from nfvcert.sol.common import Link, ProblemDetails, now
from nfvcert.sol.lcmcoord import API_PATH, LcmCoord, LcmCoordLinks, LcmCoordRequest, LcmCoordResultType

log = logging.getLogger(__name__)
KIND = "coordination"

STAGES: Mapping[Stage, Callable[[StageContext], Awaitable[Outcome]]] = {
    Stage.ACTIVATE: activate,
    Stage.MIGRATE: migrate,
    Stage.RETIRE: empty,
    Stage.DRAIN: empty,
    Stage.REVERT: revert,
    Stage.COMPLETE: settle,
    Stage.REVERTED: settle,
}
SHORT = (Stage.ACTIVATE, Stage.COMPLETE, Stage.REVERTED)
"""Stages that are answered at once if they end soon."""

CANCELLED = Outcome(LcmCoordResultType.CANCELLED, error="cancelled")


class State(StrEnum):
    """Whether there is a result."""

    RUNNING = "running"
    FINISHED = "finished"


class Coordination(BaseModel):
    """One coordination as the EM keeps it."""

    id: str
    request: LcmCoordRequest
    stage: Stage
    state: State = State.RUNNING
    started: str = Field(default_factory=now)
    finished: str | None = None
    result: LcmCoordResultType | None = None
    output: dict[str, Any] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    error: str | None = None

    def view(self, url: str) -> dict[str, Any]:
        """The LcmCoord of a finished coordination; `url` is the EM's public root."""
        assert self.result is not None
        return LcmCoord(
            id=self.id,
            coordinationResult=self.result,
            vnfInstanceId=self.request.vnfInstanceId,
            vnfLcmOpOccId=self.request.vnfLcmOpOccId,
            lcmOperationType=self.request.lcmOperationType,
            coordinationActionName=self.request.coordinationActionName,
            outputParams=self.output or None,
            warnings=self.warnings or None,
            error=None
            if self.error is None
            else ProblemDetails(title="coordination did not succeed", status=500, detail=self.error),
            _links=LcmCoordLinks(
                self=Link(href=self.url(url)),
                vnfLcmOpOcc=self.request.links.vnfLcmOpOcc,
                vnfInstance=self.request.links.vnfInstance,
            ),
        ).dump()

    def url(self, root: str) -> str:
        """Its URI."""
        return f"{root}{API_PATH}/coordinations/{self.id}"


class Running:
    """A coordination at work: its task, and whether the VNFM has seen the result."""

    def __init__(self, coordination: Coordination) -> None:
        self.coordination = coordination
        self.answered = asyncio.Event()
        self.ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Coordinator:
    """All coordinations of this EM."""

    def __init__(self, config: EmConfig, behaviour: EmBehaviour, store: Store, fleets: Fleets) -> None:
        self._config = config
        self._behaviour = behaviour
        self._store = store
        self._fleets = fleets
        self._running: dict[str, Running] = {}
        self._closing = False
        self.migrations = Migrations(store)
        self.deciders = Deciders(store)

    def recover(self) -> None:
        """After a start of the EM: what was going on has ended, and whoever asks is told so."""
        for document in self._store.list(KIND):
            coordination = Coordination.model_validate(document.body)
            if coordination.state is State.RUNNING:
                self._finish(
                    coordination,
                    Outcome(LcmCoordResultType.ABORT, error="the element manager was started again meanwhile"),
                )
        self.migrations.interrupt()

    async def start(self, request: LcmCoordRequest, inputs: StageInput) -> Running:
        """Begin a coordination.

        One that the same operation occurrence has still open is cancelled first: its VNFM asks for another action, so
        it no longer waits for that result.

        Raises:
            Problem: 409 when another operation has a coordination open for the VNF.
        """
        for other in list(self._running.values()):
            if other.coordination.request.vnfInstanceId != request.vnfInstanceId:
                continue
            if other.coordination.request.vnfLcmOpOccId != request.vnfLcmOpOccId:
                raise Problem(
                    409,
                    f"coordination {other.coordination.id} of operation {other.coordination.request.vnfLcmOpOccId} "
                    f"is going on for VNF {request.vnfInstanceId}",
                )
            log.info("coordination %s is superseded", other.coordination.id)
            self._cancel(other)
        coordination = Coordination(id=str(uuid4()), request=request, stage=inputs.stage)
        self._save(coordination)
        running = Running(coordination)
        before = [other for other in self._running.values() if self._same_vnf(other, request)]
        self._running[coordination.id] = running
        running.task = asyncio.create_task(self._run(running, inputs, before))
        running.task.add_done_callback(lambda _: self._end(running, CANCELLED))
        log.info(
            "coordination %s: %s of VNF %s, operation %s, begun",
            coordination.id,
            inputs.stage.value,
            request.vnfInstanceId,
            request.vnfLcmOpOccId,
        )
        return running

    async def finished_soon(self, running: Running) -> bool:
        """Whether a short stage ends while its request may stay open."""
        if running.coordination.stage not in SHORT:
            return False
        try:
            await asyncio.wait_for(running.ended.wait(), self._config.short_answer_s)
        except TimeoutError:
            return False
        return True

    def get(self, id: str) -> Coordination:
        """A coordination; 404 if there is none."""
        running = self._running.get(id)
        if running is not None:
            return running.coordination
        document = self._store.get(KIND, id)
        if document is None:
            raise not_found("coordination", id)
        return Coordination.model_validate(document.body)

    def cancel(self, id: str) -> None:
        """End a coordination with the result CANCELLED; 409 if it has a result already."""
        coordination = self.get(id)
        running = self._running.get(id)
        if running is None or coordination.state is State.FINISHED:
            raise Problem(409, f"coordination {id} has ended with {coordination.result}")
        self._cancel(running)

    async def close(self) -> None:
        """Stop what is going on; it stays open in the store, and `recover` ends it at the next start."""
        self._closing = True
        tasks = [running.task for running in self._running.values() if running.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fleets.close()

    @staticmethod
    def _same_vnf(other: Running, request: LcmCoordRequest) -> bool:
        return other.coordination.request.vnfInstanceId == request.vnfInstanceId

    @staticmethod
    def _cancel(running: Running) -> None:
        if running.task is not None:
            running.task.cancel()

    async def _run(self, running: Running, inputs: StageInput, before: list[Running]) -> None:
        coordination = running.coordination
        try:
            for other in before:
                await other.ended.wait()
            outcome = await STAGES[inputs.stage](self._context(running, inputs))
        except asyncio.CancelledError:
            outcome = CANCELLED
        except (NfvcertError, Problem) as error:
            log.warning("coordination %s failed: %s", coordination.id, error)
            outcome = Outcome(LcmCoordResultType.ABORT, error=str(error))
        except Exception as error:
            log.exception("coordination %s failed", coordination.id)
            outcome = Outcome(LcmCoordResultType.ABORT, error=f"internal error: {error!r}")
        self._end(running, outcome)

    def _end(self, running: Running, outcome: Outcome) -> None:
        """Note the end once; also called for a task that was cancelled before it began."""
        if running.ended.is_set():
            return
        if not self._closing:
            self._finish(running.coordination, outcome)
        self._running.pop(running.coordination.id, None)
        running.ended.set()
        running.answered.set()

    def _context(self, running: Running, inputs: StageInput) -> StageContext:
        coordination = running.coordination
        return StageContext(
            coordination_id=coordination.id,
            instance_id=coordination.request.vnfInstanceId,
            op_occ_id=coordination.request.vnfLcmOpOccId,
            inputs=inputs,
            config=self._config,
            behaviour=self._behaviour,
            fleets=self._fleets,
            steering=Steering(self.deciders, coordination.request.vnfInstanceId),
            migrations=self.migrations,
            answered=running.answered,
        )

    def _finish(self, coordination: Coordination, outcome: Outcome) -> None:
        coordination.state = State.FINISHED
        coordination.finished = now()
        coordination.result = outcome.result
        coordination.output = outcome.output
        coordination.warnings = outcome.warnings
        coordination.error = outcome.error
        self._save(coordination)
        log.info(
            "coordination %s: %s ended with %s %s",
            coordination.id,
            coordination.stage.value,
            outcome.result.value,
            outcome.error or "",
        )

    def _save(self, coordination: Coordination) -> None:
        self._store.put(KIND, coordination.id, coordination.model_dump(mode="json", by_alias=True))
