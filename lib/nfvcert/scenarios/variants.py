"""Packages derived from the candidate, and requests that must be refused for one reason each."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nfvcert.drop import edits
from nfvcert.drop.derive import Edit, derive
from nfvcert.drop.signature import Signing
from nfvcert.errors import StackError
from nfvcert.history import marks
from nfvcert.scenarios.service import Service
from nfvcert.testbed.drivers.recording import problem_of

if TYPE_CHECKING:
    from nfvcert.scenarios.bench import Bench

TWIN_STEPS = [50, 100]
TWIN_ADDITIONAL = 1
TWIN_OBSERVE_S = 1.2
REFUSAL_TIMEOUT_S = 5.0
"""A request that must be refused and still goes on after this time is stopped by the tester."""


class Variants:
    """The variants of one scenario; packages are written into the run folder and onboarded at the NFVO."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._folder = bench.run_folder / "packages"
        self._folder.mkdir(exist_ok=True)
        self._second: Service | None = None
        self._twin_id = ""

    # single requests

    def request(self, label: str, vnfd_id: str, policy: str | None) -> None:
        """Ask the VNFM for a modification; one that it takes is waited for, and stopped if it does not end itself."""
        modification = self._bench.modification(label)
        answer = modification.request_by_nfvo(vnfd_id, policy)
        if answer.status == 202:
            if not modification.stopped_within(REFUSAL_TIMEOUT_S):
                modification.task("cancel", "FORCEFUL")
            if modification.await_end() == "FAILED_TEMP":
                modification.task("rollback")
                modification.await_end()

    def ask_unverifiable(self) -> None:
        """Requests at the VNFM that each differ in one respect from a proper one."""
        bench = self._bench
        self._start_second()
        bench.take_inventory()
        self.request("unknown_vnfd", str(uuid.uuid4()), None)
        candidate = bench.service.packages["candidate"]
        self._switch(candidate.id, "DISABLED", "disabled_package")
        try:
            self.request("disabled_package", candidate.vnfd_id, None)
        finally:
            self._switch(candidate.id, "ENABLED", "disabled_package")
        other = self._derive("other_base", edits.other_base())
        use = bench.service.onboard(other, "other_base")
        self.request("other_base", use.vnfd_id, None)
        self.request("unknown_policy", candidate.vnfd_id, "no-such-policy")

    def ask_nfvo_for_unusable(self) -> None:
        """Requests at the NFVO whose package is not known or disabled."""
        bench = self._bench
        self._ask_nfvo("oss_unknown", str(uuid.uuid4()))
        candidate = bench.service.packages["candidate"]
        self._switch(candidate.id, "DISABLED", "oss_disabled")
        try:
            self._ask_nfvo("oss_disabled", candidate.vnfd_id)
        finally:
            self._switch(candidate.id, "ENABLED", "oss_disabled")

    def offer_altered(self) -> None:
        """Offer packages without metadata, with a flipped byte, and signed by a stranger."""
        bench = self._bench
        whole = self._derive("flipped_byte")
        flipped = derive(whole, whole.with_name("flipped.csar"), edits.stale_manifest(), edits.flip_digit())
        bench.service.onboard(flipped, "flipped_byte")
        if "signed_packages" in bench.attachment.features:
            bench.service.onboard(self._derive("unknown_key", signer="stranger"), "unknown_key")
        bare = self._derive("no_metadata", edits.remove_metadata())
        use = bench.service.onboard(bare, "no_metadata")
        if use.state == "ONBOARDED":
            self.request("no_metadata", use.vnfd_id, None)
        else:
            bench.recording.recorder.mark(
                marks.REQUEST, label="no_metadata", interface="or-vnfm", vnfd_id=None, status=None, operation=None
            )

    # the positive twin

    def modify_to_twin(self) -> None:
        """Modify the first service to a package that differs from the candidate in its metadata."""
        bench = self._bench
        metadata = bench.drop.candidate.metadata
        if metadata is None:
            raise StackError("the candidate has no metadata to derive a twin from")
        name, policy = metadata.policy()
        changed = {
            **policy.model_dump(mode="json"),
            "steps": TWIN_STEPS,
            "decision": "automatic",
            "observe_s": TWIN_OBSERVE_S,
            "additional_resources": self._one_more(policy.additional_resources.model_dump()),
        }
        twin = self._derive("twin", edits.set_metadata(f"policies.{name}", changed))
        use = bench.service.onboard(twin, "twin")
        self._twin_id = use.vnfd_id
        modification = bench.modification("twin")
        answer = modification.request_by_nfvo(use.vnfd_id, None, expected_policy={"name": name, **changed})
        if answer.status == 202:
            modification.continue_to_end()

    def follow_usage(self) -> None:
        """Read usage states while the old package loses its instances one after the other."""
        bench = self._bench
        if self._second is None:
            return
        recorder = bench.recording.recorder
        old = bench.service.packages["in_service"]
        time.sleep(0.3)
        self._usage("first_modified")
        early = bench.nfvo.delete_package(old.id)
        recorder.mark(marks.ATTEMPT, label="delete_old_in_use", status=early.status, problem=problem_of(early))
        self._second.stop()
        time.sleep(0.3)
        self._usage("second_gone")
        late = bench.nfvo.delete_package(old.id)
        recorder.mark(
            marks.PACKAGE,
            label="delete_old_unused",
            action="delete",
            vnfd_id=old.vnfd_id,
            status=late.status,
            problem=problem_of(late),
        )

    # parts

    def _start_second(self) -> None:
        bench = self._bench
        second = Service(bench)
        second.start(gateway=False)
        self._second = second

    def _ask_nfvo(self, label: str, vnfd_id: str) -> None:
        modification = self._bench.modification(label)
        answer = modification.request_by_oss(vnfd_id, None)
        if answer.status == 202:
            modification.await_end(level="ns")
            operation = modification.vnf_operation or self._leftover()
            if operation:
                modification.vnf_operation = operation
                modification.task("rollback")
                modification.await_end()

    def _leftover(self) -> str:
        records = self._bench.vnfm.operations(self._bench.service.vnf_instance, "CHANGE_VNFPKG")
        open_ = [record for record in records if record.get("operationState") == "FAILED_TEMP"]
        return str(open_[-1]["id"]) if open_ else ""

    def _switch(self, package: str, state: str, label: str) -> None:
        answer = self._bench.nfvo.set_operational_state(package, state)
        self._bench.recording.recorder.mark(
            marks.PACKAGE, label=label, action="enable" if state == "ENABLED" else "disable", status=answer.status
        )

    def _usage(self, label: str) -> None:
        bench = self._bench
        packages = {str(p.get("vnfdId")): p for p in bench.nfvo.packages() if p.get("vnfdId")}
        bench.recording.recorder.mark(
            marks.SNAPSHOT, label=label, twin_vnfd_id=self._twin_id, records={"packages": packages}
        )

    def _derive(self, label: str, *changes: Edit, signer: str = "signer") -> Path:
        """A package like the candidate with a vnfdId of its own and the changes, signed with a key of this run."""
        source = self._bench.drop.candidate.path
        return derive(
            source, self._folder / f"{label}.csar", edits.new_vnfd_id(label), *changes, signing=self._signing(signer)
        )

    def _signing(self, name: str) -> Signing | None:
        access = self._bench.attachment.signers.get(name)
        return Signing.of(Path(access.key), Path(access.certificate)) if access else None

    @staticmethod
    def _one_more(resources: dict[str, Any]) -> dict[str, Any]:
        vnfcs = max(1, int(resources["vnfcs"]))
        return {
            key: (value if key == "storage_gib" else value / vnfcs * TWIN_ADDITIONAL)
            for key, value in resources.items()
        }
