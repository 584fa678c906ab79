"""The flow mode's methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trex_talk import Refused, Talk, make_talk

from nfvcert.traffic.trex.server import flow_runs
from nfvcert.traffic.trex.server.errors import WORK_IN_PROGRESS

LOAD = {"pps": 10_000, "concurrent": 100, "new_per_second": 20, "frame": 64}


def later(talk: Talk, method: str, **parameters: Any) -> Any:
    """The result of a method that answers with a ticket."""
    with pytest.raises(Refused) as caught:
        talk.request(method, **parameters)
    assert caught.value.code == WORK_IN_PROGRESS, str(caught.value)
    for _ in range(50):
        try:
            return talk.request("get_async_results", ticket_id=int(str(caught.value)))
        except Refused as waiting:
            if waiting.code != WORK_IN_PROGRESS:
                raise
        talk.pass_time(0.1)
    raise AssertionError("never done")


def test_a_run_from_preparing_to_the_summary(owned: Talk, tmp_path: Path) -> None:
    table = tmp_path / "flows.csv"
    assert later(owned, "flow_prepare", port_id=0, parameters={**LOAD, "flows_file": str(table)})["living"] == 100
    started = owned.request("flow_start", port_id=0)
    assert started == {"t_ns": int(owned.clock.now * 1e9)}
    assert owned.status()["state"] == "TX"
    owned.pass_time(1)
    owned.request("flow_update", port_id=0, changes={"pps": 20_000})
    owned.request("flow_burst", port_id=0, changes={"duration_ms": 100, "new_per_second": 5000})
    owned.pass_time(1)
    told = owned.request("flow_intervals", port_id=0, since=0)
    assert (told["next"], told["dropped"], told["state"]) == (20, 0, "running")
    assert [interval["sent"] for interval in told["intervals"]] == [1000] * 10 + [2000] * 10
    assert owned.request("flow_intervals", port_id=0, since=20)["intervals"] == []
    summary = later(owned, "flow_stop", port_id=0)["summary"]
    assert summary["sent"] == 30_000
    assert table.exists()
    assert owned.status()["state"] == "IDLE"
    assert len(owned.request("flow_intervals", port_id=0, since=0)["intervals"]) == 20


def test_streams_and_flow_mode_share_the_line(owned: Talk) -> None:
    owned.add(1)
    owned.start()
    later(owned, "flow_prepare", port_id=0, parameters=LOAD)
    owned.request("flow_start", port_id=0)
    owned.request("stop_traffic", port_id=0)
    assert owned.status()["state"] == "TX"
    owned.start()
    with pytest.raises(Refused, match="above the line rate"):
        owned.request("flow_update", port_id=0, changes={"pps": 14_880_900})
    later(owned, "flow_stop", port_id=0)
    assert owned.status()["state"] == "TX"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pps": 0}, "positive"),
        ({"pps": "many"}, "positive"),
        ({"frame": -4}, "positive"),
        ({"pps": 15_000_000}, "above the line rate"),
        ({"rx_port": 5}, "no such receiving port"),
        ({"flows_file": "relative.csv"}, "absolute path"),
        ({"flows_file": "/etc/passwd"}, "written elsewhere.*below"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    talk = make_talk(output_folder=tmp_path)
    talk.acquire(0)
    with pytest.raises(Refused, match=message):
        talk.request("flow_prepare", port_id=0, parameters={**LOAD, **changes})


def test_what_the_engine_refuses_is_told_with_the_ticket(owned: Talk) -> None:
    with pytest.raises(Refused, match="at least 64 octets"):
        later(owned, "flow_prepare", port_id=0, parameters={**LOAD, "frame": 60})
    with pytest.raises(Refused, match="flow_prepare first"):
        owned.request("flow_start", port_id=0)


def test_as_many_as_the_engine_can_and_mixed_sizes(owned: Talk) -> None:
    later(owned, "flow_prepare", port_id=0, parameters={**LOAD, "pps": "max"})
    mixed = [{"frame": 64, "weight": 7}, {"frame": 1518, "weight": 1}]
    later(owned, "flow_prepare", port_id=0, parameters={**LOAD, "sizes": mixed, "pps": 4_500_000})
    with pytest.raises(Refused, match="above the line rate"):
        owned.request("flow_prepare", port_id=0, parameters={**LOAD, "sizes": mixed, "pps": 5_000_000})


def test_orders_out_of_turn_are_refused(owned: Talk) -> None:
    for method in ("flow_start", "flow_stop", "flow_update", "flow_burst"):
        with pytest.raises(Refused, match="found: stopped"):
            owned.request(method, port_id=0, changes={})
    with pytest.raises(Refused, match="no flow mode was prepared"):
        owned.request("flow_intervals", port_id=0)
    later(owned, "flow_prepare", port_id=0, parameters=LOAD)
    owned.request("flow_start", port_id=0)
    with pytest.raises(Refused, match="runs already"):
        owned.request("flow_prepare", port_id=0, parameters=LOAD)
    with pytest.raises(Refused, match="above the line rate"):
        owned.request("flow_update", port_id=0, changes={"pps": 1e9})


def test_what_was_prepared_can_be_given_up(owned: Talk) -> None:
    later(owned, "flow_prepare", port_id=0, parameters=LOAD)
    assert owned.request("flow_stop", port_id=0) == {}
    assert owned.status()["state"] == "IDLE"


def test_a_vanished_client_stops_the_flow_mode() -> None:
    talk = make_talk(session_timeout_s=3.0)
    talk.acquire(0, session=1)
    talk.events(session=1)
    later(talk, "flow_prepare", port_id=0, parameters=LOAD)
    talk.request("flow_start", port_id=0)
    talk.pass_time(5)
    assert talk.orders("flow_stop")
    assert talk.status()["owner"] == ""
    assert talk.status()["state"] == "IDLE"


def test_intervals_that_nobody_fetches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_runs, "MOST_INTERVALS", 5)
    run = flow_runs.FlowRun(0, {})
    for number in range(8):
        run.add_interval({"event": "interval", "sent": number})
    assert run.intervals(0, 2) == {"intervals": [{"sent": 3}, {"sent": 4}], "next": 5, "dropped": 3}
    assert run.intervals(7, 10) == {"intervals": [{"sent": 7}], "next": 8, "dropped": 0}
