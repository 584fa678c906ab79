"""What a service operation consists of: one step per VNF, done one after the other; pure decisions.

A step is a JSON object: ``kind`` (the VNF operation), ``vnfInstanceId``, ``vnfProfileId``, ``vnfdId`` (package to be
used), ``request`` (body for the VNFM), ``status``, ``operation`` (id of the VNF operation once it is known), ``error``
(of the request to the VNFM) and ``order`` (task asked of the VNFM which has not shown an effect yet).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from nfvcert.sol.common import LcmOperationState
from nfvcert.sol.nslcm import NsLcmOperationState as NsState

Step = dict[str, Any]
Document = dict[str, Any]
Kind = Literal["INSTANTIATE", "CHANGE_VNFPKG", "TERMINATE"]


class Status(StrEnum):
    """How far the request to the VNFM has come."""

    WAITING = "waiting"
    ASKING = "asking"
    UNSURE = "unsure"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOTHING_TO_DO = "nothing to do"


class Phase(StrEnum):
    """How far a step has come."""

    WAITING = "waiting"
    ASKING = "asking"
    RUNNING = "running"
    UNDOING = "undoing"
    STOPPED = "stopped"
    DONE = "done"
    UNDONE = "undone"
    GIVEN_UP = "given up"


OF_STATE = {
    LcmOperationState.STARTING: Phase.RUNNING,
    LcmOperationState.PROCESSING: Phase.RUNNING,
    LcmOperationState.COMPLETED: Phase.DONE,
    LcmOperationState.FAILED_TEMP: Phase.STOPPED,
    LcmOperationState.FAILED: Phase.GIVEN_UP,
    LcmOperationState.ROLLING_BACK: Phase.UNDOING,
    LcmOperationState.ROLLED_BACK: Phase.UNDONE,
}
ENDED = frozenset({Phase.DONE, Phase.UNDONE, Phase.GIVEN_UP})
BUSY = frozenset({Phase.ASKING, Phase.RUNNING, Phase.UNDOING})
_ORDERED = {"retry": Phase.RUNNING, "rollback": Phase.UNDOING}
_WITHOUT_OPERATION = {
    Status.WAITING: Phase.WAITING,
    Status.ASKING: Phase.ASKING,
    Status.UNSURE: Phase.STOPPED,
    Status.REFUSED: Phase.UNDONE,
    Status.NOTHING_TO_DO: Phase.DONE,
}


def new_step(kind: Kind, instance: str, profile: str, vnfd_id: str, request: Document) -> Step:
    """A step that has not been begun."""
    return {
        "kind": kind,
        "vnfInstanceId": instance,
        "vnfProfileId": profile,
        "vnfdId": vnfd_id,
        "request": request,
        "status": Status.WAITING,
        "operation": "",
        "error": None,
        "order": None,
    }


def phase(step: Step, operation: Document | None, of_state: Callable[[str, LcmOperationState], Phase]) -> Phase:
    """How far a step has come.

    Args:
        step: the step.
        operation: what is known of its VNF operation: ``operationState`` and ``entered`` (when it was entered).
        of_state: (kind of step, state of the VNF operation) -> phase.
    """
    status = Status(step["status"])
    if status is not Status.ACCEPTED:
        return _WITHOUT_OPERATION[status]
    if operation is None:
        return of_state(step["kind"], LcmOperationState.STARTING)
    order = step.get("order")
    if order and order["entered"] == operation["entered"]:
        return _ORDERED[order["task"]]
    return of_state(step["kind"], LcmOperationState(operation["operationState"]))


@dataclass(frozen=True)
class Decision:
    """What a service operation does next: the state it has, and the step to begin if any."""

    state: NsState
    begin: int | None = None


def decide(phases: Sequence[Phase], *, carry_on: bool = False) -> Decision:
    """The state of a service operation whose steps have these phases, and which step to begin.

    Steps are begun one after the other, each after the one before it is done. After one that is not, none is begun
    unless the operation was told to `carry_on` without it (task "continue").
    """
    if Phase.UNDOING in phases:
        return Decision(NsState.ROLLING_BACK)
    if any(found in BUSY for found in phases):
        return Decision(NsState.PROCESSING)
    if Phase.STOPPED in phases:
        return Decision(NsState.FAILED_TEMP)
    passed = ENDED if carry_on else {Phase.DONE}
    first = next((index for index, found in enumerate(phases) if found not in passed), None)
    if first is not None and phases[first] is Phase.WAITING:
        return Decision(NsState.PROCESSING, begin=first)
    if all(found is Phase.DONE for found in phases):
        return Decision(NsState.COMPLETED)
    if Phase.DONE in phases:
        return Decision(NsState.PARTIALLY_COMPLETED)
    return Decision(NsState.FAILED if Phase.GIVEN_UP in phases else NsState.ROLLED_BACK)


RESULTS = {Phase.DONE: "COMPLETED", Phase.UNDONE: "ROLLED_BACK", Phase.GIVEN_UP: "FAILED", Phase.STOPPED: "FAILED"}
"""changeResult of an AffectedVnf by phase (SOL005 6.5.3.2)."""
