"""Records of NS LCM operations: created, moved from state to state with a notification for each (SOL005 6.5.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo.service_notices import ServiceNotices
from nfvcert.reference.nfvo.services import Services
from nfvcert.reference.nfvo.states import WITH_ERROR, route
from nfvcert.reference.nfvo.steps import Step
from nfvcert.sol.common import now
from nfvcert.sol.nslcm import API_PATH, NsLcmOperation, NsLcmOperationState

KIND = "ns-operation"
PATH = f"{API_PATH}/ns_lcm_op_occs"
TASKS = {
    NsLcmOperationState.PROCESSING: ("cancel",),
    NsLcmOperationState.ROLLING_BACK: ("cancel",),
    NsLcmOperationState.FAILED_TEMP: ("retry", "rollback", "continue", "fail"),
}

Body = dict[str, Any]


class Operations:
    """All operations of services.

    A document has ``record`` (NsLcmOpOcc without links), ``steps``, ``carry_on`` (pass over VNFs that were given up)
    and ``halted`` (begin no further VNF).
    """

    def __init__(self, store: Store, services: Services, notices: ServiceNotices, url: str) -> None:
        self._store = store
        self._services = services
        self._notices = notices
        self._url = url

    def create(self, service: str, operation: NsLcmOperation, params: Body, steps: Sequence[Step]) -> Document:
        """Begin an operation and tell its START.

        Raises:
            Problem: 409, the service has an operation that is not finished.
        """
        identifier = str(uuid4())
        moment = now()
        record = {
            "id": identifier,
            "operationState": NsLcmOperationState.PROCESSING,
            "statusEnteredTime": moment,
            "nsInstanceId": service,
            "lcmOperationType": operation,
            "startTime": moment,
            "isAutomaticInvocation": False,
            "operationParams": params,
            "isCancelPending": False,
        }
        with self._store.transaction():
            self.require_idle(service)
            self._store.insert(
                KIND, identifier, {"record": record, "steps": list(steps), "carry_on": False, "halted": False}
            )
            self._notices.operation(record, self._services.about(service), start=True)
        return self.find(identifier)

    def require_idle(self, service: str) -> None:
        """Raise 409 if an operation of the service is not finished."""
        for document in self.unfinished():
            record = document.body["record"]
            if record["nsInstanceId"] == service:
                raise Problem(409, f"operation {document.id} of the NS instance is {record['operationState']}")

    def find(self, identifier: str) -> Document:
        """The operation, or the problem 404."""
        found = self._store.get(KIND, identifier)
        if found is None:
            raise not_found("NS LCM operation occurrence", identifier)
        return found

    def all(self) -> list[Document]:
        """All operations in the order in which they were begun."""
        return self._store.list(KIND)

    def unfinished(self) -> list[Document]:
        """The operations that are not in a final state."""
        return [document for document in self.all() if not self.state(document).final]

    def of_vnf_operation(self, vnf_operation: str) -> Document | None:
        """The unfinished operation that a VNF operation belongs to."""
        for document in self.unfinished():
            if any(step["operation"] == vnf_operation for step in document.body["steps"]):
                return document
        return None

    @staticmethod
    def state(document: Document) -> NsLcmOperationState:
        """The state of an operation."""
        return NsLcmOperationState(document.body["record"]["operationState"])

    def change_step(self, identifier: str, index: int, **values: Any) -> None:
        """Set attributes of one step."""
        document = self.find(identifier)
        steps = [dict(step) for step in document.body["steps"]]
        steps[index] |= values
        self._store.put(KIND, identifier, document.body | {"steps": steps})

    def change(self, identifier: str, **values: Any) -> None:
        """Set attributes of the record that are not its state."""
        document = self.find(identifier)
        self._store.put(KIND, identifier, document.body | {"record": document.body["record"] | values})

    def mark(self, identifier: str, *, carry_on: bool = False, halted: bool = False) -> None:
        """Note whether VNFs that were given up are passed over, and whether no further VNF is begun."""
        document = self.find(identifier)
        self._store.put(KIND, identifier, document.body | {"carry_on": carry_on, "halted": halted})

    def enter(
        self,
        identifier: str,
        target: NsLcmOperationState,
        *,
        error: Body | None,
        changes: Body | None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Bring an operation to a state on a lawful way; each state on the way is notified.

        Args:
            error: ProblemDetails kept in the states that have an error.
            changes: resourceChanges.
            meanwhile: called in the same transaction, before the notifications are queued.
        """
        with self._store.transaction():
            document = self.find(identifier)
            if meanwhile is not None:
                meanwhile()
            about = self._services.about(document.body["record"]["nsInstanceId"])
            for state in route(self.state(document), target):
                record = {name: value for name, value in document.body["record"].items() if name != "error"}
                record |= {"operationState": state, "statusEnteredTime": now(), "isCancelPending": False}
                record.pop("cancelMode", None)
                if changes:
                    record["resourceChanges"] = changes
                if state in WITH_ERROR and error:
                    record["error"] = error
                document.body["record"] = record
                self._notices.operation(record, about, start=False)
            self._store.put(KIND, identifier, document.body)

    def uri(self, identifier: str) -> str:
        """The URI of an operation."""
        return f"{self._url}{PATH}/{identifier}"

    def shown(self, document: Document) -> Body:
        """NsLcmOpOcc."""
        uri = self.uri(document.id)
        tasks = {task: {"href": f"{uri}/{task}"} for task in TASKS.get(self.state(document), ())}
        service = {"href": self._services.uri(document.body["record"]["nsInstanceId"])}
        return {**document.body["record"], "_links": {"self": {"href": uri}, "nsInstance": service, **tasks}}
