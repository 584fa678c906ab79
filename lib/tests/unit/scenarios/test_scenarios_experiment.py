"""Every scenario of dynamic scaling records what its checkers look for, whatever the dataplane does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dataplane_doubles import HANDLES, Generator, open_doubles

from nfvcert.checkers.case import Case, Missing
from nfvcert.checkers.rel002.figures import curves, figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.table import dumps
from nfvcert.checkers.rel002.truth import truth
from nfvcert.checkers.rel002.workload import orders, requests, steps, workload
from nfvcert.errors import TestbedError
from nfvcert.history import EventKind, History, load_history, marks
from nfvcert.history import migration as m
from nfvcert.scenarios.migration_avoidance import (
    SCENARIOS,
    both_ways,
    changing,
    disturbing,
    experiment,
    record,
    splitting,
)
from nfvcert.scenarios.profile import ScalingProfile
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.attachment import DataplaneAccess
from nfvcert.testbed.model import Dataplane
from nfvcert.traffic.translated import KINDS


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios in the time that a unit test has."""
    monkeypatch.setattr(experiment, "open_dataplane", open_doubles)
    monkeypatch.setattr(splitting, "SETTLED_S", 0.0)
    for name in ("STAGE_S", "LAST_ENDS_S", "LONGEST_WAIT_S", "TURN_AFTER_S", "AFTERWARDS_S"):
        monkeypatch.setattr(changing, name, 0.1)
    for name in ("DOWN_S", "UNDER_WAY_S", "PUSHED_S", "BACK_S", "STANDS_S"):
        monkeypatch.setattr(disturbing, name, 0.1)
    for name in ("STILL_S", "NEW_S"):
        monkeypatch.setattr(both_ways, name, 0.1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ma", dir="/tmp") as path:
        yield Path(path)


def recorded(scenario: str, folder: Path) -> History:
    """Record a scenario on the doubles."""
    access = DataplaneAccess(
        run="r", testbed="dataplane", state_dir=str(folder), log_dir=str(folder), features=[], settings=Dataplane()
    )
    profile = ScalingProfile.model_construct(load=0.05, duration_s=0.6, trigger_s=0.1, repeats=1, kills=2)
    record(scenario, Recording(folder, scenario, None, {"testbed": "dataplane"}), access, profile)
    return load_history(folder / "history" / f"{scenario}.jsonl")


@pytest.mark.usefixtures("short")
def test_a_scenario_records_what_checkers_look_for(folder: Path) -> None:
    history = recorded("ma-plain", folder)
    end = history.mark(marks.END)
    assert end is not None
    assert end.data["complete"] is True
    case = Case("TP.MA.03.1")
    with pytest.raises(Missing, match="observers disagree"):
        guarded(case, history)
    offered, flows = workload(history), truth(history)
    assert offered.scale == 0.05
    assert offered.table_capacity == 102
    assert len(flows) == 60
    assert [request.label for request in requests(history)] == ["split"]
    assert [step.step for step in steps(history)] == ["snapshot", "detour", "push"]
    assert len(dumps(history)) >= 5
    assert orders(history, "switch", "apply")[0].data["ok"] is True
    assert figures(history).lost == 0
    assert len(curves(history)) == 6
    assert history.of(EventKind.INVENTORY, where=lambda event: event.source == m.PROCESSES)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name not in ("ma-plain", "ma-doubling")])
def test_every_scenario_comes_to_its_end(scenario: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (splitting, disturbing, changing):
        monkeypatch.setattr(module, "LONGEST_S", 0.1)
    history = recorded(scenario, folder)
    end = history.mark(marks.END)
    assert end is not None
    assert end.data["complete"] is True, end.data
    assert requests(history)
    assert {m.FLOWS_TABLE, m.RULES_TABLE} <= set(history.tables)
    assert not list(folder.glob("*.rly"))
    assert HANDLES[-1].generator.parameters["pps"] == 74_405


@pytest.mark.usefixtures("short")
def test_a_scenario_is_recorded_again_under_the_name_of_its_repeat(folder: Path) -> None:
    history = recorded("ma-plain-r2", folder)
    assert history.scenario == "ma-plain-r2"
    assert requests(history)[0].method == "plain"


@pytest.mark.usefixtures("short")
def test_a_controller_is_killed_again_and_again(folder: Path) -> None:
    history = recorded("ma-controller-killed", folder)
    kills = history.of(EventKind.FAULT, where=lambda event: event.data["kind"] == "kill")
    restarts = [mark for mark in history.marks(marks.RESTARTED) if mark.data["component"] == "controller"]
    assert len(kills) == len(restarts) >= 1


@pytest.mark.usefixtures("short")
def test_translated_flows_are_offered_in_both_directions(folder: Path) -> None:
    history = recorded("ma-both-ways", folder)
    offered = history.tables[m.OFFERED_TABLE].to_pylist()
    assert {(row["kind"], row["way"]) for row in offered} == {(k, w) for k in KINDS for w in ("out", "back")}
    assert len({row["stream"] for row in offered}) == len(offered)
    assert history.tables[m.PACKETS_TABLE].num_rows == sum(row["way"] == "out" for row in offered)
    assert HANDLES[-1].setup.addresses == {"s1/v1": "192.0.2.1", "s2/v1": "192.0.2.2"}
    sent = history.mark(m.OFFERED)
    assert sent is not None
    assert sent.data["finished"] is True


@pytest.mark.usefixtures("short")
def test_packets_that_cannot_be_fetched_are_the_reason_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, port: int) -> None:
        raise TestbedError("the generator does not answer", found="nothing")

    monkeypatch.setattr(Generator, "received", broken)
    with pytest.raises(TestbedError, match="not fetched") as raised:
        recorded("ma-both-ways", folder)
    assert "does not answer" in str(raised.value)


@pytest.mark.usefixtures("short")
def test_a_failure_closes_the_record_as_incomplete(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError("an accident")

    monkeypatch.setattr(experiment.Experiment, "finish", broken)
    with pytest.raises(ZeroDivisionError):
        recorded("ma-plain", folder)
    history = load_history(folder / "history" / "ma-plain.jsonl")
    end = history.mark(marks.END)
    assert end is not None
    assert end.data["complete"] is False
    assert "an accident" in end.data["error"]
