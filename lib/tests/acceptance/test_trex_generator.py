"""The driver against a server: healthy trials, trials that say nothing, the flow mode, and every kind of trouble."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from trex_stand import Stand, native_engine, stand_up

from nfvcert.errors import TestbedError
from nfvcert.traffic.trex.client import GeneratorRefusal, TrexGenerator
from nfvcert.traffic.trex.plan import Group, MultiBurst, Rate, SingleBurst, Stream
from nfvcert.traffic.trex.server.frames import LONGEST_TEXT, MARK
from waiting import eventually

UDP = bytes.fromhex("024e46020001024e460000000800450000320000000040117a9b10000001300000010401000c001e0000")
PACKET = UDP.ljust(60, b"x")
FLOWS = {"pps": 20_000, "concurrent": 200, "new_per_second": 40, "frame": 64, "seed": 1, "interval_ms": 100}
FLOWS_LIFETIME = {"lifetime": {"model": "exponential", "mean_s": 5}}


@pytest.fixture(scope="module", params=["simulated", "native"])
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A server with a healthy engine, simulated or real."""
    native = request.param == "native"
    if native and native_engine() is None:
        pytest.skip("the packet engine is not built")
    with stand_up(tmp_path_factory.mktemp("trex"), native=native) as made:
        yield made


@pytest.fixture
def generator(stand: Stand) -> Iterator[TrexGenerator]:
    """Its driver, connected."""
    with TrexGenerator("127.0.0.1", rpc=stand.rpc, publisher=stand.publisher, log=stand.folder / "client.log") as made:
        made.connect()
        yield made


def generator_of(stand: Stand) -> TrexGenerator:
    made = TrexGenerator("127.0.0.1", rpc=stand.rpc, publisher=stand.publisher)
    made.connect()
    return made


def test_streams_beside_the_flow_mode_are_captured(stand: Stand, generator: TrexGenerator) -> None:
    """The flow mode accounts for its own packets; others of the same port are kept as they came, in order."""
    if not stand.native:
        pytest.skip("the simulated engine keeps no packets")
    generator.keep_received(1, 1_000, pcap_filter="dst port 12")
    generator.flow_prepare(**FLOWS, **FLOWS_LIFETIME, duration_s=1.0)
    generator.flow_start()
    generator.add_streams(0, [Stream(PACKET, Rate("pps", 1_000), SingleBurst(300))])
    begin = time.monotonic_ns()
    generator.start([0])
    assert generator.wait([0], 5.0)
    summary = generator.flow_stop()["summary"]
    came = generator.received(1)
    assert [frame for _, frame in came] == [PACKET] * 300
    assert [t for t, _ in came] == sorted(t for t, _ in came)
    assert begin < came[0][0] <= time.monotonic_ns()
    assert (summary["lost"], summary["foreign"]) == (0, 300)
    assert generator.received(1) == []


def test_a_trial(generator: TrexGenerator) -> None:
    counted = Stream(PACKET, Rate("pps", 50_000), group=Group(5))
    timed = Stream(PACKET, Rate("pps", 500), group=Group(6, "latency"))
    assert generator.add_streams(0, [counted, timed]) == [1, 2]
    trial = generator.run_trial([0], [1], duration_s=1.0, settle_s=0.3)
    assert trial.shortcomings == []
    assert trial.lost == 0
    assert trial.sent == pytest.approx(50_500, rel=0.002)
    assert trial.duration == pytest.approx(1.0, abs=0.1)
    assert trial.groups[5].received == pytest.approx(50_000, rel=0.002)
    assert trial.groups[6].latency["lat"]["total_max"] >= trial.groups[6].latency["lat"]["total_min"]
    again = generator.run_trial([0], [1], multiplier=0.5, duration_s=0.5, settle_s=0.3)
    assert again.shortcomings == []
    assert again.sent == pytest.approx(12_625, rel=0.01)


def test_bursts_are_a_trial_too(generator: TrexGenerator) -> None:
    burst = Stream(PACKET, Rate("pps", 10_000), SingleBurst(1000), name="first", next="train")
    train = Stream(PACKET, Rate("pps", 10_000), MultiBurst(100, 5, 1000.0), name="train", self_start=False)
    generator.add_streams(0, [burst, train])
    trial = generator.run_trial([0], [1], duration_s=-1, settle_s=0.3)
    assert trial.shortcomings == []
    assert (trial.intended, trial.sent, trial.received) == (1500, 1500, 1500)


def test_the_flow_mode(generator: TrexGenerator, tmp_path: Path) -> None:
    table = tmp_path / "flows.csv"
    generator.flow_prepare(**FLOWS, **FLOWS_LIFETIME, flows_file=str(table))
    begin = time.monotonic_ns()
    started = generator.flow_start()
    assert begin - 1e9 < started["t_ns"] < time.monotonic_ns() + 1e9
    first: list[dict[str, Any]] = []
    eventually(lambda: first.extend(generator.flow_intervals()) or len(first) >= 4)
    generator.flow_update(pps=30_000)
    generator.flow_burst(duration_ms=100, new_per_second=1000)
    time.sleep(0.6)
    summary = generator.flow_stop()["summary"]
    intervals = first + generator.flow_intervals()
    assert sum(interval["sent"] for interval in intervals) == pytest.approx(summary["sent"], rel=0.15)
    assert summary["received"] == summary["sent"]
    assert summary["lost"] == 0
    assert table.exists()
    generator.flow_prepare(**FLOWS, **FLOWS_LIFETIME)
    generator.flow_start()
    assert generator.flow_stop()["summary"]["lost"] == 0


def test_two_clients_and_one_generator(stand: Stand, generator: TrexGenerator) -> None:
    with TrexGenerator("127.0.0.1", rpc=stand.rpc, publisher=stand.publisher, user="other") as other:
        with pytest.raises(GeneratorRefusal, match="the port is taken; found: owner nfvcert") as caught:
            other.connect()
        assert caught.value.kind == "refused"
        other.connect(force=True)
        with pytest.raises(GeneratorRefusal):
            generator.add_streams(0, [Stream(PACKET, Rate("pps", 1))])
    with pytest.raises(GeneratorRefusal):
        generator.start([0])


def test_overload_is_refused_unless_forced(generator: TrexGenerator) -> None:
    generator.add_streams(0, [Stream(PACKET, Rate("bps_L1", 6e9))])
    with pytest.raises(GeneratorRefusal, match="above the line rate; found: 12 Gbit/s"):
        generator.start([0], multiplier=2)


def test_a_server_of_a_lab_has_no_flow_mode(generator: TrexGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_methods", ["acquire", "add_stream", "start_traffic"])
    with pytest.raises(GeneratorRefusal, match="has no flow mode; do: use the embedded generator") as caught:
        generator.flow_prepare(**FLOWS)
    assert caught.value.kind == "unknown-method"


# flaws of generators: only a simulated one has them at will


@pytest.mark.parametrize(
    ("flaws", "reason"),
    [
        ({"capacity_pps": 30_000}, "took"),
        ({"capacity_pps": 30_000, "ghosts": True}, "packet groups count"),
        ({"overrun_every": 100}, "the receiver itself dropped"),
    ],
)
def test_a_generator_that_falls_short_makes_invalid_trials(tmp_path: Path, flaws: dict[str, Any], reason: str) -> None:
    with stand_up(tmp_path, flaws=flaws) as stand, generator_of(stand) as generator:
        generator.add_streams(0, [Stream(PACKET, Rate("pps", 50_000), group=Group(5))])
        trial = generator.run_trial([0], [1], duration_s=1.0, settle_s=0.1)
    assert any(reason in shortcoming for shortcoming in trial.shortcomings), trial.shortcomings
    assert trial.lost == 0


def test_losses_of_the_device_are_losses(tmp_path: Path) -> None:
    with stand_up(tmp_path, flaws={"lose_every": 100}) as stand, generator_of(stand) as generator:
        generator.add_streams(0, [Stream(PACKET, Rate("pps", 50_000), group=Group(5))])
        trial = generator.run_trial([0], [1], duration_s=1.0, settle_s=0.1)
    assert trial.shortcomings == []
    assert trial.lost == trial.sent // 100


def test_a_link_that_is_down_is_refused(tmp_path: Path) -> None:
    with stand_up(tmp_path, flaws={"link_up": False}) as stand, generator_of(stand) as generator:
        generator.add_streams(0, [Stream(PACKET, Rate("pps", 1))])
        with pytest.raises(GeneratorRefusal, match="link is DOWN"):
            generator.start([0])


def test_an_engine_that_hangs_is_an_error_within_seconds(tmp_path: Path) -> None:
    with stand_up(tmp_path, flaws={"silent": ["start"]}) as stand, generator_of(stand) as generator:
        generator.add_streams(0, [Stream(PACKET, Rate("pps", 1))])
        with pytest.raises(GeneratorRefusal, match="packet engine, start: no answer within"):
            generator.start([0])
        assert generator.state()["active"] == []


# processes that end


def test_an_engine_that_is_killed_is_told_and_the_server_ends(tmp_path: Path) -> None:
    with stand_up(tmp_path) as stand, generator_of(stand) as generator:
        generator.add_streams(0, [Stream(PACKET, Rate("pps", 1000))])
        generator.start([0])
        stand.engine.kill()
        with pytest.raises(GeneratorRefusal):
            generator.wait([0], timeout_s=8)
        assert stand.server.wait(10) == 3
        assert "engine-gone" in [line["event"] for line in stand.log]
        with pytest.raises(TestbedError):
            generator.read()


def test_a_server_that_is_killed_is_noticed(tmp_path: Path) -> None:
    with stand_up(tmp_path) as stand, generator_of(stand) as generator:
        stand.server.kill()
        begin = time.monotonic()
        with pytest.raises(GeneratorRefusal) as caught:
            generator.read()
        assert caught.value.kind == "connection"
        assert time.monotonic() - begin < 20


def test_a_client_that_is_killed_gives_its_ports_back(tmp_path: Path) -> None:
    with stand_up(tmp_path, options=["--session-timeout", "2"]) as stand:
        lost = generator_of(stand)
        lost.add_streams(0, [Stream(PACKET, Rate("pps", 1000))])
        lost.start([0])
        os.kill(lost.pid, signal.SIGKILL)
        eventually(lambda: "session-vanished" in [line["event"] for line in stand.log])
        with generator_of(stand) as generator:
            before = generator.read().ports[0].opackets
            time.sleep(0.3)
            assert generator.read().ports[0].opackets == before
        lost.close()


def test_nobody_there_and_a_worker_that_dies() -> None:
    with TrexGenerator("127.0.0.1", rpc=9, publisher=10) as generator:
        begin = time.monotonic()
        with pytest.raises(GeneratorRefusal) as caught:
            generator.connect()
        assert caught.value.kind == "connection"
        assert time.monotonic() - begin < 10
        os.kill(generator.pid, signal.SIGKILL)
        with pytest.raises(TestbedError, match="has ended"):
            generator.connect()


def test_a_server_without_an_engine_or_a_port_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nfvcert.traffic.trex.server", "--engine", str(tmp_path / "none")]
    command += ["--engine-timeout", "0.2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 3
    assert "the packet engine cannot be reached" in done.stderr
    with stand_up(tmp_path) as stand:
        command = [*command[:4], str(tmp_path / "engine.sock"), "--rpc", str(stand.rpc), "--publisher", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 3
        assert "cannot listen" in done.stderr


# frames that no client of good will sends


@pytest.fixture(scope="module")
def simple_stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A server with a simulated engine."""
    with stand_up(tmp_path_factory.mktemp("frames")) as made:
        yield made


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hello",
        struct.pack(">II", MARK, 100),
        struct.pack(">II", MARK, 100) + zlib.compress(b"x" * 100)[:-3],
        b'["' + b"x" * (LONGEST_TEXT + 10) + b'"]',
        struct.pack(">II", MARK, LONGEST_TEXT + 1) + zlib.compress(b"x" * (LONGEST_TEXT + 1)),
        b"[]",
        b'{"jsonrpc": "2.0", "id": 1, "method": "acquire", "params": {"api_h": "wrong"}}',
    ],
    ids=[
        "empty",
        "no JSON",
        "no body",
        "truncated",
        "oversized",
        "oversized, compressed",
        "empty batch",
        "wrong api_h",
    ],
)
def test_every_frame_is_answered(simple_stand: Stand, frame: bytes) -> None:
    with zmq.Context() as context:
        request = context.socket(zmq.REQ)
        request.setsockopt(zmq.RCVTIMEO, 3000)
        request.setsockopt(zmq.LINGER, 0)
        request.connect(f"tcp://127.0.0.1:{simple_stand.rpc}")
        request.send(frame)
        assert "specific_err" in json.loads(request.recv())["error"]
        request.send_multipart([b"{}", b"{}"])
        assert "error" in json.loads(request.recv())
        request.send(b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}')
        assert "result" in json.loads(request.recv())
        request.close(0)
