"""The generator counts exactly what happened to its packets, and blames itself for its own faults."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from traffic_bench import GATEWAY, SERVER, Bench, Packet, Relay, run

from nfvcert.errors import TestbedError
from nfvcert.traffic.embedded import EmbeddedGenerator
from nfvcert.traffic.flows import read_csv
from nfvcert.traffic.profiles import TrafficProfile
from nfvcert.traffic.protocol import TrialResult

pytestmark = [pytest.mark.privileged, pytest.mark.native]

INTERVAL_NS = 100_000_000


def generator(bench: Bench, **options: object) -> EmbeddedGenerator:
    settings = {"gateway_ip": GATEWAY, "server_ips": [SERVER], "answer_all_arp": True, "log": bench.log} | options
    return EmbeddedGenerator(bench.generator, **settings)  # type: ignore[arg-type]


def steady(pps: float = 1500, flows: int = 10, **more: object) -> TrafficProfile:
    """Flows that all last."""
    settings = {"name": "steady", "pps": pps, "concurrent_flows": flows, "long_lived_flows": flows} | more
    return TrafficProfile.model_validate(settings)


def trial(
    driver: EmbeddedGenerator, profile: TrafficProfile, path: Path, until: Relay | None = None, packets: int = 1500
) -> tuple[TrialResult, list[dict], int]:
    """One trial, its intervals and its begin; it lasts until ``packets`` have gone through the relay, or 1 s."""
    driver.prepare(profile)
    begin = driver.start()
    deadline = time.monotonic() + (30 if until else 1)
    while time.monotonic() < deadline and (until is None or until.seen < packets):
        time.sleep(0.01)
    if until:
        until.decide = lambda packet: "pass"
        while until.holds:
            time.sleep(0.001)
    result = driver.stop(path)
    return result, driver.intervals(), begin


def test_nothing_is_lost_at_full_load(bridge: Bench, tmp_path: Path) -> None:
    profile = TrafficProfile(name="full", pps=20_000, concurrent_flows=2000, mean_flow_lifetime_s=0.5)
    driver = generator(bridge)
    try:
        result, intervals, _ = trial(driver, profile, tmp_path / "flows.csv")
    finally:
        driver.close()
    assert result.sent == result.intended == result.received
    assert (result.send_errors, result.receiver_drops, result.lost, result.bad_checksums) == (0, 0, 0, 0)
    assert (result.duplicates, result.reordered, result.foreign) == (0, 0, 0)
    assert result.return_sent == result.return_received > result.sent / 20
    flows = read_csv(tmp_path / "flows.csv").to_pylist()
    assert sum(flow["sent"] for flow in flows) == result.sent
    assert sum(flow["received"] for flow in flows) == result.sent
    assert all(flow["ext_ip"] == flow["src"] and flow["ext_port"] == flow["sport"] for flow in flows)
    assert sum(interval["tx"] for interval in intervals) == sum(interval["rx"] for interval in intervals) == result.sent
    assert sum(interval["new_flows"] for interval in intervals) == len(flows)
    assert sum(interval["new_users"] for interval in intervals) == len({flow["user"] for flow in flows})
    assert sum(sum(interval["new_users_by_dscp"].values()) for interval in intervals) == len({f["user"] for f in flows})
    assert result.latency_us["max"] > 0


def test_every_loss_is_found_in_its_flow_and_interval(bench: Bench, tmp_path: Path) -> None:
    driver = generator(bench)
    with Relay(bench.between, lambda packet: "drop" if packet.sequence % 20 == 7 else "pass") as relay:
        try:
            result, intervals, begin = trial(driver, steady(), tmp_path / "flows.csv", relay)
        finally:
            driver.close()
    dropped = relay.done["drop"]
    assert result.lost == len(dropped) > 50
    assert (result.duplicates, result.reordered, result.send_errors, result.receiver_drops) == (0, 0, 0, 0)
    by_flow = Counter(packet.flow for packet in dropped)
    for flow in read_csv(tmp_path / "flows.csv").to_pylist():
        assert flow["sent"] - flow["received"] == by_flow[flow["flow_id"]]
    expected = Counter((packet.sent - begin) // INTERVAL_NS for packet in dropped)
    found = {(interval["t0"] - begin) // INTERVAL_NS: interval["lost"] for interval in intervals if interval["lost"]}
    assert found == dict(expected)


def test_duplicates_reordering_and_damage_are_told_apart(bench: Bench, tmp_path: Path) -> None:
    def harm(packet: Packet) -> str:
        return {5: "twice", 10: "hold", 15: "damage"}.get(packet.sequence % 20, "pass")

    driver = generator(bench)
    with Relay(bench.between, harm) as relay:
        try:
            result, intervals, _ = trial(driver, steady(), tmp_path / "flows.csv", relay)
        finally:
            driver.close()
    assert result.duplicates == relay.count("twice") > 50
    assert result.reordered == relay.count("hold") > 50
    assert result.bad_checksums == result.lost == relay.count("damage") > 50
    assert sum(interval["dup"] for interval in intervals) == result.duplicates
    assert sum(interval["reordered"] for interval in intervals) == result.reordered


def test_a_gap_up_to_the_end_of_a_flow_counts(bench: Bench, tmp_path: Path) -> None:
    driver = generator(bench)
    with Relay(bench.between, lambda packet: "drop" if packet.flow == 3 and packet.sequence > 10 else "pass") as relay:
        try:
            driver.prepare(steady())
            driver.start()
            while relay.seen < 1500:
                time.sleep(0.01)
            driver.stop(tmp_path / "flows.csv")
        finally:
            driver.close()
    flow = next(f for f in read_csv(tmp_path / "flows.csv").to_pylist() if f["flow_id"] == 3)
    assert flow["received"] == 11
    assert flow["max_gap_ns"] == flow["last_tx_ns"] - flow["last_rx_ns"]
    assert flow["max_gap_at_ns"] == flow["last_tx_ns"]


def test_what_arrives_after_the_report_is_named(bench: Bench, tmp_path: Path) -> None:
    driver = generator(bench)
    with Relay(bench.between) as relay:
        try:
            driver.prepare(steady())
            driver.start()
            while relay.seen < 300:
                time.sleep(0.01)
            number, frame = relay.take(0)
            reported: list[dict] = []
            while not any(interval["t0"] <= number.sent < interval["t1"] for interval in reported):
                reported += driver.intervals()
                time.sleep(0.01)
            relay.inject(frame)
            result = driver.stop(tmp_path / "flows.csv")
        finally:
            driver.close()
    assert sum(interval["lost"] for interval in reported) >= 1
    assert result.lost == 0
    assert [count for _, count in result.late] == [1]
    assert result.late[0][0] <= number.sent < result.late[0][0] + INTERVAL_NS


def test_frames_for_others_do_not_count(bench: Bench, tmp_path: Path) -> None:
    driver = generator(bench)
    with Relay(bench.between) as relay:
        try:
            driver.prepare(steady())
            driver.start()
            _, frame = relay.take(0)
            for _ in range(50):
                relay.inject(b"\x02\x00\x00\x00\x00\x99" + frame[6:])
            relay.inject(frame)
            while relay.seen < 500:
                time.sleep(0.01)
            result = driver.stop(tmp_path / "flows.csv")
        finally:
            driver.close()
    assert (result.lost, result.duplicates, result.foreign) == (0, 0, 0)


def test_what_the_kernel_refuses_is_the_generators_own_fault(bridge: Bench, tmp_path: Path) -> None:
    driver = generator(bridge)
    try:
        driver.prepare(steady())
        driver.start()
        time.sleep(0.3)
        run("ip", "-n", bridge.generator, "link", "set", "acc0", "down")
        time.sleep(0.3)
        run("ip", "-n", bridge.generator, "link", "set", "acc0", "up")
        result = driver.stop(tmp_path / "flows.csv")
    finally:
        driver.close()
    assert result.send_errors > 100
    assert result.sent + result.send_errors == result.intended
    assert result.lost <= 5  # those under way when the link went down
    assert sum(flow["sent"] for flow in read_csv(tmp_path / "flows.csv").to_pylist()) == result.sent


def test_the_rate_is_kept_after_a_stall(bridge: Bench, tmp_path: Path) -> None:
    """Stopped by a signal for 300 ms, it makes up for what it owes at no more than twice the rate, and says so."""
    driver = generator(bridge)
    try:
        driver.prepare(steady(pps=10_000))
        driver.start()
        time.sleep(0.2)
        os.kill(driver.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(driver.pid, signal.SIGCONT)
        time.sleep(0.6)
        result = driver.stop(tmp_path / "flows.csv")
    finally:
        driver.close()
    assert result.sent == result.intended
    assert [stall for stall in result.stalls if stall["ms"] >= 250]
    rates = [interval["tx"] * 1e9 / (interval["t1"] - interval["t0"]) for interval in driver.intervals()]
    assert max(rates) <= 2.3 * 10_000


def test_a_silent_gateway_is_an_error_with_its_timeout(bridge: Bench) -> None:
    driver = generator(bridge, answer_all_arp=False)
    try:
        with pytest.raises(TestbedError, match=r"nobody answered ARP for the gateway 198\.18\.0\.1 within 0\.3 s"):
            driver.prepare(steady(), timeout_s=0.3)
    finally:
        driver.close()


def test_a_gateway_that_moves_is_followed(bench: Bench, tmp_path: Path) -> None:
    """An announcement counts at once; the question asked every second finds the way back."""
    moved = bytes.fromhex("020000000077")
    address = socket.inet_aton(GATEWAY)
    announcement = b"\xff" * 6 + moved + bytes.fromhex("0806 0001 0800 0604 0001") + (moved + address) * 2
    driver = generator(bench)
    with Relay(bench.between) as relay:
        try:
            driver.prepare(steady())
            driver.start()
            while relay.seen < 100:
                time.sleep(0.001)
            first = relay.destination
            relay.inject(announcement, to_access=True)
            while relay.destination != moved:
                time.sleep(0.001)
            while relay.destination != first:
                time.sleep(0.001)
            result = driver.stop(tmp_path / "flows.csv")
        finally:
            driver.close()
    assert 0 < result.lost < result.sent


def test_a_missing_interface_is_named(bench: Bench) -> None:
    driver = generator(bench, access="nolink0")
    try:
        with pytest.raises(TestbedError, match="nolink0"):
            driver.prepare(steady())
    finally:
        driver.close()


def test_an_order_out_of_turn_is_refused(bridge: Bench, tmp_path: Path) -> None:
    driver = generator(bridge)
    try:
        with pytest.raises(TestbedError, match="'start' does not fit"):
            driver.start()
    finally:
        driver.close()


def test_a_second_trial_starts_from_nothing(bridge: Bench, tmp_path: Path) -> None:
    driver = generator(bridge)
    try:
        first, _, _ = trial(driver, steady(), tmp_path / "first.csv")
        second, intervals, begin = trial(driver, steady(pps=1000), tmp_path / "second.csv")
    finally:
        driver.close()
    assert first.lost == second.lost == 0
    assert second.sent == second.intended < first.sent
    assert intervals[0]["t0"] == begin
    assert sum(interval["tx"] for interval in intervals) == second.sent


def test_it_survives_the_thread_that_started_it(bridge: Bench, tmp_path: Path) -> None:
    made: list[EmbeddedGenerator] = []
    starter = threading.Thread(target=lambda: made.append(generator(bridge)))
    starter.start()
    starter.join()
    try:
        result, _, _ = trial(made[0], steady(), tmp_path / "flows.csv")
    finally:
        made[0].close()
    assert result.lost == 0


def test_marks_carry_the_time_of_the_generator(bridge: Bench) -> None:
    driver = generator(bridge)
    try:
        before = time.monotonic_ns()
        assert before <= driver.mark("here") <= time.monotonic_ns()
    finally:
        driver.close()
