"""The rules by which a trial counts: flaws of generators that were really seen make it invalid, not lossy."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from trex_talk import PACKET

from nfvcert.traffic.trex.plan import Continuous, Group, MultiBurst, Rate, SingleBurst, Stream, intended_packets
from nfvcert.traffic.trex.trial import GroupCounters, PortCounters, TrexTrial, difference, reading_of, sums


def trial(**changes: Any) -> TrexTrial:
    healthy: dict[str, Any] = {
        "intended": 1000.0,
        "sent": 1000,
        "intended_duration": 1.0,
        "duration": 1.001,
        "received": 1000,
        "send_errors": 0,
        "receiver_drops": 0,
        "queue_full": 0,
        "finished": True,
        "ports": {},
        "groups": {5: GroupCounters(1000, 1000)},
    }
    return TrexTrial(**{**healthy, **changes})


def test_a_healthy_trial_is_valid() -> None:
    assert trial().valid
    assert trial().lost == 0
    assert trial(received=900).valid
    assert trial(received=900).lost == 100


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sent": 0, "received": 0}, "nothing was sent"),
        ({"sent": 990}, "sent 990 packets where 1000 were intended"),
        ({"duration": 1.95}, "took 1.95 s where 1.00 s were intended"),
        ({"finished": False}, "did not end within"),
        ({"send_errors": 3}, "3 packets could not be sent"),
        ({"receiver_drops": 7, "received": 993}, "the receiver itself dropped 7 packets"),
        (
            {"groups": {5: GroupCounters(1800, 1000)}},
            "packet groups count 1800 packets sent where the ports count 1000",
        ),
        ({"received": 1010}, "10 packets more were received than sent"),
    ],
)
def test_what_makes_a_trial_invalid(changes: dict[str, Any], reason: str) -> None:
    assert any(reason in each for each in trial(**changes).shortcomings)
    assert not trial(**changes).valid


def test_an_overloaded_generator_is_not_divided_by_the_wished_duration() -> None:
    stretched = trial(intended=3_600_000.0, sent=3_600_000, intended_duration=6.0, duration=9.84, groups={})
    assert stretched.rate_pps == pytest.approx(365_854, abs=1)
    assert not stretched.valid


def test_ghosts_of_packet_groups_are_no_losses() -> None:
    ghosts = trial(
        intended=72_000_000.0,
        sent=39_476_611,
        received=39_476_611,
        groups={5: GroupCounters(72_000_001, 39_476_611)},
    )
    assert ghosts.lost == 0
    assert not ghosts.groups_agree


def test_what_the_receiver_dropped_is_not_the_devices_loss() -> None:
    assert trial(received=950, receiver_drops=50).lost == 0


def test_readings_are_subtracted_and_renewed_groups_begin_at_zero() -> None:
    def reading(packets: int, version: int, queue_full: int) -> Any:
        port = {"opackets": packets, "ipackets": 0, "obytes": packets * 68, "oerrors": 1}
        group = {"tp": {"0": packets, "1": 0}, "rp": {"0": 0, "1": packets}}
        told = {"ver_id": {"5": version}, "flow_stats": {"5": group, "g": {}}, "latency": {"g": {}}}
        return reading_of({0: port}, {"m_total_queue_full": queue_full}, told)

    ports, groups, queue_full = difference(reading(100, 1, 2), reading(350, 1, 9))
    assert ports[0] == PortCounters(opackets=250, obytes=250 * 68)
    assert (groups[5].sent, groups[5].received, queue_full) == (250, 250, 7)
    assert sums(ports, [0], [0]) == (250, 0, 0, 0)
    _, groups, _ = difference(reading(100, 1, 0), reading(350, 2, 0))
    assert groups[5].sent == 350


@pytest.mark.parametrize(
    ("stream", "seconds", "packets"),
    [
        (Stream(PACKET, Rate("pps", 100)), 10, 1000),
        (Stream(PACKET, Rate("pps", 100), isg_us=1e6), 10, 900),
        (Stream(PACKET, Rate("bps_L2", 68 * 8 * 100)), 10, 1000),
        (Stream(PACKET, Rate("bps_L1", 88 * 8 * 100)), 10, 1000),
        (Stream(PACKET, Rate("percentage", 1)), 1, 1e8 / (88 * 8)),
        (Stream(PACKET, Rate("pps", 100), SingleBurst(50)), 10, 50),
        (Stream(PACKET, Rate("pps", 1), SingleBurst(50)), 10, 10),
        (Stream(PACKET, Rate("pps", 100), MultiBurst(10, 5, 1e5)), 10, 50),
        (Stream(PACKET, Rate("pps", 100), MultiBurst(10, 0, 1e5)), 10, 500),
        (Stream(PACKET, Rate("pps", 100), dummy=True), 10, 0),
        (Stream(PACKET, Rate("pps", 100), start_paused=True), 10, 0),
    ],
)
def test_what_is_intended(stream: Stream, seconds: float, packets: float) -> None:
    assert intended_packets([stream], 1.0, seconds, speed_gbps=10) == pytest.approx(packets)


def test_a_stream_is_described_with_octets() -> None:
    told = Stream(
        PACKET, Rate("pps", 5), MultiBurst(3, 2, 1.5), group=Group(7, "latency"), name="a", next="b"
    ).described()
    assert told["mode"] == {"type": "multi_burst", "pkts_per_burst": 3, "count": 2, "ibg": 1.5}
    assert (told["group"], told["name"], told["next"]) == ({"kind": "latency", "number": 7}, "a", "b")
    assert Stream(PACKET, Rate("pps", 5), Continuous()).described()["mode"] == {"type": "continuous"}


def test_the_clients_process_loads_no_other_versions_of_what_the_client_brings() -> None:
    program = "import nfvcert.traffic.trex.worker, sys; print({'zmq', 'scapy', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
