"""Calls and notifications of a history."""

from __future__ import annotations

import re
from typing import Any

from nfvcert.history import Event, EventKind, History


def calls(history: History, method: str, path: str, *, reference_point: str | None = None) -> list[Event]:
    """Exchanges with that method whose path matches the regular expression, in order of their answers.

    Args:
        reference_point: only those recorded there (``or-vnfm``, ``vnfm-nfvo``, ``ve-vnfm-em``, ``os-ma-nfvo``, ...).
    """
    pattern = re.compile(path)
    return history.of(
        EventKind.API_CALL,
        where=lambda event: (
            event.data.get("method") == method
            and pattern.search(event.data.get("path", "")) is not None
            and (reference_point is None or event.data.get("reference_point") == reference_point)
        ),
    )


def t_request(event: Event) -> int:
    """When the request of a recorded exchange left or arrived (ns)."""
    return int(event.data.get("t_request", event.t))


def answer(event: Event) -> dict[str, Any]:
    """The JSON body of the answer; empty when there was none."""
    body = event.data.get("answer")
    return body if isinstance(body, dict) else {}


def request(event: Event) -> dict[str, Any]:
    """The JSON body of the request; empty when there was none."""
    body = event.data.get("request")
    return body if isinstance(body, dict) else {}


def notifications(
    history: History, kind: str, *, sink: str | None = None, operation: str | None = None, accepted: bool = True
) -> list[Event]:
    """Notifications of a type, in order of arrival.

    Args:
        operation: only those about that operation occurrence.
        accepted: leave out those that the sink refused on purpose.
    """

    def wanted(event: Event) -> bool:
        body = event.data.get("notification")
        if not isinstance(body, dict) or event.data.get("type") != kind:
            return False
        return (
            (sink is None or event.data.get("sink") == sink)
            and (operation is None or occurrence_id(event) == operation)
            and (not accepted or event.data.get("status", 204) < 300)
        )

    return history.of(EventKind.API_NOTIFICATION, where=wanted)


def notification(event: Event) -> dict[str, Any]:
    """The body of a notification."""
    body = event.data.get("notification")
    return body if isinstance(body, dict) else {}


def occurrence_id(event: Event) -> str:
    """The operation occurrence that a notification is about."""
    body = notification(event)
    return str(body.get("vnfLcmOpOccId") or body.get("nsLcmOpOccId") or "")


def is_refusal(status: Any) -> bool:
    """Whether an HTTP status refuses a request for what it asks (4xx)."""
    return isinstance(status, int) and 400 <= status < 500


VNF_OPERATION = "VnfLcmOperationOccurrenceNotification"
NS_OPERATION = "NsLcmOperationOccurrenceNotification"
