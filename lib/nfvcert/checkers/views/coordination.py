"""LCM coordination between VNFM and EM as recorded on their reference point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nfvcert.checkers.case import Missing
from nfvcert.checkers.views.calls import answer, calls, request, t_request
from nfvcert.history import Event, History

REFERENCE_POINT = "ve-vnfm-em"


@dataclass(frozen=True, slots=True)
class Coordination:
    """One coordination: asked at ``begin``, answered for good at ``end`` (ns; None while open)."""

    begin: int
    end: int | None
    stage: str
    share: float | None
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    result: str
    operation: str
    instance: str
    action: str
    event: Event
    last: Event


def coordinations(history: History, operation: str | None = None, *, required: bool = True) -> list[Coordination]:
    """All coordinations, in order of their requests.

    Args:
        operation: only those of that VNF operation.
        required: the reference point must have recorded something.

    Raises:
        Missing: it recorded nothing at all, so that nothing can be said about coordinations.
    """
    found = []
    asked = calls(history, "POST", r"/lcmcoord/v1/coordinations$", reference_point=REFERENCE_POINT)
    if required and not asked:
        raise Missing("no coordination between VNFM and EM was recorded")
    for event in asked:
        body = request(event)
        if event.data.get("status") not in (201, 202) or (operation and body.get("vnfLcmOpOccId") != operation):
            continue
        closing = event if event.data.get("status") == 201 else _closing(history, event)
        result = answer(closing) if closing is not None else {}
        inputs = body.get("inputParams") or {}
        share = inputs.get("share")
        found.append(
            Coordination(
                begin=t_request(event),
                end=closing.t if closing is not None else None,
                stage=str(inputs.get("stage", "")),
                share=None if share is None else float(share),
                inputs=inputs,
                outputs=result.get("outputParams") or {},
                result=str(result.get("coordinationResult", "")),
                operation=str(body.get("vnfLcmOpOccId", "")),
                instance=str(body.get("vnfInstanceId", "")),
                action=str(body.get("coordinationActionName", "")),
                event=event,
                last=closing or event,
            )
        )
    return sorted(found, key=lambda coordination: coordination.begin)


def _closing(history: History, event: Event) -> Event | None:
    location = str((event.data.get("headers") or {}).get("location", "")).rstrip("/")
    identifier = location.rsplit("/", 1)[-1]
    if not identifier:
        return None
    polls = calls(history, "GET", rf"/lcmcoord/v1/coordinations/{identifier}$", reference_point=REFERENCE_POINT)
    return next((poll for poll in polls if poll.data.get("status") == 200), None)
