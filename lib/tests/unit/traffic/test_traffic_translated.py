"""Packets of translated flows are what scapy, and the one who reads them at the sink, take them for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror, defragment
from scapy.layers.l2 import Ether

from nfvcert.traffic.translated import Way, datagram, fragments, icmp_error, seen

OUT = Way("10.64.0.7", 40_007, "203.0.113.8", 7_000, "02:4e:46:02:00:01")
BACK = Way("203.0.113.8", 7_000, "192.0.2.1", 50_123, "02:4e:46:01:00:01")


@pytest.mark.parametrize("way", [OUT, BACK])
def test_a_datagram_has_its_addresses_and_right_checksums(way: Way) -> None:
    frame = Ether(datagram(way, 77))
    assert (frame.dst, frame[IP].src, frame[IP].dst) == (way.mac, way.source, way.destination)
    assert (frame[UDP].sport, frame[UDP].dport) == (way.sport, way.dport)
    again = frame.copy()
    del again[IP].chksum, again[UDP].chksum
    assert bytes(Ether(bytes(again))) == bytes(frame)


def test_two_fragments_make_one_datagram() -> None:
    head, tail = (Ether(frame)[IP] for frame in fragments(OUT, 5, 6))
    assert (head.frag, head.flags.MF, tail.frag, tail.flags.MF) == (0, 1, 6, 0)
    assert head.id == tail.id
    [whole] = defragment([head, tail])
    del whole[UDP].chksum
    assert IP(bytes(whole))[UDP].len == 72


def test_an_error_quotes_a_packet_of_its_receiver() -> None:
    frame = Ether(icmp_error(BACK, "10.64.0.7", OUT.mac, 9))
    assert (frame[IP].src, frame[IP].dst, frame[ICMP].type, frame[ICMP].code) == ("10.64.0.7", BACK.source, 3, 3)
    assert (frame[IPerror].src, frame[IPerror].dst) == (BACK.source, BACK.destination)
    assert (frame[UDPerror].sport, frame[UDPerror].dport) == (BACK.sport, BACK.dport)


@given(stream=st.integers(0, 65_535), instance=st.integers(1, 255), detours=st.integers(0, 3))
def test_the_sink_reads_which_stream_and_who_handled_it(stream: int, instance: int, detours: int) -> None:
    frames = [datagram(OUT, stream), *fragments(OUT, stream, stream), icmp_error(OUT, "203.0.113.254", OUT.mac, stream)]
    for frame in frames:
        arrived = bytearray(frame)
        arrived[10:12] = bytes((detours, instance))
        found = seen(bytes(arrived).ljust(60, b"\x00"))
        assert found is not None
        assert (found.stream, found.instance, found.detours, found.sequence) == (stream, instance, detours, 1)
    assert seen(frames[0]).sport == 40_007  # type: ignore[union-attr]
    assert seen(frames[2]).sport == 0  # type: ignore[union-attr]


@given(st.binary(max_size=120))
def test_what_others_sent_is_nobodys(octets: bytes) -> None:
    assert seen(octets) is None
    assert seen(datagram(OUT, 1)[:12] + b"\x08\x00" + octets) is None
