"""Good histories of all scenarios: what the reference stack with the sample leaves when nothing is wrong with it.

The times are those of a real run on the embedded testbed, rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import procedure_steps as do
from history_builder import Story
from synthetic_traffic import Traffic
from synthetic_world import FRUGAL, INSTANCE, NEW_VNFD, OLD_VNFD, STAGED, TWIN_VNFD, Operation, Vnfc, ns, policy

from nfvcert.history import EventKind, History, marks

TWIN_POLICY = policy("staged", [50, 100], 1, "automatic")
Change = Callable[[Story], None]


def _world(scenario: str, end: float) -> Story:
    """The first service with the version in service."""
    story = Story(scenario, end)
    last = end - 1.0
    story.vnfcs = [
        Vnfc("lb", "lb", "old", 0.4, last + 0.5),
        Vnfc("old-1", "worker", "old", 0.6, last + 0.3),
        Vnfc("old-2", "worker", "old", 0.8, last + 0.1),
    ]
    story.call(0.14, "or-vnfm", "POST", f"/vnflcm/v2/vnf_instances/{INSTANCE}/instantiate", 202)
    story.mark(end - 0.3, marks.REACHED, label="termination", level="ns", state="COMPLETED", record={})
    return story


def upgrade() -> Story:
    """The OSS upgrades the service under load in three steps."""
    story = _world("upgrade", 21.0)
    old = [story.vnfc("old-1"), story.vnfc("old-2")]
    old[0].end, old[1].end = 14.06, 15.48
    old[0].retired = old[1].retired = 8.72
    story.vnfcs += [
        Vnfc("new-1", "worker", "new", 3.7, 20.0, serves=3.9),
        Vnfc("new-2", "worker", "new", 8.55, 19.8, serves=8.72),
        Vnfc("new-3", "worker", "new", 17.5, 19.6, serves=17.82),
    ]
    moves = [(12.3, "old-1", "new-2"), (12.4, "old-2", "new-1")]
    story.traffic = Traffic(1.0, 18.0, moves=moves)
    story.shares += [(3.9, 10.0), (6.19, 30.0), (8.72, 100.0)]
    story.committed.append((15.64, NEW_VNFD))
    operation = Operation("upgrade", NEW_VNFD, [(3.45, "STARTING"), (3.47, "PROCESSING"), (15.64, "COMPLETED")])
    story.operations["upgrade"] = operation
    story.watched.append((3.4, 19.0, "upgrade"))

    story.mark(1.73, marks.CONTROL_BEGIN)
    story.mark(3.23, marks.CONTROL_END)
    story.snapshot(3.33, "before")
    do.request_by_oss(story, 3.42, "upgrade", NEW_VNFD, "staged")
    do.grant(story, 3.468, operation, add=2, remove=2)
    stages = ((3.87, 3.9, 6.06, 6.16, 10), (6.17, 6.19, 8.26, 8.32, 30), (8.69, 8.72, 10.75, 10.84, 100))
    for asked, since, paused, closed, share in stages:
        outputs = {"share": share}
        do.coordinate(story, asked, closed, operation, "migrate", STAGED, share=share, named="staged", outputs=outputs)
        do.pause(story, paused, "upgrade", share, since)
        do.look(story, paused + 0.01, "upgrade")
        do.decide(story, closed - 0.05, "upgrade", share, "CONTINUE")
    do.conflict(story, 6.09, "second_while_processing")
    story.add(10.77, EventKind.FAULT, "hosts", {"kind": "hold_stop", "seconds": 1.0})
    outputs = do.retired(old, ["new-2", "new-1"])
    names = [vnfc.record for vnfc in old]
    do.coordinate(story, 10.85, 12.79, operation, "retire", STAGED, named="staged", outputs=outputs, vnfcs=names)
    do.coordinate(story, 15.6, 15.6, operation, "complete", STAGED, named="staged", outputs={"shares": {}})
    do.tell_oss(story, 15.69, "upgrade", "RESULT", "COMPLETED")
    do.reached(story, 15.74, "upgrade", "COMPLETED")
    do.reached(story, 15.75, "upgrade", "COMPLETED", "ns")
    story.snapshot(16.5, "after")
    for number, name in enumerate(("cancel", "rollback", "retry")):
        do.conflict(story, 16.54 + 0.01 * number, f"late_{name}", task=name)
    story.snapshot(17.3, "after_late")
    story.mark(17.88, marks.SCALED, label="scale_out", type="SCALE_OUT", operation="vnf-op-scale", state="COMPLETED")
    sessions = [
        {
            "id": number,
            "established": True,
            "established_ns": ns(1.2),
            "exchanges": 320,
            "longest_ms": 5.4,
            "broken": False,
            "reason": "",
            "addresses": [f"198.19.2.4:{1100 + number}"],
        }
        for number in range(8)
    ]
    story.mark(17.95, marks.SESSIONS, label="traffic", sessions=sessions)
    return story


def rollback() -> Story:
    """A modification is stopped and rolled back in three phases."""
    story = _world("rollback", 23.0)
    first = story.vnfc("old-1")
    first.end, first.retired = 11.4, 10.9
    story.vnfcs += [
        Vnfc("new-1", "worker", "new", 2.9, 6.13, serves=3.03, retired=5.5),
        Vnfc("new-2", "worker", "new", 6.9, 15.12, serves=7.02, retired=14.6),
        Vnfc("new-3", "worker", "new", 11.8, 15.5, serves=11.9, retired=14.6),
        Vnfc("old-3", "worker", "old", 14.4, 22.2, serves=14.6),
        Vnfc("new-4", "worker", "new", 16.1, 20.0, serves=16.23, retired=19.5),
    ]
    story.shares += [(3.03, 50.0), (5.5, 0.0), (7.02, 50.0), (11.9, 100.0), (14.6, 0.0), (16.23, 10.0), (19.5, 0.0)]
    moves = [(5.6, "new-1", "old-1"), (10.9, "old-1", "old-2"), (14.7, "new-2", "old-3"), (14.7, "new-3", "old-2")]
    story.traffic = Traffic(1.0, 20.8, moves=[*moves, (19.6, "new-4", "old-2")])
    story.snapshot(2.44, "before")
    _by_decision(story)
    _by_cancel(story, first)
    _by_crash(story)
    return story


def _by_decision(story: Story) -> None:
    states = [(2.57, "STARTING"), (2.61, "PROCESSING"), (5.18, "FAILED_TEMP")]
    operation = Operation("by_decision", NEW_VNFD, [*states, (5.275, "ROLLING_BACK"), (6.29, "ROLLED_BACK")])
    story.operations["by_decision"] = operation
    story.watched.append((2.5, 22.0, "by_decision"))
    do.request_by_oss(story, 2.54, "by_decision", NEW_VNFD, "frugal")
    do.grant(story, 2.6, operation, add=2, remove=2)
    do.coordinate(story, 3.0, 5.17, operation, "migrate", FRUGAL, share=50, named="frugal", result="ABORT")
    do.pause(story, 5.1, "by_decision", 50, 3.03)
    do.look(story, 5.11, "by_decision")
    do.decide(story, 5.13, "by_decision", 50, "ABORT")
    do.reached(story, 5.25, "by_decision", "FAILED_TEMP")
    do.conflict(story, 5.256, "second_while_failed_temp")
    do.task(story, 5.27, "by_decision", "rollback")
    do.coordinate(story, 5.41, 5.85, operation, "revert", FRUGAL, named="frugal")
    do.coordinate(story, 6.27, 6.27, operation, "reverted", FRUGAL, named="frugal")
    do.reached(story, 6.37, "by_decision", "ROLLED_BACK")
    story.snapshot(6.49, "after_by_decision")


def _by_cancel(story: Story, gone: Vnfc) -> None:
    states = [(6.576, "STARTING"), (6.61, "PROCESSING"), (14.02, "FAILED_TEMP")]
    operation = Operation("by_cancel", NEW_VNFD, [*states, (14.075, "ROLLING_BACK"), (15.65, "ROLLED_BACK")])
    operation.pending_cancel = (13.936, 14.02)
    story.operations["by_cancel"] = operation
    story.watched.append((6.5, 22.0, "by_cancel"))
    do.request_by_nfvo(story, 6.58, "by_cancel", NEW_VNFD, "frugal")
    do.grant(story, 6.6, operation, add=2, remove=2)
    do.coordinate(story, 6.99, 9.15, operation, "migrate", FRUGAL, share=50, named="frugal")
    do.pause(story, 9.04, "by_cancel", 50, 7.02)
    do.look(story, 9.05, "by_cancel")
    do.decide(story, 9.07, "by_cancel", 50, "CONTINUE")
    outputs = do.retired([gone], ["old-2"])
    do.coordinate(story, 9.16, 11.1, operation, "retire", FRUGAL, named="frugal", outputs=outputs, vnfcs=[gone.record])
    do.coordinate(story, 11.88, 14.02, operation, "migrate", FRUGAL, share=100, named="frugal", result="ABORT")
    do.pause(story, 13.93, "by_cancel", 100, 11.9)
    do.task(story, 13.94, "by_cancel", "cancel", "GRACEFUL")
    do.decide(story, 13.942, "by_cancel", 100, "ABORT")
    story.poll(13.95, "by_cancel")
    do.reached(story, 14.06, "by_cancel", "FAILED_TEMP")
    do.task(story, 14.07, "by_cancel", "rollback")
    do.coordinate(story, 14.44, 14.87, operation, "revert", FRUGAL, named="frugal")
    do.coordinate(story, 15.63, 15.63, operation, "reverted", FRUGAL, named="frugal")
    do.reached(story, 15.68, "by_cancel", "ROLLED_BACK")
    story.snapshot(15.76, "after_by_cancel")


def _by_crash(story: Story) -> None:
    states = [(15.845, "STARTING"), (15.88, "PROCESSING"), (19.15, "FAILED_TEMP")]
    operation = Operation("by_crash", NEW_VNFD, [*states, (19.33, "ROLLING_BACK"), (20.12, "ROLLED_BACK")])
    story.operations["by_crash"] = operation
    story.watched.append((15.8, 22.0, "by_crash"))
    story.down = (18.25, 19.2)
    do.request_by_nfvo(story, 15.85, "by_crash", NEW_VNFD, "staged")
    do.grant(story, 15.87, operation, add=2, remove=2)
    do.coordinate(story, 16.2, None, operation, "migrate", STAGED, share=10, named="staged")
    do.pause(story, 18.2, "by_crash", 10, 16.23)
    story.mark(19.21, marks.RESTARTED, component="vnfm", down_from=ns(18.25), up_at=ns(19.2))
    do.reached(story, 19.3, "by_crash", "FAILED_TEMP")
    do.task(story, 19.32, "by_crash", "rollback")
    do.coordinate(story, 19.4, 19.8, operation, "revert", STAGED, named="staged")
    do.coordinate(story, 20.1, 20.1, operation, "reverted", STAGED, named="staged")
    do.reached(story, 20.2, "by_crash", "ROLLED_BACK")
    story.snapshot(20.4, "after_by_crash")


def refusals() -> Story:
    """What cannot be verified is refused, its twin goes through with a grant that is held back."""
    story = _world("refusals", 19.5)
    old = [story.vnfc("old-1"), story.vnfc("old-2")]
    old[0].end, old[0].retired = 9.85, 9.2
    old[1].end, old[1].retired = 14.84, 10.38
    story.vnfcs += [
        Vnfc("second-lb", "lb", "old", 2.1, 17.6, main=False),
        Vnfc("second-1", "worker", "old", 2.4, 17.4, main=False),
        Vnfc("second-2", "worker", "old", 2.7, 17.2, main=False),
        Vnfc("new-1", "worker", "new", 5.4, 18.9, serves=5.57),
        Vnfc("new-2", "worker", "new", 10.2, 18.7, serves=10.38),
    ]
    story.shares += [(5.57, 50.0), (10.38, 100.0)]
    moves = [(9.2, "old-1", "old-2"), (14.2, "old-2", "new-2")]
    story.traffic = Traffic(1.0, 15.3, users_per_s=40, moves=moves)
    story.committed.append((15.04, TWIN_VNFD))
    story.usage = [(15.04, {OLD_VNFD: "IN_USE", TWIN_VNFD: "IN_USE"})]
    story.usage.append((17.8, {OLD_VNFD: "NOT_IN_USE", TWIN_VNFD: "IN_USE"}))

    do.refused(story, 3.08, "unknown_vnfd", "vnfd-nobody-knows", 400, "there is no onboarded VNF package")
    do.refused(story, 3.1, "disabled_package", NEW_VNFD, 409, "the VNF package is not enabled")
    do.refused(story, 3.31, "other_base", "vnfd-other-base", 400, "the package replaces another version")
    do.refused(story, 3.33, "unknown_policy", NEW_VNFD, 400, "the package has no policy 'no-such-policy'")
    do.refused(story, 3.335, "oss_unknown", "vnfd-oss-unknown", 400, "there is no onboarded VNF package", oss=True)
    do.refused(story, 3.34, "oss_disabled", NEW_VNFD, 409, "the VNF package is not enabled", oss=True)
    data: dict[str, Any]
    for t, label in ((3.46, "flipped_byte"), (3.57, "unknown_key")):
        problem = {"title": "package refused", "status": 400, "detail": "digest or signature does not fit"}
        data = {"vnfd_id": f"vnfd-{label}", "state": "ERROR", "package": {}, "problem": problem}
        story.mark(t, marks.PACKAGE, label=label, action="onboard", **data)
    data = {"vnfd_id": "vnfd-bare", "state": "ONBOARDED", "package": {}, "problem": None}
    story.mark(3.69, marks.PACKAGE, label="no_metadata", action="onboard", **data)
    do.refused(story, 3.81, "no_metadata", "vnfd-bare", 400, "the package has no software modification metadata")

    denied = Operation("denied_grant", NEW_VNFD, [(3.837, "STARTING"), (3.85, "ROLLED_BACK")])
    story.operations["denied_grant"] = denied
    do.request_by_nfvo(story, 3.84, "denied_grant", NEW_VNFD, None)
    do.grant(story, 3.848, denied, add=2, remove=2, status=403, fault="deny-grant")
    do.reached(story, 3.96, "denied_grant", "ROLLED_BACK")

    states = [(4.14, "STARTING"), (5.17, "PROCESSING"), (15.04, "COMPLETED")]
    twin = Operation("twin", TWIN_VNFD, states)
    story.operations["twin"] = twin
    do.request_by_nfvo(story, 4.142, "twin", TWIN_VNFD, None, expected=TWIN_POLICY)
    do.grant(story, 5.165, twin, add=2, remove=2, fault="hold-grant", took=1.017)
    do.coordinate(story, 5.54, 7.58, twin, "migrate", TWIN_POLICY, share=50, outputs={"share": 50})
    do.coordinate(story, 7.59, 9.55, twin, "retire", TWIN_POLICY, outputs=do.retired(old[:1], ["old-2"]))
    do.coordinate(story, 10.35, 12.47, twin, "migrate", TWIN_POLICY, share=100, outputs={"share": 100})
    outputs = do.retired(old[1:], ["new-2"])
    do.coordinate(story, 12.5, 14.52, twin, "retire", TWIN_POLICY, outputs=outputs, vnfcs=["vnfc-old-2"])
    do.coordinate(story, 14.99, 14.99, twin, "complete", TWIN_POLICY)
    story.poll(6.0, "twin")
    do.reached(story, 15.15, "twin", "COMPLETED")
    for t, label in ((16.25, "first_modified"), (18.2, "second_gone")):

        def read(t: float = t, label: str = label) -> None:
            records = {"packages": story.packages(t)}
            story.mark(t, marks.SNAPSHOT, label=label, twin_vnfd_id=TWIN_VNFD, records=records)

        story.later(read)
    do.conflict(story, 16.27, "delete_old_in_use")
    data = {"vnfd_id": OLD_VNFD, "status": 204, "problem": None}
    story.mark(18.3, marks.PACKAGE, label="delete_old_unused", action="delete", **data)
    return story


def exposure() -> Story:
    """The new component is killed while it serves ten percent of the new requests."""
    story = _world("exposure", 10.0)
    story.vnfcs.append(Vnfc("new-1", "worker", "new", 2.5, 4.88, serves=2.72, retired=5.6))
    story.shares += [(2.72, 10.0), (5.6, 0.0)]
    story.traffic = Traffic(1.0, 8.5, users_per_s=120, dead=("new-1", 4.88, 5.6))
    states = [(2.165, "STARTING"), (2.22, "PROCESSING"), (5.88, "FAILED_TEMP")]
    operation = Operation("exposure", NEW_VNFD, [*states, (6.05, "ROLLING_BACK"), (6.91, "ROLLED_BACK")])
    story.operations["exposure"] = operation
    story.watched.append((2.1, 8.9, "exposure"))
    story.snapshot(2.1, "before")
    do.request_by_nfvo(story, 2.17, "exposure", NEW_VNFD, "staged")
    do.grant(story, 2.2, operation, add=2, remove=2)
    do.coordinate(story, 2.68, 5.87, operation, "migrate", STAGED, share=10, named="staged", result="ABORT")
    do.pause(story, 4.79, "exposure", 10, 2.72)
    do.look(story, 4.84, "exposure")
    story.add(4.88, EventKind.FAULT, "hosts", {"kind": "kill", "vnfc": "server-new-1"})
    do.reached(story, 5.98, "exposure", "FAILED_TEMP")
    do.task(story, 6.05, "exposure", "rollback")
    do.coordinate(story, 6.31, 6.44, operation, "revert", STAGED, named="staged")
    do.coordinate(story, 6.87, 6.87, operation, "reverted", STAGED, named="staged")
    do.reached(story, 6.98, "exposure", "ROLLED_BACK")
    story.snapshot(7.2, "after_exposure")
    return story


def packages() -> Story:
    """The candidate as delivered, as onboarded, and as fetched again."""
    story = Story("packages", 0.6)
    metadata = "Files/software-modification.yaml"
    digests = {"package": "aa" * 32, metadata: "bb" * 32, "Artifacts/ChangeLog.txt": "cc" * 32}
    story.mark(
        0.07,
        marks.PACKAGE,
        label="delivered",
        action="read",
        vnfd_id=NEW_VNFD,
        metadata_forms=["VnfPackageChange", metadata],
        outside_manifest=[],
        signature_valid=True,
        digests=digests,
    )
    story.mark(0.08, marks.PACKAGE, label="metadata", action="check", findings=[], fields_checked=10)
    for t, reader in ((0.28, "oss"), (0.32, "vnfm")):
        fetched = dict(digests)
        story.mark(t, marks.PACKAGE, label="fetched", action="fetch", reader=reader, vnfd_id=NEW_VNFD, digests=fetched)
    return story


SCENARIOS: dict[str, Callable[[], Story]] = {
    "upgrade": upgrade,
    "rollback": rollback,
    "refusals": refusals,
    "exposure": exposure,
    "packages": packages,
}


def told(scenario: str, *changes: Change) -> History:
    """The history of a scenario with changes made to its story."""
    story = SCENARIOS[scenario]()
    for change in changes:
        change(story)
    return story.finish()
