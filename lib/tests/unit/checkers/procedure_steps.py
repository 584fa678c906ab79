"""The steps of the procedures as they show in a story: requests, coordinations, decisions, tasks, refusals."""

from __future__ import annotations

from typing import Any

from history_builder import Story
from synthetic_world import INSTANCE, NETWORKS, SERVICE, Operation, Vnfc, ns

from nfvcert.history import marks

NS_KIND = "NsLcmOperationOccurrenceNotification"
CHANGE = f"/vnflcm/v2/vnf_instances/{INSTANCE}/change_vnfpkg"
GRANTS = "/grant/v1/grants"
COORDINATIONS = "/lcmcoord/v1/coordinations"


def token(label: str) -> str:
    """The free parameter of a modification."""
    return f"token-{label}"


def parameters(label: str, policy: str | None) -> dict[str, str]:
    """additionalParams of a request."""
    return {"token": token(label), **({"policy": policy} if policy else {})}


def request_by_oss(story: Story, t: float, label: str, vnfd_id: str, policy: str | None) -> str:
    """MODIFY_NS that is accepted; the NFVO tells START and asks the VNFM. Returns the id of the NS operation."""
    ns_operation = f"ns-op-{label}"
    change = {"vnfInstanceId": INSTANCE, "vnfdId": vnfd_id, "additionalParams": parameters(label, policy)}
    body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [change]}
    location = f"/nslcm/v2/ns_lcm_op_occs/{ns_operation}"
    path = f"/nslcm/v2/ns_instances/{SERVICE}/update"
    story.call(t, "os-ma-nfvo", "POST", path, 202, role="oss", request=body, location=location)
    requested(story, t, label, "os-ma-nfvo", vnfd_id, policy, 202, ns_operation)
    story.mark(t, marks.OPERATION, label=label, level="ns", id=ns_operation)
    tell_oss(story, t + 0.003, label, "START", "PROCESSING")
    forwarded = {"vnfdId": vnfd_id, "additionalParams": parameters(label, policy)}
    answer = f"/vnflcm/v2/vnf_lcm_op_occs/vnf-op-{label}"
    story.call(t + 0.03, "or-vnfm", "POST", CHANGE, 202, took=0.02, request=forwarded, location=answer)
    story.mark(t + 0.06, marks.OPERATION, label=label, level="vnf", id=f"vnf-op-{label}")
    return ns_operation


def request_by_nfvo(
    story: Story, t: float, label: str, vnfd_id: str, policy: str | None, expected: dict[str, Any] | None = None
) -> None:
    """MODIFY_VNF of the tester that is accepted."""
    body = {"vnfdId": vnfd_id, "additionalParams": parameters(label, policy)}
    operation = f"vnf-op-{label}"
    location = f"/vnflcm/v2/vnf_lcm_op_occs/{operation}"
    story.call(t, "or-vnfm", "POST", CHANGE, 202, role="nfvo", request=body, location=location)
    requested(story, t, label, "or-vnfm", vnfd_id, policy, 202, operation, expected=expected)
    story.mark(t, marks.OPERATION, label=label, level="vnf", id=operation)


def refused(story: Story, t: float, label: str, vnfd_id: str, status: int, detail: str, *, oss: bool = False) -> None:
    """A request that is refused, by the VNFM or by the NFVO."""
    problem = {"title": "Bad Request" if status == 400 else "Conflict", "status": status, "detail": detail}
    named = "no-such-policy" if label == "unknown_policy" else None
    if oss:
        change = {"vnfInstanceId": INSTANCE, "vnfdId": vnfd_id, "additionalParams": parameters(label, named)}
        body: dict[str, Any] = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [change]}
        point, path = "os-ma-nfvo", f"/nslcm/v2/ns_instances/{SERVICE}/update"
    else:
        body = {"vnfdId": vnfd_id, "additionalParams": parameters(label, named)}
        point, path = "or-vnfm", CHANGE
    story.call(t, point, "POST", path, status, role="oss" if oss else "nfvo", request=body, answer=problem)
    requested(story, t, label, point, vnfd_id, named, status, None, problem=problem)


def requested(
    story: Story,
    t: float,
    label: str,
    interface: str,
    vnfd_id: str | None,
    policy: str | None,
    status: int | None,
    operation: str | None,
    *,
    expected: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
) -> None:
    """The mark that the tester writes of every request."""
    story.mark(
        t,
        marks.REQUEST,
        label=label,
        interface=interface,
        vnfd_id=vnfd_id,
        policy=policy,
        token=token(label),
        expected_policy=expected,
        t_request=ns(t - 0.004),
        status=status,
        operation=operation,
        problem=problem,
    )


def tell_oss(story: Story, t: float, label: str, status: str, state: str) -> None:
    """A notification about the operation of the service."""
    body = {"id": f"ns-{label}-{state}-{status}", "nsInstanceId": SERVICE, "nsLcmOpOccId": f"ns-op-{label}"}
    story.notify(t, "oss", NS_KIND, {**body, "notificationStatus": status, "operationState": state})


def grant(
    story: Story,
    t: float,
    operation: Operation,
    *,
    add: int,
    remove: int,
    status: int = 201,
    fault: str | None = None,
    took: float = 0.008,
) -> None:
    """The grant exchange of an operation; counts are VNFCs."""

    def resources(name: str, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number in range(count):
            found.append({"id": f"{name}-{number}", "type": "COMPUTE", "vduId": "worker"})
            found += [{"id": f"{name}-{number}/{port}", "type": "LINKPORT"} for port in NETWORKS["worker"]]
        return found

    body: dict[str, Any] = {"vnfLcmOpOccId": operation.id, "vnfInstanceId": INSTANCE, "operation": "CHANGE_VNFPKG"}
    body |= {"addResources": resources("add", add), "removeResources": resources("remove", remove)}
    answer: dict[str, Any] = (
        {"id": f"grant-{operation.label}"} if status == 201 else {"status": status, "title": "refused"}
    )
    story.call(t, "or-vnfm-nfvo", "POST", GRANTS, status, took=took, request=body, answer=answer, fault=fault)


def coordinate(
    story: Story,
    asked: float,
    closed: float | None,
    operation: Operation,
    stage: str,
    policy: dict[str, Any],
    *,
    share: int | None = None,
    named: str | None = None,
    result: str = "CONTINUE",
    outputs: dict[str, Any] | None = None,
    vnfcs: list[str] | None = None,
) -> None:
    """A coordination asked at one time and answered for good at another; at once where both are the same.

    Args:
        named: the policy as the request named it; None where it named none.
    """
    identifier = f"coord-{operation.label}-{stage}-{share}-{round(asked * 1000)}"
    inputs: dict[str, Any] = {
        "stage": stage,
        "policy": policy,
        "additionalParams": parameters(operation.label, named),
        "vnfcIds": vnfcs or [],
    }
    if share is not None:
        inputs["share"] = share
    body = {
        "vnfInstanceId": INSTANCE,
        "vnfLcmOpOccId": operation.id,
        "lcmOperationType": "CHANGE_VNFPKG",
        "coordinationActionName": {"retire": "retirement", "complete": "completion"}.get(stage, "traffic-migration"),
        "inputParams": inputs,
    }
    answer = {"id": identifier, "coordinationResult": result, "outputParams": outputs or {}}
    location = f"{COORDINATIONS}/{identifier}"
    at_once = closed == asked
    story.call(
        asked + 0.007,
        "ve-vnfm-em",
        "POST",
        COORDINATIONS,
        201 if at_once else 202,
        took=0.007,
        request=body,
        location=location,
        answer=answer if at_once else None,
    )
    if closed is not None and not at_once:
        story.call(asked + 0.12, "ve-vnfm-em", "GET", location, 202)
        story.call(closed, "ve-vnfm-em", "GET", location, 200, answer=answer)


def retired(vnfcs: list[Vnfc], to: list[str]) -> dict[str, Any]:
    """outputParams of a retirement: which VNFCs may go and where their users went."""
    moved = {vnfc.record: {"to": f"vnfc-{target}", "users": 8} for vnfc, target in zip(vnfcs, to, strict=True)}
    return {"retire": [vnfc.record for vnfc in vnfcs], "moved": moved, "drained": []}


def pause(story: Story, t: float, label: str, share: float, since: float) -> None:
    """The EM waits for a decision; the tester looks at the hosts and says so."""
    story.look(t - 0.01)
    migration = {"id": f"migration-{label}-{share:g}", "share": share, "state": "awaiting_decision"}
    story.mark(t, marks.PAUSED, label=label, share=share, stage="migrate", since=ns(since), migration=migration)


def look(story: Story, t: float, label: str) -> None:
    """The modification read as NFVO and as EM."""
    for late, role in ((0.0, "nfvo"), (0.01, "em")):
        read_at = t + late

        def read(read_at: float = read_at, role: str = role) -> None:
            record = story.operation_record(story.operations[label], read_at - 0.005)
            story.mark(
                read_at,
                marks.FOUND,
                label=label,
                by=role,
                operations=[record] if record else [],
                vnf_instance=story.instance(read_at - 0.005),
            )

        story.later(read)


def decide(story: Story, t: float, label: str, share: float, decision: str) -> None:
    """The administrator's decision."""
    reason = "order of the administrator"
    story.mark(t, marks.DECISION, label=label, share=share, decision=decision, reason=reason, status=204)


def task(story: Story, t: float, label: str, name: str, mode: str | None = None, status: int = 202) -> None:
    """A task of an operation that is asked for in the course of the procedure."""
    story.mark(
        t, marks.TASK, label=label, task=name, mode=mode, operation=f"vnf-op-{label}", status=status, problem=None
    )


def reached(story: Story, t: float, label: str, state: str, level: str = "vnf") -> None:
    """The end of an operation, or its stop, as the tester saw it."""
    if level == "vnf":
        story.poll(t - 0.01, label)
    story.look(t - 0.004)
    operation = f"{level}-op-{label}"
    story.mark(t, marks.REACHED, label=label, level=level, operation=operation, state=state, record={"id": operation})


def conflict(story: Story, t: float, label: str, *, task: str | None = None) -> None:
    """An attempt that is refused with 409."""
    problem = {"title": "Conflict", "status": 409, "detail": "not possible in this state"}
    extra: dict[str, Any] = {"task": task} if task else {}
    story.mark(t, marks.ATTEMPT, label=label, status=409, problem=problem, operation=None, **extra)
