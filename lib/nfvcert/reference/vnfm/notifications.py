"""Lifecycle change notifications: who wants one and what it holds (SOL003 5.5.2.17 to 5.5.2.19, 5.5.3.12); pure."""

from __future__ import annotations

from typing import Any

from nfvcert.reference.common.product_filter import products_wanted
from nfvcert.reference.vnfm.view import INSTANCES, OCCURRENCES
from nfvcert.sol.common import now

OPERATION = "VnfLcmOperationOccurrenceNotification"
CREATION = "VnfIdentifierCreationNotification"
DELETION = "VnfIdentifierDeletionNotification"
_RESULTS = ("changedInfo", "modificationsTriggeredByVnfPkgChange")


def wanted(
    given: dict[str, Any], kind: str, instance: dict[str, Any], occurrence: dict[str, Any] | None = None
) -> bool:
    """Whether a subscription's filter lets a notification through; an absent part of the filter does not restrict.

    Args:
        given: LifecycleChangeNotificationsFilter.
        kind: notification type.
        instance: ``id``, ``info`` and ``identity`` of the VNF instance.
        occurrence: the operation's record, for operation notifications.
    """
    if kind not in given.get("notificationTypes", [kind]):
        return False
    if occurrence is not None:
        if occurrence["operation"] not in given.get("operationTypes", [occurrence["operation"]]):
            return False
        if occurrence["operationState"] not in given.get("operationStates", [occurrence["operationState"]]):
            return False
    return _instance_wanted(given.get("vnfInstanceSubscriptionFilter") or {}, instance)


def operation_notification(
    occurrence: dict[str, Any], *, identifier: str, subscription: tuple[str, str], verbosity: str, url: str, start: bool
) -> dict[str, Any]:
    """A VnfLcmOperationOccurrenceNotification about the state in which `occurrence` is.

    Args:
        occurrence: the operation's record.
        identifier: of the notification; the same for all subscriptions and all attempts.
        subscription: id and URI of the subscription.
        verbosity: FULL or SHORT; SHORT leaves out what changed.
        url: the VNFM's public URL.
        start: the operation has just begun (notificationStatus START).
    """
    body: dict[str, Any] = {
        "id": identifier,
        "notificationType": OPERATION,
        "subscriptionId": subscription[0],
        "timeStamp": now(),
        "notificationStatus": "START" if start else "RESULT",
        "operationState": occurrence["operationState"],
        "vnfInstanceId": occurrence["vnfInstanceId"],
        "operation": occurrence["operation"],
        "isAutomaticInvocation": occurrence["isAutomaticInvocation"],
        "verbosity": verbosity,
        "vnfLcmOpOccId": occurrence["id"],
    }
    if occurrence.get("error"):
        body["error"] = occurrence["error"]
    if verbosity == "FULL" and not start:
        body |= occurrence.get("resourceChanges") or {}
        body |= {name: occurrence[name] for name in _RESULTS if occurrence.get(name)}
    body["_links"] = _links(occurrence["vnfInstanceId"], subscription[1], url) | {
        "vnfLcmOpOcc": {"href": f"{url}{OCCURRENCES}/{occurrence['id']}"}
    }
    return body


def identifier_notification(
    kind: str, instance: str, *, identifier: str, subscription: tuple[str, str], url: str
) -> dict[str, Any]:
    """A notification that an instance resource was created or deleted."""
    return {
        "id": identifier,
        "notificationType": kind,
        "subscriptionId": subscription[0],
        "timeStamp": now(),
        "vnfInstanceId": instance,
        "_links": _links(instance, subscription[1], url),
    }


def _links(instance: str, subscription: str, url: str) -> dict[str, Any]:
    return {"vnfInstance": {"href": f"{url}{INSTANCES}/{instance}"}, "subscription": {"href": subscription}}


def _instance_wanted(given: dict[str, Any], instance: dict[str, Any]) -> bool:
    identity = instance["identity"]
    alternatives = (
        ("vnfdIds", identity["vnfdId"]),
        ("vnfInstanceIds", instance["id"]),
        ("vnfInstanceNames", instance["info"].get("vnfInstanceName", "")),
    )
    if any(value not in given.get(name, [value]) for name, value in alternatives):
        return False
    return products_wanted(given.get("vnfProductsFromProviders"), identity)
