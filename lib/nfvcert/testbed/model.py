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
]


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
    traffic: Traffic
    limits: list[str] = Field(default_factory=list, description="what a reader of the certificate must know")


def read_testbed(path: Path) -> Testbed:
    """Read and check a testbed file.

    Raises:
        TestbedError: with file, line, what was found and the nearest valid name.
    """
    testbed = read_document(path, Testbed, error=TestbedError)
    if testbed.driver == "embedded" and not testbed.hosts:
        raise TestbedError("an embedded testbed needs hosts", where=str(path), hint="list at least one under 'hosts'")
    if testbed.driver == "lab" and testbed.stack is None:
        raise TestbedError(
            "a lab testbed needs its stack", where=str(path), hint="name nfvo, vnfm and vim under 'stack'"
        )
    return testbed
