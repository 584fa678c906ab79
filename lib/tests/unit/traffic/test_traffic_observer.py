"""The port observer sees what the generator sent, flow by flow, and outlives what it observes."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from traffic_bench import GATEWAY, SERVER, Bench, Relay, in_netns, run

from nfvcert.errors import TestbedError
from nfvcert.traffic.embedded import EmbeddedGenerator
from nfvcert.traffic.flows import read_csv
from nfvcert.traffic.native import NativeProcess, binary
from nfvcert.traffic.profiles import TrafficProfile

pytestmark = [pytest.mark.privileged, pytest.mark.native]


@pytest.fixture
def observer(bench: Bench) -> Iterator[NativeProcess]:
    with NativeProcess([binary("nfvcert-observer")], log=bench.log, netns=bench.between) as process:
        yield process


@pytest.fixture
def generator(bench: Bench) -> Iterator[EmbeddedGenerator]:
    driver = EmbeddedGenerator(
        bench.generator, gateway_ip=GATEWAY, server_ips=[SERVER], answer_all_arp=True, log=bench.log
    )
    yield driver
    driver.close()


def dump(observer: NativeProcess, path: Path, *, clear: bool = False) -> list[dict]:
    observer.request({"op": "dump", "path": str(path), "clear": clear})
    return read_csv(path).to_pylist()


def totals(rows: list[dict], port: str, direction: str) -> dict[tuple, int]:
    """Packets by flow; UDP only."""
    found: dict[tuple, int] = {}
    for row in rows:
        if (row["port"], row["direction"], row["proto"]) == (port, direction, 17):
            key = (row["src"], row["sport"], row["dst"], row["dport"])
            found[key] = found.get(key, 0) + row["packets"]
    return found


def test_counts_equal_those_of_the_generator(
    bridge: Bench, observer: NativeProcess, generator: EmbeddedGenerator, tmp_path: Path
) -> None:
    for port in ("r0", "r1"):
        observer.request({"op": "add", "ifname": port, "port": f"port-{port}"})
    generator.prepare(TrafficProfile(name="full", pps=20_000, concurrent_flows=2000, mean_flow_lifetime_s=0.5))
    before = time.monotonic_ns()
    generator.start()
    time.sleep(1)
    result = generator.stop(tmp_path / "flows.csv")
    after = time.monotonic_ns()
    rows = dump(observer, tmp_path / "observed.csv")
    counters = observer.request({"op": "counters"})["ports"]
    flows = read_csv(tmp_path / "flows.csv").to_pylist()
    sent = {(f["src"], f["sport"], f["dst"], f["dport"]): f["sent"] for f in flows}
    back = {(f["dst"], f["dport"], f["src"], f["sport"]): f["return_received"] for f in flows if f["return_received"]}
    assert result.lost == 0
    assert totals(rows, "port-r0", "in") == totals(rows, "port-r1", "out") == sent
    assert totals(rows, "port-r1", "in") == totals(rows, "port-r0", "out") == back
    assert counters["port-r0"]["ring_drops"] == counters["port-r1"]["ring_drops"] == 0
    assert counters["port-r0"]["in"]["packets"] >= result.sent  # and some ARP
    by_id = {flow["flow_id"]: flow for flow in flows}
    for row in (row for row in rows if row["proto"] == 17):
        assert before < row["first_ns"] <= row["last_ns"] < after
        flow = by_id[row["flow_id"]]
        assert {row["sport"], row["dport"]} == {flow["sport"], flow["dport"]}
        assert row["bytes"] == 128 * row["packets"]


def test_losses_lie_between_the_ports(
    bench: Bench, observer: NativeProcess, generator: EmbeddedGenerator, tmp_path: Path
) -> None:
    for port in ("r0", "r1"):
        observer.request({"op": "add", "ifname": port, "port": port})
    profile = TrafficProfile(name="steady", pps=1500, concurrent_flows=10, long_lived_flows=10)
    with Relay(bench.between, lambda packet: "drop" if packet.sequence % 10 == 3 else "pass") as relay:
        generator.prepare(profile)
        generator.start()
        while relay.seen < 1000:
            time.sleep(0.01)
        result = generator.stop(tmp_path / "flows.csv")
    rows = dump(observer, tmp_path / "observed.csv")
    assert sum(totals(rows, "r0", "in").values()) == result.sent
    assert sum(totals(rows, "r1", "out").values()) == result.received == result.sent - relay.count("drop")


def test_a_pause_of_the_observer_loses_nothing(
    bridge: Bench, observer: NativeProcess, generator: EmbeddedGenerator, tmp_path: Path
) -> None:
    observer.request({"op": "add", "ifname": "r1", "port": "r1"})
    generator.prepare(TrafficProfile(name="full", pps=20_000, concurrent_flows=200))
    generator.start()
    os.kill(observer.pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(observer.pid, signal.SIGCONT)
    result = generator.stop(tmp_path / "flows.csv")
    rows = dump(observer, tmp_path / "observed.csv")
    assert sum(totals(rows, "r1", "out").values()) == result.received
    assert observer.request({"op": "counters"})["ports"]["r1"]["ring_drops"] == 0


def test_an_interface_may_go_and_another_come_under_the_same_port(
    bridge: Bench, observer: NativeProcess, tmp_path: Path
) -> None:
    sending = in_netns(bridge.generator, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    frame = bytes.fromhex(
        "020000000001 020000000002 0800 4500001c000000004011000001020304 05060708 0457 08ae 0008 0000"
    )
    observer.request({"op": "add", "ifname": "r1", "port": "p"})
    sending.bind(("ext0", 0))
    sending.send(frame)
    rows = [row for row in dump(observer, tmp_path / "first.csv") if row["proto"] == 17]
    assert [(row["direction"], row["src"], row["sport"], row["packets"]) for row in rows] == [
        ("in", "1.2.3.4", 1111, 1)
    ]
    assert rows[0]["flow_id"] in (None, "")
    run("ip", "-n", bridge.between, "link", "del", "r1")
    assert observer.request({"op": "ping"})["ok"]
    run("ip", "-n", bridge.generator, "link", "add", "ext0", "type", "veth", "peer", "r1", "netns", bridge.between)
    run("ip", "-n", bridge.generator, "link", "set", "ext0", "up")
    run("ip", "-n", bridge.between, "link", "set", "r1", "up")
    observer.request({"op": "add", "ifname": "r1", "port": "p"})
    sending.bind(("ext0", 0))
    sending.send(frame)
    sending.close()
    rows = [row for row in dump(observer, tmp_path / "second.csv", clear=True) if row["proto"] == 17]
    assert [row["packets"] for row in rows] == [2]
    observer.request({"op": "remove", "port": "p"})
    observer.request({"op": "remove", "port": "p"})
    assert dump(observer, tmp_path / "third.csv") == []


def test_records_of_a_removed_port_stay_until_cleared(bridge: Bench, observer: NativeProcess, tmp_path: Path) -> None:
    observer.request({"op": "add", "ifname": "r0", "port": "p"})
    observer.request({"op": "remove", "port": "p"})
    assert "p" in observer.request({"op": "counters"})["ports"]
    dump(observer, tmp_path / "observed.csv", clear=True)
    assert "p" not in observer.request({"op": "counters"})["ports"]


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"op": "add", "ifname": "nolink0", "port": "p"}, "nolink0"),
        ({"op": "add", "ifname": "r1", "port": "there"}, "observed already"),
        ({"op": "dump", "path": "/nonexistent/observed.csv"}, "cannot write"),
        ({"op": "dance"}, "unknown order 'dance'"),
        ({"op": "add", "port": "p"}, "ifname"),
    ],
)
def test_wrong_orders_are_refused(bridge: Bench, observer: NativeProcess, order: dict, complaint: str) -> None:
    observer.request({"op": "add", "ifname": "r0", "port": "there"})
    with pytest.raises(TestbedError, match=complaint):
        observer.request(order)
    ports = observer.request({"op": "counters"})["ports"]
    assert list(ports) == ["there"]
