"""One software modification: requested, followed through its stages, decided, cancelled, rolled back."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from nfvcert.errors import StackError
from nfvcert.history import marks
from nfvcert.sol.http import Answer
from nfvcert.testbed.drivers.operations import operation_id
from nfvcert.testbed.drivers.recording import problem_of
from nfvcert.testbed.waiting import wait_for

if TYPE_CHECKING:
    from nfvcert.scenarios.bench import Bench

ENDED = {"COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK", "PARTIALLY_COMPLETED"}
STAGE_TIMEOUT_S = 45.0
END_TIMEOUT_S = 90.0
COME_BACK_S = 10.0
CONTINUE_POLL_S = 0.15


class Modification:
    """A modification of the VNF of a service, under a label that tells several of one scenario apart."""

    def __init__(self, bench: Bench, label: str) -> None:
        self._bench = bench
        self.label = label
        self.token = secrets.token_hex(8)
        self.ns_operation = ""
        self.vnf_operation = ""

    # requests

    def request_by_oss(self, vnfd_id: str, policy: str | None) -> Answer:
        """MODIFY_NS: ask the NFVO for another package of the service's VNF."""
        bench = self._bench
        change = {
            "vnfInstanceId": bench.service.vnf_instance,
            "vnfdId": vnfd_id,
            "additionalParams": self._parameters(policy),
        }
        body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [change]}
        answer = bench.nfvo.update(bench.service.id, body)
        self.ns_operation = _started(answer)
        self._requested("os-ma-nfvo", vnfd_id, policy, answer, self.ns_operation)
        if self.ns_operation:
            self._known("ns", self.ns_operation)
        return answer

    def request_by_nfvo(
        self, vnfd_id: str, policy: str | None, *, expected_policy: dict[str, Any] | None = None
    ) -> Answer:
        """MODIFY_VNF: ask the VNFM for another package of the VNF.

        Args:
            expected_policy: what the metadata of that package say of the policy, if it is not the candidate's.
        """
        bench = self._bench
        body = {"vnfdId": vnfd_id, "additionalParams": self._parameters(policy)}
        answer = bench.vnfm.task(bench.service.vnf_instance, "change_vnfpkg", body)
        self.vnf_operation = _started(answer)
        self._requested("or-vnfm", vnfd_id, policy, answer, self.vnf_operation, expected_policy)
        if self.vnf_operation:
            self._known("vnf", self.vnf_operation)
        return answer

    # following

    def find_vnf_operation(self) -> str:
        """Find the running operation knowing only the VNF instance, as an observer would."""
        bench = self._bench

        def found() -> str | None:
            records = bench.vnfm.operations(bench.service.vnf_instance, "CHANGE_VNFPKG")
            running = [r for r in records if r.get("operationState") not in ENDED - {"FAILED_TEMP"}]
            return str(running[-1]["id"]) if running else None

        if not self.vnf_operation:
            self.vnf_operation = wait_for(found, timeout_s=20, what="finding the operation by its VNF instance")
            self._known("vnf", self.vnf_operation)
        return self.vnf_operation

    def await_stage(self, share: float) -> dict[str, Any]:
        """Wait until the EM has migrated that share and asks for a decision.

        Raises:
            StackError: the operation ended before, or the stage was not reached in time.
        """
        bench = self._bench
        em = bench.require_em()
        operation = self.find_vnf_operation()

        def waiting() -> dict[str, Any] | None:
            for migration in em.migrations(bench.service.vnf_instance):
                mine = migration.get("vnfLcmOpOccId") == operation
                if mine and migration.get("share") == share and migration.get("state") == "awaiting_decision":
                    return migration
            state = bench.vnfm.operation(operation).get("operationState")
            if state in ENDED:
                raise StackError(f"the operation is {state} before {share:g} percent were decided", where=operation)
            return None

        migration = wait_for(waiting, timeout_s=STAGE_TIMEOUT_S, what=f"migration of {share:g} percent")
        bench.take_inventory()
        bench.recording.recorder.mark(
            marks.PAUSED,
            label=self.label,
            share=share,
            stage="migrate",
            since=_set_at(migration),
            migration=migration,
        )
        self._migration = migration
        return migration

    def look(self) -> None:
        """Read the state of the modification as NFVO and as EM, knowing only the VNF instance."""
        bench = self._bench
        for role, client in (("nfvo", bench.vnfm), ("em", bench.vnfm_as_em)):
            bench.recording.recorder.mark(
                marks.FOUND,
                label=self.label,
                by=role,
                operations=client.operations(bench.service.vnf_instance, "CHANGE_VNFPKG"),
                vnf_instance=client.instance(bench.service.vnf_instance),
            )

    def decide(self, decision: str, reason: str) -> None:
        """Give the administrator's decision on the stage that waits for one."""
        share = self._migration.get("share")
        status = self._bench.require_em().decide(str(self._migration["id"]), decision, reason)
        self._bench.recording.recorder.mark(
            marks.DECISION, label=self.label, share=share, decision=decision, reason=reason, status=status
        )

    def await_end(self, *states: str, level: str = "vnf", timeout_s: float = END_TIMEOUT_S) -> str:
        """Wait until the operation has ended (or stopped in FAILED_TEMP); returns the state."""
        bench = self._bench
        wanted = set(states) or ENDED
        if level == "vnf":
            record = bench.vnfm.await_operation(self.find_vnf_operation(), wanted | ENDED, timeout_s=timeout_s)
        else:
            record = bench.nfvo.await_operation(self.ns_operation, wanted | ENDED, timeout_s=timeout_s)
        bench.take_inventory()
        state = str(record["operationState"])
        bench.recording.recorder.mark(
            marks.REACHED, label=self.label, level=level, operation=record.get("id"), state=state, record=record
        )
        return state

    def stopped_within(self, seconds: float) -> bool:
        """Whether the operation stops or ends by itself within a time."""
        vnfm, operation = self._bench.vnfm, self.find_vnf_operation()
        try:
            vnfm.await_operation(operation, ENDED, timeout_s=seconds)
        except StackError:
            return False
        return True

    def continue_to_end(self) -> str:
        """Agree to whatever the EM asks until the operation has ended; returns the state."""
        bench, operation = self._bench, self.find_vnf_operation()
        deadline = time.monotonic() + END_TIMEOUT_S
        while bench.vnfm.operation(operation).get("operationState") not in ENDED and time.monotonic() < deadline:
            for migration in bench.em.migrations(bench.service.vnf_instance) if bench.em else ():
                if migration.get("vnfLcmOpOccId") == operation and migration.get("state") == "awaiting_decision":
                    self._migration = migration
                    self.decide("CONTINUE", "the administrator agrees to everything")
            time.sleep(CONTINUE_POLL_S)
        return self.await_end()

    # tasks

    def task(self, name: str, mode: str | None = None) -> Answer:
        """cancel (GRACEFUL or FORCEFUL), rollback, retry or fail the operation.

        Where the answer names a time to come back (Retry-After) the task is asked again then; all is recorded.
        """
        bench = self._bench
        body = {"cancelMode": mode} if mode else {}
        answer = bench.vnfm.operation_task(self.find_vnf_operation(), name, body)
        deadline = time.monotonic() + COME_BACK_S
        while answer.status in (409, 503) and "retry-after" in answer.headers and time.monotonic() < deadline:
            time.sleep(min(2.0, float(answer.headers["retry-after"])))
            answer = bench.vnfm.operation_task(self.find_vnf_operation(), name, body)
        return self._answered(marks.TASK, answer, label=self.label, task=name, mode=mode, operation=self.vnf_operation)

    def attempt_task(self, name: str, label: str) -> Answer:
        """Call a task that must be refused."""
        body = {"cancelMode": "FORCEFUL"} if name == "cancel" else {}
        answer = self._bench.vnfm.operation_task(self.vnf_operation, name, body)
        return self._answered(marks.ATTEMPT, answer, label=label, task=name, operation=self.vnf_operation)

    def attempt_second(self, vnfd_id: str, label: str) -> Answer:
        """Ask for a second modification, which must be refused while the first is not ended."""
        bench = self._bench
        body = {"vnfdId": vnfd_id, "additionalParams": self._parameters(None)}
        answer = bench.vnfm.task(bench.service.vnf_instance, "change_vnfpkg", body)
        return self._answered(marks.ATTEMPT, answer, label=label, operation=_started(answer) or None)

    def _parameters(self, policy: str | None) -> dict[str, str]:
        parameters = {"token": self.token}
        if policy is not None:
            parameters["policy"] = policy
        return parameters

    def _requested(
        self,
        interface: str,
        vnfd_id: str,
        policy: str | None,
        answer: Answer,
        operation: str,
        expected_policy: dict[str, Any] | None = None,
    ) -> None:
        self._answered(
            marks.REQUEST,
            answer,
            label=self.label,
            interface=interface,
            vnfd_id=vnfd_id,
            policy=policy,
            token=self.token,
            expected_policy=expected_policy,
            t_request=answer.t_start,
            operation=operation or None,
        )

    def _answered(self, mark: str, answer: Answer, **data: Any) -> Answer:
        """Record how a request was answered."""
        self._bench.recording.recorder.mark(mark, **data, status=answer.status, problem=problem_of(answer))
        return answer

    def _known(self, level: str, operation: str) -> None:
        self._bench.recording.recorder.mark(marks.OPERATION, label=self.label, level=level, id=operation)


def _started(answer: Answer) -> str:
    """The operation that an accepted request has started, else empty."""
    return operation_id(answer) if answer.status == 202 else ""


def _set_at(migration: dict[str, Any]) -> int | None:
    """When the EM had set the share of a migration (CLOCK_MONOTONIC, ns); None when it does not say."""
    for entered in migration.get("states") or []:
        if entered.get("state") == "observing":
            return int(entered["monotonicNs"])
    return None
