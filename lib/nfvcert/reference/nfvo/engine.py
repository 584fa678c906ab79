"""Carries service operations out: looks what is known, decides, asks the VNFM, tells the result; again at every news.

Nothing of an operation lives outside the store, so that a restarted NFVO goes on where the earlier one was killed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from typing import Any

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.peer import PeerError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo import outcome
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.mirror import Mirror
from nfvcert.reference.nfvo.operations import Operations
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.reference.nfvo.services import Services
from nfvcert.reference.nfvo.steps import Decision, Phase, Status, Step, phase
from nfvcert.reference.nfvo.vnfm import VnfmClient
from nfvcert.sol.nslcm import NsLcmOperationState as State
from nfvcert.sol.nslcm import NsState

log = logging.getLogger(__name__)

TASK_OF = {"INSTANTIATE": "instantiate", "CHANGE_VNFPKG": "change_vnfpkg", "TERMINATE": "terminate"}


class Engine:
    """Advances operations.

    Args:
        start_wait_s: longest wait for the delivery of START before the VNFM is asked.
    """

    def __init__(
        self,
        *,
        store: Store,
        operations: Operations,
        services: Services,
        packages: Packages,
        mirror: Mirror,
        vnfm: VnfmClient,
        notifier: Notifier,
        behaviour: NfvoBehaviour,
        start_wait_s: float,
    ) -> None:
        self.store = store
        self.operations = operations
        self.services = services
        self.packages = packages
        self.mirror = mirror
        self.vnfm = vnfm
        self._notifier = notifier
        self._behaviour = behaviour
        self._start_wait_s = start_wait_s
        self.stale: Counter[str] = Counter()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- background work ---

    def advance_soon(self, identifier: str) -> None:
        """Advance an operation without keeping the caller waiting."""
        task = asyncio.create_task(self._advance_safely(identifier))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all background work."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def resume(self) -> None:
        """After a restart: requests and tasks whose answer was not seen are of unknown outcome."""
        for document in self.operations.unfinished():
            for index, step in enumerate(document.body["steps"]):
                if step["status"] == Status.ASKING:
                    self.operations.change_step(document.id, index, status=Status.UNSURE, error=_restarted())
                if step["order"]:
                    self.operations.change_step(document.id, index, order=None)
            self.advance_soon(document.id)

    async def _advance_safely(self, identifier: str) -> None:
        try:
            await self.advance(identifier)
        except Problem as problem:
            log.warning("operation %s: %s", identifier, problem.detail)
        except Exception:
            log.exception("operation %s cannot be advanced", identifier)

    # --- advancing ---

    def lock(self, identifier: str) -> asyncio.Lock:
        """Held by whoever changes an operation."""
        return self._locks[identifier]

    def phases(self, document: Document) -> list[Phase]:
        """How far the steps of an operation have come."""
        return [
            phase(step, self.mirror.operation(step["operation"]), self._behaviour.phase_of)
            for step in document.body["steps"]
        ]

    async def advance(self, identifier: str) -> None:
        """Do what is due for an operation until it has to wait for the VNFM or has ended."""
        async with self.lock(identifier):
            while True:
                document = self.operations.find(identifier)
                if self.operations.state(document).final:
                    return
                phases = self.phases(document)
                decision = self._behaviour.decide(phases, document.body["carry_on"])
                if decision.begin is not None and document.body["halted"]:
                    decision = Decision(State.FAILED_TEMP)
                if decision.begin is not None:
                    self.settle(document, State.PROCESSING, phases)
                    await self._begin(document, decision.begin)
                    continue
                if decision.state.final and not await self._tidy(document, phases):
                    return
                self.settle(document, decision.state, phases)
                return

    async def _begin(self, document: Document, index: int) -> None:
        """Ask the VNFM for the VNF operation of a step."""
        identifier = document.id
        if index == 0:
            await self._started_told()
        self.operations.change_step(identifier, index, status=Status.ASKING, error=None)
        step = document.body["steps"][index]
        package = self.packages.usable(step["vnfdId"])
        shown = self.packages.shown(package) if package else None
        try:
            operation = await self._behaviour.submit(
                step["kind"], step["vnfdId"], shown, lambda: self._send(document, index)
            )
        except PeerError as error:
            status = Status.REFUSED if error.answered >= 400 else Status.UNSURE
            problem = Problem(error.answered if error.answered >= 400 else 503, error.detail)
            self.operations.change_step(identifier, index, status=status, error=problem.document())
            return
        except Problem as problem:
            self.operations.change_step(identifier, index, status=Status.REFUSED, error=problem.document())
            return
        if not operation:
            self.operations.change_step(identifier, index, status=Status.NOTHING_TO_DO)
            return
        self.accepted(identifier, index, operation)

    def accepted(self, identifier: str, index: int, operation: str) -> None:
        """The VNFM has accepted the request of a step."""
        step = self.operations.find(identifier).body["steps"][index]
        with self.store.transaction():
            target = "" if step["kind"] == "TERMINATE" else step["vnfdId"]
            self.mirror.expect(operation, step["vnfInstanceId"], step["kind"], target)
            self.operations.change_step(identifier, index, status=Status.ACCEPTED, operation=operation, error=None)

    async def _send(self, document: Document, index: int) -> str:
        """The requests of one step; returns the id of the VNF operation, empty if none is needed."""
        step: Step = self.operations.find(document.id).body["steps"][index]
        instance = step["vnfInstanceId"]
        if step["kind"] == "INSTANTIATE" and not instance:
            created = await self.vnfm.create_instance(step["create"])
            instance = str(created["id"])
            with self.store.transaction():
                self.mirror.update_instance(created)
                self.operations.change_step(document.id, index, vnfInstanceId=instance)
                self.services.add_vnf(document.body["record"]["nsInstanceId"], instance, step["vnfProfileId"])
        if step["kind"] == "TERMINATE":
            found = await self.vnfm.instance(instance)
            if found is None:
                return ""
            await self._give_up_stopped(instance)
            if found.get("instantiationState") != NsState.INSTANTIATED and not found.get("instantiatedVnfInfo"):
                return ""
        return await self.vnfm.start(instance, TASK_OF[step["kind"]], step["request"])

    async def _give_up_stopped(self, instance: str) -> None:
        """Fail the operations of a VNF instance that stand still, whoever began them: it is to be terminated."""
        for record in await self.vnfm.unfinished(instance):
            if record.get("operationState") == State.FAILED_TEMP:
                await self.vnfm.order(str(record["id"]), "fail")

    async def _started_told(self) -> None:
        """Wait, not for ever, until subscribers have the START of an operation."""
        waiting = asyncio.create_task(self._notifier.idle())
        self._tasks.add(waiting)
        waiting.add_done_callback(self._tasks.discard)
        await asyncio.wait([waiting], timeout=self._start_wait_s)

    # --- ending ---

    async def _tidy(self, document: Document, phases: list[Phase]) -> bool:
        """Before an operation ends: records are fresh, resources of VNFs that are gone are deleted.

        False if the VNFM cannot be reached now; the operation is advanced again later.
        """
        for step, found in zip(document.body["steps"], phases, strict=True):
            instance = step["vnfInstanceId"]
            if self.stale[instance]:
                return False
            gone = (step["kind"], found) in (("TERMINATE", Phase.DONE), ("INSTANTIATE", Phase.UNDONE))
            if not (gone and instance):
                continue
            try:
                await self.vnfm.delete_instance(instance)
            except PeerError as error:
                log.warning("VNF instance %s cannot be deleted: %s", instance, error.detail)
                if not error.answered:
                    self.stale[instance] += 1
                    return False
                continue
            with self.store.transaction():
                self.mirror.remove_instance(instance)
                self.services.drop_vnf(document.body["record"]["nsInstanceId"], instance)
        return True

    def settle(self, document: Document, state: State, phases: list[Phase]) -> None:
        """Enter the state if it is another one, with error and changes as they are now."""
        if state == self.operations.state(document):
            return
        service = document.body["record"]["nsInstanceId"]
        kind = document.body["record"]["lcmOperationType"]
        steps = [
            (step, found, self.mirror.operation(step["operation"]))
            for step, found in zip(document.body["steps"], phases, strict=True)
        ]
        settled = outcome.service_state(kind, state)

        def meanwhile() -> None:
            if settled is not None:
                self.services.change(service, nsState=settled)

        self.operations.enter(
            document.id, state, error=outcome.error(steps), changes=outcome.changes(steps), meanwhile=meanwhile
        )


def _restarted() -> dict[str, Any]:
    return Problem(500, "the NFVO was restarted before the VNFM had answered").document()
