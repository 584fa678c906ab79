"""Streams: validated, addressed, compiled; what cannot be sent is refused with its reason."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trex_talk import PACKET, stream

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.rates import Load, Multiplier, check_line, load_of, multiplier_of, packets_per_second
from nfvcert.traffic.trex.server.streams import Addresses, parse_stream

LONGEST = 1514
PORT = Addresses(source=b"\x02SRC__"[:6], destination=b"\x02DST__"[:6])
COUNTER = {
    "type": "flow_var",
    "name": "v",
    "size": 2,
    "op": "inc",
    "step": 1,
    "min_value": 60,
    "max_value": 64,
    "init_value": 60,
}
TUPLE = {
    "type": "tuple_flow_var",
    "name": "t",
    "ip_min": 1,
    "ip_max": 9,
    "port_min": 1,
    "port_max": 9,
    "limit_flows": 0,
}


def write(name: str, offset: int) -> dict[str, Any]:
    return {"type": "write_flow_var", "name": name, "pkt_offset": offset, "add_value": 0, "is_big_endian": True}


def test_a_stream_is_compiled() -> None:
    given_stream = stream(
        rate={"type": "bps_L2", "value": 68 * 8 * 100},
        mode={"type": "multi_burst", "pkts_per_burst": 5, "ibg": 100.0, "count": 3},
        isg=10.0,
        group=("stats", 5),
        instructions=[COUNTER, write("v", 40), {"type": "fix_checksum_ipv4", "pkt_offset": 14}],
        random_seed=99,
        next_stream_id=4,
    )
    compiled = parse_stream(3, given_stream, LONGEST).compiled(1e10, PORT)
    assert compiled["id"] == 3
    assert compiled["pps"] == pytest.approx(100)
    assert compiled["mode"] == {"type": "multi_burst", "pkts_per_burst": 5, "ibg_us": 100.0, "count": 3}
    assert (compiled["isg_us"], compiled["next"], compiled["seed"]) == (10.0, 4, 99)
    assert compiled["flow_stats"] == {"kind": "stats", "group": 5}
    assert [instruction["type"] for instruction in compiled["vm"]["instructions"]] == [
        "flow_var",
        "write_flow_var",
        "fix_checksum_ipv4",
    ]
    assert base64.b64decode(compiled["packet"]) == PACKET


@pytest.mark.parametrize(
    ("flags", "start"),
    [(0, b"\x02DST__\x02SRC__"), (1, b"\x02DST__"), (2, PACKET[:6] + b"\x02SRC__"), (3, PACKET[:12])],
)
def test_addresses_are_the_ports_unless_the_packet_decides(flags: int, start: bytes) -> None:
    packet = base64.b64decode(parse_stream(1, stream(flags=flags), LONGEST).compiled(1e10, PORT)["packet"])
    assert packet.startswith(start[:6])
    assert packet[6:12] == (PACKET[6:12] if flags & 1 else b"\x02SRC__")
    assert packet[12:] == PACKET[12:]


def test_a_short_packet_is_padded_to_what_ethernet_needs() -> None:
    assert len(parse_stream(1, stream(packet=PACKET[:42]), LONGEST).packet) == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": {"type": "sometimes"}}, "mode"),
        ({"mode": {"type": "single_burst"}}, "mode.single_burst.total_pkts"),
        ({"mode": {"type": "single_burst", "total_pkts": 0}}, "mode.single_burst.total_pkts"),
        ({"pps": 0}, "mode.continuous.rate.value"),
        ({"rate": {"type": "lightyears", "value": 1}}, "mode.continuous.rate.type"),
        ({"isg": -1.0}, "isg"),
        ({"packet": b"short"}, "14 to 1514"),
        ({"packet": b"x" * 10_000}, "14 to 1514"),
        ({"next_stream_id": 4}, "never ends"),
        ({"group": ("stats", 1023)}, "0 to 1022"),
        ({"group": ("latency", 70_000)}, "0 to 65535"),
        ({"group": ("tpg", 1)}, "tagged packet groups"),
        ({"group": ("stats", 1), "packet": b"\0" * 12 + b"\x08\x06" + b"\0" * 46}, "IPv4 or IPv6"),
        ({"packet": b"\0" * 12 + b"\x81\0\0\1" * 2 + b"\x08\0" + b"\0" * 32, "group": ("latency", 1)}, None),
        ({"instructions": [write("nobody", 30)]}, "not defined"),
        ({"instructions": [COUNTER, write("v", 63)]}, r"octets 63\.\.64"),
        ({"instructions": [COUNTER, write("v", 48)], "group": ("latency", 1)}, "time stamp"),
        ({"instructions": [COUNTER, COUNTER]}, "defined twice"),
        ({"instructions": [{**COUNTER, "max_value": 65536}]}, "does not fit into 2 octets"),
        ({"instructions": [{**COUNTER, "init_value": 1}]}, "not within"),
        ({"instructions": [{**COUNTER, "size": 3}]}, "size"),
        ({"instructions": [{**COUNTER, "next_var": "w"}]}, "names no variable"),
        ({"instructions": [{**COUNTER, "next_var": "w"}, {**COUNTER, "name": "w", "next_var": "v"}]}, "in a circle"),
        ({"instructions": [TUPLE, write("t.ip", 26), write("t.port", 34)]}, None),
        ({"instructions": [TUPLE, write("t", 26)]}, r"defined: t\.ip, t\.port"),
        ({"instructions": [{**TUPLE, "ip_max": 0}]}, "ends before"),
        ({"instructions": [COUNTER, {"type": "trim_pkt_size", "name": "v"}]}, None),
        ({"instructions": [{**COUNTER, "max_value": 65}, {"type": "trim_pkt_size", "name": "v"}]}, "trimmed to these"),
        ({"instructions": [{"type": "trim_pkt_size", "name": "v"}]}, "variable of 2 octets"),
        ({"instructions": [{"type": "fix_checksum_ipv4", "pkt_offset": 15}]}, "no IPv4 header"),
        ({"instructions": [{"type": "fix_checksum_ipv4", "pkt_offset": 60}]}, "outside the packet"),
        ({"instructions": [{"type": "fix_checksum_hw", "l2_len": 14, "l3_len": 20, "l4_type": 11}]}, None),
        (
            {"instructions": [{"type": "fix_checksum_hw", "l2_len": 14, "l3_len": 40, "l4_type": 13}]},
            "outside the packet",
        ),
        ({"instructions": [{"type": "fix_checksum_hw", "l2_len": 14, "l3_len": 20, "l4_type": 6}]}, "l4_type"),
        ({"instructions": [{"type": "fix_checksum_icmpv6", "l2_len": 14, "l3_len": 50}]}, "outside the packet"),
        ({"instructions": [{"type": "jump", "to": 0}]}, "instructions"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_reason(changes: dict[str, Any], message: str | None) -> None:
    if message is None:
        parse_stream(8, stream(**changes), LONGEST)
        return
    with pytest.raises(RpcError, match=message) as caught:
        parse_stream(8, stream(**changes), LONGEST)
    assert "stream 8" in caught.value.message


@pytest.mark.parametrize("damaged", [None, [], "x", {}, {"enabled": True}, {**stream(), "packet": {"binary": "%%%"}}])
def test_what_is_no_stream_is_refused(damaged: object) -> None:
    with pytest.raises(RpcError, match="stream 1"):
        parse_stream(1, damaged, LONGEST)


def test_all_masks_and_repeatable_numbers_are_known() -> None:
    random = {
        "type": "flow_var_rand_limit",
        "name": "r",
        "size": 4,
        "limit": 10,
        "seed": 1,
        "min_value": 0,
        "max_value": 9,
    }
    mask = {
        "type": "write_mask_flow_var",
        "name": "r",
        "pkt_offset": 30,
        "pkt_cast_size": 2,
        "mask": 0xFF00,
        "shift": 8,
    }
    parse_stream(1, stream(instructions=[random, {**mask, "add_value": 1, "is_big_endian": False}]), LONGEST)
    with pytest.raises(RpcError, match="no range of 4 octets"):
        parse_stream(1, stream(instructions=[{**random, "max_value": 1 << 32}]), LONGEST)


def test_trimmed_packets_count_with_their_mean_length() -> None:
    trimmed = parse_stream(1, stream(pps=1000, instructions=[COUNTER, {"type": "trim_pkt_size", "name": "v"}]), LONGEST)
    assert trimmed.load(1e10) == load_of(1000, 62)


# rates


@given(st.sampled_from(["pps", "bps_L1", "bps_L2", "percentage"]), st.floats(0.001, 1e9), st.integers(60, 1514))
def test_rates_turn_into_packets_and_back(kind: Any, value: float, length: int) -> None:
    pps = packets_per_second(kind, value, length, 1e10)
    load = load_of(pps, length)
    back = {"pps": load.pps, "bps_L1": load.bps_l1, "bps_L2": load.bps_l2, "percentage": load.percent_of(1e10)}
    assert back[kind] == pytest.approx(value)


def test_line_rate_of_64_octet_frames_is_the_textbooks() -> None:
    assert packets_per_second("percentage", 100, 60, 1e9) == pytest.approx(1_488_095.24, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "value", "factor"),
    [("raw", 2, 2), ("pps", 500, 0.5), ("bps", 544_000, 1), ("bpsl1", 704_000, 1), ("percentage", 7.04, 1000)],
)
def test_a_multiplier_becomes_a_factor(kind: Any, value: float, factor: float) -> None:
    base = load_of(1000, 64)
    assert Multiplier(kind, value).factor(base, 1e10, 1.0) == pytest.approx(factor)


def test_multipliers_add_and_subtract() -> None:
    base = load_of(1000, 64)
    assert Multiplier("pps", 500, "add").factor(base, 1e10, 2.0) == 2.5
    assert Multiplier("pps", 500, "sub").factor(base, 1e10, 2.0) == 1.5
    with pytest.raises(RpcError, match="nothing would be left"):
        Multiplier("pps", 2000, "sub").factor(base, 1e10, 2.0)
    with pytest.raises(RpcError, match="sends no packets"):
        Multiplier("pps", 2000).factor(Load(), 1e10, 2.0)


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        {},
        {"type": "x", "value": 1},
        {"type": "raw", "value": 0},
        {"type": "raw", "value": True},
        {"type": "raw", "value": "1"},
    ],
)
def test_what_is_no_multiplier_is_refused(damaged: object) -> None:
    with pytest.raises(RpcError):
        multiplier_of(damaged, updates=True)


def test_relative_multipliers_are_for_updates_only() -> None:
    with pytest.raises(RpcError, match="not possible here"):
        multiplier_of({"type": "raw", "value": 1, "op": "add"}, updates=False)


def test_line_rate_is_the_limit_unless_forced() -> None:
    full = load_of(packets_per_second("percentage", 100, 60, 1e9), 60)
    check_line(full, 1e9, 0, force=False)
    check_line(full.times(3), 1e9, 0, force=True)
    with pytest.raises(RpcError, match=r"above the line rate.*1\.1 Gbit/s.*on 1 Gbit/s.*force"):
        check_line(full.times(1.1), 1e9, 0, force=False)
