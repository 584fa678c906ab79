"""The native network functions, octet by octet against scapy, and what must hold for any traffic (hypothesis)."""

from __future__ import annotations

from collections import defaultdict
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
    payloads,
    ports,
    running,
    translated,
)
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

pytestmark = pytest.mark.native

CLIENT, SERVER, ROUTER = "10.0.0.1", "203.0.113.7", "192.0.2.1"
EXTERNAL, SERVICE, BACKEND = "198.19.0.5", "198.19.200.1", "198.19.1.1"
LINK = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")

relaxed = settings(max_examples=60)


class Function(Harness):
    """`make` starts a new network function inside the process."""

    def make(self, function: str, **parameters: Any) -> Function:
        self.now = SECOND
        self.ask("make", function=function, parameters=parameters)
        return self

    def process(self, *frames: bytes, random: int = 0) -> dict[str, Any]:
        return self.ask("process", frames=[frame.hex() for frame in frames], random=random)

    def forward(self, packet: Packet) -> bytes:
        """What comes out for one packet, from the IPv4 header on."""
        answer = self.process(framed(packet))
        assert len(answer["forwarded"]) == 1, answer
        return bytes.fromhex(answer["forwarded"][0]["frame"])[14:]

    def reason(self, packet: Packet) -> str:
        answer = self.process(framed(packet))
        assert len(answer["dropped"]) == 1, answer
        return str(answer["dropped"][0]["reason"])


@pytest.fixture(scope="module")
def harness() -> Iterator[Function]:
    yield from running("nfvcert-function-harness", Function)


@pytest.fixture(scope="module")
def other() -> Iterator[Function]:
    """A second instance, to which state or packets go."""
    yield from running("nfvcert-function-harness", Function)


def framed(packet: Packet) -> bytes:
    return bytes(LINK / packet)


transports = st.sampled_from(["udp", "udp-without-sum", "tcp", "echo"])


def segment(transport: str, sport: int, dport: int, payload: bytes, *, back: bool = False) -> Packet:
    if transport == "tcp":
        return TCP(sport=sport, dport=dport, flags="A" if back else "S", options=[("MSS", 1460)]) / Raw(payload)
    if transport == "echo":
        return ICMP(type=0 if back else 8, id=dport if back else sport, seq=3) / Raw(payload)
    sums: dict[str, Any] = {"chksum": 0} if transport == "udp-without-sum" else {}
    return UDP(sport=sport, dport=dport, **sums) / Raw(payload)


@relaxed
@given(
    function=st.sampled_from(["nat", "basic-nat"]),
    fields=ip_fields,
    transport=transports,
    sport=ports,
    dport=ports,
    payload=payloads,
)
def test_translated_both_ways_as_scapy_would(
    harness: Function, function: str, fields: dict[str, Any], transport: str, sport: int, dport: int, payload: bytes
) -> None:
    nat = harness.make(function, external=EXTERNAL)
    out = built(IP(src=CLIENT, dst=SERVER, **fields) / segment(transport, sport, dport, payload))
    port = {"id": 1024} if transport == "echo" else {"sport": 1024}
    assert nat.forward(out) == translated(out, src=EXTERNAL, **port)
    back = built(IP(src=SERVER, dst=EXTERNAL, **fields) / segment(transport, dport, 1024, payload, back=True))
    port = {"id": sport} if transport == "echo" else {"dport": sport}
    assert nat.forward(back) == translated(back, dst=CLIENT, **port)


@relaxed
@given(fields=ip_fields, transport=transports, sport=ports, dport=ports, payload=payloads)
def test_balanced_both_ways_as_scapy_would(
    harness: Function, fields: dict[str, Any], transport: str, sport: int, dport: int, payload: bytes
) -> None:
    balancer = harness.make("load-balancer", servers=[{"address": BACKEND}], virtual=f"{SERVICE}/32")
    out = built(IP(src=CLIENT, dst=SERVICE, **fields) / segment(transport, sport, dport, payload))
    assert balancer.forward(out) == translated(out, dst=BACKEND)
    back = built(IP(src=BACKEND, dst=CLIENT, **fields) / segment(transport, dport, sport, payload, back=True))
    assert balancer.forward(back) == translated(back, src=SERVICE)


@pytest.mark.parametrize("function", ["nat", "basic-nat"])
@pytest.mark.parametrize("quoted_length", [None, 28])
@pytest.mark.parametrize("transport", ["udp", "tcp", "echo"])
@pytest.mark.parametrize(("icmp_type", "code"), [(3, 3), (11, 0), (12, 0)])
def test_errors_from_outside_reach_the_inside_endpoint(
    harness: Function, function: str, transport: str, icmp_type: int, code: int, quoted_length: int | None
) -> None:
    nat = harness.make(function, external=EXTERNAL)
    original = built(IP(src=CLIENT, dst=SERVER) / segment(transport, 4000, 7, b"question"))
    sent = nat.forward(original)
    error = IP(src=ROUTER, dst=EXTERNAL) / ICMP(type=icmp_type, code=code) / Raw(sent[:quoted_length])
    got = nat.forward(built(error))
    check_quoting_error(got, (ROUTER, CLIENT), (CLIENT, SERVER), transport, (4000, 7))
    assert got[20:] == bytes(ICMP(type=icmp_type, code=code) / Raw(translated(original)[:quoted_length]))


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (IP(src=CLIENT, dst=SERVER, frag=3, proto=17) / Raw(b"12345678"), "fragment_without_first"),
        (IP(src=CLIENT, dst=SERVER, ttl=1) / UDP(sport=1, dport=2), "ttl_expired"),
        (IP(src=CLIENT, dst="224.0.0.1") / UDP(sport=1, dport=2), "martian"),
        (IP(src="0.0.0.0", dst=SERVER) / UDP(sport=1, dport=2), "martian"),
        (IP(src=CLIENT, dst=SERVER, proto=47) / Raw(b"12345678"), "unsupported_protocol"),
        (IP(src=CLIENT, dst=SERVER) / ICMP(type=13) / Raw(bytes(12)), "unsupported_icmp"),
        (IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="A"), "tcp_without_session"),
        (IP(src=SERVER, dst=EXTERNAL) / TCP(sport=1, dport=2, flags="S"), "no_pinhole"),
        (IP(src=SERVER, dst=ROUTER) / UDP(sport=1, dport=2), "foreign"),
        (IP(src=CLIENT, dst=SERVER, proto=17) / Raw(b"1234567"), "malformed"),
        (IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2, len=9), "malformed"),
        (IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="S", dataofs=15), "malformed"),
        (IP(src=CLIENT, dst=SERVER, len=60) / UDP(sport=1, dport=2), "malformed"),
        (IP(src=CLIENT, dst=SERVER, chksum=0x1234) / UDP(sport=1, dport=2), "bad_checksum"),
    ],
)
def test_what_is_not_translated_is_dropped_with_its_reason(harness: Function, packet: Packet, reason: str) -> None:
    nat = harness.make("nat", external=EXTERNAL)
    assert nat.reason(packet) == reason
    assert nat.ask("statistics")["flows"] == 0


@relaxed
@given(
    function=st.sampled_from(["nat", "basic-nat"]),
    packets=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.integers(0, 300)), min_size=1, max_size=60
    ),
)
def test_mappings_are_one_to_one_at_every_instant(
    harness: Function, function: str, packets: list[tuple[int, int, int, int]]
) -> None:
    """Inside and external endpoint determine each other, whatever comes and expires; answers find the way back."""
    nat = harness.make(
        function, external=[EXTERNAL, "198.19.0.6"], port_first=2000, port_last=2007, state_timeout_ms=500
    )
    living: dict[tuple[str, int], tuple[tuple[str, int], int]] = {}
    for host, sport, remote, pause_ms in packets:
        nat.now += pause_ms * 1_000_000
        nat.ask("advance")
        living = {inside: entry for inside, entry in living.items() if nat.now - entry[1] <= 500_000_000}
        inside = (f"10.0.0.{host}", sport)
        answer = nat.process(framed(IP(src=inside[0], dst=f"203.0.113.{remote}") / UDP(sport=sport, dport=7)))
        if answer["dropped"]:
            assert answer["dropped"][0]["reason"] == "port_exhausted"
            assert inside not in living
            continue
        sent = IP(bytes.fromhex(answer["forwarded"][0]["frame"])[14:])
        external = (sent.src, sent[UDP].sport)
        if inside in living:
            assert living[inside][0] == external
        assert all(entry[0] != external for known, entry in living.items() if known != inside)
        living[inside] = (external, nat.now)
        back = IP(nat.forward(IP(src=f"203.0.113.{remote}", dst=external[0]) / UDP(sport=7, dport=external[1])))
        assert (back.dst, back[UDP].dport) == inside


contents = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.binary(min_size=1, max_size=8), st.integers(1, 60)).map(lambda pair: pair[0] * pair[1]),
    st.tuples(st.integers(0, 200), st.integers(0, 400), st.binary(max_size=20)).map(
        lambda cut: bytes(range(256))[cut[0] :] * 2 + cut[2] + bytes(range(256))[: cut[1]]
    ),
)


@relaxed
@given(
    packets=st.lists(
        st.tuples(contents, st.sampled_from([6, 17, 47, 253]), st.sampled_from([0, "DF", "MF"]), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    cache=st.integers(1, 8),
)
def test_decoding_gives_back_what_was_encoded(
    harness: Function, other: Function, packets: list[tuple[bytes, int, Any, bool]], cache: int
) -> None:
    """decode(encode(x)) == x, also when packets are lost: what cannot be decoded is asked for, never guessed."""
    encoder = harness.make("wan-optimiser", generation=3, cache_packets=cache, near="10.0.0.0/8")
    decoder = other.make("wan-optimiser", role="decoder", cache_packets=cache)
    for content, protocol, flags, lost in packets:
        frame = framed(IP(src=CLIENT, dst=SERVER, proto=protocol, flags=flags) / Raw(content))
        answer = encoder.process(frame)
        assert not answer["dropped"]
        encoded = bytes.fromhex(answer["forwarded"][0]["frame"])
        assert len(encoded) <= len(frame) or protocol == 253
        if lost:
            continue
        answer = decoder.process(encoded)
        assert not answer["dropped"]
        got = bytes.fromhex(answer["forwarded"][0]["frame"])
        if got != frame:
            request = IP(got[14:])
            assert (request.src, request.dst, request.proto) == (SERVER, CLIENT, 253)
            answer = encoder.process(got)
            assert bytes.fromhex(answer["forwarded"][0]["frame"]) == frame
            answer = decoder.process(bytes.fromhex(answer["forwarded"][0]["frame"]))
            assert bytes.fromhex(answer["forwarded"][0]["frame"]) == frame


@relaxed
@given(
    arrivals=st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(0, 1_400), st.sampled_from([0, 46])), min_size=1, max_size=80
    ),
    rate=st.integers(100_000, 50_000_000),
    burst=st.integers(2_048, 20_000),
    link=st.sampled_from([0, 1_000_000, 20_000_000]),
    red=st.booleans(),
)
def test_shaped_traffic_never_exceeds_its_contract(
    harness: Function, arrivals: list[tuple[int, int, int]], rate: int, burst: int, link: int, red: bool
) -> None:
    """In any window burst + rate * time at most passes, per class and for the link; order stays; loss is counted."""
    early = {"red_min": 4, "red_max": 24} if red else {}
    classes = [
        {"name": "voice", "dscp": [46], "rate_bps": rate, "burst_bytes": burst, "queue_packets": 32, **early},
        {"name": "rest", "rate_bps": 2 * rate, "burst_bytes": burst, "queue_packets": 32, **early},
    ]
    shaper = harness.make("qos", classes=classes, link_rate_bps=link, link_burst_bytes=burst, overhead_bytes=24)
    sizes: list[int] = []
    kinds: list[int] = []
    passed: list[tuple[int, int]] = []  # time, number of the packet
    dropped = 0

    def note(answer: dict[str, Any]) -> int:
        passed.extend((shaper.now, packet["tag"]) for packet in answer["forwarded"])
        return len(answer["dropped"])

    for pause_us, length, dscp in arrivals:
        shaper.now += pause_us * 1_000
        frame = framed(IP(src=CLIENT, dst=SERVER, tos=dscp << 2) / UDP(sport=1, dport=2) / Raw(bytes(length)))
        sizes.append(len(frame) + 24)
        kinds.append(dscp)
        dropped += note(shaper.process(frame, random=length * 7919))
    for _ in range(40):
        shaper.now += 10_000_000
        note(shaper.ask("advance"))
    queued = shaper.ask("statistics")["queued"]
    assert len(passed) + dropped + queued == len(arrivals)
    contracts = [([n for _, n in passed if kinds[n] == 46], rate), ([n for _, n in passed if kinds[n] == 0], 2 * rate)]
    assert all(numbers == sorted(numbers) for numbers, _ in contracts)
    if link:
        contracts.append(([n for _, n in passed], link))
    times = {number: at for at, number in passed}
    for numbers, bps in contracts:
        for first in range(len(numbers)):
            total = 0
            for last in range(first, len(numbers)):
                total += sizes[numbers[last]] * 8
                window = times[numbers[last]] - times[numbers[first]]
                assert total * SECOND <= burst * 8 * SECOND + bps * window


@relaxed
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("packet"), st.integers(1, 12), st.sampled_from([6, 17, 1, 47])),
            st.tuples(st.just("pause"), st.integers(1, 200), st.just(0)),
            st.tuples(st.just("junk"), st.integers(0, 60), st.just(0)),
            st.tuples(st.just("move"), st.integers(1, 12), st.just(0)),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_monitors_count_every_packet_once(
    harness: Function, other: Function, steps: list[tuple[str, int, int]]
) -> None:
    """What two monitors between which flows move have counted is what was sent, at every instant."""
    a = harness.make("monitor", max_flows=6, idle_timeout_ms=300, bin_ms=50)
    b = other.make("monitor", max_flows=6, idle_timeout_ms=300, bin_ms=50)
    sent = 0
    for kind, number, protocol in steps:
        if kind == "packet":
            packet = IP(src=f"10.0.0.{number}", dst=SERVER, proto=protocol) / Raw(bytes(40))
            answer = a.process(
                framed(packet if protocol == 47 else IP(src=packet.src, dst=SERVER) / UDP(sport=protocol, dport=2))
            )
            assert len(answer["forwarded"]) == 1
            sent += 1
        elif kind == "junk":
            sent += len(a.process(bytes(number))["forwarded"])
        elif kind == "pause":
            a.now = b.now = a.now + number * 1_000_000
            a.ask("advance")
            b.ask("advance")
        else:
            state = a.ask("export", ranges=[[0, 0x7FFF]])["state"]
            moved = b.ask("import", state=state)
            if moved["conflicts"]:  # some flows are known there already: a controller gives such a move up
                return
            a.ask("release", all=True)
        counted = 0
        for monitor in (a, b):
            told = monitor.ask("statistics")
            counted += sum(flow[5] for flow in monitor.ask("list")["flows"])
            counted += sum(told[account]["packets"] for account in ("ended", "untracked", "opaque", "given_away"))
            counted -= told["taken_over"]["packets"]
        assert counted == sent


def test_monitor_tells_what_scapy_counts(harness: Function) -> None:
    monitor = harness.make("monitor", prefix_bits=16, heavy_hitters=1)
    truth: dict[int, int] = defaultdict(int)
    for i in range(300):
        port = 5 if i % 3 else 100 + i
        frame = framed(IP(src=CLIENT, dst=SERVER) / UDP(sport=port, dport=7) / Raw(bytes(i % 50)))
        answer = monitor.process(frame)
        assert bytes.fromhex(answer["forwarded"][0]["frame"]) == frame
        truth[port] += len(frame)
    assert {flow[2]: flow[6] for flow in monitor.ask("list")["flows"]} == truth
    told = monitor.ask("monitor")
    assert told["prefixes"]["10.0.0.0"] == {"from": 300, "to": 0}
    assert told["prefixes"]["203.0.0.0"] == {"from": 0, "to": 300}
    assert told["heavy_hitters"][0]["source_port"] == 5


@relaxed
@given(
    function=st.sampled_from(["nat", "basic-nat", "monitor", "qos", "load-balancer", "wan-optimiser"]),
    frames=st.lists(st.binary(max_size=120), min_size=1, max_size=20),
)
def test_arbitrary_octets_come_out_once_or_are_dropped_with_a_reason(
    harness: Function, function: str, frames: list[bytes]
) -> None:
    needed: dict[str, dict[str, Any]] = {
        "nat": {"external": EXTERNAL},
        "basic-nat": {"external": EXTERNAL},
        "load-balancer": {"servers": [{"address": BACKEND}]},
    }
    made = harness.make(function, **needed.get(function, {}))
    ethernet = [bytes(LINK)[:12] + b"\x08\x00" + frame for frame in frames]
    answer = made.process(*frames, *ethernet)
    rest = made.ask("flush")
    tags = [packet["tag"] for packet in answer["forwarded"] + answer["dropped"] + rest["forwarded"]]
    assert sorted(tags) == list(range(2 * len(frames)))


@pytest.mark.parametrize("identity", ["five-tuple", "addresses", "source-port"])
def test_flow_ids_are_those_of_the_contract(harness: Function, identity: str) -> None:
    def crc32c(octets: bytes) -> int:
        crc = 0xFFFFFFFF
        for octet in octets:
            crc ^= octet
            for _ in range(8):
                crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF

    source, destination, sport, dport, protocol = 0x0A000001, 0xCB007107, 4000, 7, 17
    addresses = source.to_bytes(4, "big") + destination.to_bytes(4, "big")
    between = sport.to_bytes(2, "big") + dport.to_bytes(2, "big") if identity == "five-tuple" else b""
    crc = crc32c(addresses + between + bytes([protocol]))
    expected = sport if identity == "source-port" else (crc ^ (crc >> 16)) & 0xFFFF
    made = harness.make("qos")
    assert made.ask("flow_id", flow=[source, destination, sport, dport, protocol], identity=identity)["id"] == expected
