"""Traffic: started, changed, paused, ended, counted."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_engine import Flaws
from trex_talk import PACKET, Refused, Talk, make_talk

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.sessions import EventType

BURST = {"type": "single_burst", "total_pkts": 500}


def told(talk: Talk) -> list[int]:
    return [event["type"] for event in talk.events()]


def mul(kind: str, value: float, op: str = "abs") -> dict[str, Any]:
    return {"type": kind, "value": value, "op": op}


def test_traffic_of_a_given_duration_ends_and_says_so(owned: Talk) -> None:
    owned.add(1, pps=1000)
    answer = owned.start(value=2.0, duration=2.0)
    assert answer["multiplier"] == 2.0
    owned.pass_time(1)
    assert owned.status()["state"] == "TX"
    assert owned.status()["state_profile"] == {"_": "TX"}
    owned.pass_time(1.5)
    assert owned.status()["state"] == "STREAMS"
    started, finished = owned.events()
    assert (started["type"], finished["type"]) == (EventType.PROFILE_STARTED, EventType.PROFILE_FINISHED)
    assert finished["data"] == {"port_id": 0, "profile_id": "_"}
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 4000
    assert owned.request("get_port_stats", port_id=1)["ibytes"] == 4000 * 68


def test_bursts_end_by_themselves_and_can_be_started_again(owned: Talk) -> None:
    owned.add(1, mode=BURST)
    for _ in range(2):
        owned.start()
        owned.pass_time(1)
    assert told(owned) == [EventType.PROFILE_STARTED, EventType.PROFILE_FINISHED] * 2
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 1000
    assert len(owned.orders("load")) == 1


def test_the_end_of_a_former_run_does_not_end_the_next(owned: Talk) -> None:
    owned.add(1)
    owned.start(duration=1.0)
    owned.clock.now += 2
    owned.simulated.advance()  # it has ended, but the server has not been told yet
    owned.request("stop_traffic", port_id=0)
    owned.start()
    owned.pass_time(0.2)
    assert owned.status()["state"] == "TX"


def test_pause_resume_and_update(owned: Talk) -> None:
    owned.add(1, pps=1000)
    owned.start()
    owned.pass_time(1)
    owned.request("pause_traffic", port_id=0)
    assert owned.status()["state"] == "PAUSE"
    owned.pass_time(1)
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 1000
    owned.request("resume_traffic", port_id=0, profile_id="*")
    assert owned.request("update_traffic", port_id=0, mul=mul("pps", 5000)) == {"multiplier": 5.0}
    assert owned.request("update_traffic", port_id=0, mul=mul("raw", 1, "sub")) == {"multiplier": 4.0}
    owned.pass_time(1)
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 5000
    owned.request("stop_traffic", port_id=0)
    owned.request("stop_traffic", port_id=0)
    kinds = [EventType.PROFILE_STARTED, EventType.PROFILE_PAUSED, EventType.PROFILE_RESUMED, EventType.PROFILE_STOPPED]
    assert told(owned) == kinds


def test_single_streams_are_paused_and_updated(owned: Talk) -> None:
    owned.add(1, pps=1000)
    owned.add(2, pps=100, start_paused=True)
    owned.start()
    owned.request("pause_streams", port_id=0, stream_ids=[1])
    owned.request("resume_streams", port_id=0, stream_ids=[2])
    owned.request("update_streams", port_id=0, stream_ids=[2], mul=mul("raw", 3), force=False)
    owned.pass_time(1)
    assert owned.request("get_port_stats", port_id=0)["opackets"] == 300
    with pytest.raises(Refused, match=r"streams that exist.*found: \[9\]"):
        owned.request("pause_streams", port_id=0, stream_ids=[1, 9])


def test_only_continuous_streams_are_paused(owned: Talk) -> None:
    owned.add(1, mode=BURST)
    owned.start()
    with pytest.raises(Refused, match=r"only continuous.*bursts: \[1\]"):
        owned.request("pause_traffic", port_id=0)


def test_what_cannot_be_started_is_refused(owned: Talk) -> None:
    with pytest.raises(Refused, match="no such profile"):
        owned.start()
    owned.add(1)
    for wrong, message in (
        ({"duration": 0}, "'duration' is to be positive"),
        ({"duration": -2}, "'duration' is to be positive"),
        ({"start_at_ts": 5.0}, "start at a given time"),
        ({"profile": "*"}, "one profile"),
        ({"value": 0}, "positive"),
    ):
        with pytest.raises(Refused, match=message):
            owned.start(**wrong)
    owned.start()
    with pytest.raises(Refused, match="runs already"):
        owned.start()
    with pytest.raises(Refused, match="nothing is in state PAUSE; found: TX"):
        owned.request("resume_traffic", port_id=0)


def test_a_link_that_is_down_is_no_place_for_traffic() -> None:
    talk = make_talk(Flaws(link_up=False))
    talk.acquire(0)
    talk.add(1)
    with pytest.raises(Refused, match="the link is down"):
        talk.start()
    talk.start(force=True)


def test_more_than_the_line_carries_needs_force(owned: Talk) -> None:
    owned.add(1, rate={"type": "percentage", "value": 60})
    owned.add(2, profile="more", rate={"type": "percentage", "value": 50})
    owned.start()
    with pytest.raises(Refused, match="above the line rate; found: 11 Gbit/s"):
        owned.start(profile="more")
    with pytest.raises(Refused, match="above the line rate"):
        owned.request("update_traffic", port_id=0, mul=mul("percentage", 101))
    owned.start(profile="more", force=True)
    with pytest.raises(Refused, match="above the line rate"):
        owned.request("update_streams", port_id=0, stream_ids=[1], mul=mul("raw", 1.1))


def test_profiles_live_side_by_side(owned: Talk) -> None:
    owned.add(1, profile="a")
    owned.add(2, profile="b", mode=BURST)
    with pytest.raises(Refused, match="number is in use; found: 1 in profile a"):
        owned.add(1, profile="b")
    assert owned.request("get_profile_list", port_id=0) == ["a", "b"]
    assert owned.request("get_stream_list", port_id=0, profile_id="*") == [1, 2]
    owned.start(profile="a")
    owned.start(profile="b")
    with pytest.raises(Refused, match="profile that runs"):
        owned.add(3, profile="a")
    with pytest.raises(Refused, match="profile that runs"):
        owned.request("remove_all_streams", port_id=0, profile_id="*")
    owned.pass_time(1)
    assert owned.status()["state_profile"] == {"a": "TX", "b": "STREAMS"}
    owned.request("stop_traffic", port_id=0, profile_id="*")
    owned.request("remove_stream", port_id=0, profile_id="b", stream_id=2)
    owned.request("remove_all_streams", port_id=0, profile_id="*")
    assert owned.status()["profile_count"] == 0
    assert [order["profile"] for order in owned.orders("unload")] == ["b", "a"]
    with pytest.raises(Refused, match="no such profile"):
        owned.request("remove_stream", port_id=0, profile_id="b", stream_id=2)


def test_streams_are_told_as_they_were_given(owned: Talk) -> None:
    owned.add(4, pps=7)
    profiles = owned.request("get_all_streams", port_id=0, profile_id="*")["profiles"]
    assert profiles["_"]["4"]["mode"]["rate"] == {"type": "pps", "value": 7}
    assert owned.status()["max_stream_id"] == 4


def test_a_profile_is_examined(owned: Talk) -> None:
    with pytest.raises(Refused, match="no streams"):
        owned.request("validate", port_id=0)
    owned.add(1, mode=BURST, pps=1000)
    rate = owned.request("validate", port_id=0)
    assert rate["rate"]["max_pps"] == 1000
    assert rate["rate"]["max_bps_l1"] == 1000 * 88 * 8
    assert rate["graph"]["expected_duration"] == pytest.approx(500_000)


def test_a_stream_that_cannot_be_sent_is_not_added(owned: Talk) -> None:
    with pytest.raises(Refused, match=r"stream 1: mode\.continuous\.rate\.value"):
        owned.add(1, pps=-5)
    assert owned.status()["state"] == "IDLE"


# the engine's troubles


def test_an_engine_that_refuses_is_quoted(owned: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulated_engine import Refusal

    def refuse(order: dict[str, Any]) -> None:
        raise Refusal("too-many", "no room for these streams")

    monkeypatch.setattr(owned.simulated, "op_load", refuse)
    owned.add(1)
    with pytest.raises(Refused, match="packet engine, load: no room for these streams; found: too-many"):
        owned.start()
    assert owned.status()["state"] == "STREAMS"


def test_an_engine_that_is_silent_is_not_waited_for_long() -> None:
    talk = make_talk(Flaws(silent=["start"]))
    talk.acquire(0)
    talk.add(1)
    with pytest.raises(Refused, match="no answer"):
        talk.start()
    assert talk.status()["state"] == "STREAMS"
    talk.pass_time(1)


def test_a_frame_has_limited_time(owned: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out = owned.simulated.carry_out

    def slow(order: dict[str, Any]) -> Any:
        owned.clock.now += 0.4
        return carry_out(order)

    monkeypatch.setattr(owned.simulated, "carry_out", slow)
    request = {"method": "update_traffic", "params": {"port_id": 0, "mul": mul("raw", 1)}}
    owned.add(1)
    owned.start()
    request["params"] |= {"api_h": owned.context.api_h, "handler": owned.handlers[0]}
    replies = owned.frame([{"jsonrpc": "2.0", "id": n, **request} for n in range(6)])
    assert ["result" in reply for reply in replies] == [True, True, True, False, False, False]
    assert "took too long" in replies[-1]["error"]["specific_err"]


def test_an_engine_that_is_gone_is_told_to_all(owned: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    from nfvcert.traffic.trex.server.engine import EngineGone

    def gone(*_: Any) -> Any:
        raise EngineGone("the packet engine is gone")

    monkeypatch.setattr(owned.context.engine, "call", gone)
    owned.add(1)
    with pytest.raises(Refused, match="engine is gone"):
        owned.start()
    [event] = owned.events()
    assert event["type"] == EventType.SERVER_STOPPED
    assert owned.context.gone


# statistics


def test_packet_groups_are_counted_on_every_port(owned: Talk) -> None:
    owned.add(1, pps=1000, group=("stats", 5))
    owned.add(2, pps=100, group=("latency", 7))
    owned.start(duration=2.0)
    owned.pass_time(1.9)
    told = owned.request("get_pgid_stats", pgids=[5, 7, 99])
    assert set(told["flow_stats"]) == {"5", "7", "g"}
    assert told["flow_stats"]["5"]["tps"] == {"0": pytest.approx(1000, rel=0.02), "1": 0.0}
    assert told["flow_stats"]["5"]["rbs"]["1"] == pytest.approx(1000 * 68 * 8, rel=0.02)
    owned.pass_time(1)
    told = owned.request("get_pgid_stats", pgids=[5, 7])
    assert told["flow_stats"]["5"]["tp"] == {"0": 2000, "1": 0}
    assert told["flow_stats"]["5"]["rp"] == {"0": 0, "1": 2000}
    assert told["flow_stats"]["5"]["rb"] == {"0": 0, "1": 2000 * (len(PACKET) + 4)}
    assert set(told["flow_stats"]["g"]["rx_err"]) == {"0", "1"}
    latency = told["latency"]["7"]["lat"]
    assert sum(latency["histogram"].values()) == 200
    assert (latency["total_min"], latency["total_max"], latency["average"]) == (5, 9, 7.0)
    assert told["latency"]["7"]["er"] == {"drp": 0, "ooo": 0, "dup": 0, "sth": 0, "stl": 0}


def test_the_histogram_is_told_in_the_hdr_format(owned: Talk) -> None:
    from hdrh.histogram import HdrHistogram

    owned.add(1, pps=1000, group=("latency", 7))
    owned.start(duration=1.0)
    owned.pass_time(2)
    encoded = owned.request("get_pgid_stats", pgids=[7])["latency"]["7"]["lat"]["hdrh"]
    decoded = HdrHistogram.decode(encoded.encode())
    assert decoded.get_total_count() == 1000
    assert (decoded.get_min_value(), decoded.get_max_value()) == (5, 9)


def test_rates_fall_to_zero_when_traffic_has_ended(owned: Talk) -> None:
    owned.add(1, pps=1000, group=("stats", 5))
    owned.start(duration=2.0)
    owned.pass_time(6)
    assert owned.request("get_pgid_stats", pgids=[5])["flow_stats"]["5"]["tps"]["0"] == 0


def test_a_group_that_is_used_anew_has_a_new_version_and_counts_from_zero(owned: Talk) -> None:
    for version in (1, 2):
        owned.add(1, pps=1000, group=("stats", 5))
        owned.start(duration=1.0)
        owned.pass_time(2)
        told = owned.request("get_pgid_stats", pgids=[5])
        assert told["ver_id"] == {"5": version}
        assert told["flow_stats"]["5"]["tp"]["0"] == 1000
        owned.request("remove_all_streams", port_id=0, profile_id="*")
    assert owned.request("get_active_pgids") == {"ids": {"flow_stats": [], "latency": []}}


def test_groups_are_not_shared_by_latency_streams(owned: Talk) -> None:
    owned.add(1, group=("latency", 7))
    owned.add(2, group=("stats", 5))
    owned.add(3, group=("stats", 5))
    for kind, number in (("latency", 7), ("stats", 7), ("latency", 5)):
        with pytest.raises(Refused, match="packet group is in use"):
            owned.add(4, group=(kind, number))
    assert owned.request("get_active_pgids") == {"ids": {"flow_stats": [5], "latency": [7]}}
    owned.request("remove_stream", port_id=0, stream_id=1)
    owned.add(4, group=("stats", 7))


def test_losses_and_the_largest_recent_latency() -> None:
    talk = make_talk(Flaws(lose_every=10))
    talk.acquire(0, 1)
    talk.add(1, pps=1000, group=("latency", 3))
    talk.start(duration=1.0)
    talk.pass_time(2)
    told = talk.request("get_pgid_stats", pgids=[3])
    assert told["flow_stats"]["3"]["rp"]["1"] == 900
    assert told["latency"]["3"]["er"]["drp"] == 100
    assert told["latency"]["3"]["lat"]["last_max"] == 9


def test_too_many_groups_at_once_are_refused(talk: Talk) -> None:
    with pytest.raises(Refused, match="at most 1152"):
        talk.request("get_pgid_stats", pgids=list(range(1153)))


def test_sums_and_extended_counters(owned: Talk) -> None:
    owned.add(1, pps=1000)
    owned.start()
    owned.pass_time(1)
    overall = owned.request("get_global_stats")
    assert overall["m_tx_pps"] == pytest.approx(1000, rel=0.3)
    assert overall["m_cpu_util"] == 12.5
    names = owned.request("get_port_xstats_names", port_id=0)["xstats_names"]
    values = owned.request("get_port_xstats_values", port_id=0)["xstats_values"]
    assert dict(zip(names, values, strict=True))["tx_good_packets"] == 1000
    assert owned.request("get_utilization")["cpu"][0]["history"][0] == 12


def test_a_link_that_goes_down_is_told(owned: Talk) -> None:
    owned.add(1)
    owned.start()
    owned.pass_time(1)
    owned.events()
    owned.simulated.flaws.link_up = False
    owned.pass_time(1)
    events = owned.events()
    assert [event["type"] for event in events] == [EventType.PORT_ATTRIBUTES] * 2
    assert all(event["data"]["attr"]["link"] == {"up": False} for event in events)


def test_the_server_does_not_hide_a_missing_port(owned: Talk) -> None:
    with pytest.raises(RpcError, match="no such port; found: 9; do: there are: 0, 1"):
        owned.context.port(9)
