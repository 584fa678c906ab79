"""The service under test: packages onboarded, a network service with one VNF instantiated, its records read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nfvcert.errors import StackError
from nfvcert.history import marks
from nfvcert.testbed.drivers.nfvo import Nfvo
from nfvcert.testbed.drivers.operations import operation_id

if TYPE_CHECKING:
    from nfvcert.scenarios.bench import Bench

NS_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
SYNC_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class PackageUse:
    """A package as onboarded: its resource id and the vnfdId that it brought."""

    id: str
    vnfd_id: str
    state: str
    resource: dict[str, Any]


class Service:
    """One network service with one VNF of the drop."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.id = ""
        self.vnf_instance = ""
        self.packages: dict[str, PackageUse] = {}

    @property
    def _nfvo(self) -> Nfvo:
        return self._bench.nfvo

    def onboard(self, csar: Path, label: str) -> PackageUse:
        """Onboard a package, or find it onboarded by an earlier scenario; the outcome is recorded, good or bad."""
        vnfd_id = self._bench.vnfd_id_of(csar)
        known = [
            package
            for package in self._nfvo.packages(vnfd_id)
            if package.get("onboardingState") == "ONBOARDED" and package.get("operationalState") == "ENABLED"
        ]
        resource = known[0] if known else self._nfvo.onboard(csar)
        use = PackageUse(
            str(resource["id"]), str(resource.get("vnfdId", "")), str(resource.get("onboardingState", "")), resource
        )
        self.packages[label] = use
        self._bench.recording.recorder.mark(
            marks.PACKAGE,
            label=label,
            action="onboard",
            vnfd_id=vnfd_id,
            state=use.state,
            package=resource,
            problem=resource.get("onboardingFailureDetails") or resource.get("uploadProblem"),
        )
        return use

    def start(self, *, gateway: bool = True) -> None:
        """Instantiate the service with the version in service.

        Args:
            gateway: whether it gets the gateway's address, and with it the traffic.

        Raises:
            StackError: it could not be instantiated; nothing can be tested then.
        """
        bench = self._bench
        drop = bench.drop
        for label, package in (("in_service", drop.in_service), ("candidate", drop.candidate)):
            use = self.onboard(package.path, label)
            if use.state != "ONBOARDED":
                problem = use.resource.get("onboardingFailureDetails") or use.resource.get("uploadProblem")
                raise StackError(f"the {label} package could not be onboarded", found=str(problem))
        nsd_id = self._nfvo.onboard_descriptor(bench.single_vnf_nsd())
        self.id = self._nfvo.create_service(nsd_id, f"{bench.attachment.run}-{bench.recording.scenario}")
        bench.recording.at_end(self.stop)
        answer = self._nfvo.instantiate(self.id, bench.instantiation_request(gateway=gateway))
        operation = operation_id(answer)
        record = self._nfvo.await_operation(
            operation, {"COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK"}, timeout_s=NS_TIMEOUT_S
        )
        if record["operationState"] != "COMPLETED":
            raise StackError("the service could not be instantiated", found=str(record.get("error") or record))
        instances = self._nfvo.service(self.id).get("vnfInstance") or []
        if not instances:
            raise StackError("the service record names no VNF instance", where=self.id)
        self.vnf_instance = str(instances[0]["id"])

    def stop(self) -> None:
        """Terminate and delete the service; what cannot be ended is left to the end of the testbed."""
        if not self.id:
            return
        service, self.id = self.id, ""
        try:
            self._stop_running_operations()
            answer = self._nfvo.terminate(service)
            if answer.status == 202:
                final = {"COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK"}
                record = self._nfvo.await_operation(operation_id(answer), final, timeout_s=NS_TIMEOUT_S)
                self._bench.recording.recorder.mark(
                    marks.REACHED, label="termination", level="ns", state=record["operationState"], record=record
                )
            self._nfvo.delete_service(service)
        except StackError as error:
            self._bench.recording.recorder.mark(
                marks.REACHED, label="termination", level="ns", state="", error=error.message
            )

    def _stop_running_operations(self) -> None:
        """Stop what a procedure that broke off has left running, so that the service can be terminated."""
        vnfm = self._bench.vnfm
        for record in vnfm.operations(self.vnf_instance) if self.vnf_instance else ():
            if record.get("operationState") in ("STARTING", "PROCESSING", "ROLLING_BACK"):
                operation = str(record["id"])
                vnfm.operation_task(operation, "cancel", {"cancelMode": "FORCEFUL"})
                stopped = {"FAILED_TEMP", "COMPLETED", "ROLLED_BACK", "FAILED"}
                vnfm.await_operation(operation, stopped, timeout_s=STOP_TIMEOUT_S)

    def settled_snapshot(self, label: str, like: dict[str, Any]) -> dict[str, Any]:
        """Read all records when they have come back to what they were, or when the time to do so is over."""
        deadline = time.monotonic() + float(self._bench.sync_time)
        while self._essence(self._read(vim=True)) != self._essence(like) and time.monotonic() < deadline:
            time.sleep(SYNC_POLL_S)
        return self.snapshot(label)

    def snapshot(self, label: str, *, vim: bool = True) -> dict[str, Any]:
        """Read all records of the service and record them together."""
        bench = self._bench
        records = self._read(vim=vim)
        bench.take_inventory()
        bench.recording.recorder.mark(marks.SNAPSHOT, label=label, vnf_instance_id=self.vnf_instance, records=records)
        return records

    def _read(self, *, vim: bool) -> dict[str, Any]:
        bench = self._bench
        packages = {str(package.get("vnfdId")): package for package in self._nfvo.packages() if package.get("vnfdId")}
        return {
            "vnf_instance": bench.vnfm.instance(self.vnf_instance),
            "vnf_instance_as_em": bench.vnfm_as_em.instance(self.vnf_instance),
            "ns_instance": self._nfvo.service(self.id),
            "packages": packages,
            "shares": bench.em.shares(self.vnf_instance) if bench.em else None,
            "servers": bench.vim.servers() if vim else None,
            "ports": bench.vim.ports() if vim else None,
        }

    @staticmethod
    def _essence(records: dict[str, Any]) -> dict[str, Any]:
        """What has to be as before when a rollback has reached all records."""
        return {
            "vnfdId": records["vnf_instance"].get("vnfdId"),
            "usage": {vnfd: package.get("usageState") for vnfd, package in records["packages"].items()},
            "shares": {key: share for key, share in (records["shares"] or {}).items() if share},
            "servers": len(records["servers"] or ()),
            "ports": len(records["ports"] or ()),
        }
