"""The world of synthetic histories: VNFCs and operations over time, and the records that interfaces give of them.

Times are seconds since the scenario began.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any, Literal

from nfvcert.checkers import Declared, Version

SECOND = 1_000_000_000
BASE_NS = 6_000 * SECOND
EPOCH = datetime.datetime(2026, 11, 21, 5, 33, tzinfo=datetime.UTC)

OLD_VNFD, NEW_VNFD, TWIN_VNFD = "vnfd-old", "vnfd-new", "vnfd-twin"
INSTANCE, SERVICE = "vnf-1", "ns-1"
LB_DIGEST, OLD_DIGEST, NEW_DIGEST = "1b" * 32, "01" * 32, "02" * 32
FEATURES = [
    "hosts",
    "port_observer",
    "recorded_reference_points",
    "em_migrations",
    "hold_stop",
    "kill_vnfc",
    "restart_vnfm",
    "signed_packages",
]
NETWORKS = {"lb": ("access", "internal", "mgmt"), "worker": ("internal", "external", "mgmt")}


def ns(seconds: float) -> int:
    """CLOCK_MONOTONIC (ns) at a time of the story."""
    return BASE_NS + round(seconds * SECOND)


def wall(seconds: float) -> str:
    """The same as RFC 3339."""
    return (EPOCH + datetime.timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def policy(name: str, steps: list[int], vnfcs: int, decision: str = "administrator") -> dict[str, Any]:
    """A policy as the metadata of the sample have it, with its name as coordinations carry it."""
    return {
        "name": name,
        "method": "coexistence",
        "steps": steps,
        "observe_s": 2.0,
        "decision": decision,
        "additional_resources": {"vnfcs": vnfcs, "vcpus": float(vnfcs), "memory_mib": 64.0 * vnfcs, "ports": 3 * vnfcs},
        "drain": {"idle_s": 0.3, "timeout_s": 1.5, "remaining": "move_with_state"},
    }


STAGED, FRUGAL = policy("staged", [10, 30, 100], 2), policy("frugal", [50, 100], 1)


def declared() -> Declared:
    """What the sample drop and the embedded testbed declare."""

    def version(vnfd_id: str, number: str, digest: str) -> Version:
        return Version(
            vnfd_id=vnfd_id,
            software_version=number,
            descriptor_version=number,
            provider="nfvcert samples",
            product="edge-gateway",
            executables={"lb": [LB_DIGEST], "worker": [digest]},
            instances={"lb": 1, "worker": 2},
        )

    parameters = {
        "stateful_loss": 0,
        "lost_sessions": 0,
        "reordered": 0,
        "step_tolerance": 2,
        "observe": 3,
        "kpi": {"loss_ratio": 0.001, "p99_latency_ratio": 1.2},
        "min_capacity": 1.0,
        "notify_delay": 5,
        "query_time": 1000,
        "sync_time": 10,
        "rollback_time": 60,
    }
    return Declared(
        in_service=version(OLD_VNFD, "1.0.0", OLD_DIGEST),
        candidate=version(NEW_VNFD, "2.0.0", NEW_DIGEST),
        modification={
            "type": "component_upgrade",
            "images": [{"vdu": "worker", "source": "worker-1.0.0", "destination": "worker-2.0.0"}],
            "default_policy": "staged",
            "policies": {"staged": STAGED, "frugal": FRUGAL},
            "wire_marker": {"field": "ipv4.dscp", "source": 0, "destination": 18},
        },
        parameters=parameters,
        parameter_sources=dict.fromkeys(parameters, "declared by the drop"),
        features=FEATURES,
        drop_features=["coexistence", "coordination", "em_decision", "load_sharing", "policies", "rollback"],
    )


@dataclass
class Vnfc:
    """A VNFC that runs from ``start`` until ``end``; new users are sent to it between ``serves`` and ``retired``."""

    name: str
    vdu: Literal["lb", "worker"]
    generation: Literal["old", "new"]
    start: float
    end: float = float("inf")
    serves: float = 0.0
    retired: float = float("inf")
    main: bool = True

    @property
    def server(self) -> str:
        """Id at the VIM."""
        return f"server-{self.name}"

    @property
    def record(self) -> str:
        """Id in the VNF instance record."""
        return f"vnfc-{self.name}"

    @property
    def ports(self) -> list[str]:
        """Ids of the virtual ports in order."""
        return [f"port-{self.name}-{network}" for network in NETWORKS[self.vdu]]

    @property
    def digest(self) -> str:
        """What its host sees it run."""
        return LB_DIGEST if self.vdu == "lb" else OLD_DIGEST if self.generation == "old" else NEW_DIGEST

    @property
    def image(self) -> str:
        """What the VIM started it from."""
        return "lb-1.0.0" if self.vdu == "lb" else "worker-1.0.0" if self.generation == "old" else "worker-2.0.0"

    def alive(self, t: float) -> bool:
        """Whether it runs then."""
        return self.start <= t < self.end

    def container(self, t: float) -> dict[str, Any]:
        """As an agent lists it."""
        return {
            "id": self.server,
            "executable_sha256": self.digest,
            "pid": 1000 + sum(self.name.encode()),
            "start_time_ns": ns(self.start),
            "state": "running",
            "ports": self.ports,
            "limits": {"vcpus": 1.0, "memory_mib": 64, "pids": None},
        }


@dataclass
class Operation:
    """A change of package at the VNFM with the states that it enters."""

    label: str
    target: str
    states: list[tuple[float, str]] = field(default_factory=list)
    pending_cancel: tuple[float, float] | None = None
    subscribed: bool = True

    @property
    def id(self) -> str:
        """Id of the operation occurrence."""
        return f"vnf-op-{self.label}"

    def entered(self, t: float) -> tuple[float, str] | None:
        """The state at a time with the time at which it was entered."""
        return next((state for state in reversed(self.states) if state[0] <= t), None)


class World:
    """What is so in one scenario, and when."""

    def __init__(self) -> None:
        self.vnfcs: list[Vnfc] = []
        self.operations: dict[str, Operation] = {}
        self.committed: list[tuple[float, str]] = [(0.0, OLD_VNFD)]
        self.usage: list[tuple[float, dict[str, str]]] = []
        self.shares: list[tuple[float, float]] = [(0.0, 0.0)]

    def vnfc(self, name: str) -> Vnfc:
        """A VNFC by name."""
        return next(vnfc for vnfc in self.vnfcs if vnfc.name == name)

    def instance(self, t: float) -> dict[str, Any]:
        """The VNF instance record."""
        vnfd_id = [vnfd for since, vnfd in self.committed if since <= t][-1]
        running = [vnfc for vnfc in self.vnfcs if vnfc.main and vnfc.alive(t)]
        number = "1.0.0" if vnfd_id == OLD_VNFD else "2.0.0"
        return {
            "id": INSTANCE,
            "vnfdId": vnfd_id,
            "vnfProvider": "nfvcert samples",
            "vnfProductName": "edge-gateway",
            "vnfSoftwareVersion": number,
            "vnfdVersion": number,
            "instantiationState": "INSTANTIATED",
            "instantiatedVnfInfo": {
                "scaleStatus": [{"aspectId": "workers", "scaleLevel": len(running) - 2}],
                "vnfcResourceInfo": [
                    {
                        "id": vnfc.record,
                        "vduId": vnfc.vdu,
                        "vnfdId": vnfd_id if vnfc.vdu == "lb" else OLD_VNFD if vnfc.generation == "old" else NEW_VNFD,
                        "computeResource": {"resourceId": vnfc.server},
                    }
                    for vnfc in running
                ],
            },
        }

    def records(self, t: float) -> dict[str, Any]:
        """What a snapshot holds."""
        instance = self.instance(t)
        identity = ("id", "vnfdId", "vnfProvider", "vnfProductName", "vnfSoftwareVersion", "vnfdVersion")
        alive = [vnfc for vnfc in self.vnfcs if vnfc.alive(t)]
        share = [share for since, share in self.shares if since <= t][-1]
        return {
            "vnf_instance": instance,
            "vnf_instance_as_em": self.instance(t),
            "ns_instance": {"id": SERVICE, "vnfInstance": [{name: instance[name] for name in identity}]},
            "packages": self.packages(t),
            "shares": {vnfd: value for vnfd, value in ((OLD_VNFD, 100 - share), (NEW_VNFD, share)) if value},
            "servers": [
                {"id": vnfc.server, "name": vnfc.name, "status": "ACTIVE", "image": vnfc.image} for vnfc in alive
            ],
            "ports": [
                {"id": port, "name": port, "network_id": network, "device_id": vnfc.server, "mac": ""}
                for vnfc in alive
                for port, network in zip(vnfc.ports, NETWORKS[vnfc.vdu], strict=True)
            ],
        }

    def packages(self, t: float) -> dict[str, Any]:
        """Package resources by vnfdId."""
        vnfd_id = [vnfd for since, vnfd in self.committed if since <= t][-1]
        usage = {OLD_VNFD: "NOT_IN_USE", NEW_VNFD: "NOT_IN_USE", vnfd_id: "IN_USE"}
        usage |= next((told for since, told in reversed(self.usage) if since <= t), {})
        return {vnfd: {"vnfdId": vnfd, "usageState": state} for vnfd, state in usage.items()}

    def affected(self, operation: Operation, t: float) -> list[dict[str, Any]]:
        """What an operation has added and removed until then."""
        begun, t = operation.states[0][0], min(t, operation.states[-1][0])
        found = []
        for vnfc in (vnfc for vnfc in self.vnfcs if vnfc.main and vnfc.vdu == "worker"):
            for moment, kind in ((vnfc.start, "ADDED"), (vnfc.end, "REMOVED")):
                if begun <= moment <= t:
                    found.append(
                        {"id": vnfc.record, "changeType": kind, "computeResource": {"resourceId": vnfc.server}}
                    )
        return found

    def operation_record(self, operation: Operation, t: float) -> dict[str, Any] | None:
        """An operation occurrence as it is read; None before it exists."""
        entered = operation.entered(t)
        if entered is None:
            return None
        pending = operation.pending_cancel
        record: dict[str, Any] = {
            "id": operation.id,
            "operationState": entered[1],
            "stateEnteredTime": wall(entered[0]),
            "startTime": wall(operation.states[0][0]),
            "vnfInstanceId": INSTANCE,
            "operation": "CHANGE_VNFPKG",
            "isCancelPending": pending is not None and pending[0] <= t < pending[1],
            "resourceChanges": {"affectedVnfcs": self.affected(operation, t)},
        }
        if entered[1] in ("FAILED_TEMP", "FAILED", "ROLLED_BACK"):
            record["error"] = {"title": "stopped", "status": 409, "detail": "stopped on order"}
        return record
