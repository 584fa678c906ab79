"""Execution of operations: one task each, from state to state; cancel, retry, rollback, and what a restart left."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.instances import drop_vnfc, vnfc_of
from nfvcert.reference.vnfm.occurrences import Occurrence
from nfvcert.reference.vnfm.planner import Present, Step, plan_rollback
from nfvcert.reference.vnfm.states import RUNNING, Task
from nfvcert.reference.vnfm.work import Work
from nfvcert.sol.common import CancelMode, LcmOperation
from nfvcert.sol.common import LcmOperationState as State

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.service import Vnfm

log = logging.getLogger(__name__)


class OperationCancelled(Problem):
    """The operation was stopped by a cancel request."""

    def __init__(self, mode: str) -> None:
        super().__init__(409, f"the operation was cancelled ({mode})", title="operation cancelled")


class Engine:
    """Runs the operations of one VNFM."""

    def __init__(self, vnfm: Vnfm) -> None:
        self._vnfm = vnfm
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()

    def start(self, identifier: str, *, reconcile: bool = False) -> None:
        """Begin or continue an operation in its present state."""
        task = asyncio.create_task(self._drive(identifier, reconcile))
        self._tasks[identifier] = task
        task.add_done_callback(lambda done: self._ended(identifier, done))

    def running(self, identifier: str) -> bool:
        """Whether a task works on the operation."""
        task = self._tasks.get(identifier)
        return task is not None and not task.done()

    async def stop(self) -> None:
        """Stop all tasks; their operations stay in the states in which they are and are taken up by :meth:`recover`."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def recover(self) -> None:
        """After a restart: STARTING becomes ROLLED_BACK, PROCESSING and ROLLING_BACK become FAILED_TEMP."""
        for document in self._vnfm.occurrences.all():
            occurrence = document.body
            state = State(occurrence["operationState"])
            if state not in RUNNING:
                continue
            if not self._vnfm.behaviour.remembers(occurrence):
                self._vnfm.occurrences.forget(occurrence["id"])
                continue
            problem = Problem(500, f"the VNFM was restarted while the operation was {state}", title="restarted")
            self._move(occurrence, Task.RESTART, problem)
            self._tasks[document.id] = asyncio.create_task(self._settle(document.id))

    async def _settle(self, identifier: str) -> None:
        try:
            await self._reconcile(Work(self._vnfm, identifier))
        except Problem as problem:
            log.warning("operation %s: the VIM could not be compared with the record: %s", identifier, problem)
        finally:
            self._tasks.pop(identifier, None)

    # --- tasks asked for from outside ---

    def cancel(self, occurrence: Occurrence, mode: CancelMode) -> None:
        """Stop an operation: at once (FORCEFUL, or nothing granted yet) or after the present step (GRACEFUL)."""
        self._require(occurrence, Task.CANCEL)
        identifier = occurrence["id"]
        self._vnfm.occurrences.change(identifier, isCancelPending=True, cancelMode=mode)
        at_once = mode == CancelMode.FORCEFUL or occurrence["operationState"] == State.STARTING
        if at_once and identifier not in self._cancelled and self.running(identifier):
            self._cancelled.add(identifier)
            self._tasks[identifier].cancel()

    def retry(self, occurrence: Occurrence) -> None:
        """Continue a stopped operation at the step that failed."""
        self._require(occurrence, Task.RETRY)
        self._require_idle(occurrence)
        self._move(occurrence, Task.RETRY)
        self.start(occurrence["id"], reconcile=True)

    def roll_back(self, occurrence: Occurrence) -> None:
        """Undo a stopped operation."""
        self._require(occurrence, Task.ROLLBACK)
        self._require_idle(occurrence)
        self._move(occurrence, Task.ROLLBACK)
        self.start(occurrence["id"], reconcile=True)

    def fail(self, occurrence: Occurrence) -> Occurrence:
        """Declare a stopped operation failed; the records keep describing what runs."""
        self._require(occurrence, Task.FAIL)
        self._require_idle(occurrence)
        return self._move(occurrence, Task.FAIL)

    def _require(self, occurrence: Occurrence, task: Task) -> None:
        state = State(occurrence["operationState"])
        if self._vnfm.behaviour.next_state(state, task) is None:
            raise Problem(409, f"{task} is not possible while the operation is {state}")

    def _require_idle(self, occurrence: Occurrence) -> None:
        if self.running(occurrence["id"]):
            raise Problem(
                409, "the resources of the operation are being compared with its record", headers={"Retry-After": "1"}
            )

    # --- execution ---

    async def _drive(self, identifier: str, reconcile: bool) -> None:
        work = Work(self._vnfm, identifier)
        try:
            if reconcile:
                await self._reconcile(work)
            if work.record["operationState"] == State.STARTING:
                await self._vnfm.behaviour.before_processing(work)
                self._move(work.record, Task.GRANTED)
            if work.record["operationState"] == State.ROLLING_BACK:
                work.document["back"] = self._plan_back(work)
                work.save()
            for step in work.steps:
                self._check_cancel(work)
                await self._execute(work, step)
            self._move(work.record, Task.DONE)
        except asyncio.CancelledError:
            if identifier not in self._cancelled:
                raise
            self._move(work.record, Task.CANCEL, OperationCancelled(str(work.record.get("cancelMode", ""))))
        except OperationCancelled as problem:
            self._move(work.record, Task.CANCEL, problem)
        except Problem as problem:
            log.warning("operation %s: %s", identifier, problem)
            self._move(work.record, Task.FAULT, problem)
        except Exception as error:
            log.exception("operation %s", identifier)
            self._move(work.record, Task.FAULT, Problem(500, f"internal error: {type(error).__name__}: {error}"))

    async def _execute(self, work: Work, step: Step) -> None:
        try:
            await work.execute(step)
        except Problem as problem:
            back = work.record["operationState"] == State.ROLLING_BACK
            if not (back and self._vnfm.behaviour.tolerates_rollback_fault(step, problem)):
                raise
            log.warning("operation %s: %s is passed over: %s", work.id, step["do"], problem)

    def _check_cancel(self, work: Work) -> None:
        record = work.record
        if record["isCancelPending"]:
            raise OperationCancelled(record["cancelMode"])

    def _plan_back(self, work: Work) -> list[Step]:
        """The way back from what exists now; planned anew for each attempt."""
        operation = work.record["operation"]
        return plan_rollback(
            _present(work.snapshot["vnfcs"]),
            _present(work.instance["vnfcs"]),
            traffic=bool(work.context.get("told")),
            change=operation == LcmOperation.CHANGE_VNFPKG,
            release=operation == LcmOperation.INSTANTIATE,
        )

    async def _reconcile(self, work: Work) -> None:
        """Make record and VIM agree after an interruption.

        What is left of VNFCs that were being created goes; VNFCs that the VIM does not have any more are forgotten, and
        the steps that had created them are due again.
        """
        instance = work.instance
        for identifier in await self._vnfm.vnfcs.gone(instance):
            vnfc = vnfc_of(instance, identifier)
            if vnfc is not None:
                await self._vnfm.vnfcs.clean(instance["id"], identifier, vnfc["vdu"])
            work.change_instance(partial(drop_vnfc, identifier=identifier))
        instance = work.instance
        steps = [*work.document["steps"], *work.document.get("back", [])]
        removed = {name for step in steps for name in step.get("removing", [])}
        for step in steps:
            if step["do"] == "create" and vnfc_of(instance, step["vnfc"]) is None and step["vnfc"] not in removed:
                clean = partial(self._vnfm.vnfcs.clean, instance["id"], step["vnfc"], step["vdu"])
                await self._vnfm.behaviour.interrupted_creation(step["vnfc"], clean)
                step["done"] = False
        work.save()

    def _move(self, occurrence: Occurrence, task: Task, problem: Problem | None = None) -> Occurrence:
        """Enter the state that follows; FAILED keeps the error, ROLLED_BACK tells what the rollback was for."""
        identifier = occurrence["id"]
        following = self._vnfm.behaviour.next_state(State(occurrence["operationState"]), task)
        assert following is not None, (occurrence["operationState"], task)
        self._cancelled.discard(identifier)
        attributes: dict[str, Any] = {"error": problem.document()} if problem else {}
        work = Work(self._vnfm, identifier)
        if following == State.ROLLING_BACK:
            work.document["cause"] = occurrence.get("error")
            work.save()
        if following == State.ROLLED_BACK and problem is None:
            attributes["error"] = work.document.get("cause") or Problem(500, "the operation was rolled back").document()
        log.info("operation %s %s: %s", occurrence["operation"], identifier, following)
        attributes["resourceChanges"] = work.resource_changes(work.instance) or None
        return self._vnfm.occurrences.enter(identifier, following, **attributes)

    def _ended(self, identifier: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(identifier) is task:
            del self._tasks[identifier]
        if not task.cancelled() and (error := task.exception()):
            log.error("the task of operation %s ended with %r", identifier, error)


def _present(vnfcs: list[dict[str, Any]]) -> list[Present]:
    return [Present(vnfc["id"], vnfc["vdu"], vnfc["vnfdId"]) for vnfc in vnfcs]
