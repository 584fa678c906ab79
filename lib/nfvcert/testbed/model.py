"""What a testbed file says: resources are data, nothing here connects to anything."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nfvcert.documents import read_document
from nfvcert.errors import TestbedError

Feature = Literal[
    "hosts",
    "port_observer",
    "recorded_reference_points",
    "em_migrations",
    "hold_stop",
    "kill_vnfc",
    "restart_vnfm",
    "signed_packages",
    "migration_avoidance",
]


WIRE_OVERHEAD = 20
"""Octets that a frame takes on an Ethernet wire beside its own: preamble, start of frame, gap between frames."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Host(_Strict):
    """A compute host: virtual CPUs and memory (MiB) that it offers."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,7}$")
    vcpus: int = Field(ge=1)
    ram_mb: int = Field(ge=64)


class Network(_Strict):
    """A virtual network that exists before the VNF; addresses for VNFs come from ``pool``, if given."""

    cidr: IPv4Network


class Secret(_Strict):
    """A reference to a secret, never its value: ``env:NAME`` or ``file:PATH``."""

    secret: str

    @field_validator("secret")
    @classmethod
    def _is_reference(cls, value: str) -> str:
        if not value.startswith(("env:", "file:")):
            raise ValueError("a secret is named by env:NAME or file:PATH, its value does not belong here")
        return value


class Endpoint(_Strict):
    """Where a component of a stack that is already there listens, and with which token."""

    url: str
    token: Secret | None = None


class VimEndpoint(_Strict):
    """An OpenStack identity endpoint and the project to use."""

    auth_url: str
    username: str
    project_name: str
    password: Secret


class Stack(_Strict):
    """The stack of a lab: what is reached where."""

    nfvo: Endpoint
    vnfm: Endpoint
    em: Endpoint | None = None
    vim: VimEndpoint


class EmbeddedStack(_Strict):
    """Settings of the embedded stack; databases are SQLite files of the run unless a URL is given."""

    database_url: str = ""
    require_signature: bool = True


class Traffic(_Strict):
    """Which generator offers the load, and its profile."""

    driver: Literal["embedded", "trex"]
    profile: str = "edge-gateway"
    server: str = ""


class DataplaneLoad(_Strict):
    """What the testbed's dataplane is offered at full load; a run profile may offer a share of all of it.

    ``frame`` is in octets with the frame check sequence; 64-octet frames at 1,488,095 a second fill 1 Gbit/s.
    """

    packets_per_second: int = Field(default=1_488_095, ge=1_000)
    frame: int = Field(default=64, ge=64, le=1518)
    concurrent_flows: int = Field(default=10_000, ge=10, le=1_000_000)
    new_flows_per_second: int = Field(default=2_000, ge=1)

    @property
    def bits_per_second(self) -> float:
        """The load on the wire with preamble and gap between frames."""
        return self.packets_per_second * (self.frame + WIRE_OVERHEAD) * 8.0


class DataplaneCores(_Strict):
    """Processor cores: one for the generator, one that switches and network functions share."""

    generator: int = Field(default=0, ge=0)
    device: int = Field(default=1, ge=0)


class Dataplane(_Strict):
    """Switches, servers and network functions on which dynamic scaling with migration avoidance is judged.

    ``servers`` server switches with one instance of ``function`` each stand behind one hardware switch whose table
    takes ``table_capacity`` rules; ``identity`` says from which header fields the switches compute the id of a flow.
    """

    driver: Literal["core", "openvswitch"] = "core"
    servers: int = Field(default=2, ge=2, le=16)
    table_capacity: int = Field(default=2048, ge=2)
    identity: Literal["five-tuple", "addresses", "source-port"] = "five-tuple"
    function: Literal["nat", "basic-nat", "wan-optimiser", "monitor", "qos", "load-balancer"] = "monitor"
    state_timeout_ms: int = Field(default=500, ge=10, description="a flow that is silent for longer has ended")
    move_latency_us: float = Field(
        default=500, gt=0, le=20_000, description="latency (99th percentile) that a move of state may add; declared"
    )
    load: DataplaneLoad = DataplaneLoad()
    cores: DataplaneCores = DataplaneCores()
    hugepages: bool = False

    @property
    def text(self) -> str:
        """In words, for reports."""
        switch = "Open vSwitch" if self.driver == "openvswitch" else "nfvcert's dataplane core"
        return (
            f"{switch} with a table of {self.table_capacity:,} rules, {self.servers} servers, flows told apart by "
            f"{self.identity.replace('-', ' ')}, network function {self.function}"
        )


class Testbed(_Strict):
    """A whole testbed."""

    __test__ = False

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""
    driver: Literal["embedded", "lab"]
    hosts: list[Host] = Field(default_factory=list)
    networks: dict[str, Network] = Field(default_factory=dict)
    features: list[Feature] = Field(default_factory=list)
    embedded: EmbeddedStack = EmbeddedStack()
    stack: Stack | None = None
    dataplane: Dataplane | None = None
    traffic: Traffic
    limits: list[str] = Field(default_factory=list, description="what a reader of the certificate must know")

    @property
    def has_stack(self) -> bool:
        """Whether there is a MANO stack with hosts, or a dataplane only."""
        return self.driver == "lab" or bool(self.hosts)


def read_testbed(path: Path) -> Testbed:
    """Read and check a testbed file.

    Raises:
        TestbedError: with file, line, what was found and the nearest valid name.
    """
    testbed = read_document(path, Testbed, error=TestbedError)
    if testbed.driver == "embedded" and not testbed.hosts and testbed.dataplane is None:
        raise TestbedError("an embedded testbed needs hosts", where=str(path), hint="list at least one under 'hosts'")
    if "migration_avoidance" in testbed.features and testbed.dataplane is None:
        raise TestbedError(
            "a testbed that declares migration_avoidance needs its dataplane",
            where=str(path),
            hint="add 'dataplane', or take the feature away",
        )
    plane = testbed.dataplane
    if plane is not None and plane.driver == "openvswitch" and plane.identity != "source-port":
        raise TestbedError(
            "Open vSwitch as hardware switch takes the source port for the id of a flow",
            where=str(path),
            found=f"identity: {plane.identity}",
            hint="set 'identity: source-port' under 'dataplane'",
        )
    if testbed.driver == "lab" and testbed.stack is None:
        raise TestbedError(
            "a lab testbed needs its stack", where=str(path), hint="name nfvo, vnfm and vim under 'stack'"
        )
    return testbed
