"""The agents of a running NFVI, by what can be seen of them from outside."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from remaining import remains
from scratchimage import ScratchImage

from nfvcert.nfvi import namespaces, procfs
from nfvcert.nfvi.agent.models import (
    Container,
    ContainerSpec,
    EndpointSpec,
    Freeze,
    HoldStop,
    ImageSpec,
    Kill,
    Limits,
    NetworkSpec,
    PortSpec,
    PortSwitch,
    RefuseCreate,
)
from nfvcert.nfvi.calls import HostRefused, HostTrouble
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.client import AsyncHostClient, HostClient
from nfvcert.nfvi.embedded import EmbeddedNfvi, NfviSpec
from nfvcert.nfvi.names import RunId
from waiting import eventually

pytestmark = pytest.mark.privileged

OBSERVER = """#!/usr/bin/python3
import json, sys
ports = {}
for line in sys.stdin:
    request = json.loads(line)
    answer = {"ok": True}
    if request["op"] == "add": ports[request["port"]] = request["ifname"]
    elif request["op"] == "remove": ports.pop(request["port"], None)
    elif request["op"] == "counters": answer["ports"] = ports
    elif request["op"] == "dump": open(request["path"], "w").write(json.dumps(ports))
    elif request["op"] == "die": sys.exit(1)
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="module")
def nfvi(scratch: ScratchImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNfvi]:
    observer = tmp_path_factory.mktemp("observer") / "observer"
    observer.write_text(OBSERVER)
    observer.chmod(0o755)
    spec = NfviSpec([HostSpec("host1"), HostSpec("host2", vcpus=2, ram_mb=256)], observer=observer, command="tests")
    with EmbeddedNfvi.up(RunId.new(), spec) as nfvi:
        peers = [host.underlay_ip for host in nfvi.fabric.hosts]
        for host in nfvi.hosts.values():
            host.put_network("net", NetworkSpec(vni=7, peers=peers))
            host.put_image("echo", ImageSpec(path=scratch.layout, digest=scratch.digest))
        yield nfvi
    assert remains(nfvi.rid) == []


@pytest.fixture
def host1(nfvi: EmbeddedNfvi) -> Iterator[HostClient]:
    yield nfvi.hosts["host1"]
    _empty(nfvi.hosts["host1"])


@pytest.fixture
def host2(nfvi: EmbeddedNfvi) -> Iterator[HostClient]:
    yield nfvi.hosts["host2"]
    _empty(nfvi.hosts["host2"])


def _empty(host: HostClient) -> None:
    host.clear_faults()
    found = host.inventory()
    for container in found.containers:
        host.delete_container(container.id, grace_s=0)
    for port in found.ports:
        host.delete_port(port.id)
    for endpoint in found.endpoints:
        host.delete_endpoint(endpoint.name)


def _port(host: HostClient, identifier: str, ip: str) -> str:
    number = int(ip.rpartition(".")[2])
    spec = PortSpec(network_id="net", mac=f"02:00:00:00:00:{number:02x}", ip=ip, prefix=16, kernel_address=True)
    host.put_port(identifier, spec)
    return identifier


def _gone(host: HostClient, identifier: str) -> bool:
    try:
        host.get_container(identifier)
    except HostRefused as error:
        return error.status == 404
    return False


def _start(host: HostClient, identifier: str, *args: str, **more: object) -> Container:
    spec = {"image": "echo", "args": ["/bin/echo", *args] if args else None, **more}
    return host.put_container(identifier, ContainerSpec.model_validate(spec))


def test_containers_on_two_hosts_reach_each_other(host1: HostClient, host2: HostClient) -> None:
    _start(host1, "server", ports=[_port(host1, "p1", "10.80.0.1")])
    client = _start(host2, "client", "ping", "10.80.0.1", ports=[_port(host2, "p2", "10.80.0.2")])
    assert eventually(lambda: "reached" in client.log.read_text())
    assert client.log.read_text() == "reached\n"
    port = next(port for port in host1.inventory().ports if port.id == "p1")
    assert port.container == "server" and port.counters is not None
    assert port.counters.received_bytes >= 1400 and port.counters.sent_bytes >= 1400


def test_an_endpoint_outside_reaches_a_container(nfvi: EmbeddedNfvi, host1: HostClient, host2: HostClient) -> None:
    netns = nfvi.create_netns("gen")
    spec = EndpointSpec(
        network_id="net", netns=netns, ifname="acc0", mac="02:00:00:00:01:01", ip="10.80.0.9", prefix=16
    )
    host1.put_endpoint("gen-acc", spec)
    assert host1.put_endpoint("gen-acc", spec).netns == netns
    _start(host2, "server", ports=[_port(host2, "p1", "10.80.0.1")])

    def ask() -> bytes:
        import socket

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(b"hello", ("10.80.0.1", 7))
            return asking.recv(100)

    assert namespaces.run_in(netns, ask) == b"hello"
    with pytest.raises(HostRefused, match="of this run"):
        host1.put_endpoint("other", spec.model_copy(update={"netns": "nfv-zzzzzz-gen"}))


def test_the_inventory_shows_what_really_runs(host1: HostClient, scratch: ScratchImage) -> None:
    _start(host1, "c1", labels={"vdu": "lb"}, ports=[_port(host1, "p1", "10.80.0.1")])
    found = host1.inventory().containers[0]
    assert (found.id, found.labels, found.image, found.state) == ("c1", {"vdu": "lb"}, scratch.digest, "running")
    assert found.executable_sha256 == hashlib.sha256(scratch.program.read_bytes()).hexdigest()
    assert found.pid is not None and Path(f"/proc/{found.pid}").exists()
    assert found.start_time_ns is not None and found.start_time_ns <= host1.inventory().t
    host1.put_fault(Kill(container="c1", signal=9))
    assert eventually(lambda: host1.get_container("c1").exited_ns is not None)
    found = host1.inventory().containers[0]
    assert (found.state, found.exit_code, found.executable_sha256) == ("exited", -9, None)


def test_files_environment_and_exit_status(host1: HostClient) -> None:
    cat = _start(host1, "cat", "cat", "/etc/vnfc/user-data.json", files={"/etc/vnfc/user-data.json": "e30="})
    assert eventually(lambda: cat.log.read_text() == "{}")
    _start(host1, "exit", "exit", "5")
    assert eventually(lambda: host1.get_container("exit").exit_code == 5)
    assert host1.get_container("exit").state == "exited"


def test_limits_are_those_the_kernel_applies(host1: HostClient) -> None:
    applicable = host1.health().limits
    found = _start(host1, "c1", limits=Limits(vcpus=0.5, memory_mib=32, pids=8)).limits
    assert found.vcpus == (0.5 if "cpu" in applicable else None)
    assert found.memory_mib == (32 if "memory" in applicable else None)
    assert found.pids == (8 if "pids" in applicable else None)


def test_a_stop_asks_first(host1: HostClient) -> None:
    container = _start(host1, "c1")
    assert container.pid is not None
    assert host1.delete_container("c1", grace_s=10)
    assert not Path(f"/proc/{container.pid}").exists() and _gone(host1, "c1")
    assert container.netns not in namespaces.names()


def test_a_held_stop_lets_the_container_live_on(host1: HostClient) -> None:
    host1.put_fault(HoldStop(seconds=3600, match={"vdu": "worker"}))
    other = _start(host1, "other", labels={"vdu": "lb"}, ports=[_port(host1, "p0", "10.80.0.3")])
    held = _start(host1, "held", labels={"vdu": "worker"}, ports=[_port(host1, "p1", "10.80.0.1")])
    assert host1.delete_container(other.id) is True
    assert host1.delete_container("held") is False
    found = host1.get_container("held")
    assert found.state == "running" and found.stop_requested_ns is not None and found.pid == held.pid
    assert next(port for port in host1.inventory().ports if port.id == "p1").container == "held"
    with pytest.raises(HostRefused, match="exists"):
        _start(host1, "held", labels={"vdu": "worker"})
    assert [record.hits for record in host1.faults()] == [1]
    host1.clear_faults()
    assert eventually(lambda: _gone(host1, "held"))


def test_a_deletion_may_go_on_in_the_background(host1: HostClient) -> None:
    _start(host1, "c1")
    assert host1.delete_container("c1", wait=False) is False
    assert eventually(lambda: _gone(host1, "c1"))


def test_a_frozen_container_can_be_thawed_and_deleted(host1: HostClient) -> None:
    _start(host1, "c1")
    host1.put_fault(Freeze(kind="freeze", container="c1"))
    assert eventually(lambda: host1.get_container("c1").state == "frozen")
    host1.put_fault(Freeze(kind="thaw", container="c1"))
    assert eventually(lambda: host1.get_container("c1").state == "running")
    host1.put_fault(Freeze(kind="freeze", container="c1"))
    assert host1.delete_container("c1", grace_s=0)


def test_a_port_can_be_switched_off_and_on(host1: HostClient, host2: HostClient) -> None:
    _start(host1, "server", ports=[_port(host1, "p1", "10.80.0.1")])
    host1.put_fault(PortSwitch(kind="port_down", port="p1"))
    lost = _start(host2, "lost", "ping", "10.80.0.1", ports=[_port(host2, "p2", "10.80.0.2")])
    host1.inventory()
    assert not next(port for port in host1.inventory().ports if port.id == "p1").up
    assert lost.log.read_text() == ""
    host1.put_fault(PortSwitch(kind="port_up", port="p1"))
    assert eventually(lambda: lost.log.read_text() == "reached\n")


def test_creations_are_refused_as_often_as_told(host1: HostClient) -> None:
    host1.put_fault(RefuseCreate(count=1))
    with pytest.raises(HostTrouble, match="refuses") as refused:
        _start(host1, "c1")
    assert refused.value.status == 503
    assert _start(host1, "c1").state == "running"


def test_a_container_that_cannot_start_leaves_nothing(nfvi: EmbeddedNfvi, host1: HostClient) -> None:
    with pytest.raises(HostTrouble, match="runc cannot start"):
        host1.put_container(
            "c1", ContainerSpec(image="echo", args=["/no/such"], ports=[_port(host1, "p1", "10.80.0.1")])
        )
    assert _gone(host1, "c1")
    assert [name for name in namespaces.names() if name.startswith(f"nfv-{nfvi.rid}-c")] == []
    assert host1.inventory().ports[0].container is None
    assert _start(host1, "c1", ports=["p1"]).ports == ["p1"]


def test_the_same_request_again_changes_nothing(host1: HostClient) -> None:
    first, again = _start(host1, "c1"), _start(host1, "c1")
    assert first.pid == again.pid
    with pytest.raises(HostRefused) as conflict:
        _start(host1, "c1", labels={"another": "one"})
    assert conflict.value.status == 409


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"image": "no"}, 404),
        ({"image": "echo", "ports": ["no"]}, 404),
        ({"image": "echo", "capabilities": ["X"]}, 422),
    ],
)
def test_what_cannot_be_created_is_said(host1: HostClient, spec: dict[str, object], status: int) -> None:
    with pytest.raises(HostRefused) as refused:
        host1.put_container("c1", ContainerSpec.model_construct(**spec))  # type: ignore[arg-type]
    assert refused.value.status == status


def test_networks_and_ports_keep_their_rules(nfvi: EmbeddedNfvi, host1: HostClient) -> None:
    with pytest.raises(HostRefused, match="in use"):
        host1.put_network("other", NetworkSpec(vni=7))
    with pytest.raises(HostRefused, match="keeps its VNI"):
        host1.put_network("net", NetworkSpec(vni=8))
    with pytest.raises(HostRefused, match="MTU"):
        host1.put_network("jumbo", NetworkSpec(vni=9, mtu=1600))
    _port(host1, "p1", "10.80.0.1")
    with pytest.raises(HostRefused, match="is another one"):
        _port(host1, "p1", "10.80.0.2")
    with pytest.raises(HostRefused, match="in use"):
        host1.delete_network("net")
    host1.put_network("more", NetworkSpec(vni=10, peers=["10.254.0.2"]))
    assert host1.put_network("more", NetworkSpec(vni=10, peers=["10.254.0.1", "10.254.0.9"])).peers == ["10.254.0.9"]
    host1.delete_network("more")
    assert [network.id for network in host1.inventory().networks] == ["net"]


def test_a_deleted_port_goes_from_a_running_container(host1: HostClient) -> None:
    _start(host1, "c1", ports=[_port(host1, "p1", "10.80.0.1")])
    host1.delete_port("p1")
    assert host1.inventory().ports == []
    assert host1.get_container("c1").state == "running"


def test_ports_are_observed_while_they_are_attached(host1: HostClient, tmp_path: Path) -> None:
    _start(host1, "c1", ports=[_port(host1, "p1", "10.80.0.1")])
    ifname = host1.inventory().ports[0].ifname
    assert host1.observation_counters()["ports"] == {"p1": ifname}
    host1.dump_observations(tmp_path / "dump", clear=True)
    assert "p1" in (tmp_path / "dump").read_text()
    host1.delete_container("c1")
    assert host1.observation_counters()["ports"] == {}
    assert host1.health().observer == "running"


def test_another_agent_takes_the_containers_over(nfvi: EmbeddedNfvi, host2: HostClient) -> None:
    before = _start(host2, "c1", labels={"a": "b"}, ports=[_port(host2, "p1", "10.80.0.1")])
    nfvi.restart_agent("host2")
    host = nfvi.hosts["host2"]
    found = host.get_container("c1")
    assert (found.pid, found.state, found.labels) == (before.pid, "running", {"a": "b"})
    assert host.inventory().ports[0].container == "c1"
    assert host.observation_counters()["ports"] == {"p1": host.inventory().ports[0].ifname}
    assert host.inventory().networks[0].id == "net"
    _start(host, "c2")
    assert host.delete_container("c1", grace_s=5)
    _empty(host)


def test_another_agent_clears_away_what_was_half_made(nfvi: EmbeddedNfvi, host2: HostClient) -> None:
    whole = _start(host2, "half", ports=[_port(host2, "p1", "10.80.0.1")])
    bundle = nfvi.directory.host("host2").bundles / "half"
    (bundle / "record.json").unlink()
    nfvi.restart_agent("host2")
    host = nfvi.hosts["host2"]
    assert host.inventory().containers == [] and not bundle.exists()
    assert host.inventory().ports[0].container is None
    assert whole.netns not in namespaces.names() and whole.pid is not None
    left = procfs.stat(whole.pid)
    assert left is None or not left.alive
    assert _start(host, "half", ports=["p1"]).state == "running"
    _empty(host)


async def _health_of(socket: Path) -> str:
    async with AsyncHostClient(socket) as client:
        return (await client.health()).host


def test_the_asynchronous_client_speaks_to_the_same_agent(nfvi: EmbeddedNfvi) -> None:
    import asyncio

    assert asyncio.run(_health_of(nfvi.agent_socket("host1"))) == "host1"
    found = nfvi.hosts["host2"].health()
    assert (found.vcpus, found.ram_mb, found.rid) == (2, 256, nfvi.rid)
    assert found.pid != os.getpid()
