"""Operation occurrences: their records, the states they enter, and the notifications each entry causes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.problem import not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.reference.vnfm import notifications
from nfvcert.reference.vnfm.instances import Instance, Instances
from nfvcert.reference.vnfm.states import WITH_ERROR
from nfvcert.reference.vnfm.view import INSTANCES, OCCURRENCES
from nfvcert.sol.common import LcmOperation, now
from nfvcert.sol.common import LcmOperationState as State

KIND = "vnf-lcm-op-occ"
WORK = "vnf-lcm-work"
TASKS = ("cancel", "retry", "rollback", "fail")

Occurrence = dict[str, Any]


class Occurrences:
    """The operation records of a store, with the private work document of each (plan, snapshot)."""

    def __init__(self, store: Store, instances: Instances, notifier: Notifier, subs: Subscriptions, url: str) -> None:
        self._store = store
        self._instances = instances
        self._notifier = notifier
        self._subscriptions = subs
        self._url = url

    def all(self) -> list[Document]:
        """All records in order of creation."""
        return self._store.list(KIND)

    def find(self, identifier: str) -> Document:
        """A record with its version, or the problem 404."""
        found = self._store.get(KIND, identifier)
        if found is None:
            raise not_found("VNF LCM operation occurrence", identifier)
        return found

    def get(self, identifier: str) -> Occurrence:
        """A record, or the problem 404."""
        return self.find(identifier).body

    def of_instance(self, instance: str) -> list[Occurrence]:
        """The records of one instance in order of creation."""
        return [found.body for found in self.all() if found.body["vnfInstanceId"] == instance]

    def location(self, identifier: str) -> str:
        """The URI of a record."""
        return f"{self._url}{OCCURRENCES}/{identifier}"

    def create(
        self, operation: LcmOperation, instance: str, params: dict[str, Any], work: dict[str, Any], state: State
    ) -> Occurrence:
        """A new record in its first state, which is notified as START."""
        identifier, moment = str(uuid4()), now()
        own = self.location(identifier)
        occurrence: Occurrence = {
            "id": identifier,
            "operationState": state,
            "stateEnteredTime": moment,
            "startTime": moment,
            "vnfInstanceId": instance,
            "operation": operation,
            "isAutomaticInvocation": False,
            "operationParams": params,
            "isCancelPending": False,
            "_links": {"self": {"href": own}, "vnfInstance": {"href": f"{self._url}{INSTANCES}/{instance}"}}
            | {task: {"href": f"{own}/{task}"} for task in TASKS},
        }
        with self._store.transaction():
            self._store.insert(KIND, identifier, occurrence)
            self._store.insert(WORK, identifier, work)
            self._announce(occurrence, start=True)
        return occurrence

    def change(self, identifier: str, **attributes: Any) -> Occurrence:
        """Set attributes of a record; None removes one. States are entered by :meth:`enter`."""
        with self._store.transaction():
            occurrence = self.get(identifier) | attributes
            occurrence = {name: value for name, value in occurrence.items() if value is not None}
            self._store.put(KIND, identifier, occurrence)
        return occurrence

    def enter(self, identifier: str, state: State, **attributes: Any) -> Occurrence:
        """Enter a state, with attributes that change together with it, and notify it as RESULT."""
        settled = {"operationState": state, "stateEnteredTime": now(), "isCancelPending": False, "cancelMode": None}
        if state not in WITH_ERROR:
            settled["error"] = None
        with self._store.transaction():
            occurrence = self.change(identifier, **(settled | attributes))
            self._announce(occurrence, start=False)
        return occurrence

    def work(self, identifier: str) -> dict[str, Any]:
        """The private work document of an operation."""
        found = self._store.get(WORK, identifier)
        return found.body if found else {}

    def save_work(self, identifier: str, work: dict[str, Any]) -> None:
        """Store the work document."""
        self._store.put(WORK, identifier, work)

    def forget(self, identifier: str) -> None:
        """Delete a record and its work."""
        with self._store.transaction():
            self._store.delete(KIND, identifier)
            self._store.delete(WORK, identifier)

    def announce_identifier(self, kind: str, instance: Instance) -> None:
        """Notify that an instance resource was created or deleted."""
        identifier = str(uuid4())
        for found in self._subscriptions.matching(lambda given: notifications.wanted(given, kind, instance)):
            reference = (found.id, self._subscriptions.uri(found.id))
            body = notifications.identifier_notification(
                kind, instance["id"], identifier=identifier, subscription=reference, url=self._url
            )
            self._notifier.enqueue(found.id, found.body, body)

    def _announce(self, occurrence: Occurrence, *, start: bool) -> None:
        identifier = str(uuid4())
        instance = self._instances.get(occurrence["vnfInstanceId"])
        kind = notifications.OPERATION
        for found in self._subscriptions.matching(
            lambda given: notifications.wanted(given, kind, instance, occurrence)
        ):
            body = notifications.operation_notification(
                occurrence,
                identifier=identifier,
                subscription=(found.id, self._subscriptions.uri(found.id)),
                verbosity=found.body.get("verbosity", "FULL"),
                url=self._url,
                start=start,
            )
            self._notifier.enqueue(found.id, found.body, body)
