"""What the NFVO knows of VNF instances and VNF operations: a copy of the VNFM's records, kept by its notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from nfvcert.reference.common.store import Store
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.reference.nfvo.usage import Usage
from nfvcert.sol.common import LcmOperationState, now

INSTANCE = "vnf-instance"
OPERATION = "vnf-operation"
_NOT_SHOWN = ("_links", "vimConnectionInfo")
_RESULTS = ("affectedVnfcs", "modificationsTriggeredByVnfPkgChange")

Body = dict[str, Any]


class Mirror:
    """Copies of the VNFM's records.

    An instance has ``shown`` (VnfInstance as service records show it), ``vnfdId`` (what it is based on) and ``vnfcs``
    ((vnfdId, VDU) of each). An operation has ``vnfInstanceId``, ``operation``, ``operationState``, ``entered`` (VNFM's
    time of the latest news), ``error``, what it changed, and ``target``, the package it brings.
    """

    def __init__(self, store: Store, packages: Packages, behaviour: NfvoBehaviour) -> None:
        self._store = store
        self._behaviour = behaviour
        self._usage = Usage(packages, behaviour, self.users)
        self.on_news: Callable[[str], None] = lambda _: None
        """Called with the id of an operation whenever it has entered a state."""

    # --- instances ---

    def instance(self, identifier: str) -> Body | None:
        """The VnfInstance as service records show it; None if the VNFM has none."""
        found = self._store.get(INSTANCE, identifier)
        return found.body["shown"] if found else None

    def instances(self) -> list[str]:
        """Ids of all instances."""
        return [document.id for document in self._store.list(INSTANCE)]

    def users(self, vnfd_id: str) -> list[str]:
        """Instances based on a package, or about to be by an operation that is not finished."""
        based = [document.id for document in self._store.list(INSTANCE) if document.body["vnfdId"] == vnfd_id]
        coming = [body["vnfInstanceId"] for _, body in self.unfinished() if body.get("target") == vnfd_id]
        return list(dict.fromkeys([*based, *coming]))

    def vnfcs(self) -> Iterator[tuple[str, str]]:
        """(vnfdId, VDU) of every VNFC that the VNFM has recorded."""
        for document in self._store.list(INSTANCE):
            yield from ((vnfd_id, vdu) for vnfd_id, vdu in document.body["vnfcs"])

    def update_instance(self, found: Body) -> None:
        """Take over a VnfInstance as the VNFM shows it now."""
        identifier = str(found["id"])
        vnfd_id = str(found["vnfdId"])
        with self._store.transaction():
            before = self._store.get(INSTANCE, identifier)
            recorded = before.body["shown"] if before else None
            kept = {name: value for name, value in found.items() if name not in _NOT_SHOWN}
            shown = self._behaviour.refreshed(recorded, kept)
            self._store.put(INSTANCE, identifier, {"shown": shown, "vnfdId": vnfd_id, "vnfcs": _vnfcs(found)})
            self._usage.taken(vnfd_id)
            left = self._ended_targets(identifier) | ({before.body["vnfdId"]} if before else set())
            for package in sorted(left - {vnfd_id}):
                self._usage.released(package)

    def remove_instance(self, identifier: str) -> None:
        """The VNFM has deleted an instance."""
        with self._store.transaction():
            before = self._store.get(INSTANCE, identifier)
            if before is not None and self._store.delete(INSTANCE, identifier):
                for package in sorted(self._ended_targets(identifier) | {before.body["vnfdId"]}):
                    self._usage.released(package)

    # --- operations ---

    def operation(self, identifier: str) -> Body | None:
        """What is known of a VNF operation."""
        found = self._store.get(OPERATION, identifier)
        return found.body if found else None

    def unfinished(self) -> Iterator[tuple[str, Body]]:
        """Ids and bodies of the operations that are not in a final state."""
        for document in self._store.list(OPERATION):
            if not LcmOperationState(document.body["operationState"]).final:
                yield document.id, document.body

    def expect(self, identifier: str, instance: str, operation: str, target: str = "") -> None:
        """The VNFM has accepted an operation, or asks for a grant of one; `target` is the package that it brings."""
        with self._store.transaction():
            known = self._store.get(OPERATION, identifier)
            body = known.body if known else _unseen(instance, operation)
            if target and not LcmOperationState(body["operationState"]).final:
                body = body | {"target": target}
            self._store.put(OPERATION, identifier, body)
            if body.get("target"):
                self._usage.taken(body["target"])

    def observe(self, identifier: str, seen: Body, moment: str, *, record: bool) -> None:
        """Take over what a notification or a record says of an operation; old news is left out.

        Args:
            seen: VnfLcmOperationOccurrenceNotification or VnfLcmOpOcc.
            moment: when that was told (timeStamp) or entered (stateEnteredTime), by the VNFM's clock.
            record: `seen` is a record; a later moment in the same state then means that it was entered once more.
        """
        with self._store.transaction():
            known = self._store.get(OPERATION, identifier)
            body = known.body if known else _unseen(str(seen["vnfInstanceId"]), str(seen["operation"]))
            last = body["entered"]
            if last and _time(moment) < _time(last):
                return
            state = LcmOperationState(seen["operationState"])
            news = not last or state != body["operationState"] or (record and _time(moment) > _time(last))
            changes = seen.get("resourceChanges") or {}
            body = body | {"operationState": state, "error": seen.get("error")}
            body |= {name: value for name in _RESULTS if (value := seen.get(name) or changes.get(name))}
            self._store.put(OPERATION, identifier, body | {"entered": moment} if news else body)
        if news:
            self.on_news(identifier)

    def observe_record(self, record: Body) -> None:
        """Take over a VnfLcmOpOcc."""
        self.observe(str(record["id"]), record, str(record.get("stateEnteredTime", "")), record=True)

    def lose(self, identifier: str) -> None:
        """The VNFM does not know an operation any more."""
        known = self.operation(identifier)
        if known is not None:
            problem = {"status": 500, "detail": f"the VNFM has no record of operation {identifier} any more"}
            lost = known | {"operationState": LcmOperationState.FAILED, "error": problem}
            self.observe(identifier, lost, max(now(), known["entered"]), record=False)

    def _ended_targets(self, instance: str) -> set[str]:
        """Packages that finished operations of an instance brought or were to bring; each is named once."""
        found = set()
        for document in self._store.list(OPERATION):
            body = document.body
            if body["vnfInstanceId"] == instance and LcmOperationState(body["operationState"]).final:
                target = body.pop("target", "")
                if target:
                    self._store.put(OPERATION, document.id, body)
                    found.add(target)
        return found


def _unseen(instance: str, operation: str) -> Body:
    """An operation of which only its beginning is known."""
    return {
        "vnfInstanceId": instance,
        "operation": operation,
        "operationState": LcmOperationState.STARTING,
        "entered": "",
        "error": None,
    }


def _vnfcs(instance: Body) -> list[tuple[str, str]]:
    resources = (instance.get("instantiatedVnfInfo") or {}).get("vnfcResourceInfo") or []
    return [(str(vnfc.get("vnfdId") or instance["vnfdId"]), str(vnfc["vduId"])) for vnfc in resources]


def _time(text: str) -> datetime:
    """A DateTime of the VNFM; one that cannot be read counts as now, one without zone as UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
