"""Captures, the receive queue, and packets that are pushed, by what the client would see."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from trex_talk import PACKET, Refused, Talk, make_talk

ARP = bytes.fromhex("ffffffffffff0200000000010806") + bytes(46)


def service(talk: Talk, *ports: int) -> None:
    for port in ports:
        talk.request("service", port_id=port, enabled=True, filtered=False)


def capture(talk: Talk, **wanted: Any) -> int:
    parameters = {"limit": 100, "mode": "fixed", "tx": [], "rx": [], "filter": "", **wanted}
    return int(talk.request("capture", command="start", **parameters)["capture_id"])


def push(talk: Talk, *packets: bytes, port: int = 0, **more: Any) -> Any:
    pkts = [{"binary": base64.b64encode(each).decode(), **more.pop("macs", {})} for each in packets]
    return talk.request("push_pkts", port_id=port, **{"pkts": pkts, "force": False, "ipg_usec": 0, **more})


def fetch(talk: Talk, number: int, limit: int = 50, snaplen: int = 0) -> Any:
    return talk.request("capture", command="fetch", capture_id=number, pkt_limit=limit, snaplen=snaplen)


def test_pushed_packets_are_captured_where_they_leave_and_where_they_come(owned: Talk) -> None:
    service(owned, 0, 1)
    number = capture(owned, tx=[0], rx=[1])
    assert "ts" in push(owned, ARP, PACKET, macs={"use_port_src_mac": False, "use_port_dst_mac": False})
    told = fetch(owned, number)
    assert [(each["port"], each["origin"], each["index"]) for each in told["pkts"]] == [
        (0, "TX", 1),
        (1, "RX", 2),
        (0, "TX", 3),
        (1, "RX", 4),
    ]
    assert [base64.b64decode(each["binary"]) for each in told["pkts"]] == [ARP, ARP, PACKET, PACKET]
    assert told["pending"] == 0
    assert all(each["ts"] >= told["start_ts"] for each in told["pkts"])


def test_a_filter_a_limit_and_a_snap_length(owned: Talk) -> None:
    service(owned, 0, 1)
    number = capture(owned, rx=[1], filter="udp", limit=3)
    push(owned, *[ARP, PACKET] * 5)
    (status,) = owned.request("capture", command="status")
    assert status["filter"] == {"tx": 0, "rx": 2, "bpf": "udp"}
    assert (status["state"], status["matched"], status["count"], status["limit"]) == ("ACTIVE", 5, 3, 3)
    assert status["bytes"] == 3 * len(PACKET)
    assert owned.request("capture", command="stop", capture_id=number) == {"pkt_count": 3}
    push(owned, PACKET)
    first = fetch(owned, number, limit=1, snaplen=20)
    assert (len(first["pkts"]), first["pending"]) == (1, 2)
    assert len(base64.b64decode(first["pkts"][0]["binary"])) == 20
    assert first["pkts"][0]["wirelen"] == len(PACKET)
    assert [each["index"] for each in fetch(owned, number)["pkts"]] == [2, 3]
    owned.request("capture", command="remove", capture_id=number)
    assert owned.request("capture", command="status") == []


def test_a_cyclic_capture_keeps_the_latest(owned: Talk) -> None:
    service(owned, 0)
    number = capture(owned, tx=[0], mode="cyclic", limit=2)
    push(owned, *[PACKET] * 7)
    assert [each["index"] for each in fetch(owned, number)["pkts"]] == [6, 7]


def test_streams_can_be_captured(owned: Talk) -> None:
    service(owned, 1)
    number = capture(owned, rx=[1], limit=10)
    owned.add(1, pps=100)
    owned.start()
    owned.pass_time(1.0)
    assert len(fetch(owned, number)["pkts"]) == 10
    owned.request("service", port_id=0, enabled=False)


def test_traffic_in_service_mode_takes_force(owned: Talk) -> None:
    service(owned, 0)
    owned.add(1)
    with pytest.raises(Refused, match="leave it first or start with force"):
        owned.start()
    owned.start(force=True)


def test_the_receive_queue_gathers_what_comes(owned: Talk) -> None:
    owned.request("set_rx_feature", port_id=1, type="queue", enabled=True, size=4)
    push(owned, *[ARP] * 6)
    assert owned.status(1)["rx_info"]["queue"] == {"is_active": True, "size": 4, "count": 4}
    packets = owned.request("get_rx_queue_pkts", port_id=1)["pkts"]
    assert [set(each) for each in packets] == [{"binary", "ts"}] * 4
    assert owned.request("get_rx_queue_pkts", port_id=1) == {"pkts": []}
    assert owned.request("capture", command="status") == []
    owned.request("set_rx_feature", port_id=1, type="queue", enabled=False)
    assert owned.status(1)["rx_info"]["queue"] == {"is_active": False, "size": 0, "count": 0}
    assert owned.simulated.captures == {}


def test_the_queue_of_a_vanished_client_is_given_up() -> None:
    talk = make_talk(session_timeout_s=2.0)
    talk.acquire(0, 1)
    talk.events()
    talk.request("set_rx_feature", port_id=1, type="queue", enabled=True, size=4)
    talk.pass_time(4.0)
    assert talk.simulated.captures == {}
    assert talk.status(1)["owner"] == ""


def test_pushed_packets_get_the_addresses_of_the_port(owned: Talk) -> None:
    service(owned, 0)
    owned.request("set_l2", port_id=0, dst_mac="02:00:00:00:00:07")
    push(owned, ARP, macs={"use_port_src_mac": True, "use_port_dst_mac": True})
    (order,) = owned.orders("push")
    octets = base64.b64decode(order["packets"][0])
    assert octets == bytes.fromhex("020000000007024e46000001") + ARP[12:]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pkts": []}, "a list of packets"),
        ({"pkts": [{"binary": "!"}]}, "base64"),
        ({"pkts": [{"binary": ""}]}, "14 to 1514 octets"),
        ({"pkts": [{"binary": base64.b64encode(bytes(1515)).decode()}]}, "14 to 1514 octets"),
        ({"pkts": [{"binary": base64.b64encode(bytes(1000)).decode()}] * 1001}, "push fewer, or by force"),
        ({"ipg_usec": -1}, "'ipg_usec'"),
    ],
)
def test_what_cannot_be_pushed(owned: Talk, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        push(owned, PACKET, **wrong)


def test_nobody_pushes_into_a_port_that_nobody_owns(talk: Talk) -> None:
    with pytest.raises(Refused, match="nobody owns the port"):
        push(talk, PACKET)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rx": []}, "is to name ports"),
        ({"rx": [7]}, "no such port"),
        ({"mode": "sideways"}, "fixed, cyclic"),
        ({"limit": 0}, "'limit'"),
        ({"filter": "upd"}, "syntax error"),
        ({"endpoint": "tcp://127.0.0.1:1"}, "fetch the packets"),
    ],
)
def test_captures_that_cannot_be(owned: Talk, wrong: dict[str, Any], said: str) -> None:
    service(owned, 0)
    with pytest.raises(Refused, match=said):
        capture(owned, **{"rx": [0], **wrong})


def test_captures_need_service_mode_and_exist(owned: Talk) -> None:
    with pytest.raises(Refused, match="not in service mode"):
        capture(owned, rx=[0])
    with pytest.raises(Refused, match="no such command"):
        owned.request("capture", command="pour")
    for command in ("stop", "fetch", "remove"):
        with pytest.raises(Refused, match="no such capture"):
            owned.request("capture", command=command, capture_id=3, pkt_limit=1)
