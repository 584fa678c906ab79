"""Notifications about services and their operations: who wants one and what it holds (SOL005 6.5.2.5 to 6.5.2.7)."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.reference.nfvo.notices import Body, Notices
from nfvcert.sol.nslcm import API_PATH

OPERATION = "NsLcmOperationOccurrenceNotification"
CREATION = "NsIdentifierCreationNotification"
DELETION = "NsIdentifierDeletionNotification"


class ServiceNotices(Notices):
    """Queues notifications about services and their operations."""

    def operation(self, record: Body, service: Body, *, start: bool) -> None:
        """An operation entered the state in `record` (NsLcmOpOcc without links); `start`: it has just begun."""
        further: Body = {
            "nsLcmOpOccId": record["id"],
            "operation": record["lcmOperationType"],
            "notificationStatus": "START" if start else "RESULT",
            "operationState": record["operationState"],
            "isAutomaticInvocation": record["isAutomaticInvocation"],
        }
        if record.get("error"):
            further["error"] = record["error"]
        affected = (record.get("resourceChanges") or {}).get("affectedVnfs")
        full = {} if start else {"affectedVnf": affected or []}

        def content(subscription: Body) -> Body:
            verbosity = subscription.get("verbosity", "FULL")
            return {**further, "verbosity": verbosity, **(full if verbosity == "FULL" else {})}

        self._tell_of(OPERATION, service, record, content)

    def service(self, kind: str, service: Body) -> None:
        """A service resource was created or deleted (`kind`: CREATION or DELETION)."""
        self._tell_of(kind, service, None, lambda _: {})

    def _tell_of(self, kind: str, service: Body, record: Body | None, content: Callable[[Body], Body]) -> None:
        links = {"nsInstance": f"{API_PATH}/ns_instances/{service['id']}"}
        if record:
            links["nsLcmOpOcc"] = f"{API_PATH}/ns_lcm_op_occs/{record['id']}"
        self._tell(
            kind,
            lambda given: wanted(given, kind, service, record),
            lambda subscription: {"nsInstanceId": service["id"], **content(subscription)},
            links,
        )


def wanted(given: Body, kind: str, service: Body, record: Body | None) -> bool:
    """Whether a subscription's filter lets a notification through; an absent part does not restrict.

    Args:
        given: NsNotificationsFilter.
        kind: notification type.
        service: ``id``, ``nsdId``, ``nsInstanceName`` and ``vnfdIds`` of the service.
        record: the operation's record, for operation notifications.
    """
    if kind not in given.get("notificationTypes", [kind]):
        return False
    if record is not None:
        if record["lcmOperationType"] not in given.get("operationTypes", [record["lcmOperationType"]]):
            return False
        if record["operationState"] not in given.get("operationStates", [record["operationState"]]):
            return False
    services = given.get("nsInstanceSubscriptionFilter") or {}
    if "vnfdIds" in services and not set(services["vnfdIds"]) & set(service["vnfdIds"]):
        return False
    alternatives = (
        ("nsInstanceIds", service["id"]),
        ("nsdIds", service["nsdId"]),
        ("nsInstanceNames", service["nsInstanceName"]),
    )
    return all(value in services.get(name, [value]) for name, value in alternatives)
