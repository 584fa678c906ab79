"""What the VIM keeps of each resource: plain data, JSON in the store, no view of any API version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def now() -> str:
    """The present time as the OpenStack services write it (UTC, whole seconds)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Record(BaseModel):
    """Common to all resources: id, name and times."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)

    id: str
    name: str = ""
    project_id: str = ""
    created_at: str = Field(default_factory=now)
    updated_at: str = Field(default_factory=now)


class Network(Record):
    """A virtual network; `vni` is its VXLAN identifier on every host."""

    vni: int
    mtu: int = 1500
    admin_state_up: bool = True
    shared: bool = False
    description: str = ""


class Subnet(Record):
    """The IPv4 addresses of a network; `last_allocated` is the address that was given last without being asked for."""

    network_id: str
    cidr: str
    gateway_ip: str | None = None
    enable_dhcp: bool = False
    allocation_pools: list[dict[str, str]] = Field(default_factory=list)
    dns_nameservers: list[str] = Field(default_factory=list)
    host_routes: list[dict[str, str]] = Field(default_factory=list)
    last_allocated: str | None = None
    description: str = ""


class Port(Record):
    """A virtual port; bound to a host while a server uses it."""

    network_id: str
    mac_address: str
    fixed_ips: list[dict[str, str]] = Field(default_factory=list)
    allowed_address_pairs: list[dict[str, str]] = Field(default_factory=list)
    device_id: str = ""
    device_owner: str = ""
    host_id: str = ""
    status: Literal["DOWN", "ACTIVE", "ERROR"] = "DOWN"
    admin_state_up: bool = True
    description: str = ""
    owned_by_server: bool = False


class Flavor(Record):
    """The size of a server: whole CPUs, memory in MiB, disk in GiB."""

    vcpus: int
    ram: int
    disk: int = 0
    extra_specs: dict[str, str] = Field(default_factory=dict)
    is_public: bool = True
    description: str | None = None


class Image(Record):
    """A software image; its content is a file of the VIM's state directory named after the id."""

    status: Literal["queued", "saving", "active", "deleted"] = "queued"
    container_format: str | None = None
    disk_format: str | None = None
    visibility: str = "shared"
    protected: bool = False
    min_disk: int = 0
    min_ram: int = 0
    size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    tags: list[str] = Field(default_factory=list)
    properties: dict[str, str] = Field(default_factory=dict)


class ServerGroup(Record):
    """Servers that a placement policy binds together."""

    policy: str
    rules: dict[str, Any] = Field(default_factory=dict)
    members: list[str] = Field(default_factory=list)


class Server(Record):
    """A server, its claim on a host and where its life cycle stands.

    `task` is Nova's task state: what is going on now, None when nothing is.
    """

    flavor_id: str
    flavor_name: str
    vcpus: int
    ram: int
    disk: int = 0
    extra_specs: dict[str, str] = Field(default_factory=dict)
    image_id: str
    ports: list[str] = Field(default_factory=list)
    group_id: str | None = None
    user_data: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    key_name: str | None = None
    availability_zone: str = "nova"
    forced_host: str | None = None
    host: str | None = None
    vm_state: Literal["building", "active", "stopped", "error"] = "building"
    task: str | None = "scheduling"
    fault: dict[str, Any] | None = None
    launched_at: str | None = None
    description: str | None = None
