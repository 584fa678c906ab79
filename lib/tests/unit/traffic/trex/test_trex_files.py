"""Capture files that the server sends, by what the client and the engine would see."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter
from trex_talk import Refused, Talk

STARTED, STOPPED, FINISHED = 0, 1, 4
TIMES = (100.0, 100.0005, 100.0025)


def trace(path: Path, times: tuple[float, ...] = TIMES, **options: Any) -> str:
    """A capture file of numbered packets at these seconds."""
    with PcapWriter(str(path), **options) as writer:
        for number, time in enumerate(times):
            packet = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b") / IP() / UDP(sport=number + 1)
            packet.time = time
            writer.write(packet)
    return str(path)


def push(talk: Talk, file: str, port: int = 0, **changes: Any) -> Any:
    wanted = {"ipg_usec": -1, "min_ipg_usec": 0, "speedup": 1.0, "count": 1, "duration": -1, "is_dual": False}
    return talk.request("push_remote", port_id=port, pcap_filename=file, slave_handler="", **(wanted | changes))


def sent(talk: Talk) -> list[dict[str, Any]]:
    """Streams that the engine was given."""
    return list(talk.orders("load")[-1]["streams"])


def kinds(talk: Talk) -> list[int]:
    return [event["type"] for event in talk.events()]


def test_packets_go_as_they_were_recorded_and_the_end_is_told(owned: Talk, tmp_path: Path) -> None:
    kinds(owned)
    assert push(owned, trace(tmp_path / "a.pcap")) == {}
    assert owned.status()["state"] == "PCAP_TX"
    assert [each["isg_us"] for each in sent(owned)] == pytest.approx([0, 500, 2000], abs=1e-3)
    assert [each["next"] for each in sent(owned)] == [1, 2, 0]
    assert [each["self_start"] for each in sent(owned)] == [True, False, False]
    packets = [base64.b64decode(each["packet"]) for each in sent(owned)]
    port, peer = (owned.context.ports[index].addresses.source for index in (0, 1))
    assert {packet[:12] for packet in packets} == {peer + port}
    assert [Ether(packet)[UDP].sport for packet in packets] == [1, 2, 3]
    assert {len(packet) for packet in packets} == {60}
    owned.pass_time(0.5)
    assert kinds(owned) == [STARTED, FINISHED]
    assert owned.status()["state"] == "IDLE"
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 3


def test_gaps_can_be_given_shortened_and_kept_from_being_too_short(owned: Talk, tmp_path: Path) -> None:
    file = trace(tmp_path / "a.pcap")
    for changes, gaps in (
        ({"ipg_usec": 30}, [30, 30, 30]),
        ({"ipg_usec": 30, "speedup": 10.0}, [3, 3, 3]),
        ({"speedup": 10.0}, [0, 50, 200]),
        ({"speedup": 10.0, "min_ipg_usec": 100}, [100, 100, 200]),
    ):
        push(owned, file, **changes)
        assert [each["isg_us"] for each in sent(owned)] == pytest.approx(gaps, abs=1e-3)
        owned.pass_time(0.5)


def test_a_file_is_sent_over_and_over_until_it_is_stopped(owned: Talk, tmp_path: Path) -> None:
    kinds(owned)
    file = trace(tmp_path / "a.pcap")
    push(owned, file, count=4)
    owned.pass_time(0.5)
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 12
    push(owned, file, count=0)
    owned.pass_time(2)
    assert owned.status()["state"] == "PCAP_TX"
    owned.add(7)
    with pytest.raises(Refused, match="the port sends a capture file"):
        owned.start()
    with pytest.raises(Refused, match="the port sends already; found: PCAP_TX"):
        push(owned, file)
    owned.request("stop_traffic", port_id=0, profile_id="_")
    assert owned.status()["state"] == "STREAMS"
    assert kinds(owned) == [STARTED, FINISHED, STARTED, STOPPED]
    owned.start()
    with pytest.raises(Refused, match="the port sends already; found: TX"):
        push(owned, file)


def test_a_file_ends_after_its_time(owned: Talk, tmp_path: Path) -> None:
    push(owned, trace(tmp_path / "a.pcap"), count=0, duration=1)
    owned.pass_time(0.8)
    assert owned.status()["state"] == "PCAP_TX"
    owned.pass_time(0.5)
    assert owned.status()["state"] == "IDLE"


def test_addresses_stay_as_the_file_has_them_when_asked_for(owned: Talk, tmp_path: Path) -> None:
    push(owned, trace(tmp_path / "a.pcap"), count=1 | 0x8000_0000 | 0x4000_0000)
    assert {base64.b64decode(each["packet"])[:12].hex(":", 2) for each in sent(owned)} == {
        "0200:0000:000b:0200:0000:000a"
    }
    assert sent(owned)[-1]["action_count"] == 1


def test_what_a_vanished_client_sends_is_stopped(owned: Talk, tmp_path: Path) -> None:
    push(owned, trace(tmp_path / "a.pcap"), count=0)
    owned.pass_time(20)
    assert owned.status()["state"] == "IDLE"
    assert owned.status()["owner"] == ""


def test_every_kind_of_capture_file_is_read(owned: Talk, tmp_path: Path) -> None:
    trace(tmp_path / "nano.pcap", nano=True)
    trace(tmp_path / "big.pcap", endianness=">")
    with PcapNgWriter(str(tmp_path / "a.pcapng")) as writer:
        for time in TIMES:
            packet = Ether() / IP() / UDP()
            packet.time = time
            writer.write(packet)
    for name in ("nano.pcap", "big.pcap", "a.pcapng"):
        push(owned, str(tmp_path / name))
        assert [each["isg_us"] for each in sent(owned)] == pytest.approx([0, 500, 2000], abs=0.5), name
        owned.pass_time(0.5)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "the capture file cannot be read"),
        (b"", "the capture file cannot be read"),
        (b"no capture file at all", "the capture file cannot be read"),
        ((), "the file holds no packets"),
        ({"linktype": 101}, "only Ethernet packets can be sent"),
    ],
)
def test_a_file_that_cannot_be_sent(owned: Talk, tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "odd.pcap"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        writer = PcapWriter(str(path), **(content or {"linktype": 1}))
        writer.write_header(None)
        for number in range(bool(content)):
            writer.write(bytes([number]) * 60)
        writer.close()
    with pytest.raises(Refused, match=f"odd.pcap: {says}"):
        push(owned, str(path))
    assert owned.status()["state"] == "IDLE"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"speedup": 0}, "'speedup' is to be positive"),
        ({"ipg_usec": -5}, "gaps are not to be negative"),
        ({"min_ipg_usec": -5}, "gaps are not to be negative"),
        ({"ipg_usec": 1e300}, "a gap is at most"),
        ({"duration": 0}, "'duration' is to be positive"),
        ({"is_dual": True}, "a file is sent in one direction"),
        ({"count": -1}, "'count' is to be a whole number"),
        ({"handler": "nobody's"}, "the port is not owned"),
    ],
)
def test_a_wish_that_cannot_be_met(owned: Talk, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        push(owned, trace(tmp_path / "a.pcap"), **changes)
    assert not owned.orders("load")


def test_packets_longer_than_the_engine_sends_are_refused_by_number(owned: Talk, tmp_path: Path) -> None:
    with PcapWriter(str(tmp_path / "long.pcap")) as writer:
        writer.write(Ether() / IP() / UDP())
        writer.write(Ether() / IP() / UDP() / bytes(3000))
    with pytest.raises(Refused, match=r"long.pcap, packet 2: a packet has 14 to 1514 octets; found: 3042"):
        push(owned, str(tmp_path / "long.pcap"))
