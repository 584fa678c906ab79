"""The Robot library of the procedures: one keyword a step, all logic in the scenarios."""

from __future__ import annotations

import time
from typing import Any

from robot.api import SkipExecution
from robot.api.deco import keyword, library

from nfvcert.errors import StackError
from nfvcert.history import marks
from nfvcert.measure import Verdict
from nfvcert.runner.session import Session, current_session
from nfvcert.scenarios.bench import Bench
from nfvcert.scenarios.modification import Modification
from nfvcert.scenarios.variants import Variants
from nfvcert.testbed.drivers.operations import operation_id
from nfvcert.testbed.witness.models import Rule

GRANTS = r"/grant/v1/grants$"
RESTART_DOWN_S = 0.3


@library(scope="SUITE", auto_keywords=False)
class Procedure:
    """Steps of the procedures under one scenario at a time."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._bench: Bench | None = None
        self._variants: Variants | None = None
        self._before: dict[str, Any] = {}

    @property
    def session(self) -> Session:
        """The back-end's session."""
        if self._session is None:
            self._session = current_session()
        return self._session

    @property
    def bench(self) -> Bench:
        """The open scenario."""
        if self._bench is None:
            raise StackError("no scenario is open")
        return self._bench

    @property
    def variants(self) -> Variants:
        """Packages derived from the candidate."""
        if self._variants is None:
            self._variants = Variants(self.bench)
        return self._variants

    def modification(self, label: str) -> Modification:
        """The modification with that label."""
        return self.bench.modification(label)

    # scenario

    @keyword("Open Scenario")
    def open_scenario(self, name: str) -> None:
        """Begin to record a scenario."""
        self._bench = self.session.bench(name)
        self._bench.open()

    @keyword("Close Scenario")
    def close_scenario(self, status: str = "PASS", message: str = "") -> None:
        """End the scenario: traffic, readers, service and recording, in this order."""
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.close(None if status == "PASS" else StackError(message or "the procedure was not carried through"))

    @keyword("Step")
    def step(self, text: str) -> None:
        """Say what the procedure does now."""
        self.bench.recording.step(text)

    # service and traffic

    @keyword("Start The Service")
    def start_service(self) -> None:
        """Onboard both packages and instantiate the service with the version in service."""
        self.step("instantiating the version in service")
        self.bench.service.start()

    @keyword("Subscribe To Notifications")
    def subscribe(self) -> None:
        """Subscribe to the operations of NFVO and VNFM."""
        self.bench.subscribe()

    @keyword("Offer Traffic")
    def offer_traffic(self, load: str = "background", sessions: str = "no") -> None:
        """Offer the profile's full or background load, with TCP sessions or without."""
        profile = self.session.profile
        name = profile.traffic if load == "full" else profile.background_traffic
        self.step(f"offering traffic '{name}'")
        self.bench.load.start(name, profile.sessions if sessions == "yes" else 0)

    @keyword("Run Without Modification")
    def control_run(self) -> None:
        """The control run."""
        self.step("control run without modification")
        self.bench.load.control_run(self.session.profile.control_s)

    @keyword("Let Traffic Settle")
    def settle(self) -> None:
        """Let the traffic go on for a while after the last change."""
        time.sleep(self.session.profile.settle_s)

    @keyword("Stop Traffic")
    def stop_traffic(self) -> None:
        """Stop the traffic and read what became of it."""
        self.step("stopping the traffic and reading what became of it")
        self.bench.load.stop()

    @keyword("Take A Snapshot")
    def snapshot(self, label: str) -> None:
        """Read all records together."""
        records = self.bench.service.snapshot(label)
        if label == "before":
            self._before = records

    @keyword("Take A Settled Snapshot")
    def settled_snapshot(self, label: str) -> None:
        """Read all records when they are as in the snapshot 'before', or when the time for that is over."""
        self.bench.service.settled_snapshot(label, self._before)

    @keyword("Query The Service")
    def query_service(self) -> None:
        """Read the records of the service."""
        self.step("reading the records of the service")
        self.bench.service.snapshot("instantiated")

    @keyword("Terminate The Service")
    def terminate_service(self) -> None:
        """Terminate and delete the service."""
        self.step("terminating the service")
        self.bench.service.stop()
        self.bench.take_inventory()

    # modification

    @keyword("Ask The NFVO For The Modification")
    def request_by_oss(self, label: str, policy: str) -> None:
        """MODIFY_NS to the candidate."""
        self.step(f"asking the NFVO for the modification, policy '{policy}'")
        self.bench.watch(label)
        answer = self.modification(label).request_by_oss(self._candidate, policy)
        if answer.status != 202:
            raise StackError(f"the modification was answered {answer.status}", found=str(answer.body))

    @keyword("Ask The VNFM For The Modification")
    def request_by_nfvo(self, label: str, policy: str) -> None:
        """MODIFY_VNF to the candidate."""
        self.step(f"asking the VNFM for the modification, policy '{policy}'")
        self.bench.watch(label)
        answer = self.modification(label).request_by_nfvo(self._candidate, policy)
        if answer.status != 202:
            raise StackError(f"the modification was answered {answer.status}", found=str(answer.body))

    @keyword("Reach Stage")
    def reach_stage(self, label: str, share: str) -> None:
        """Wait until the EM has migrated that share and asks for a decision."""
        self.step(f"migrating {share} percent of the new requests")
        self.modification(label).await_stage(float(share))

    @keyword("Look At The Modification")
    def look(self, label: str) -> None:
        """Read the modification as NFVO and as EM."""
        self.modification(label).look()

    @keyword("Decide")
    def decide(self, label: str, decision: str, reason: str = "order of the administrator") -> None:
        """CONTINUE or ABORT."""
        self.modification(label).decide(decision, reason)

    @keyword("Hold Back Stops")
    def hold_stops(self) -> None:
        """Have the hosts hold back the stop of VNFCs."""
        self.bench.hold_stops(self.session.profile.held_stop_s)

    @keyword("Release Stops")
    def release_stops(self) -> None:
        """Lift the faults of the hosts."""
        self.bench.release_stops()

    @keyword("Await The End")
    def await_end(self, label: str, level: str = "vnf") -> str:
        """Wait until the operation has ended; the state is recorded, not judged."""
        self.step(f"waiting for the end of '{label}'")
        return self.modification(label).await_end(level=level)

    @keyword("Ask For Task")
    def task(self, label: str, name: str, mode: str = "") -> None:
        """cancel, rollback, retry or fail."""
        self.step(f"asking to {name} '{label}'")
        self.modification(label).task(name, mode or None)

    @keyword("Try Late Task")
    def late_task(self, label: str, name: str) -> None:
        """Ask for a task of an operation that has ended."""
        self.modification(label).attempt_task(name, f"late_{name}")

    @keyword("Try A Second Modification")
    def second(self, label: str, attempt: str) -> None:
        """Ask for a second modification while one is not ended."""
        self.modification(label).attempt_second(self._candidate, attempt)

    @keyword("Scale Out")
    def scale_out(self) -> None:
        """Scale the VNF out by one step and wait for the end."""
        bench = self.bench
        self.step("scaling out")
        aspect = bench.drop.candidate.vnfd.scaling_aspects[0].name
        body = {"type": "SCALE_OUT", "aspectId": aspect, "numberOfSteps": 1}
        answer = bench.vnfm.task(bench.service.vnf_instance, "scale", body)
        state, operation = f"answered {answer.status}", None
        if answer.status == 202:
            operation = operation_id(answer)
            record = bench.vnfm.await_operation(
                operation, {"COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK"}, timeout_s=30
            )
            state = str(record["operationState"])
        bench.take_inventory()
        bench.recording.recorder.mark(
            marks.SCALED, label="scale_out", type="SCALE_OUT", operation=operation, state=state
        )

    @keyword("Kill A New Component")
    def kill_new(self, label: str) -> None:
        """Kill one VNFC of the new version on its host."""
        bench = self.bench
        self.step("killing a component of the new version")
        self.modification(label).look()
        instance = bench.vnfm.instance(bench.service.vnf_instance)
        records = (instance.get("instantiatedVnfInfo") or {}).get("vnfcResourceInfo") or []
        new = [record for record in records if record.get("vnfdId") == self._candidate]
        if not new:
            raise StackError("the VNFM lists no component of the new version")
        bench.kill_vnfc(str(new[-1]["computeResource"]["resourceId"]))

    @keyword("Let The Fault Be Contained")
    def await_containment(self, label: str) -> None:
        """Wait until the EM has stopped the migration; if it does not, continue as an administrator would not."""
        self.step("waiting for the fault to be contained")
        modification = self.modification(label)
        if not modification.stopped_within(8.0):
            modification.decide("CONTINUE", "nobody stopped the migration")
            modification.stopped_within(4.0)
            modification.task("cancel", "FORCEFUL")
        modification.await_end()

    @keyword("Restart The VNFM")
    def restart_vnfm(self) -> None:
        """Kill the VNFM with SIGKILL and have it started again."""
        bench = self.bench
        self.step("killing the VNFM and starting it again")
        down, up = bench.restart("vnfm", RESTART_DOWN_S)
        bench.recording.recorder.mark(marks.RESTARTED, component="vnfm", down_from=down, up_at=up)

    # requests that must be refused

    @keyword("Ask For What Cannot Be Verified")
    def ask_unverifiable(self) -> None:
        """An unknown vnfdId, a disabled package, an inapplicable package, an unknown policy: at the VNFM."""
        self.step("asking for what cannot be verified")
        self.variants.ask_unverifiable()

    @keyword("Ask The NFVO For Unusable Packages")
    def ask_unusable(self) -> None:
        """An unknown and a disabled package: at the NFVO."""
        self.step("asking the NFVO for packages that cannot be used")
        self.variants.ask_nfvo_for_unusable()

    @keyword("Offer Altered Packages")
    def offer_altered(self) -> None:
        """Packages without metadata, with a flipped byte, signed by a stranger."""
        self.step("offering altered packages")
        self.variants.offer_altered()

    @keyword("Deny A Grant")
    def deny_grant(self) -> None:
        """Ask for the modification while grants are refused."""
        self.step("denying a grant")
        bench = self.bench
        rule = Rule(id="deny-grant", listener="or-vnfm-nfvo", method="POST", path=GRANTS, action="answer", status=403)
        bench.witness.add_rule(rule)
        try:
            self.variants.request("denied_grant", self._candidate, None)
        finally:
            bench.witness.remove_rule("deny-grant")

    @keyword("Modify With A Held Grant")
    def modify_with_held_grant(self) -> None:
        """The positive twin: a package with other metadata, its grant held back, without a policy name."""
        bench = self.bench
        self.step("the positive twin with a grant that is held back")
        seconds = self.session.profile.held_grant_s
        rule = Rule(
            id="hold-grant",
            listener="or-vnfm-nfvo",
            method="POST",
            path=GRANTS,
            action="hold",
            seconds=seconds,
            count=1,
        )
        bench.witness.add_rule(rule)
        self.variants.modify_to_twin()

    @keyword("Follow The Usage Of Packages")
    def follow_usage(self) -> None:
        """Try to delete the old package in use, end its last instance, delete it."""
        self.step("following the usage of packages")
        self.variants.follow_usage()

    # judging

    @keyword("Purpose Is Met")
    def purpose_is_met(self, purpose: str, *scenarios: str) -> None:
        """Judge a purpose over the histories recorded so far."""
        judgement = self.session.judge(purpose, list(scenarios))
        if judgement.verdict is Verdict.NOT_APPLICABLE:
            raise SkipExecution(judgement.reason)
        if judgement.verdict is not Verdict.PASS:
            raise AssertionError(f"{judgement.verdict}: {judgement.reason}")

    @property
    def _candidate(self) -> str:
        return self.bench.drop.candidate.vnfd.vnfd_id
