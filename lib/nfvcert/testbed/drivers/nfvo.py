"""An NFVO through its SOL005 interfaces: VNF packages, NS descriptors, NS life cycle management."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nfvcert.sol.http import Answer, SolClient
from nfvcert.testbed.drivers.operations import await_state
from nfvcert.testbed.waiting import wait_for

PACKAGES = "/vnfpkgm/v2/vnf_packages"
DESCRIPTORS = "/nsd/v2/ns_descriptors"
SERVICES = "/nslcm/v2/ns_instances"
OPERATIONS = "/nslcm/v2/ns_lcm_op_occs"
SUBSCRIPTIONS = "/nslcm/v2/subscriptions"


class Nfvo:
    """What the OSS asks of an NFVO. Refusals come back as answers, only silence and rubbish are errors."""

    def __init__(self, client: SolClient) -> None:
        self.client = client

    def onboard(self, csar: Path, *, timeout_s: float = 30) -> dict[str, Any]:
        """Create a package resource, upload the archive and wait until it is onboarded or has failed.

        Returns the package resource as it stands then.
        """
        created = self.client.request("POST", PACKAGES, body={}).expect(201)
        path = f"{PACKAGES}/{created.body['id']}"
        upload = self.client.request(
            "PUT", f"{path}/package_content", content=csar.read_bytes(), headers={"Content-Type": "application/zip"}
        )
        if upload.status >= 400:
            return {**self.client.request("GET", path).body, "uploadProblem": upload.body}

        def settled() -> dict[str, Any] | None:
            package = self.client.request("GET", path).expect(200).body
            pending = package.get("onboardingState") in ("UPLOADING", "PROCESSING")
            failed = package.get("onboardingFailureDetails") is not None
            done = package.get("onboardingState") in ("ONBOARDED", "ERROR")
            return package if done or failed or (not pending and package.get("onboardingState") != "CREATED") else None

        return wait_for(settled, timeout_s=timeout_s, what=f"onboarding {csar.name}", where=self.client.base_url)

    def packages(self, vnfd_id: str | None = None) -> list[dict[str, Any]]:
        """All package resources, or those of one VNFD."""
        query = f"?filter=(eq,vnfdId,{vnfd_id})" if vnfd_id else ""
        return list(self.client.request("GET", PACKAGES + query).expect(200).body)

    def set_operational_state(self, package_id: str, state: str) -> Answer:
        """ENABLED or DISABLED."""
        return self.client.request(
            "PATCH",
            f"{PACKAGES}/{package_id}",
            body={"operationalState": state},
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def delete_package(self, package_id: str) -> Answer:
        """Disable and delete a package."""
        self.set_operational_state(package_id, "DISABLED")
        return self.client.request("DELETE", f"{PACKAGES}/{package_id}")

    def onboard_descriptor(self, nsd: bytes) -> str:
        """Create and upload an NS descriptor; returns its nsdId."""
        created = self.client.request("POST", DESCRIPTORS, body={}).expect(201)
        path = f"{DESCRIPTORS}/{created.body['id']}"
        self.client.request("PUT", f"{path}/nsd_content", content=nsd, headers={"Content-Type": "text/plain"}).expect(
            202, 204
        )

        def onboarded() -> str | None:
            return self.client.request("GET", path).expect(200).body.get("nsdId")

        return wait_for(onboarded, timeout_s=15, what="onboarding the NSD", where=self.client.base_url)

    def create_service(self, nsd_id: str, name: str) -> str:
        """Create an NS instance resource; returns its id."""
        body = {"nsdId": nsd_id, "nsName": name, "nsDescription": "service under test"}
        return str(self.client.request("POST", SERVICES, body=body).expect(201).body["id"])

    def instantiate(self, service: str, body: dict[str, Any]) -> Answer:
        """Ask for the instantiation of an NS instance."""
        return self.client.request("POST", f"{SERVICES}/{service}/instantiate", body=body)

    def update(self, service: str, body: dict[str, Any]) -> Answer:
        """Ask for an update of an NS instance (CHANGE_VNFPKG among others)."""
        return self.client.request("POST", f"{SERVICES}/{service}/update", body=body)

    def terminate(self, service: str) -> Answer:
        """Ask for the termination of an NS instance."""
        return self.client.request("POST", f"{SERVICES}/{service}/terminate", body={})

    def delete_service(self, service: str) -> Answer:
        """Delete the resource of a terminated NS instance."""
        return self.client.request("DELETE", f"{SERVICES}/{service}")

    def service(self, service: str) -> dict[str, Any]:
        """The NS instance record."""
        return dict(self.client.request("GET", f"{SERVICES}/{service}").expect(200).body)

    def operation(self, operation: str) -> dict[str, Any]:
        """An NS operation occurrence."""
        answer = self.client.request("GET", f"{OPERATIONS}/{operation}")
        return dict(answer.expect(200).body)

    def await_operation(self, operation: str, states: set[str], *, timeout_s: float) -> dict[str, Any]:
        """The record of an NS operation as soon as it has one of the states."""
        return await_state(
            lambda: self.operation(operation), states, timeout_s=timeout_s, where=f"{self.client.base_url}{OPERATIONS}"
        )

    def subscribe(self, callback: str) -> str:
        """Subscribe to NS operation notifications; returns the subscription's path."""
        body = {
            "filter": {"notificationTypes": ["NsLcmOperationOccurrenceNotification"]},
            "callbackUri": callback,
        }
        answer = self.client.request("POST", SUBSCRIPTIONS, body=body).expect(201)
        return f"{SUBSCRIPTIONS}/{answer.body['id']}"

    def unsubscribe(self, path: str) -> None:
        """End a subscription."""
        self.client.request("DELETE", path)
