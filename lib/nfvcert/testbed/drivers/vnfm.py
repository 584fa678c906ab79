"""A VNFM through SOL003 (as the NFVO) and SOL002 (as the EM): VNF life cycle management."""

from __future__ import annotations

from typing import Any

from nfvcert.sol.http import Answer, SolClient
from nfvcert.testbed.drivers.operations import await_state

INSTANCES = "/vnflcm/v2/vnf_instances"
OPERATIONS = "/vnflcm/v2/vnf_lcm_op_occs"
SUBSCRIPTIONS = "/vnflcm/v2/subscriptions"


class Vnfm:
    """What an NFVO or EM asks of a VNFM. Refusals come back as answers, only silence and rubbish are errors."""

    def __init__(self, client: SolClient) -> None:
        self.client = client

    def instance(self, instance: str) -> dict[str, Any]:
        """A VNF instance record."""
        answer = self.client.request("GET", f"{INSTANCES}/{instance}")
        return dict(answer.expect(200).body)

    def instances(self) -> list[dict[str, Any]]:
        """All VNF instance records."""
        return list(self.client.request("GET", INSTANCES).expect(200).body)

    def task(self, instance: str, name: str, body: dict[str, Any]) -> Answer:
        """A task resource of an instance: change_vnfpkg, scale, heal, operate, terminate."""
        return self.client.request("POST", f"{INSTANCES}/{instance}/{name}", body=body)

    def operations(self, instance: str, operation: str | None = None) -> list[dict[str, Any]]:
        """Operation occurrences of an instance, found by the filter alone."""
        parts = [f"(eq,vnfInstanceId,{instance})"]
        if operation:
            parts.append(f"(eq,operation,{operation})")
        answer = self.client.request("GET", f"{OPERATIONS}?filter={';'.join(parts)}")
        return list(answer.expect(200).body)

    def operation(self, operation: str) -> dict[str, Any]:
        """An operation occurrence."""
        answer = self.client.request("GET", f"{OPERATIONS}/{operation}")
        return dict(answer.expect(200).body)

    def operation_task(self, operation: str, name: str, body: dict[str, Any] | None = None) -> Answer:
        """retry, rollback, fail or cancel of an operation."""
        return self.client.request("POST", f"{OPERATIONS}/{operation}/{name}", body=body or {})

    def await_operation(self, operation: str, states: set[str], *, timeout_s: float) -> dict[str, Any]:
        """The record of an operation as soon as it has one of the states."""
        return await_state(
            lambda: self.operation(operation), states, timeout_s=timeout_s, where=f"{self.client.base_url}{OPERATIONS}"
        )

    def subscribe(self, callback: str, *, verbosity: str | None = None) -> str:
        """Subscribe to VNF operation notifications; returns the subscription's path."""
        body: dict[str, Any] = {
            "filter": {"notificationTypes": ["VnfLcmOperationOccurrenceNotification"]},
            "callbackUri": callback,
        }
        if verbosity:
            body["verbosity"] = verbosity
        answer = self.client.request("POST", SUBSCRIPTIONS, body=body).expect(201)
        return f"{SUBSCRIPTIONS}/{answer.body['id']}"

    def unsubscribe(self, path: str) -> None:
        """End a subscription."""
        self.client.request("DELETE", path)
