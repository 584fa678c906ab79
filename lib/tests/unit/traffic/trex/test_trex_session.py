"""Beginning a conversation, ownership, configuration, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from trex_talk import Refused, Talk, make_talk

from nfvcert.traffic.trex.server.errors import INVALID_PARAMETERS, METHOD_NOT_FOUND, NO_RESULTS
from nfvcert.traffic.trex.server.methods import METHODS
from nfvcert.traffic.trex.server.sessions import LONGEST_QUEUE, EventType

STL = {"name": "STL", "major": 5, "minor": 1}


def types(events: list[dict[str, Any]]) -> list[int]:
    return [event["type"] for event in events if event["name"] == "trex-event"]


def test_the_api_handler_is_given_to_clients_that_fit(talk: Talk) -> None:
    assert talk.request("api_sync_v2", **STL) == {"api_h": talk.context.api_h}
    assert talk.request("api_sync_v2", **{**STL, "minor": 0})
    for other in ({"name": "ASTF"}, {"major": 4}, {"major": 6}, {"minor": 2}):
        with pytest.raises(Refused, match="do not fit together"):
            talk.request("api_sync_v2", **{**STL, **other})


@pytest.mark.parametrize("shown", [{"api_h": "wrong"}, {"api_h": None}, {}])
def test_without_the_api_handler_nothing_is_done(talk: Talk, shown: dict[str, Any]) -> None:
    reply = talk.frame({"jsonrpc": "2.0", "id": 5, "method": "get_system_info", "params": shown})
    assert reply["error"]["code"] == INVALID_PARAMETERS
    assert "API handler" in reply["error"]["specific_err"]
    for free in ("ping", "get_version"):
        assert "result" in talk.frame({"jsonrpc": "2.0", "id": 5, "method": free, "params": {}})


def test_an_unknown_method_is_named(talk: Talk) -> None:
    with pytest.raises(Refused, match="found: make_coffee") as caught:
        talk.request("make_coffee")
    assert caught.value.code == METHOD_NOT_FOUND


def test_the_methods_are_told_and_profiles_are_among_them(talk: Talk) -> None:
    told = talk.request("get_supported_cmds")
    assert told == sorted(METHODS)
    assert {"get_profile_list", "flow_prepare", "push_remote"} <= set(told)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_method_fails_on_missing_or_mad_parameters(owned: Talk, method: str) -> None:
    mad = {"port_id": 0, "handler": owned.handlers[0], "user": 1, "session_id": None, "key": "x", "mul": 5, "stream": 3}
    for parameters in ({}, mad, {**mad, "port_id": 99}, {**mad, "port_id": "0"}, {**mad, "profile_id": 5}):
        try:
            owned.request(method, **parameters)
        except Refused as refused:
            assert "the server failed" not in str(refused)


def test_a_port_has_one_owner(talk: Talk) -> None:
    talk.acquire(0, session=1, user="ann")
    with pytest.raises(Refused, match="taken; found: owner ann; do: acquire it by force"):
        talk.acquire(0, session=2, user="bob")
    assert talk.request("get_owner", port_id=0) == {"owner": "ann"}
    assert talk.request("release", port_id=0) == {}
    talk.acquire(0, session=2, user="bob")
    assert talk.status()["owner"] == "bob"


def test_taking_by_force_tells_the_loser(talk: Talk) -> None:
    talk.acquire(0, session=1, user="ann")
    talk.events(session=1)
    old = talk.handlers[0]
    talk.acquire(0, session=2, user="bob", force=True)
    [event] = talk.events(session=1)
    assert event["type"] == EventType.PORT_ACQUIRED
    assert event["data"] == {"port_id": 0, "who": "bob", "session_id": 2, "force": True}
    with pytest.raises(Refused, match="not owned by this session; found: owner bob, last taken by bob"):
        talk.request("release", port_id=0, handler=old)


@pytest.mark.parametrize("handler", ["", "guess", None, 5])
def test_orders_without_the_handler_are_refused(owned: Talk, handler: Any) -> None:
    for method in ("release", "add_stream", "start_traffic", "stop_traffic", "set_port_attr", "flow_start"):
        with pytest.raises(Refused, match="not owned"):
            owned.request(method, port_id=0, handler=handler)


def test_events_are_numbered_without_a_gap_for_each_session(talk: Talk) -> None:
    talk.events(session=1)
    talk.acquire(0, session=1)
    talk.events(session=2)
    talk.acquire(1, session=1)
    numbers = {session: [event["seq"] for event in talk.events(session=session)] for session in (1, 2)}
    assert numbers == {1: [1, 2], 2: [1]}
    talk.request("release", port_id=0)
    assert [event["seq"] for event in talk.events(session=1)] == [3]


def test_a_barrier_comes_after_what_was_told_before_it(owned: Talk) -> None:
    owned.request("release", port_id=0)
    owned.request("publish_now", key=12345, baseline=True)
    released, baseline, barrier = owned.events()
    assert released["type"] == EventType.PORT_RELEASED
    assert (baseline["name"], baseline["baseline"], baseline["data"]["m_tx_pps"]) == ("trex-global", True, 0)
    assert (barrier["name"], barrier["type"]) == ("trex-barrier", 12345)


def test_a_session_that_vanishes_loses_its_ports_and_its_traffic_stops() -> None:
    talk = make_talk(session_timeout_s=5.0)
    talk.acquire(0, session=1, user="ann")
    talk.events(session=1)
    talk.add(1)
    talk.start()
    talk.pass_time(4)
    talk.events(session=1)
    for _ in range(3):
        talk.pass_time(2)
        talk.events(session=2)
    assert talk.status()["owner"] == ""
    assert talk.status()["state"] == "STREAMS"
    assert talk.orders("stop")
    with pytest.raises(Refused, match="given up: its session was silent for 5 s"):
        talk.start()
    talk.acquire(0, session=2, user="bob")


def test_a_session_that_never_read_events_cannot_vanish() -> None:
    talk = make_talk(session_timeout_s=5.0)
    talk.acquire(0, session=1, user="ann")
    talk.pass_time(60, step=1)
    assert talk.status()["owner"] == "ann"


def test_a_server_that_was_stopped_itself_does_not_blame_its_clients() -> None:
    talk = make_talk(session_timeout_s=5.0)
    talk.acquire(0, session=1, user="ann")
    talk.events(session=1)
    talk.pass_time(1)
    talk.pass_time(60, step=60)
    assert talk.status()["owner"] == "ann"


def test_orders_are_signs_of_life_too() -> None:
    talk = make_talk(session_timeout_s=5.0)
    talk.acquire(0, session=1, user="ann")
    talk.events(session=1)
    for _ in range(4):
        talk.pass_time(3)
        talk.request("stop_traffic", port_id=0)
    assert talk.status()["owner"] == "ann"


def test_a_session_that_leaves_its_events_unread_is_forgotten(talk: Talk) -> None:
    talk.events(session=1)
    for _ in range(LONGEST_QUEUE // 2 + 2):
        talk.acquire(0, session=2, force=True)
        talk.acquire(0, session=3, force=True)
    assert len(talk.context.sessions) == 1
    talk.pass_time(0.1)
    assert len(talk.context.sessions) == 0


def test_ports_are_described(talk: Talk) -> None:
    info = talk.request("get_system_info")
    assert info["port_count"] == len(info["ports"]) == 2
    assert info["ports"][1]["hw_mac"] == "02:4e:46:00:00:02"
    status = talk.status(1)
    assert (status["state"], status["attr"]["speed"], status["attr"]["link"]) == ("IDLE", 10.0, {"up": True})
    assert status["attr"]["layer_cfg"]["ether"] == {
        "src": "02:4e:46:00:00:02",
        "dst": "02:4e:46:00:00:01",
        "state": "configured",
    }


def test_attributes_change_and_are_told(owned: Talk) -> None:
    owned.request("set_port_attr", port_id=0, attr={"promiscuous": {"enabled": False}, "multicast": {"enabled": False}})
    assert owned.status()["attr"]["promiscuous"] == {"enabled": False}
    [event] = owned.events()
    assert (event["type"], event["data"]["port_id"]) == (EventType.PORT_ATTRIBUTES, 0)
    with pytest.raises(Refused, match="found: link_status"):
        owned.request("set_port_attr", port_id=0, attr={"link_status": {"up": False}, "promiscuous": {"enabled": True}})
    assert owned.status()["attr"]["promiscuous"] == {"enabled": False}


def test_addresses_are_configured(owned: Talk) -> None:
    owned.request("set_l2", port_id=0, dst_mac="02:00:00:00:00:AA")
    owned.add(1, flags=0)
    owned.start()
    [load] = owned.orders("load")
    import base64

    assert base64.b64decode(load["streams"][0]["packet"])[:6].hex() == "0200000000aa"
    owned.request("set_l3", port_id=0, src_addr="10.0.0.1", dst_addr="10.0.0.2")
    assert owned.status()["attr"]["layer_cfg"]["ipv4"]["state"] == "unresolved"
    owned.request("set_l3", port_id=0, src_addr="10.0.0.1", dst_addr="10.0.0.2", resolved_mac="02:00:00:00:00:bb")
    assert owned.status()["attr"]["layer_cfg"]["ipv4"]["state"] == "resolved"
    owned.request("set_vlan", port_id=0, vlan=[100, 200])
    assert owned.status()["attr"]["vlan"] == {"tags": [100, 200]}
    owned.request("conf_ipv6", port_id=0, enabled=True, src_ipv6="fe80::1")
    assert owned.status()["attr"]["layer_cfg"]["ipv6"] == {"enabled": True, "src": "fe80::1"}
    for wrong in ({"dst_mac": "nonsense"}, {"dst_mac": ""}):
        with pytest.raises(Refused, match="MAC address"):
            owned.request("set_l2", port_id=0, **wrong)
    with pytest.raises(Refused, match="IPv4 address"):
        owned.request("set_l3", port_id=0, src_addr="fe80::1", dst_addr="10.0.0.2")
    with pytest.raises(Refused, match="at most 2"):
        owned.request("set_vlan", port_id=0, vlan=[1, 2, 3])


def test_service_mode_and_receive_queue(owned: Talk) -> None:
    owned.request("service", port_id=0, enabled=True, filtered=False)
    owned.add(1)
    with pytest.raises(Refused, match="service mode"):
        owned.start()
    owned.request("service", port_id=0, enabled=False, filtered=False)
    owned.start()
    with pytest.raises(Refused, match="stop first"):
        owned.request("service", port_id=0, enabled=True)
    with pytest.raises(Refused, match="receive queue is off"):
        owned.request("get_rx_queue_pkts", port_id=1)
    owned.request("set_rx_feature", port_id=1, type="queue", enabled=True, size=100)
    assert owned.request("get_rx_queue_pkts", port_id=1) == {"pkts": []}
    assert owned.status(1)["rx_info"]["queue"]["is_active"]
    owned.request("set_rx_feature", port_id=1, type="queue", enabled=False)


def test_what_is_not_offered_says_what_to_do_instead(owned: Talk) -> None:
    with pytest.raises(Refused, match="conf_ns_batch: this server does not offer it; do: configure network namespaces"):
        owned.request("conf_ns_batch", port_id=0)
    with pytest.raises(Refused, match="not owned"):
        owned.request("conf_ns_batch", port_id=0, handler="x")
    assert owned.request("get_tpg_status", port_id=0) == {"enabled": False}


def test_an_unknown_ticket_has_no_results(talk: Talk) -> None:
    with pytest.raises(Refused, match="no such ticket") as caught:
        talk.request("get_async_results", ticket_id=77)
    assert caught.value.code == NO_RESULTS
    assert talk.request("cancel_async_task", ticket_id=77) == {}


def test_a_fault_of_the_server_is_told(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(METHODS, "ping", broken)
    with pytest.raises(Refused, match="the server failed; found: ZeroDivisionError: oh"):
        talk.request("ping")
