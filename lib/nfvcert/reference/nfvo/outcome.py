"""What the end of a service operation means: its error, what it changed, the state of the service; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nfvcert.reference.nfvo.steps import RESULTS, Phase, Step
from nfvcert.sol.nslcm import NsLcmOperation, NsState
from nfvcert.sol.nslcm import NsLcmOperationState as State

Body = dict[str, Any]
Progress = tuple[Step, Phase, Body | None]
"""A step, how far it has come, and what is known of its VNF operation."""


def error(steps: Iterable[Progress]) -> Body:
    """ProblemDetails that name every VNF which did not come to its end, its operation, and why."""
    faults = [(step, _fault(step, operation)) for step, phase, operation in steps if phase in _NOT_DONE]
    if not faults:
        return {"title": "cancelled", "status": 409, "detail": "the operation was cancelled"}
    parts = [f"{_named(step)}: {fault['detail']}" for step, fault in faults]
    return {"title": "VNFs did not follow", "status": faults[0][1]["status"], "detail": "; ".join(parts)}


def changes(steps: Iterable[Progress]) -> Body | None:
    """resourceChanges: the VNFs that were touched; None if none was."""
    affected = [_affected(*progress) for progress in steps if progress[0]["operation"]]
    return {"affectedVnfs": affected} if affected else None


def service_state(kind: str, state: State) -> NsState | None:
    """The state of the service after an operation that ends in this state; None if it stays as it is.

    A service whose instantiation was given up counts as instantiated, so that what exists of it can be terminated.
    """
    if kind == NsLcmOperation.INSTANTIATE and state in (State.COMPLETED, State.PARTIALLY_COMPLETED, State.FAILED):
        return NsState.INSTANTIATED
    if kind == NsLcmOperation.TERMINATE and state == State.COMPLETED:
        return NsState.NOT_INSTANTIATED
    return None


_NOT_DONE = (Phase.STOPPED, Phase.UNDOING, Phase.UNDONE, Phase.GIVEN_UP)


def _named(step: Step) -> str:
    vnf = f"VNF {step['vnfInstanceId'] or step['vnfProfileId']}"
    return f"{vnf}, {step['kind']} {step['operation']}" if step["operation"] else vnf


def _fault(step: Step, operation: Body | None) -> Body:
    found = (operation or {}).get("error") or step["error"]
    if found:
        return {"status": found.get("status", 500), "detail": found.get("detail", "no detail")}
    state = (operation or {}).get("operationState", "not accepted")
    return {"status": 500, "detail": f"the operation is {state}"}


def _affected(step: Step, phase: Phase, operation: Body | None) -> Body:
    found: Body = {
        "vnfInstanceId": step["vnfInstanceId"],
        "vnfdId": step["vnfdId"],
        "vnfProfileId": step["vnfProfileId"],
        "changeType": step["kind"],
    }
    if phase in RESULTS:
        found["changeResult"] = RESULTS[phase]
    changed = (operation or {}).get("modificationsTriggeredByVnfPkgChange")
    if changed:
        found["changedInfo"] = {"modificationsTriggeredByVnfPkgChange": changed}
    return found
