"""The unmodified TRex client drives our server: its own examples, on a simulated engine and on the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from trex_stand import Stand, native_engine, stand_up


@pytest.fixture(scope="module", params=["simulated", "native"])
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A server; its engine is simulated or real."""
    native = request.param == "native"
    if native and native_engine() is None:
        pytest.skip("the packet engine is not built")
    with stand_up(tmp_path_factory.mktemp("trex", numbered=True), native=native) as made:
        yield made


def test_continuous_streams_both_ways(stand: Stand) -> None:
    told = stand.example("continuous")
    assert told["active"] == [0, 1]
    assert told["after"] == []
    for sending, receiving in ((0, 1), (1, 0)):
        assert told["ports"][sending]["opackets"] == pytest.approx(5000, abs=5)
        assert told["ports"][receiving]["ipackets"] == told["ports"][sending]["opackets"]
        assert told["ports"][sending]["obytes"] == told["ports"][sending]["opackets"] * 64


def test_a_chain_of_bursts(stand: Stand) -> None:
    told = stand.example("burst_chain")
    assert told["sent"] == told["received"] == 10 + 20 + 30
    assert told["octets"] == 10 * 64 + 20 * 128 + 30 * 256


def test_the_mix_of_packet_sizes(stand: Stand) -> None:
    told = stand.example("imix")
    assert told["sent"] == told["received"]
    assert told["sent"] == pytest.approx([2800, 2000, 400], abs=3)
    assert told["octets"] == [count * size for count, size in zip(told["sent"], (64, 594, 1518), strict=True)]
    assert told["ports"] == [sum(told["sent"])] * 2


def test_packet_groups_count_each_run_from_zero(stand: Stand) -> None:
    rounds = stand.example("flow_stats")["rounds"]
    first = rounds[0]["version"]
    assert [each["version"] - first for each in rounds] == [0, 1, 2]
    for each in rounds:
        assert each["tx"] == {"0": 500, "1": 0, "total": 500}
        assert each["rx"] == {"0": 0, "1": 500, "total": 500}
        assert each["octets"] == each["expected_octets"]


def test_latency_and_its_histogram(stand: Stand) -> None:
    from hdrh.histogram import HdrHistogram

    told = stand.example("latency")
    assert told["during_pps"] == pytest.approx(1000, rel=0.1)
    assert told["sent"] == told["received"] > 0
    latency = told["latency"]
    assert sum(latency["histogram"].values()) == told["received"]
    assert 0 <= latency["total_min"] <= latency["average"] <= latency["total_max"]
    assert set(told["errors"].values()) == {0}
    decoded = HdrHistogram.decode(latency["hdrh"].encode())
    assert decoded.get_total_count() == told["received"]


def test_pause_resume_and_update(stand: Stand) -> None:
    told = stand.example("pause_resume_update")
    assert told["running_pps"] == pytest.approx(19_800, rel=0.1)
    assert told["paused"][0] == told["paused"][1]
    assert told["after"] == []


def test_durations_and_waiting(stand: Stand) -> None:
    told = stand.example("duration_push")
    assert told["too_short"]
    assert 500 <= told["sent"] < 15_000  # as long as it was asked for the second time


def test_profiles_of_one_port(stand: Stand) -> None:
    assert stand.example("profiles") == {"both": ["0.voice", "0.web"], "one": ["0.voice"]}


def test_every_instruction_of_the_field_engine(stand: Stand) -> None:
    assert stand.example("field_engine") == {"sent": 300, "received": 300}


def test_a_capture_file_of_the_servers_machine(stand: Stand) -> None:
    told = stand.example("capture_file")
    assert told["active"] == [0]
    assert told["packets"] == [600, 600]
    assert told["octets"] == 600 * (14 + 20 + 8 + 50 + 4)
    assert told["endless"] == "TRANSMITTING"
    assert told["after"] == []


def test_packets_are_pushed_captured_and_queued(stand: Stand) -> None:
    if not stand.native:
        pytest.skip("the simulated engine knows no such filters")
    told = stand.example("captures")
    assert sorted(told["both"]) == [[0, "TX"]] * 11 + [[1, "RX"]] * 11
    assert told["same"] and told["in_order"]
    assert told["matched"] == 10
    assert told["kept"] == [True] * 3
    assert told["queued"] == [True] * 5
    assert told["queue_then"] == "[0 / 5]"
    assert told["mapped"] == [[0, 1]]
    assert "syntax error" in told["refused"]
    assert told["left"] == {}


def test_fragments_arrive_as_they_are(stand: Stand) -> None:
    told = stand.example("fragments")
    assert told["packets"] == [[50, 50]] * 4
    assert told["octets"][0] == told["octets"][1]


def test_ports_with_addresses_are_neighbours(stand: Stand) -> None:
    if not stand.native:
        pytest.skip("the simulated engine knows no neighbours")
    for told in stand.example("neighbours").values():
        assert told["resolved"] == "02:4e:46:00:00:02"
        assert told["replies"] == [told["success"]] * 2
        assert told["success"] not in [*told["elsewhere"], *told["no longer"]]
        assert len(told["before"]) == 1


def test_refusals_as_the_client_shows_them(stand: Stand) -> None:
    told = stand.example("refusals")
    expected = {
        "overload": "above the line rate",
        "overload later": "above the line rate",
        "pause of bursts": "only continuous streams can be paused",
        "offset": "outside the packet of 60 octets",
        "capture file": "/nowhere/x.pcap: the capture file cannot be read",
        "unknown": "unknown method",
        "stolen": "not owned by this session; found: owner thief, last taken by thief",
    }
    assert set(told) == set(expected)
    for name, text in expected.items():
        assert text in told[name], name


def test_what_the_console_shows(stand: Stand) -> None:
    told = stand.example("statistics_and_states")
    assert told["attributes"]["dest"] == "02:00:00:00:00:07"
    assert told["attributes"]["prom"] == "on"
    assert told["info"] == 2
    assert "tx_good_packets" in told["extended"]
    assert told["warnings"] == []


def test_the_log_says_what_happened(stand: Stand, tmp_path: Path) -> None:
    events = [line["event"] for line in stand.log]
    assert events[0] == "serving"
    assert "fault" not in events
