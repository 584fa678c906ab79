"""Who is linked with whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.dataplane.openvswitch import QUEUES
from nfvcert.errors import UsageError
from nfvcert.testbed.dataplane.layout import CONTROLLER, SWITCH, Layout
from nfvcert.testbed.dataplane.setup import Setup
from nfvcert.testbed.model import Dataplane

FOLDER = Path("/run/nfvcert/ab12/dataplane")


def layout(**setup: object) -> Layout:
    return Layout(FOLDER, Dataplane(), Setup(**setup))  # type: ignore[arg-type]


@given(servers=st.integers(1, 16), places=st.integers(1, 4))
def test_every_link_has_one_end_that_serves_and_one_that_connects(servers: int, places: int) -> None:
    found = layout(servers=servers, instances_per_server=places)
    ends: dict[str, list[tuple[int, str]]] = {}
    for position, name in enumerate(found.polling):
        for port in found.configuration(name)["ports"].values():
            values = dict(part.split("=") for part in port.removeprefix("memif:").split(","))
            ends.setdefault(values["socket"], []).append((position, values["role"]))
    assert len(ends) == 2 + servers + servers * places
    for both in ends.values():
        assert [role for _, role in sorted(both)] == ["server", "client"], "the end nearer to the generator serves"


def test_instances_have_numbers_of_their_own_first_one_on_each_server() -> None:
    assert layout(servers=2, instances_per_server=2).instances == {"s1/v1": 1, "s2/v1": 2, "s1/v2": 3, "s2/v2": 4}


def test_servers_know_each_other_and_the_switch_knows_all() -> None:
    found = layout(servers=3)
    assert found.configuration("s2")["peers"] == {"s1": "02:4e:46:01:00:01", "s3": "02:4e:46:01:00:03"}
    assert found.configuration("switch")["servers"] == {f"s{n}": f"02:4e:46:01:00:0{n}" for n in (1, 2, 3)}


def test_the_testbed_holds_where_the_scenario_says_nothing() -> None:
    settings = Dataplane(servers=4, table_capacity=512, identity="addresses", state_timeout_ms=150)
    found = Layout(FOLDER, settings, Setup(switch={"rule_delay_us": 10_000}))
    switch = found.configuration("switch")
    assert (switch["capacity"], switch["identity"], switch["rule_delay_us"]) == (512, "addresses", 10_000)
    assert found.configuration("s4")["idle_timeout_ms"] == 150
    assert Layout(FOLDER, settings, Setup(table_capacity=64)).configuration("switch")["capacity"] == 64


def test_the_controller_is_told_a_relay_in_the_place_of_a_component() -> None:
    told = layout(relays={"switch": "/run/relay", "s2/v1": "/run/other"}, controller={"quota": 148})
    document = told.controller_configuration(FOLDER / "journal", 0, None)
    assert document["switch"]["control"] == "/run/relay"
    assert document["servers"]["s1"]["control"] == str(FOLDER / "s1.ctl")
    assert document["servers"]["s2"]["instances"]["v1"] == {"control": "/run/other", "number": 2}
    assert document["quota"] == 148


def test_instances_that_translate_have_an_address_each_that_their_server_knows() -> None:
    found = layout(servers=2, function="nat", addresses={"s1/v1": "192.0.2.1", "s2/v1": "192.0.2.2"})
    assert found.configuration("s2")["addresses"] == {"v1": ["192.0.2.2"]}
    assert found.configuration("s2/v1")["parameters"] == {"external": "192.0.2.2"}
    assert "addresses" not in layout(servers=2).configuration("s1")


def test_switches_share_a_core_and_instances_that_of_the_generator() -> None:
    found = layout(servers=2)
    cores = {name: found.configuration(name)["core"] for name in found.polling}
    assert cores == {"generator": 0, "switch": 1, "s1": 1, "s2": 1, "s1/v1": 0, "s2/v1": 0}
    assert found.names[-1] == CONTROLLER


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="1 to 16 servers"):
        layout(servers=17)
    with pytest.raises(UsageError, match="too long for sockets"):
        Layout(Path("/run") / ("x" * 100), Dataplane(), Setup())


BRIDGED = {"driver": "openvswitch", "identity": "source-port"}


@given(servers=st.integers(1, 16))
def test_open_vswitch_serves_all_its_links_and_starts_first(servers: int) -> None:
    found = layout(servers=servers, **BRIDGED)
    assert found.names[0] == SWITCH
    assert SWITCH not in found.polling
    specs = {
        (name, port): dict(part.split("=") for part in text.removeprefix("memif:").split(","))
        for name in found.polling
        for port, text in found.configuration(name)["ports"].items()
    }
    ends = {spec["socket"]: spec for spec in specs.values() if spec["role"] == "client" and "rx_queues" in spec}
    assert set(ends) == {str(found.socket(port)) for port in found.switch_ports}
    assert all(spec["rx_queues"] == str(QUEUES) for spec in ends.values())


def test_the_controller_is_told_the_bridge_and_its_ports() -> None:
    told = layout(**BRIDGED).controller_configuration(FOLDER / "journal", 0, None)["switch"]
    ports = {"source": 1, "sink": 2, "s1": 3, "s2": 4}
    assert told == {"driver": "openvswitch", "control": str(FOLDER / "switch.mgmt"), "ports": ports}


def test_what_open_vswitch_cannot_is_refused() -> None:
    with pytest.raises(UsageError, match="identity: source-port"):
        layout(driver="openvswitch")
    with pytest.raises(UsageError, match="rule_delay_us"):
        layout(**BRIDGED, switch={"rule_delay_us": 1})
