"""What each seeded defect leaves in the histories: by its id, the scenario in which it shows and what changes there."""

from __future__ import annotations

from altering import (
    accepted,
    doing,
    flows,
    is_call,
    is_coordination,
    is_mark,
    is_told,
    leaving_out,
    moving,
    setting,
    vnfc,
)
from history_builder import Change, Story
from procedure_steps import CHANGE, coordinate
from synthetic_traffic import Flow
from synthetic_world import FRUGAL, NEW_VNFD, OLD_VNFD, STAGED, Vnfc, ns

from nfvcert.history import Event, marks

Stories = dict[str, list[Change]]


# the VNFM


def _old_before_new(story: Story) -> None:
    """All old VNFCs go at 3.6 s, the new ones come at 4.0 s; nobody forwards in between."""
    assert story.traffic is not None
    for old in ("old-1", "old-2"):
        story.vnfc(old).end = 3.6
        story.vnfc(old).retired = 4.0
    for new in ("new-1", "new-2"):
        story.vnfc(new).start = story.vnfc(new).serves = 4.0
    story.shares = [(0.0, 0.0), (4.0, 100.0)]
    story.traffic.moves = [(4.0, "old-1", "new-1"), (4.0, "old-2", "new-2")]

    def lose(found: list[Flow]) -> None:
        for flow in found:
            flow.lost = [t for t in flow.packets if 3.6 <= t < 4.0]

    story.traffic.alter.append(lose)


def _stopped_with_sessions(story: Story) -> None:
    """Old VNFCs are stopped while they serve: what their flows send afterwards is lost."""
    assert story.traffic is not None
    story.traffic.moves = []

    def cut(found: list[Flow]) -> None:
        for flow in found:
            end = flow.stays[-1][2].end
            flow.lost = [t for t in flow.packets if t >= end]

    story.traffic.alter.append(cut)


def _commits_on_acceptance(story: Story) -> None:
    story.committed = [(0.0, OLD_VNFD), (3.45, NEW_VNFD)]


def _slow(events: list[Event]) -> None:
    reads = [e for e in events if e.data.get("role") == "reader1" and e.t > ns(4.0)]
    reads[0].data["t_request"] = reads[0].t - 2_500_000_000


def _forgets(story: Story) -> None:
    def forget(data: dict[str, object]) -> None:
        data["status"], data["answer"] = 404, {"status": 404, "title": "Not Found"}

    doing(lambda e: is_call("GET", "vnf-op-by_crash")(e) and e.t > ns(19.2), forget)(story)


def _target_everywhere(data: dict[str, object]) -> None:
    instance = data["vnf_instance"]
    assert isinstance(instance, dict)
    for record in instance["instantiatedVnfInfo"]["vnfcResourceInfo"]:
        record["vnfdId"] = NEW_VNFD


def _vnfd_stays_old(data: dict[str, object]) -> None:
    records = data["records"]
    assert isinstance(records, dict)
    records["vnf_instance"]["vnfdId"] = records["vnf_instance_as_em"]["vnfdId"] = OLD_VNFD


def _own_policy(data: dict[str, object]) -> None:
    request = data["request"]
    assert isinstance(request, dict)
    request["inputParams"]["share"] = {50: 10, 100: 30}[request["inputParams"]["share"]]


# NFVO, EM, VIM, packages


def _no_parameters(story: Story) -> None:
    def drop(data: dict[str, object]) -> None:
        request = data["request"]
        assert isinstance(request, dict)
        request["additionalParams"] = {}

    doing(is_call("POST", CHANGE, "or-vnfm", "witness"), drop)(story)


def _forwards_at_once(story: Story) -> None:
    body = {"vnfdId": "vnfd-oss-unknown", "additionalParams": {}}
    story.call(3.333, "or-vnfm", "POST", CHANGE, 400, request=body, answer={"status": 400, "title": "Bad Request"})


def _service_stays_old(data: dict[str, object]) -> None:
    records = data["records"]
    assert isinstance(records, dict)
    vnf = records["ns_instance"]["vnfInstance"][0]
    vnf.update(vnfdId=OLD_VNFD, vnfSoftwareVersion="1.0.0", vnfdVersion="1.0.0")


def _lists_the_dead(data: dict[str, object]) -> None:
    records = data["records"]
    assert isinstance(records, dict)
    records["servers"].append({"id": "server-old-1", "name": "old-1", "status": "ACTIVE", "image": "worker-1.0.0"})


def _share_stays(data: dict[str, object]) -> None:
    records = data["records"]
    assert isinstance(records, dict)
    records["shares"] = {OLD_VNFD: 50, NEW_VNFD: 50}


def _share_later(story: Story) -> None:
    """The first stage is answered at once, its share is in force 1.5 s later."""
    story.shares[1] = (5.4, 10.0)
    story.vnfc("new-1").serves = 5.4
    first = is_coordination("vnf-op-upgrade", "migrate", 10)

    def answer(events: list[Event]) -> None:
        asked = next(event for event in events if first(event))
        asked.data["status"] = 201
        asked.data["answer"] = {"coordinationResult": "CONTINUE", "outputParams": {"share": 10}}

    story.edit(answer)


def _everything_at_once(story: Story) -> None:
    story.shares[1:] = [(3.9, 100.0)]


def _moves_at_each_step(story: Story) -> None:
    assert story.traffic is not None
    story.traffic.moves.insert(0, (6.19, "old-1", "new-1"))


def _goes_on_after_fault(story: Story) -> None:
    operation = story.operations["exposure"]
    coordinate(story, 6.0, 6.02, operation, "migrate", STAGED, share=30, named="staged")


def _answers_drain_at_once(story: Story) -> None:
    _stopped_with_sessions(story)

    def answer(data: dict[str, object]) -> None:
        retire = ["vnfc-old-1", "vnfc-old-2"]
        data["status"] = 201
        data["answer"] = {"coordinationResult": "CONTINUE", "outputParams": {"retire": retire, "moved": {}}}

    doing(is_coordination("vnf-op-upgrade", "retire"), answer)(story)


def _digest_of_another(data: dict[str, object]) -> None:
    digests = data["digests"]
    assert isinstance(digests, dict)
    digests[METADATA] = "99" * 32


# the VNF


def _moves_some(found: list[Flow]) -> None:
    """Established flows of an old VNFC are hashed to a new one in the second step."""
    for flow in found:
        first, last, place = flow.stays[0]
        if place.name == "old-1" and first < 6.5 < last and len(flow.stays) == 1:
            after = [t for t in flow.packets if t >= 6.5]
            before = [t for t in flow.packets if t < 6.5]
            new = next(f.stays[0][2] for f in found if f.stays[0][2].name == "new-1")
            flow.stays = [(before[0], before[-1], place), (after[0], after[-1], new)]


def _splits_users(found: list[Flow]) -> None:
    places = {flow.stays[0][2].name: flow.stays[0][2] for flow in found}
    seen: set[str] = set()
    for flow in found:
        first, last, place = flow.stays[0]
        if flow.user in seen and place.name == "old-1" and len(flow.stays) == 1:
            flow.stays = [(first, last, places["old-2"])]
        seen.add(flow.user)


def _harms_old(found: list[Flow]) -> None:
    for flow in found:
        hit = [t for t in flow.packets if 5.6 <= t < 5.75]
        if hit and all(place.generation == "old" for _, _, place in flow.stays):
            flow.lost = hit


def _drops_on_new(found: list[Flow]) -> None:
    for flow in found[::5]:
        flow.lost = [t for first, last, place in flow.stays if place.name == "new-1" for t in flow.packets[:1]]


def _reorders_on_new(found: list[Flow]) -> None:
    for flow in found:
        flow.reordered = int(flow.stays[0][2].generation == "new")


def _doubles_on_new(found: list[Flow]) -> None:
    for flow in found:
        flow.duplicates = int(flow.stays[0][2].generation == "new")


def _new_ports(found: list[Flow]) -> None:
    for flow in found:
        flow.mapping_changes = len(flow.stays) - 1


def _extra_new(story: Story) -> None:
    story.vnfcs.append(Vnfc("new-1b", "worker", "new", 2.95, 6.1, serves=99.0))


METADATA = "Files/software-modification.yaml"
_RETIRE = is_coordination("vnf-op-upgrade", "retire")
_SECOND = is_mark(marks.ATTEMPT, "second_while_failed_temp")
_AFTER = is_mark(marks.SNAPSHOT, "after")

SEEDED: dict[str, Stories] = {
    "DEF.VNF.01.a": {"upgrade": [vnfc("old-2", end=16.2)]},
    "DEF.VNF.01.b": {"upgrade": [_old_before_new]},
    "DEF.VNF.01.c": {"refusals": [vnfc("old-1", end=3.07)]},
    "DEF.VNF.01.d": {"refusals": [vnfc("new-1", start=4.5)]},
    "DEF.VNF.03.a": {"upgrade": [moving(is_told("oss", "COMPLETED"), 3.6)]},
    "DEF.VNF.03.d": {"upgrade": [_no_parameters], "rollback": [_no_parameters]},
    "DEF.VNF.03.e": {"refusals": [_forwards_at_once]},
    "DEF.VNF.03.f": {"upgrade": [_share_later]},
    "DEF.VNF.05.a": {"packages": [setting(is_mark(marks.PACKAGE, "delivered"), outside_manifest=[METADATA])]},
    "DEF.VNF.05.b": {"packages": [doing(is_mark(marks.PACKAGE, "fetched", reader="vnfm"), _digest_of_another)]},
    "DEF.VNF.05.c": {"refusals": [setting(is_mark(marks.PACKAGE, "flipped_byte"), state="ONBOARDED", problem=None)]},
    "DEF.VNF.05.d": {"refusals": [doing(is_coordination("vnf-op-twin", "migrate"), _own_policy)]},
    "DEF.VNF.05.e": {"upgrade": [_everything_at_once]},
    "DEF.VNF.06.a": {},
    "DEF.VNF.06.b": {"rollback": [_extra_new]},
    "DEF.VNF.06.c": {"refusals": [accepted("unknown_policy", 3.33)]},
    "DEF.VNF.06.d": {
        "packages": [
            setting(
                is_mark(marks.PACKAGE, "metadata"),
                findings=[{"where": f"{METADATA}:9", "message": "no such image", "rule": "M.06"}],
            )
        ]
    },
    "DEF.VNF.06.e": {"refusals": [accepted("other_base", 3.31)]},
    "DEF.VNF.08.a": {"upgrade": [flows(_moves_some)]},
    "DEF.VNF.08.c": {"upgrade": [flows(_splits_users)]},
    "DEF.VNF.08.d": {"exposure": [flows(_harms_old)]},
    "DEF.VNF.08.f": {"upgrade": [flows(_drops_on_new)]},
    "DEF.VNF.08.g": {"upgrade": [flows(_reorders_on_new)]},
    "DEF.VNF.08.h": {"upgrade": [flows(_doubles_on_new)]},
    "DEF.VNF.08.i": {"upgrade": [flows(_new_ports)]},
    "DEF.VNF.08.j": {"upgrade": [_moves_at_each_step]},
    "DEF.VNF.08.k": {"exposure": [_goes_on_after_fault]},
    "DEF.VNF.09.a": {"upgrade": [_stopped_with_sessions, leaving_out(_RETIRE)]},
    "DEF.VNF.09.b": {"upgrade": [vnfc("new-1", end=14.5)]},
    "DEF.VNF.09.d": {"upgrade": [vnfc("old-1", end=3.65), vnfc("old-2", end=3.65)]},
    "DEF.VNF.09.f": {"upgrade": [_answers_drain_at_once]},
    "DEF.VNF.12.a": {"upgrade": [lambda story: story.edit(_slow)]},
    "DEF.VNF.12.b": {"upgrade": [moving(is_told("full", "PROCESSING", operation="vnf-op-upgrade"), 3.45)]},
    "DEF.VNF.12.c": {"rollback": [_forgets]},
    "DEF.VNF.12.d": {"rollback": [setting(_SECOND, status=202, problem=None)]},
    "DEF.VNF.12.e": {"upgrade": [doing(is_mark(marks.FOUND, "upgrade"), _target_everywhere)]},
    "DEF.VNF.13.a": {"upgrade": [doing(_AFTER, _vnfd_stays_old)]},
    "DEF.VNF.13.b": {"upgrade": [_commits_on_acceptance]},
    "DEF.VNF.13.c": {"upgrade": [doing(_AFTER, _service_stays_old)]},
    "DEF.VNF.13.d": {"refusals": [lambda story: story.usage.insert(1, (15.1, {OLD_VNFD: "NOT_IN_USE"}))]},
    "DEF.VNF.13.e": {"upgrade": [vnfc("new-3", generation="old")]},
    "DEF.VNF.13.f": {"upgrade": [doing(_AFTER, _lists_the_dead)]},
    "DEF.VNF.13.g": {"refusals": [lambda story: story.usage.append((17.9, {OLD_VNFD: "IN_USE"}))]},
    "DEF.GEN.02.a": {"rollback": [setting(is_mark(marks.TASK, "by_cancel", task="rollback"), status=409)]},
    "DEF.GEN.02.b": {"rollback": [vnfc("new-1", end=22.0)]},
    "DEF.GEN.02.c": {
        "upgrade": [setting(is_mark(marks.ATTEMPT, "late_rollback"), status=202, problem=None), vnfc("new-1", end=17.0)]
    },
    "DEF.GEN.03.e": {"rollback": [doing(is_mark(marks.SNAPSHOT, "after_by_decision"), _share_stays)]},
}
"""DEF.VNF.06.a changes what is declared and nothing that happens."""

DECLARED_TYPE = {"DEF.VNF.06.a": "update"}
POLICIES = (STAGED, FRUGAL)
