"""The native NAT44, octet by octet against scapy: what it forwards is what an independent implementation writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packet_harness import (
    SECOND,
    Harness,
    built,
    check_quoting_error,
    ip_fields,
    octets_of,
    payloads,
    ports,
    running,
    translated,
)
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Packet, Raw

pytestmark = pytest.mark.native

CLIENT = "198.18.16.1"
SERVER = "198.19.1.1"
ROUTER = "192.0.2.1"
EXTERNAL = "198.19.0.5"
LB_MAC = "02:00:00:00:00:01"

relaxed = settings(max_examples=150)


class Nat(Harness):
    """`configure` starts a new NAT44 inside the process."""

    def configure(self, **members: Any) -> Nat:
        self.now = SECOND
        self.ask("configure", external=EXTERNAL, **members)
        return self

    def outbound(self, octets: bytes) -> dict[str, Any]:
        return self.ask("outbound", packet=octets.hex(), mac=LB_MAC)

    def inbound(self, octets: bytes) -> dict[str, Any]:
        return self.ask("inbound", packet=octets.hex())


@pytest.fixture(scope="module")
def harness() -> Iterator[Nat]:
    yield from running("nfvcert-nf-harness", Nat)


def parsed(answer: dict[str, Any]) -> Packet:
    assert answer["action"] == "forward", answer
    return IP(bytes.fromhex(answer["packet"]))


dscps = st.sampled_from([None, 18, 46])


@relaxed
@given(fields=ip_fields, sport=ports, dport=ports, payload=payloads, no_checksum=st.booleans(), dscp=dscps)
def test_udp_is_translated_both_ways_as_scapy_would(
    harness: Nat,
    fields: dict[str, Any],
    sport: int,
    dport: int,
    payload: bytes,
    no_checksum: bool,
    dscp: int | None,
) -> None:
    nat = harness.configure(dscp=dscp)
    udp: dict[str, Any] = {"chksum": 0} if no_checksum else {}
    out = built(IP(src=CLIENT, dst=SERVER, **fields) / UDP(sport=sport, dport=dport, **udp) / Raw(payload))
    answer = nat.outbound(bytes(out))
    assert bytes.fromhex(answer["packet"]) == translated(out, dscp, src=EXTERNAL, sport=1024)
    assert answer["destination"] == SERVER

    back = built(IP(src=SERVER, dst=EXTERNAL, **fields) / UDP(sport=dport, dport=1024, **udp) / Raw(payload))
    answer = nat.inbound(bytes(back))
    assert bytes.fromhex(answer["packet"]) == translated(back, dscp, dst=CLIENT, dport=sport)
    assert answer["mac"] == LB_MAC


@relaxed
@given(fields=ip_fields, sport=ports, dport=ports, payload=payloads, seq=st.integers(0, 2**32 - 1), dscp=dscps)
def test_tcp_is_translated_both_ways_as_scapy_would(
    harness: Nat, fields: dict[str, Any], sport: int, dport: int, payload: bytes, seq: int, dscp: int | None
) -> None:
    nat = harness.configure(dscp=dscp)
    options = [("MSS", 1460), ("NOP", None), ("WScale", 7)]
    syn = built(
        IP(src=CLIENT, dst=SERVER, **fields) / TCP(sport=sport, dport=dport, flags="S", seq=seq, options=options)
    )
    assert bytes.fromhex(nat.outbound(bytes(syn))["packet"]) == translated(syn, dscp, src=EXTERNAL, sport=1024)
    data = built(
        IP(src=SERVER, dst=EXTERNAL, **fields)
        / TCP(sport=dport, dport=1024, flags="PA", seq=seq, ack=seq)
        / Raw(payload)
    )
    assert bytes.fromhex(nat.inbound(bytes(data))["packet"]) == translated(data, dscp, dst=CLIENT, dport=sport)


@relaxed
@given(fields=ip_fields, identifier=st.integers(0, 65535), payload=payloads)
def test_echo_is_translated_by_identifier(
    harness: Nat, fields: dict[str, Any], identifier: int, payload: bytes
) -> None:
    nat = harness.configure()
    request = built(IP(src=CLIENT, dst=SERVER, **fields) / ICMP(type=8, id=identifier, seq=3) / Raw(payload))
    assert bytes.fromhex(nat.outbound(bytes(request))["packet"]) == translated(request, src=EXTERNAL, id=1024)
    reply = built(IP(src=SERVER, dst=EXTERNAL, **fields) / ICMP(type=0, id=1024, seq=3) / Raw(payload))
    assert bytes.fromhex(nat.inbound(bytes(reply))["packet"]) == translated(reply, dst=CLIENT, id=identifier)


@pytest.mark.parametrize("quoted_length", [None, 28])
@pytest.mark.parametrize("transport", ["udp", "tcp", "echo"])
@pytest.mark.parametrize(("icmp_type", "code"), [(3, 3), (11, 0), (12, 0)])
def test_errors_from_outside_reach_the_inside_endpoint(
    harness: Nat, transport: str, icmp_type: int, code: int, quoted_length: int | None
) -> None:
    nat = harness.configure(dscp=18)
    layers = {
        "udp": UDP(sport=4000, dport=7) / Raw(b"question"),
        "tcp": TCP(sport=4000, dport=7, flags="S"),
        "echo": ICMP(type=8, id=4000, seq=1) / Raw(b"question"),
    }
    original = built(IP(src=CLIENT, dst=SERVER) / layers[transport])
    sent = bytes.fromhex(nat.outbound(bytes(original))["packet"])
    error = octets_of(IP(src=ROUTER, dst=EXTERNAL) / ICMP(type=icmp_type, code=code) / Raw(sent[:quoted_length]))

    answer = nat.inbound(error)
    assert (answer["action"], answer["mac"]) == ("forward", LB_MAC)
    got = bytes.fromhex(answer["packet"])
    check_quoting_error(got, (ROUTER, CLIENT), (CLIENT, SERVER), transport, (4000, 7))
    # the quoted packet is the original but for TTL, DSCP and header checksum
    expected = translated(original, 18)[:quoted_length]
    assert got[28:] == expected
    assert got[20:] == bytes(ICMP(type=icmp_type, code=code) / Raw(expected))


def test_errors_from_inside_look_as_if_the_translator_sent_them(harness: Nat) -> None:
    nat = harness.configure()
    nat.outbound(octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=7) / Raw(b"x")))
    arrived = built(IP(src=SERVER, dst=EXTERNAL) / UDP(sport=7, dport=1024) / Raw(b"late answer"))
    delivered = bytes.fromhex(nat.inbound(bytes(arrived))["packet"])
    error = octets_of(IP(src=CLIENT, dst=SERVER) / ICMP(type=3, code=3) / Raw(delivered))
    answer = nat.outbound(error)
    got = bytes.fromhex(answer["packet"])
    assert answer["destination"] == SERVER
    assert got[20:] == bytes(ICMP(type=3, code=3) / Raw(translated(arrived)))
    assert IP(got).src == EXTERNAL


def test_errors_about_unknown_or_damaged_things_are_dropped(harness: Nat) -> None:
    nat = harness.configure()
    stranger = octets_of(IP(src=EXTERNAL, dst=SERVER) / UDP(sport=5000, dport=7))
    error = octets_of(IP(src=ROUTER, dst=EXTERNAL) / ICMP(type=3, code=3) / Raw(stranger))
    assert nat.inbound(error) == {"action": "drop", "reason": "no_session"}
    sent = bytes.fromhex(nat.outbound(octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=7)))["packet"])
    good = octets_of(IP(src=ROUTER, dst=EXTERNAL) / ICMP(type=3, code=3) / Raw(sent))
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    assert nat.inbound(damaged) == {"action": "drop", "reason": "bad_checksum"}
    misdirected = octets_of(IP(src=ROUTER, dst="198.19.0.6") / ICMP(type=3, code=3) / Raw(sent))
    assert nat.inbound(misdirected) == {"action": "drop", "reason": "no_session"}
    assert nat.inbound(good)["action"] == "forward"


@pytest.mark.parametrize("allocator", ["sequential", "block"])
def test_exhausted_ports_refuse_new_sessions_and_spare_old_ones(harness: Nat, allocator: str) -> None:
    nat = harness.configure(allocator=allocator, port_first=2000, port_last=2003, block_size=4)

    def question(sport: int) -> bytes:
        return octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=sport, dport=7))

    seen = {parsed(nat.outbound(question(4000 + i)))[UDP].sport for i in range(4)}
    assert seen == {2000, 2001, 2002, 2003}
    assert nat.outbound(question(5000)) == {"action": "drop", "reason": "port_exhausted"}
    assert nat.outbound(question(4003))["action"] == "forward"
    nat.now += 121 * SECOND
    nat.ask("expire")
    assert nat.outbound(question(5000))["action"] == "forward"


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (IP(src=CLIENT, dst=SERVER, flags="MF") / UDP(sport=1, dport=2) / Raw(b"12345678"), "fragment"),
        (IP(src=CLIENT, dst=SERVER, frag=3, proto=17) / Raw(b"12345678"), "fragment"),
        (IP(src=CLIENT, dst=SERVER, ttl=1) / UDP(sport=1, dport=2), "ttl_expired"),
        (IP(src=CLIENT, dst="224.0.0.1") / UDP(sport=1, dport=2), "martian"),
        (IP(src="0.0.0.0", dst=SERVER) / UDP(sport=1, dport=2), "martian"),
        (IP(src=CLIENT, dst=SERVER, proto=47) / Raw(b"12345678"), "unsupported_protocol"),
        (IP(src=CLIENT, dst=SERVER) / ICMP(type=13) / Raw(bytes(12)), "unsupported_icmp"),
        (IP(src=CLIENT, dst=SERVER) / ICMP(type=0, id=3), "unsupported_icmp"),
        (IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="A"), "tcp_without_session"),
        (IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="R"), "tcp_without_session"),
        (IP(src=CLIENT, dst=SERVER, proto=17) / Raw(b"1234567"), "malformed"),
        (IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2, len=9), "malformed"),
        (IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="S", dataofs=15), "malformed"),
        (IP(src=CLIENT, dst=SERVER, len=60) / UDP(sport=1, dport=2), "malformed"),
        (IP(src=CLIENT, dst=SERVER, chksum=0x1234) / UDP(sport=1, dport=2), "bad_checksum"),
    ],
)
def test_what_is_not_translated_is_dropped_with_its_reason(harness: Nat, packet: Packet, reason: str) -> None:
    nat = harness.configure()
    assert nat.outbound(bytes(packet)) == {"action": "drop", "reason": reason}
    assert nat.ask("stats")["sessions"] == 0


def test_link_padding_is_cut_off(harness: Nat) -> None:
    nat = harness.configure()
    octets = octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=7))
    assert len(bytes.fromhex(nat.outbound(octets + bytes(18))["packet"])) == len(octets)


@settings(relaxed, max_examples=400)
@given(octets=st.binary(max_size=120))
def test_arbitrary_octets_never_stop_the_translator(harness: Nat, octets: bytes) -> None:
    nat = harness.configure()
    for answer in (nat.outbound(octets), nat.inbound(octets)):
        assert answer["action"] in ("forward", "drop")


@settings(relaxed, max_examples=400)
@given(
    seed=st.sampled_from(["udp", "tcp", "echo", "error"]),
    changes=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 90),
    repair=st.booleans(),
)
def test_damaged_packets_never_stop_the_translator(
    harness: Nat, seed: str, changes: list[tuple[int, int]], cut: int, repair: bool
) -> None:
    nat = harness.configure()
    sent = bytes.fromhex(nat.outbound(octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=7)))["packet"])
    seeds = {
        "udp": IP(src=SERVER, dst=EXTERNAL) / UDP(sport=7, dport=1024) / Raw(b"answer"),
        "tcp": IP(src=CLIENT, dst=SERVER) / TCP(sport=4000, dport=7, flags="S"),
        "echo": IP(src=CLIENT, dst=SERVER) / ICMP(type=8, id=1) / Raw(b"x"),
        "error": IP(src=ROUTER, dst=EXTERNAL) / ICMP(type=3, code=1) / Raw(sent),
    }
    octets = bytearray(octets_of(seeds[seed]))
    for place, value in changes:
        octets[place % len(octets)] = value
    del octets[max(len(octets) - cut, 0) if cut % 3 == 0 else len(octets) :]
    if repair and len(octets) >= 20:  # a right header checksum lets the damage reach the inner parsers
        octets[10:12] = b"\0\0"
        header = bytes(octets[: min(len(octets), max(20, (octets[0] & 15) * 4))])
        total = sum(int.from_bytes(header[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(header), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        octets[10:12] = (~total & 0xFFFF).to_bytes(2, "big")
    for answer in (nat.outbound(bytes(octets)), nat.inbound(bytes(octets))):
        assert answer["action"] in ("forward", "drop")


@pytest.mark.parametrize("state_format", [1, 2])
def test_state_moves_between_instances_without_a_change_on_the_wire(harness: Nat, state_format: int) -> None:
    nat = harness.configure()
    question = octets_of(IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=7) / Raw(b"q"))
    before = nat.outbound(question)
    state = nat.ask("export", format=state_format)["state"]
    nat.ask("configure", external="198.19.0.6", allocator="block")
    assert nat.outbound(question)["packet"] != before["packet"]

    nat.ask("configure", external="198.19.0.6", allocator="block")
    assert nat.ask("import", state=state) == {"sessions": 1, "conflicts": 0, "addresses": [EXTERNAL]}
    assert nat.outbound(question)["packet"] == before["packet"]
