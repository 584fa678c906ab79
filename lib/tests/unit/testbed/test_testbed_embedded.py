"""Parts of the embedded testbed that need no privileges: addresses, layout, supervisor, signers, processes."""

from __future__ import annotations

import datetime
import json
import socket
import stat
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.errors import StackError, TestbedError
from nfvcert.testbed.embedded.addresses import NetworkPlan, free_ports
from nfvcert.testbed.embedded.layout import (
    COMPONENTS,
    REFERENCE_POINTS,
    Ports,
    choose_ports,
    component_specs,
    witness_spec,
)
from nfvcert.testbed.embedded.processes import ComponentSpec, Processes
from nfvcert.testbed.embedded.signers import make_signer
from nfvcert.testbed.embedded.supervisor import Supervisor, ask_restart
from nfvcert.testbed.model import EmbeddedStack, Host
from nfvcert.testbed.witness.models import WitnessConfig

# addresses


@given(st.integers(0, 255), st.integers(0, 255))
def test_addresses_lie_in_their_network(third: int, fourth: int) -> None:
    plan = NetworkPlan("access", IPv4Network("198.18.0.0/16"))
    assert plan.address(third, fourth) == f"198.18.{third}.{fourth}"


def test_the_pool_of_the_vim() -> None:
    assert NetworkPlan("mgmt", IPv4Network("10.64.0.0/16")).pool == ("10.64.2.1", "10.64.2.254")


def test_free_ports_are_free_and_differ() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


# layout


@pytest.fixture
def ports() -> Ports:
    return Ports(
        {name: 1000 + i for i, name in enumerate(COMPONENTS)},
        {name: 2000 + i for i, name in enumerate(REFERENCE_POINTS)},
        3000,
        3001,
    )


def specs(ports: Ports, tmp_path: Path, settings: EmbeddedStack | None = None) -> dict[str, ComponentSpec]:
    found = component_specs(
        ports,
        state_dir=tmp_path,
        settings=settings or EmbeddedStack(),
        hosts=[(Host(name="host1", vcpus=4, ram_mb=512), tmp_path / "host1.sock", "10.254.0.1")],
        password="s3cret",
        southbound_netns="nfv-abcdef-em",
        trusted_certificates=[tmp_path / "vendor.pem"],
        extensions={"vnfm": tmp_path / "defect.py"},
    )
    return {spec.name: spec for spec in found}


def test_ports_are_chosen_once_for_everybody() -> None:
    ports = choose_ports()
    everything = [*ports.component.values(), *ports.reference_point.values(), ports.control, ports.sink]
    assert len(set(everything)) == len(COMPONENTS) + len(REFERENCE_POINTS) + 2


def test_the_witness_sits_on_every_reference_point(ports: Ports, tmp_path: Path) -> None:
    config = WitnessConfig.model_validate(witness_spec(ports, tmp_path).config)
    assert {listener.name: (listener.port, listener.upstream) for listener in config.listeners} == {
        name: (ports.reference_point[name], ports.url(component)) for name, component in REFERENCE_POINTS.items()
    }
    assert (config.control_port, config.sink_port) == (3000, 3001)


def test_no_component_reaches_another_but_through_the_witness(ports: Ports, tmp_path: Path) -> None:
    """What is not recorded cannot be judged; only the VIM is spoken to directly."""
    recorded = {ports.recorded(point) for point in REFERENCE_POINTS}
    for name, spec in specs(ports, tmp_path).items():
        peers = spec.config.get("peers", {})
        assert {url for url in peers.values() if isinstance(url, str)} <= recorded
        if name != "vim":
            assert spec.config["public_url"] in recorded


def test_where_peers_are_found(ports: Ports, tmp_path: Path) -> None:
    found = specs(ports, tmp_path)
    assert found["nfvo"].config["peers"] == {"vnfm": ports.recorded("or-vnfm")}
    assert found["em"].config["peers"] == {"vnfm": ports.recorded("ve-vnfm-vnfm")}
    assert found["vnfm"].config["peers"]["em"] == ports.recorded("ve-vnfm-em")
    assert found["vnfm"].config["peers"]["nfvo"] == ports.recorded("or-vnfm-nfvo")
    vim = found["vnfm"].config["peers"]["vim"]
    assert vim == {
        "auth_url": f"{ports.url('vim')}/identity/v3",
        "username": "nfvcert",
        "password": "s3cret",
        "project_name": "nfvcert",
    }
    assert found["vim"].config["user"]["password"] == "s3cret"
    assert found["vim"].config["hosts"][0]["underlay_ip"] == "10.254.0.1"


def test_settings_reach_the_components(ports: Ports, tmp_path: Path) -> None:
    settings = EmbeddedStack(database_url="postgresql://db/{component}", require_signature=False)
    found = specs(ports, tmp_path, settings)
    assert {name: spec.config["database_url"] for name, spec in found.items()} == {
        name: f"postgresql://db/{name}" for name in COMPONENTS
    }
    assert found["nfvo"].config["require_signature"] is False
    assert "database_url" not in specs(ports, tmp_path)["nfvo"].config


def test_an_extension_is_for_its_component_only(ports: Ports, tmp_path: Path) -> None:
    found = specs(ports, tmp_path)
    assert {name for name, spec in found.items() if spec.extension} == {"vnfm"}
    assert found["vnfm"].extension == tmp_path / "defect.py"


# supervisor


ASKED: list[tuple[str, float]] = []


def restart(component: str, down_s: float) -> tuple[int, int]:
    """Stands for the processes of the stack."""
    ASKED.append((component, down_s))
    if component == "nobody":
        raise StackError("there is no such component")
    return 100, 200


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    running = Supervisor(tmp_path_factory.mktemp("run") / "supervisor.sock", restart)
    yield running
    running.stop()


@pytest.fixture
def supervisor(serving: Supervisor) -> Supervisor:
    ASKED.clear()
    return serving


def test_a_component_is_restarted_on_order(supervisor: Supervisor) -> None:
    assert ask_restart(supervisor.path, "vnfm", 0.5) == (100, 200)
    assert ASKED == [("vnfm", 0.5)]


def test_a_restart_that_fails_is_told(supervisor: Supervisor) -> None:
    with pytest.raises(TestbedError, match="the nobody could not be restarted") as raised:
        ask_restart(supervisor.path, "nobody", 0)
    assert "there is no such component" in raised.value.found


@pytest.mark.parametrize("order", [b"rubbish\n", b"{}\n", b"[]\n", b'{"restart": "vnfm", "down_s": "soon"}\n', b"\n"])
def test_rubbish_is_answered_and_the_next_order_taken(order: bytes, supervisor: Supervisor) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(supervisor.path))
        connection.sendall(order)
        answer = json.loads(connection.makefile().readline())
    assert "not an order" in answer["error"]
    assert ASKED == []
    assert ask_restart(supervisor.path, "em", 0) == (100, 200)


def test_orders_come_from_several_at_once(supervisor: Supervisor) -> None:
    threads = [threading.Thread(target=ask_restart, args=(supervisor.path, "em", 0.0)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ASKED) == 4


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="the holder of the testbed does not answer"):
        ask_restart(tmp_path / "nothing.sock", "vnfm", 0)


# signers


def test_a_signer_is_valid_for_a_day_and_its_key_is_private(tmp_path: Path) -> None:
    files = make_signer(tmp_path, "signer")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    encoding = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert key.public_key().public_bytes(*encoding) == certificate.public_key().public_bytes(*encoding)
    assert "signer" in certificate.subject.rfc4514_string()
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc - now <= datetime.timedelta(days=1)
    certificate.verify_directly_issued_by(certificate)


# processes


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    running = Processes(tmp_path, tmp_path)
    yield running
    running.stop()


def test_a_component_that_dies_is_named_with_the_end_of_its_log(processes: Processes) -> None:
    port = free_ports(1)[0]
    processes.start(ComponentSpec("vnfm", "nfvcert.reference.nothing", {}, f"http://127.0.0.1:{port}/health"))
    with pytest.raises(StackError, match="the vnfm died") as raised:
        processes.await_ready("vnfm")
    assert "nfvcert.reference.nothing" in raised.value.found


def test_a_component_is_killed_and_comes_back_at_the_same_place(processes: Processes, tmp_path: Path) -> None:
    control, sink = free_ports(2)
    config = WitnessConfig(listeners=[], control_port=control, sink_port=sink)
    spec = ComponentSpec(
        "witness", "nfvcert.testbed.witness", config.model_dump(), f"http://127.0.0.1:{control}/health"
    )
    processes.start(spec)
    processes.await_ready()
    processes.check("witness")
    assert stat.S_IMODE((tmp_path / "witness.json").stat().st_mode) == 0o600
    down, up = processes.restart("witness", 0.0)
    assert down < up
    processes.check("witness")
