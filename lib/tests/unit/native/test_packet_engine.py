"""The packet engine as a program, its ports looped: orders while a trial settles, packets on their way, captures."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nfvcert.bench.native import Engine, FlowLoad, missing_programs
from nfvcert.dataplane.control import ControlClient
from nfvcert.errors import NfvcertError
from waiting import eventually

PROGRAM = "nfvcert-packet-engine"
pytestmark = pytest.mark.skipif(bool(missing_programs([PROGRAM])), reason="the packet engine is not built")
ETHERNET = bytes.fromhex("0200000000020200000000010800")
IPV4 = bytes.fromhex("4500002e00010000401100001000000130000001")
PROBE = ETHERNET + IPV4 + bytes.fromhex("04000007001a0000") + bytes(18)
"""A UDP packet to port 7."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine whose ports 0 and 1 each send to themselves."""
    ports = {"0": "ring:name=first,ring=512", "1": "ring:name=second,ring=512"}
    with Engine(tmp_path, ports, 0) as started:
        yield started


def flows(receiver: int, **more: object) -> dict[str, object]:
    return {**FlowLoad(100).order(), "tx_port": 0, "rx_port": receiver, "pps": "max", **more}


def test_a_trial_that_settles_keeps_no_other_order_waiting(engine: Engine, tmp_path: Path) -> None:
    capture = engine.call("capture_start", rx=[0], limit=1)["capture"]
    engine.call("flow_prepare", **flows(0, pps=1000))
    engine.call("flow_start")
    assert eventually(lambda: engine.call("capture_status")["captures"][0]["packets"] == 1)
    packet = engine.call("capture_fetch", capture=capture, most=1)["packets"][0]["binary"]
    engine.call("push", port=0, packets=[packet] * 100, gap_us=50_000.0)  # as long as packets come it does not settle
    summaries = []
    stopping = threading.Thread(target=lambda: summaries.append(engine.call("flow_stop")["summary"]))
    stopping.start()
    beside = ControlClient(tmp_path / "engine.ctl", timeout_s=5.0)
    assert eventually(lambda: beside.call("flow_status")["state"] == "sent")
    with pytest.raises(NfvcertError, match="being stopped already"):
        beside.call("flow_stop")
    assert stopping.is_alive()
    stopping.join(10)
    beside.close()
    assert summaries[0]["lost"] == 0
    assert summaries[0]["duplicates"] > 1


def test_an_engine_that_is_ended_while_a_trial_settles_ends(engine: Engine) -> None:
    engine.call("flow_prepare", **flows(1, pps=1000))
    engine.call("flow_start")
    stopping = threading.Thread(target=lambda: _quietly(engine))
    stopping.start()
    assert eventually(lambda: engine.call("flow_status")["state"] != "sending")
    os.kill(engine.pid, signal.SIGTERM)
    stopping.join(3)
    assert not stopping.is_alive()


def test_no_more_packets_are_on_their_way_than_allowed(engine: Engine) -> None:
    engine.call("flow_prepare", **flows(1, most_outstanding=256))  # what is sent comes to another port
    begin = time.monotonic()
    engine.call("flow_start")
    assert eventually(lambda: engine.call("flow_status")["sent"] >= 768)
    sent = engine.call("flow_status")["sent"]
    rounds = 1 + int(
        (time.monotonic() - begin) / 0.1
    )  # when nothing comes for 100 ms they are given up, and others sent
    assert sent % 256 == 0
    assert sent <= 256 * rounds
    assert engine.call("flow_stop")["summary"]["lost"] >= sent


def test_packets_that_come_back_make_room_for_others(engine: Engine) -> None:
    engine.call("flow_prepare", **flows(0, most_outstanding=256))
    engine.call("flow_start")
    assert eventually(lambda: engine.call("flow_status")["sent"] > 10_000)
    summary = engine.call("flow_stop")["summary"]
    assert summary["lost"] == 0
    assert summary["tx_refused"] == 0


def test_what_is_pushed_is_captured_on_both_ways(engine: Engine) -> None:
    capture = engine.call("capture_start", tx=[0], rx=[0], limit=10, filter="udp port 7")["capture"]
    other = engine.call("capture_start", rx=[1], limit=10)["capture"]
    packets = [base64.b64encode(each).decode() for each in (PROBE, bytes(60), PROBE)]
    assert engine.call("push", port=0, packets=packets, gap_us=50)["packets"] == 3

    def told() -> dict[int, dict[str, int]]:
        return {each["capture"]: each for each in engine.call("capture_status")["captures"]}

    assert eventually(lambda: told()[capture]["packets"] == 4)
    assert (told()[capture]["matched"], told()[other]["matched"]) == (4, 0)
    assert engine.call("capture_stop", capture=capture)["packets"] == 4
    engine.call("push", port=0, packets=packets)
    fetched = engine.call("capture_fetch", capture=capture, most=3)
    assert [each["origin"] for each in fetched["packets"]] == ["TX", "RX", "TX"]
    assert {base64.b64decode(each["binary"]) for each in fetched["packets"]} == {PROBE}
    assert fetched["pending"] == 1
    engine.call("capture_remove", capture=capture)
    with pytest.raises(NfvcertError, match="there is no capture"):
        engine.call("capture_fetch", capture=capture, most=1)


def _quietly(engine: Engine) -> None:
    try:
        engine.call("flow_stop")
    except NfvcertError:
        pass
