"""REQ.VNF.M.08: old and new instances serve traffic side by side during the modification."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import labelled, the_request
from nfvcert.checkers.views.coordination import Coordination, coordinations
from nfvcert.checkers.views.flows import Flow, User, flows, users
from nfvcert.checkers.views.inventory import lifetimes, samples
from nfvcert.checkers.views.operations import notified, operation_id
from nfvcert.checkers.views.traffic import guard_trial, intervals, share_measure, stages
from nfvcert.history import EventKind, marks
from nfvcert.measure import Measure

DETECTION_NS = 1_500_000_000
"""Time that an EM may take to notice a dead VNFC before new requests must avoid it."""


@checker("TP.VNF.08.1")
def new_requests_new_version(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """New requests go to the new version as the steps say; ongoing flows stay where they are."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    guard_trial(case, history)
    asked = the_request(history, "upgrade")
    case.rests_on(history, [asked])
    carried = flows(history, lifetimes(samples(history, declared)))
    requests = users(carried)
    steps = stages(history, "upgrade")
    case.guard(bool(steps), "no stage of the migration was reached")
    moves = _moves(coordinations(history, operation_id(history, "upgrade", "vnf")))
    tolerance, source = declared.limit("step_tolerance"), declared.source("step_tolerance")
    for stage in steps:
        case.rests_on(history, [stage.event])
        if stage.share < 100:
            _both_versions_serve(case, carried, stage.begin, stage.end, stage.share)
        measure = share_measure(requests, stage, tolerance=tolerance, source=source)
        if case.guard(measure is not None, f"too few new requests in the step of {stage.share:g} percent"):
            assert measure is not None
            measured = _share(requests, stage.begin, stage.end)
            case.measure(
                measure, f"share {'above' if measured > stage.share else 'below'} the step of {stage.share:g} percent"
            )
    strayed = [flow for flow in carried if _changed_instance(flow, moves)]
    case.measure(
        Measure("flows_that_changed_instance", len(strayed), "flows", "=", 0, "REL 006 A.4.2 (no state conversion)"),
        "flow changed instance outside of a move that the EM stated",
    )
    limit = declared.limit("reordered")
    worst_flow = max((flow.reordered for flow in carried), default=0)
    case.measure(
        Measure("reordered", worst_flow, "packets per flow", "<=", limit, declared.source("reordered")),
        "reordered packets",
    )
    disagree = _witnesses_disagree(carried, declared)
    case.guard(disagree == 0, f"port taps and wire marker disagree for {disagree} flows")
    return case.judge("both versions served side by side, shares kept to the steps, flows stayed with their instance")


@checker("TP.VNF.08.2")
def users_keep_to_one_instance(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """All flows of a user are served by one VNFC until the EM moves the user; a move continues the state."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    guard_trial(case, history)
    carried = flows(history, lifetimes(samples(history, declared)))
    requests = users(carried)
    several = [user for user in requests if len(user.flows) > 1]
    case.guard(len(several) >= 30, f"only {len(several)} users had more than one flow")
    moves = _moves(coordinations(history, operation_id(history, "upgrade", "vnf")))
    case.rests_on(history, [*labelled(history, marks.REQUEST, "upgrade"), *(move.last for move in moves)])
    broken = [user for user in requests if _split(user, moves)]
    limit, source = declared.limit("lost_sessions"), declared.source("lost_sessions")
    case.measure(Measure("broken_users", len(broken), "users", "<=", limit, source), "user served by two instances")
    jumped = [flow for flow in carried if flow.mapping_changes]
    case.measure(
        Measure("flows_with_a_state_jump", len(jumped), "flows", "<=", limit, source),
        "state jumped at the move: a flow left with another translated address or port",
    )
    return case.judge("every user kept to one instance, and state continued where the EM moved users")


@checker("TP.VNF.08.3")
def limited_exposure(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A fault of the new version harms only its share and stops the migration."""
    history = history_of(histories, "exposure")
    case = Case(purpose)
    guard_trial(case, history)
    killed = [event for event in history.of(EventKind.FAULT) if event.data.get("kind") == "kill"]
    case.rests_on(history, [*killed, *labelled(history, marks.REQUEST, "exposure")])
    if not case.guard(bool(killed), "no new VNFC was killed"):
        return case.judge("")
    victim, at = str(killed[0].data.get("vnfc")), killed[0].t
    carried = flows(history, lifetimes(samples(history, declared)))
    requests = users(carried)
    exposed = [u for u in requests if u.generation == "new" and u.start < at]
    least = 20
    case.guard(len(exposed) >= least, f"the new VNFC had {len(exposed)} new users only, {least} are needed")
    harmed_old = [flow for flow in carried if flow.lost and flow.stays and all(s.vnfc != victim for s in flow.stays)]
    harmed_old = [flow for flow in harmed_old if flow.first_generation == "old"]
    case.expect(not harmed_old, f"flow of an old VNFC harmed: {len(harmed_old)} flows lost packets")
    steps = stages(history, "exposure")
    if case.guard(bool(steps), "the first step was not reached"):
        step = steps[0]
        asked = [u for u in requests if step.begin <= u.start < at + DETECTION_NS]
        harmed = [u for u in asked if any(flow.lost for flow in u.flows)]
        percent = 100 * len(harmed) / len(asked) if asked else 0.0
        limit = step.share + declared.limit("step_tolerance") + _sampling_error(step.share, len(asked))
        case.measure(
            Measure(
                "harmed_share_of_new_requests",
                round(percent, 2),
                "percent",
                "<=",
                round(limit, 2),
                "REL 006 6.4 example",
            ),
            "more than its share harmed",
        )
    late = [u for u in requests if u.start > at + DETECTION_NS and u.generation == "new"]
    case.expect(not late, f"{len(late)} new requests went to the new version after the fault was to be detected")
    lost_late = [f for f in carried if f.start > at + DETECTION_NS and f.lost and f.end > at + DETECTION_NS]
    case.expect(not lost_late, f"{len(lost_late)} flows that began after the detection time lost packets")
    later = [
        c
        for c in coordinations(history, operation_id(history, "exposure", "vnf"))
        if c.stage == "migrate" and c.begin > at
    ]
    case.rests_on(history, [c.event for c in later])
    case.expect(not later, "next step after a fault of the new version")
    told = [s for s in notified(history, operation_id(history, "exposure", "vnf"), sink="full") if s.t > at]
    case.rests_on(history, [sighting.event for sighting in told])
    if case.guard(bool(told), "nothing was notified after the fault"):
        completed = any(sighting.state == "COMPLETED" for sighting in told)
        case.expect(not completed, "the operation was completed in spite of the fault of the new version")
    harmful = [int(e.data["t1"]) for e in intervals(history) if int(e.data["lost"]) and int(e.data["t1"]) > at]
    contained = max(harmful, default=at)
    case.measure(
        Measure(
            "time_to_contain",
            round(max(0.0, (contained - at) / 1e9), 2),
            "s",
            "<=",
            declared.limit("observe"),
            "declared",
        ),
        "fault contained too late",
    )
    return case.judge("only requests on the dead new VNFC were harmed, and the migration stopped")


def _sampling_error(share: float, count: int) -> float:
    return 2 * (share * (100 - share) / count) ** 0.5 if count else 0.0


def _share(requests: list[User], begin: int, end: int) -> float:
    within = [user for user in requests if begin <= user.start < end and user.generation in ("old", "new")]
    return 100 * sum(user.generation == "new" for user in within) / len(within) if within else 0.0


def _both_versions_serve(case: Case, carried: list[Flow], begin: int, end: int, share: float) -> None:
    serving = {stay.generation for flow in carried for stay in flow.stays if stay.first < end and stay.last >= begin}
    for generation in ("old", "new"):
        case.expect(generation in serving, f"no {generation} VNFC forwarded packets in the step of {share:g} percent")


def _moves(found: list[Coordination]) -> list[Coordination]:
    """Coordinations in which the EM moved users with their state: those that take VNFCs away."""
    return [c for c in found if c.stage in ("retire", "revert", "drain") and c.end is not None]


def _in_a_move(t: int, moves: list[Coordination]) -> bool:
    return any(move.begin <= t <= (move.end or move.begin) for move in moves)


def _changed_instance(flow: Flow, moves: list[Coordination]) -> bool:
    """Whether a flow met another VNFC other than by one change within a stated move."""
    if len(flow.stays) <= 1:
        return False
    for earlier, later in zip(flow.stays, flow.stays[1:], strict=False):
        overlapping = later.first < earlier.last - 2_000_000
        if overlapping or not _in_a_move(later.first, moves):
            return True
    return False


def _split(user: User, moves: list[Coordination]) -> bool:
    """Whether a user met a second VNFC other than in a stated move."""
    stays = sorted((stay for flow in user.flows for stay in flow.stays), key=lambda stay: stay.first)
    current = stays[0].vnfc if stays else ""
    moved_at = 0
    for stay in stays:
        if stay.vnfc == current:
            if moved_at and stay.last > moved_at + 2_000_000 and stay.first < moved_at:
                return True
            continue
        if not _in_a_move(stay.first, moves):
            in_place = any(move.end is not None and move.begin <= moved_at <= move.end for move in moves)
            if not in_place:
                return True
        current, moved_at = stay.vnfc, stay.first
    return False


def _witnesses_disagree(carried: list[Flow], declared: Declared) -> int:
    marker = declared.modification.get("wire_marker") or {}
    if not marker:
        return 0
    expected = {"old": int(marker["source"]), "new": int(marker["destination"])}
    return sum(
        1
        for flow in carried
        if flow.received and len(flow.stays) == 1 and flow.marker != expected.get(flow.first_generation, flow.marker)
    )
