"""The driver of Open vSwitch against the real daemons: a limited table, atomic changes, owners, a restart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nfvcert.dataplane.control import ControlLost
from nfvcert.dataplane.identity import IDS, Identity, flow
from nfvcert.dataplane.openvswitch import MemifPort, OpenVSwitchDaemons
from nfvcert.dataplane.openvswitch import daemons as started
from nfvcert.dataplane.ranges import upper_part
from nfvcert.dataplane.rules import Change, FlowRule, RangeRule, Rule, change, rule_set
from nfvcert.dataplane.switch import SwitchRefused
from nfvcert.dataplane.switch.access import SwitchAccess
from nfvcert.dataplane.switch.openvswitch import OpenVSwitch
from nfvcert.dataplane.switch.pipeline import RULES
from nfvcert.errors import NfvcertError, TestbedError, UsageError
from nfvcert.nfvi import namespaces, procfs
from nfvcert.nfvi.names import RunId
from nfvcert.traffic.programs import ProgramMissing, require
from waiting import eventually

CAPACITY = 2048
PORTS = {"source": 1, "sink": 2, "s1": 3, "s2": 4}
BRIDGE = "switch"


HOLDER = """
import sys, time
from pathlib import Path
from nfvcert.dataplane.openvswitch import OpenVSwitchDaemons
OpenVSwitchDaemons(Path(sys.argv[1]), polling_core=0, most_ports=0, netns=sys.argv[2]).start()
print("up", flush=True)
time.sleep(30)
"""
"""Starts the daemons and ends without a chance to end them."""


@contextmanager
def namespace() -> Iterator[str]:
    """A network namespace: Open vSwitch makes interfaces, which two in one namespace would not get."""
    try:
        require(started.DAEMON, started.PACKAGE)
    except ProgramMissing as missing:
        pytest.skip(missing.message)
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    name = RunId.new().netns("switch")
    namespaces.create(name)
    yield name
    namespaces.remove(name)


@pytest.fixture(scope="module")
def netns() -> Iterator[str]:
    """The network namespace of the daemons that the tests share."""
    with namespace() as name:
        yield name


@pytest.fixture
def own_netns() -> Iterator[str]:
    """A network namespace for daemons that one test starts."""
    with namespace() as name:
        yield name


@pytest.fixture(scope="module")
def daemons(netns: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenVSwitchDaemons]:
    """Real daemons with one bridge and a limited table; without ports no thread polls."""
    folder = tmp_path_factory.mktemp("ovs")
    running = OpenVSwitchDaemons(folder, polling_core=0, most_ports=0, netns=netns)
    try:
        running.start()
        running.add_bridge(BRIDGE, [])
        running.limit_table(BRIDGE, RULES, CAPACITY)
        yield running
    finally:
        running.close()


@pytest.fixture
def access(daemons: OpenVSwitchDaemons) -> SwitchAccess:
    """The bridge with empty tables."""
    daemons.replace_flows(BRIDGE, [])
    return SwitchAccess(driver="openvswitch", control=daemons.socket(BRIDGE), ports=PORTS)


@pytest.fixture
def switch(access: SwitchAccess) -> Iterator[OpenVSwitch]:
    """Driven for the controller."""
    driver = access.drive("nfvcert", Identity.SOURCE_PORT)
    assert isinstance(driver, OpenVSwitch)
    yield driver
    driver.close()


def exception(number: int, port: str = "s1") -> FlowRule:
    return FlowRule(flow(0xC6120001 + number, 0xC6130001, 1024 + number % 60000, 9, 17, Identity.SOURCE_PORT), port)


def inside(netns: str) -> set[int]:
    """The processes of a network namespace."""
    wanted = namespaces.identity(netns)
    return {pid for pid in procfs.pids() if procfs.network_namespace(pid) == wanted}


def reachable(port: MemifPort) -> bool:
    """Whether a peer can connect to a port."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        return peer.connect_ex(str(port.socket)) == 0


def by_name(rules: list[Rule]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


def test_what_is_read_back_is_what_was_written(switch: OpenVSwitch, access: SwitchAccess) -> None:
    ports = np.zeros(IDS, np.int8)
    ports[upper_part(np.ones(IDS, np.bool_), 0.3)] = 1
    wanted = rule_set(ports, {exception(n).flow: 0 for n in range(100)}, ["s1", "s2"], 0)
    switch.apply(change({}, wanted))
    again = access.drive("nfvcert", Identity.SOURCE_PORT)
    table = again.read()
    assert by_name(list(table.rules)) == wanted
    cost = int(switch.cost(np.array([0, 45875]), np.array([45874, IDS - 1])).sum())
    assert again.used() == (100 + cost, CAPACITY)
    assert (table.capacity, table.others) == (CAPACITY, 0)
    again.close()


def test_a_full_table_refuses_and_everything_is_as_it_was(switch: OpenVSwitch) -> None:
    switch.apply(Change([], [RangeRule(0, IDS - 1, "s1"), *(exception(n) for n in range(CAPACITY - 2))]))
    before = by_name(list(switch.read().rules))
    assert switch.used() == (CAPACITY - 1, CAPACITY)
    much = Change([exception(0).name], [exception(n) for n in range(CAPACITY, CAPACITY + 3)])
    with pytest.raises(SwitchRefused, match="table full") as refusal:
        switch.apply(much)
    assert refusal.value.code == "table-full"
    assert by_name(list(switch.read().rules)) == before
    swap = Change([exception(0).name, exception(1).name], [exception(n) for n in range(CAPACITY, CAPACITY + 3)])
    switch.apply(swap)
    assert switch.used() == (CAPACITY, CAPACITY), "what is removed in the same change makes room"


def test_a_change_is_made_at_one_instant_for_all_that_look(switch: OpenVSwitch, access: SwitchAccess) -> None:
    switch.apply(Change([], [RangeRule(0, IDS - 1, "s1")]))
    observer = access.observe(["nfvcert"])
    halves = [RangeRule(0, 32767, "s1"), RangeRule(32768, IDS - 1, "s2"), *(exception(n) for n in range(1000))]
    switch.apply(Change([RangeRule(0, IDS - 1, "s1").name], list(halves)))
    dump = observer.dump()
    assert dump["used"] == 1002
    assert sorted(raw["range"] for raw in dump["rules"] if "range" in raw) == [[0, 32767], [32768, 65535]]
    assert {raw["owner"] for raw in dump["rules"]} == {"nfvcert"}
    assert dump["capacity"] == CAPACITY
    observer.close()


def test_owners_do_not_touch_each_other(switch: OpenVSwitch, access: SwitchAccess) -> None:
    tenant = access.drive("tenant", Identity.SOURCE_PORT)
    tenant.apply(Change([], [exception(n, "s2") for n in range(50)]))
    switch.apply(Change([], [RangeRule(0, IDS - 1, "s1")]))
    assert switch.read().others == 50
    with pytest.raises(SwitchRefused) as refusal:
        switch.apply(Change([], [exception(7, "s1")]))
    assert refusal.value.code == "overlap", "an entry of another owner is not replaced"
    with pytest.raises(SwitchRefused) as refusal:
        switch.apply(Change([exception(7, "s2").name], []))
    assert refusal.value.code == "unknown-rule"
    tenant.apply(Change([exception(n, "s2").name for n in range(50)], []))
    assert [rule.name for rule in switch.read().rules] == ["s1:0-65535"]
    tenant.close()


def test_a_rule_that_changes_its_port_does_so_in_one_change(switch: OpenVSwitch) -> None:
    switch.apply(Change([], [exception(1, "s1")]))
    switch.apply(Change([exception(1, "s1").name], [exception(1, "s2")]))
    assert [rule.port for rule in switch.read().rules] == ["s2"]


def test_after_a_restart_the_driver_knows_that_nothing_is_there(
    switch: OpenVSwitch, daemons: OpenVSwitchDaemons
) -> None:
    switch.apply(Change([], [RangeRule(0, IDS - 1, "s1")]))
    os.kill(daemons.pid, signal.SIGKILL)
    eventually(lambda: not daemons.running)
    with pytest.raises(ControlLost):
        switch.used()
    daemons.start()
    with pytest.raises(SwitchRefused) as refusal:
        switch.apply(Change(["s1:0-65535"], [RangeRule(0, IDS - 1, "s2")]))
    assert refusal.value.code == "unknown-rule"
    switch.apply(Change([], [RangeRule(0, IDS - 1, "s2")]))
    assert switch.used() == (1, CAPACITY), "the limit of the table outlives a restart"


def test_the_daemons_end_with_the_process_that_started_them(tmp_path: Path, netns: str) -> None:
    others = inside(netns)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path), netns], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "up"
    mine = inside(netns) - others
    assert len(mine) == 2, "database and switch"
    holder.kill()
    holder.communicate(timeout=5)
    assert eventually(lambda: not mine & set(procfs.pids()))


def test_every_port_that_was_asked_for_finds_its_memory(tmp_path: Path, own_netns: str) -> None:
    """Also after the switch was killed; nothing that was tried first has failed."""
    ports = [MemifPort(f"p{number}", tmp_path / f"{number}.mif") for number in range(6)]
    running = OpenVSwitchDaemons(tmp_path, polling_core=0, most_ports=len(ports), netns=own_netns)
    try:
        running.start()
        running.add_bridge(BRIDGE, ports)
        assert all(map(reachable, ports))
        os.kill(running.pid, signal.SIGKILL)
        assert eventually(lambda: not running.running)
        assert not any(map(reachable, ports))
        running.start()
        assert all(map(reachable, ports))
        assert "Failed to create mempool" not in (tmp_path / "switch.log").read_text()
    finally:
        running.close()


@pytest.mark.parametrize("first", [True, False], ids=["when it is added", "when the switch was killed"])
def test_a_port_that_does_not_come_up_is_named(
    first: bool, tmp_path: Path, own_netns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = MemifPort("uplink", tmp_path / "uplink.mif")
    running = OpenVSwitchDaemons(tmp_path, polling_core=0, most_ports=0 if first else 1, netns=own_netns)
    refused = pytest.raises(TestbedError, match=r"uplink: a port does not come up.*see .*switch\.log")
    try:
        running.start()
        if not first:
            running.add_bridge(BRIDGE, [port])
            os.kill(running.pid, signal.SIGKILL)
            assert eventually(lambda: not running.running)
            monkeypatch.setitem(
                running._settings, "dpdk-alloc-mem", str(started.BASE_MIB)
            )  # somebody else has the memory now
        with refused:
            running.add_bridge(BRIDGE, [port]) if first else running.start()
        assert not reachable(port)
    finally:
        running.close()


def test_a_bridge_that_cannot_be_is_no_port_that_came_up(
    tmp_path: Path, netns: str, daemons: OpenVSwitchDaemons
) -> None:
    """Nothing is wrong with the port then, by the database; there is none."""
    running = OpenVSwitchDaemons(tmp_path, polling_core=0, most_ports=1, netns=netns)
    try:
        running.start()
        with pytest.raises(TestbedError, match="uplink: a port does not come up; found: nothing listens"):
            running.add_bridge(BRIDGE, [MemifPort("uplink", tmp_path / "uplink.mif")])
    finally:
        running.close()


def test_an_identity_that_no_match_can_compute_is_refused(tmp_path: Path) -> None:
    where = SwitchAccess(driver="openvswitch", control=tmp_path / "none", ports=PORTS)
    with pytest.raises(UsageError, match="does not hash"):
        where.drive("nfvcert", Identity.FIVE_TUPLE)
    with pytest.raises(ControlLost):
        where.drive("nfvcert", Identity.SOURCE_PORT).used()


def test_a_missing_daemon_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "DAEMON", "/usr/lib/nowhere/ovs-vswitchd-dpdk")
    with pytest.raises(NfvcertError, match="apt-get install openvswitch-switch-dpdk"):
        OpenVSwitchDaemons(tmp_path, polling_core=0, most_ports=0).start()
