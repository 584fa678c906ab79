"""What peers are told and what is read from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.bench.child import Child
from nfvcert.bench.peers import hugepages
from nfvcert.bench.peers.openvswitch import rules
from nfvcert.bench.peers.testpmd import parse_links, parse_statistics
from nfvcert.bench.peers.veth_senders import trafgen_packets
from nfvcert.bench.veth import parse_interface
from nfvcert.errors import TestbedError
from nfvcert.traffic.programs import ProgramMissing, require
from waiting import eventually

STATISTICS = """
  ######################## NIC statistics for port 0  ########################
  RX-packets: 55338432   RX-missed: 3          RX-bytes:  3320305920
  RX-errors: 0
  RX-nombuf:  0
  TX-packets: 55340320   TX-errors: 0          TX-bytes:  3320419200

  Throughput (since last show)
  Rx-pps:     13862689          Rx-bps:   6654090280
  ############################################################################
"""


def test_counters_of_testpmd_are_read_by_port() -> None:
    assert parse_statistics(STATISTICS) == {0: (55338432, 3, 55340320)}


def test_half_a_table_of_testpmd_is_no_reading() -> None:
    assert parse_statistics(STATISTICS[: STATISTICS.index("TX-packets")]) == {}


def test_links_of_testpmd_are_read_in_order() -> None:
    text = (
        "Number of available ports: 2\n"
        "Port MAC Address       Name         Driver         Status   Link\n"
        "0    26:48:AE:39:F0:57 net_memif0   net_memif      up       100 Gbps\n"
        "1    D2:48:85:5F:16:65 net_memif1   net_memif      down     None\n"
    )
    assert parse_links(text) == ["up", "down"]


@pytest.mark.parametrize("count", [1, 16, 2048])
def test_rules_of_open_vswitch_cover_every_source_port_once(count: int) -> None:
    covered = [0] * 65536
    for line in rules(count, nat=True)[:-1]:
        value, mask = (int(part, 16) for part in line.split("udp_src=")[1].split(",")[0].split("/"))
        for port in range(value, value + 65536 - mask):
            covered[port] += 1
    assert covered == [1] * 65536


def test_rules_are_translated_only_where_asked() -> None:
    assert "nat(" in rules(1, nat=True)[0]
    assert "nat(" not in rules(1, nat=False)[0]


@pytest.mark.parametrize("count", [0, 3, 131072])
def test_a_number_of_rules_that_cannot_share_the_ports_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="evenly"):
        rules(count, nat=True)


def test_trafgen_frames_have_the_length_asked_for() -> None:
    assert "fill(0x00, 18)" in trafgen_packets(64)
    assert "fill(0x00, 1472)" in trafgen_packets(1518)


def test_counters_of_an_interface_are_read() -> None:
    text = " header |\n   lo: 0 0\nbench1: 6000 100 0 0 0 0 0 0 0 0\n"
    assert parse_interface(text, "bench1") == (100, 6000)
    with pytest.raises(ValueError, match="bench0"):
        parse_interface(text, "bench0")


def test_a_missing_peer_names_its_package() -> None:
    with pytest.raises(ProgramMissing, match="apt-get install netsniff-ng"):
        require("no-such-program-anywhere", "netsniff-ng")


def test_hugepages_are_given_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reserved, memory = tmp_path / "reserved", tmp_path / "memory"
    reserved.write_text("3\n")
    memory.write_text("MemAvailable: 9000000 kB\nHugePages_Free: 0\nHugepagesize: 2048 kB\n")
    monkeypatch.setattr(hugepages, "RESERVED", reserved)
    monkeypatch.setattr(hugepages, "MEMORY", memory)
    with hugepages.hugepages(1024) as had:
        assert reserved.read_text() == "515"
        assert not had  # the kernel has found no page
    assert reserved.read_text() == "3"


def test_no_hugepages_are_taken_from_a_machine_that_needs_its_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reserved, memory = tmp_path / "reserved", tmp_path / "memory"
    reserved.write_text("0\n")
    memory.write_text("MemAvailable: 1000000 kB\nHugePages_Free: 0\nHugepagesize: 2048 kB\n")
    monkeypatch.setattr(hugepages, "RESERVED", reserved)
    monkeypatch.setattr(hugepages, "MEMORY", memory)
    with hugepages.hugepages(1024) as had:
        assert not had
    assert reserved.read_text() == "0\n"


def test_a_child_ends_with_all_that_it_started(tmp_path: Path) -> None:
    with Child(["sh", "-c", "sleep 60 & echo $! ; wait"], log=tmp_path / "log") as child:
        grandchild = int(child.await_text("\n").strip())
    status = Path(f"/proc/{grandchild}/stat")
    assert eventually(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_child_that_ends_says_why(tmp_path: Path) -> None:
    with Child(["sh", "-c", "echo no such device; exit 3"], log=tmp_path / "log") as child:  # noqa: SIM117
        with pytest.raises(TestbedError, match="status 3: no such device"):
            child.await_text("ready")


def test_a_child_that_says_nothing_is_not_waited_for_long(tmp_path: Path) -> None:
    with Child(["sleep", "60"], log=tmp_path / "log") as child:  # noqa: SIM117
        with pytest.raises(TestbedError, match=r"not told within 0\.1 s"):
            child.await_text("ready", timeout_s=0.1)
