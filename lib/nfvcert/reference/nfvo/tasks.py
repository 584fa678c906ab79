"""Tasks on service operations: retry, rollback, continue, fail, cancel (SOL005 6.4.11 to 6.4.15)."""

from __future__ import annotations

from typing import Any

from nfvcert.reference.common.peer import PeerError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Document
from nfvcert.reference.nfvo.engine import Engine
from nfvcert.reference.nfvo.steps import Phase, Status
from nfvcert.sol.nslcm import NsLcmOperationState as State

_STOPPED = (State.FAILED_TEMP,)
_AT_WORK = (State.PROCESSING, State.ROLLING_BACK)


class Tasks:
    """Passes tasks on to the VNF operations that a service operation consists of.

    Every method raises Problem: 404 no such operation, 409 not possible in its state, 503 the VNFM does not answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._operations = engine.operations

    async def retry(self, identifier: str) -> None:
        """Try again what stopped."""
        async with self._engine.lock(identifier):
            document = self._find(identifier, "retried", _STOPPED)
            self._operations.mark(identifier)
            for index in self._stopped(document):
                if not await self._adopted(document, index):
                    self._operations.change_step(identifier, index, status=Status.WAITING, error=None)
                else:
                    await self._order(identifier, index, "retry")
        await self._engine.advance(identifier)

    async def roll_back(self, identifier: str) -> None:
        """Undo what stopped."""
        async with self._engine.lock(identifier):
            document = self._find(identifier, "rolled back", _STOPPED)
            for step, phase in zip(document.body["steps"], self._engine.phases(document), strict=True):
                if phase is Phase.DONE:
                    vnf = step["vnfInstanceId"]
                    raise Problem(409, f"the operation on VNF {vnf} is COMPLETED and cannot be rolled back any more")
            for index in self._stopped(document):
                if not await self._adopted(document, index):
                    self._operations.change_step(identifier, index, status=Status.REFUSED)
                else:
                    await self._order(identifier, index, "rollback")
        await self._engine.advance(identifier)

    async def carry_on(self, identifier: str) -> None:
        """Give up what stopped and go on with the other VNFs."""
        async with self._engine.lock(identifier):
            document = self._find(identifier, "continued", _STOPPED)
            await self._give_up(document)
            self._operations.mark(identifier, carry_on=True)
        await self._engine.advance(identifier)

    async def fail(self, identifier: str) -> Document:
        """Give up the whole operation; returns it in FAILED."""
        async with self._engine.lock(identifier):
            document = self._find(identifier, "failed", _STOPPED)
            await self._give_up(document)
            document = self._operations.find(identifier)
            self._engine.settle(document, State.FAILED, self._engine.phases(document))
        return self._operations.find(identifier)

    async def give_up_stopped(self, service: str) -> None:
        """Fail the operation of a service that stands still, if there is one."""
        for document in self._operations.unfinished():
            if document.body["record"]["nsInstanceId"] == service and self._operations.state(document) in _STOPPED:
                await self.fail(document.id)

    async def cancel(self, identifier: str, mode: str) -> None:
        """Stop what is at work, and begin nothing more."""
        async with self._engine.lock(identifier):
            document = self._find(identifier, "cancelled", _AT_WORK)
            phases = self._engine.phases(document)
            for index, phase in enumerate(phases):
                if phase in (Phase.RUNNING, Phase.UNDOING):
                    await self._ask(document.body["steps"][index]["operation"], "cancel", {"cancelMode": mode})
            self._operations.change(identifier, isCancelPending=True, cancelMode=mode)
            self._operations.mark(identifier, halted=True)

    def _find(self, identifier: str, done: str, states: tuple[State, ...]) -> Document:
        document = self._operations.find(identifier)
        state = self._operations.state(document)
        if state not in states:
            raise Problem(409, f"an operation in {state} cannot be {done}")
        return document

    def _stopped(self, document: Document) -> list[int]:
        return [index for index, phase in enumerate(self._engine.phases(document)) if phase is Phase.STOPPED]

    async def _adopted(self, document: Document, index: int) -> bool:
        """Whether the VNFM has an operation for a step; one whose answer was lost is looked for there."""
        step = document.body["steps"][index]
        if step["status"] == Status.ACCEPTED:
            return True
        if not step["vnfInstanceId"]:
            return False
        try:
            found = await self._engine.vnfm.unfinished(step["vnfInstanceId"])
        except PeerError as error:
            raise Problem(503, error.detail) from error
        mine = [record for record in found if record.get("operation") == step["kind"]]
        if not mine:
            return False
        record = mine[-1]
        self._engine.accepted(document.id, index, str(record["id"]))
        self._engine.mirror.observe_record(record)
        return True

    async def _order(self, identifier: str, index: int, task: str) -> None:
        """Ask the VNFM for a task on the operation of a step, if it stands still."""
        step = self._operations.find(identifier).body["steps"][index]
        known = self._engine.mirror.operation(step["operation"])
        if known is None or known["operationState"] != State.FAILED_TEMP:
            return
        self._operations.change_step(identifier, index, order={"task": task, "entered": known["entered"]})
        try:
            await self._ask(step["operation"], task)
        except Problem:
            self._operations.change_step(identifier, index, order=None)
            raise

    async def _give_up(self, document: Document) -> None:
        for index in self._stopped(document):
            if not await self._adopted(document, index):
                self._operations.change_step(document.id, index, status=Status.REFUSED)
                continue
            operation = self._operations.find(document.id).body["steps"][index]["operation"]
            await self._ask(operation, "fail")
            record = await self._engine.vnfm.operation(operation)
            if record is not None:
                self._engine.mirror.observe_record(record)

    async def _ask(self, operation: str, task: str, request: dict[str, Any] | None = None) -> None:
        try:
            await self._engine.vnfm.order(operation, task, request)
        except PeerError as error:
            raise Problem(409 if error.answered == 409 else 503, error.detail) from error
