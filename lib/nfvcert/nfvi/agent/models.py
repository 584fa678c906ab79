"""What travels between an agent and its clients, and the agent's configuration. Times are CLOCK_MONOTONIC in ns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Mac = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$", to_lower=True)]
Ipv4 = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,3}){3}$")]
InterfaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$")]
Capability = Literal["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"]

ALL_CAPABILITIES: list[Capability] = ["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"]


class Model(BaseModel):
    """Base of all: unknown fields are errors, so that a typing error never passes silently."""

    model_config = ConfigDict(extra="forbid")


class AgentConfig(Model):
    """Configuration file of an agent (JSON).

    Attributes:
        name: the host's name.
        netns: the host's network namespace; the agent enters it unless it was started there.
        underlay_ip: source address of its VXLAN packets.
        observer: path of the port observer program; None: this host cannot observe.
        vcpus, ram_mb: what the host offers; the agent reports it, placement is the VIM's business.
    """

    rid: str
    name: str
    netns: str
    underlay_ip: Ipv4
    underlay_mtu: int = 1600
    socket: Path
    directory: Path
    runc_root: Path
    observer: Path | None = None
    vcpus: int = 8
    ram_mb: int = 2048


class Problem(Model):
    """Body of every answer with a status of 400 and above; the parts of :class:`nfvcert.errors.NfvcertError`."""

    what: str
    where: str = ""
    found: str = ""
    hint: str = ""


class Health(Model):
    """Answer of GET /health."""

    host: str
    rid: str
    pid: int
    netns: str
    t: int
    vcpus: int
    ram_mb: int
    observer: Literal["running", "absent", "dead"]
    limits: list[str] = Field(description="resource controllers this host can apply")


class NetworkSpec(Model):
    """A virtual network on this host; peers are the underlay addresses of the other hosts that carry it."""

    vni: int = Field(ge=1, lt=1 << 24)
    mtu: int = Field(default=1500, ge=576, le=9000)
    peers: list[Ipv4] = []


class PortSpec(Model):
    """A virtual port. It lives on its own; the interface exists while a container that has it runs.

    Attributes:
        ip, prefix: its fixed address; given to the kernel only if `kernel_address`.
    """

    network_id: Id
    mac: Mac
    ip: Ipv4 | None = None
    prefix: int = Field(default=24, ge=0, le=32)
    kernel_address: bool = False


class EndpointSpec(Model):
    """Something outside the VNF (a generator's leg, the EM's southbound interface) attached to a network here."""

    network_id: Id
    netns: str
    ifname: InterfaceName
    mac: Mac
    ip: Ipv4 | None = None
    prefix: int = Field(default=24, ge=0, le=32)


class ImageSpec(Model):
    """Where an image comes from.

    Attributes:
        path: OCI image layout, a directory or a tar archive, on this machine.
        tag: which of the images in it (annotation org.opencontainers.image.ref.name); None: the only one.
        digest: manifest digest that is expected; None: that of the address if it is a digest, else not checked.
    """

    path: Path
    tag: str | None = None
    digest: str | None = None


class Image(Model):
    """An image this host has verified and unpacked."""

    id: str
    digest: str = Field(description="manifest digest")
    architecture: str
    os: str
    size: int = Field(description="bytes of all blobs")
    args: list[str]


class Limits(Model):
    """Resource limits; None: no limit. In answers: what the kernel really applies."""

    vcpus: float | None = Field(default=None, gt=0)
    memory_mib: int | None = Field(default=None, gt=0)
    pids: int | None = Field(default=None, gt=0)


class ContainerSpec(Model):
    """A container to run.

    Attributes:
        image: id under which the image was put, or its manifest digest.
        ports: port ids in order: eth0, eth1 ..
        files: absolute path in the container -> content in base64.
        env: added to the image's environment.
        args: instead of the image's entry point and command.
        labels: free; faults select containers by them.
    """

    image: str
    ports: list[Id] = []
    limits: Limits = Limits()
    files: dict[str, str] = {}
    env: dict[str, str] = {}
    args: list[str] | None = None
    labels: dict[str, str] = {}
    capabilities: list[Capability] = list(ALL_CAPABILITIES)
    readonly: bool = True
    hostname: str | None = None


ContainerState = Literal["creating", "running", "frozen", "exited"]


class Container(Model):
    """A container as it is now; what can be read from the kernel is read from the kernel.

    Attributes:
        image: manifest digest.
        executable_sha256: digest of the file its first process executes; None when it does not run.
        start_time_ns: start of its first process (to 10 ms).
        started_ns, exited_ns: when the agent saw it start and end.
        exit_code: status, or minus the signal; None while it runs or when it is not known.
        stop_requested_ns: when a DELETE was accepted; the container is still there.
        limits: those really applied.
    """

    id: str
    labels: dict[str, str]
    image: str
    executable_sha256: str | None
    pid: int | None
    start_time_ns: int | None
    started_ns: int | None
    state: ContainerState
    exit_code: int | None = None
    exited_ns: int | None = None
    stop_requested_ns: int | None = None
    ports: list[str]
    netns: str
    limits: Limits
    cpu_ns: int | None
    memory_bytes: int | None
    log: Path


class PortCounters(Model):
    """Counted at the host side of the port; `sent` is what came out of the VNFC, `received` what went to it."""

    sent_packets: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    received_bytes: int = 0
    dropped: int = 0


class Port(Model):
    """A port as it is now. `ifname` None: no container has it at the moment."""

    id: str
    network_id: str
    mac: str
    ip: str | None
    ifname: str | None
    container: str | None
    up: bool
    counters: PortCounters | None


class Network(Model):
    """A network as it is now."""

    id: str
    vni: int
    mtu: int
    peers: list[str]
    bridge: str


class Endpoint(Model):
    """An attached endpoint; `ifname` is the host side."""

    name: str
    network_id: str
    netns: str
    ifname: str


class Inventory(Model):
    """Answer of GET /inventory; `t` is read before anything else."""

    host: str
    t: int
    containers: list[Container]
    ports: list[Port]
    networks: list[Network]
    endpoints: list[Endpoint]


class HoldStop(Model):
    """Containers with these labels go on living for `seconds` after their DELETE was accepted."""

    kind: Literal["hold_stop"] = "hold_stop"
    seconds: float = Field(gt=0)
    match: dict[str, str] = {}


class RefuseCreate(Model):
    """Creations fail: the next `count`, or those of the next `seconds`, or all until cleared."""

    kind: Literal["refuse_create"] = "refuse_create"
    seconds: float | None = Field(default=None, gt=0)
    count: int | None = Field(default=None, gt=0)
    match: dict[str, str] = {}


class Kill(Model):
    """A signal to the first process of a container."""

    kind: Literal["kill"] = "kill"
    container: Id
    signal: int = Field(default=9, ge=1, le=64)


class Freeze(Model):
    """All processes of a container stop (freeze) or go on (thaw)."""

    kind: Literal["freeze", "thaw"]
    container: Id


class PortSwitch(Model):
    """The host side of a port goes down or up."""

    kind: Literal["port_down", "port_up"]
    port: Id


Fault = Annotated[HoldStop | RefuseCreate | Kill | Freeze | PortSwitch, Field(discriminator="kind")]


class FaultRecord(Model):
    """A fault as it was put.

    Attributes:
        t: when it took effect.
        active: whether it still has an effect (those that act once have none).
        hits: how often it struck.
    """

    id: int
    t: int
    fault: Fault
    active: bool
    hits: int = 0


class DumpRequest(Model):
    """Where the observer writes what it saw; `clear`: and then starts from nothing."""

    path: Path
    clear: bool = False
