"""Notifications about services and their operations: who wants one and what it holds (SOL005 6.5.2.5 to 6.5.2.7)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.sol.common import now
from nfvcert.sol.nslcm import API_PATH

OPERATION = "NsLcmOperationOccurrenceNotification"
CREATION = "NsIdentifierCreationNotification"
DELETION = "NsIdentifierDeletionNotification"

Body = dict[str, Any]


class ServiceNotices:
    """Queues notifications about services; calls join the store transaction of the caller."""

    def __init__(self, subscriptions: Subscriptions, notifier: Notifier, url: str) -> None:
        self.subscriptions = subscriptions
        self._notifier = notifier
        self._url = url

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
        link = {"nsLcmOpOcc": {"href": f"{self._url}{API_PATH}/ns_lcm_op_occs/{record['id']}"}}
        self._tell(OPERATION, service, record, further, link, {} if start else {"affectedVnf": affected or []})

    def service(self, kind: str, service: Body) -> None:
        """A service resource was created or deleted (`kind`: CREATION or DELETION)."""
        self._tell(kind, service, None, {}, {}, {})

    def _tell(self, kind: str, service: Body, record: Body | None, further: Body, link: Body, full: Body) -> None:
        notice = str(uuid4())
        moment = now()
        for found in self.subscriptions.matching(lambda given: wanted(given, kind, service, record)):
            verbosity = found.body.get("verbosity", "FULL")
            body = {
                "id": notice,
                "notificationType": kind,
                "subscriptionId": found.id,
                "timeStamp": moment,
                "nsInstanceId": service["id"],
                **further,
                **({"verbosity": verbosity} if record else {}),
                **(full if verbosity == "FULL" else {}),
                "_links": {
                    "nsInstance": {"href": f"{self._url}{API_PATH}/ns_instances/{service['id']}"},
                    "subscription": {"href": self.subscriptions.uri(found.id)},
                    **link,
                },
            }
            self._notifier.enqueue(found.id, found.body, body)


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
