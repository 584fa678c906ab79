"""Recording a scenario: its begin, its samples, and an end that comes whatever happens."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from nfvcert.errors import StackError
from nfvcert.history import History, load_history, marks
from nfvcert.history.recorder import Recorder, unmerged_scenarios
from nfvcert.scenarios.recording import Periodic, Recording
from nfvcert.testbed.witness.client import WitnessClient

ABOUT = {"run": "r", "testbed": "embedded", "profile": "light"}


class Witness(WitnessClient):
    """Writes a segment of its own, as the process does."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.ended = 0
        self.refuses = False

    def begin(self, scenario: str, folder: Path) -> None:
        self.recorder = Recorder(folder, scenario, "witness")
        self.recorder.mark("seen.by.witness")

    def end(self) -> None:
        self.ended += 1
        if self.recorder is not None:
            self.recorder.close()
        if self.refuses:
            raise StackError("the witness does not answer")


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def recording(tmp_path: Path, witness: Witness) -> Recording:
    return Recording(tmp_path, "upgrade", witness, ABOUT)


def history(folder: Path) -> History:
    return load_history(folder / "history" / "upgrade.jsonl")


def end_of(folder: Path) -> dict[str, Any]:
    found = history(folder).mark(marks.END)
    assert found is not None
    return {key: found.data[key] for key in ("complete", "error")}


def test_a_scenario_from_begin_to_end(tmp_path: Path, witness: Witness, recording: Recording) -> None:
    with recording:
        recording.step("one")
        recording.sample_inventory(lambda: [{"host": "host1", "containers": []}])
    told = history(tmp_path)
    begin = told.mark(marks.BEGIN)
    assert begin is not None
    assert {key: begin.data[key] for key in ABOUT} == ABOUT
    assert begin.data["clock"]["error_ns"] > 0
    assert [event.data["text"] for event in told.marks(marks.STEP)] == ["one"]
    assert len(told.marks("seen.by.witness")) == 1
    assert end_of(tmp_path) == {"complete": True, "error": None}
    assert unmerged_scenarios(tmp_path / "history") == []


def test_an_error_ends_the_scenario_and_is_told(tmp_path: Path, witness: Witness, recording: Recording) -> None:
    with pytest.raises(StackError), recording:
        raise StackError("no answer", where="vnfm")
    assert end_of(tmp_path) == {"complete": False, "error": "StackError: vnfm: no answer"}
    assert witness.ended == 1


def test_what_is_left_to_do_is_done_last_first(recording: Recording) -> None:
    done: list[str] = []
    with recording:
        recording.at_end(lambda: done.append("first registered"))
        recording.at_end(lambda: done.append("last registered"))
    assert done == ["last registered", "first registered"]


def test_an_action_that_fails_keeps_no_other_from_being_done(
    tmp_path: Path, witness: Witness, recording: Recording
) -> None:
    """A dead component must not leave traffic, readers or the witness running, nor hide what was seen."""
    done: list[str] = []

    def fails() -> None:
        raise StackError("nobody unsubscribes")

    beats = recording.every(0.001, "beat", lambda: done.append("beat"))
    with pytest.raises(StackError, match="nobody unsubscribes"), recording:
        recording.at_end(lambda: done.append("still done"))
        recording.at_end(fails)
    assert "still done" in done
    assert not beats._thread.is_alive()
    assert witness.ended == 1
    assert end_of(tmp_path) == {"complete": False, "error": "StackError: nobody unsubscribes"}


def test_the_first_error_is_the_one_that_is_told(tmp_path: Path, recording: Recording) -> None:
    def fails() -> None:
        raise StackError("later")

    with pytest.raises(StackError, match="earlier"), recording:
        recording.at_end(fails)
        raise StackError("earlier")
    assert end_of(tmp_path)["error"] == "StackError: earlier"


def test_a_witness_that_is_gone_does_not_keep_the_history(
    tmp_path: Path, witness: Witness, recording: Recording
) -> None:
    witness.refuses = True
    with pytest.raises(StackError, match="the witness does not answer"), recording:
        recording.step("one")
    assert [event.data["text"] for event in history(tmp_path).marks(marks.STEP)] == ["one"]


def test_a_periodic_action_goes_on_after_an_error_and_keeps_it() -> None:
    enough = threading.Event()
    times: list[int] = []

    def action() -> None:
        times.append(1)
        if len(times) >= 5:
            enough.set()
        if len(times) % 2:
            raise ValueError(f"time {len(times)}")

    periodic = Periodic(0.0, "try", action)
    periodic.start()
    assert enough.wait(10)
    periodic.stop()
    count = len(times)
    assert periodic.failures == (count + 1) // 2
    assert isinstance(periodic.failure, ValueError)
    assert len(times) == count, "nothing is done after it was stopped"


def test_samples_stop_with_the_scenario(tmp_path: Path, recording: Recording) -> None:
    sampled = threading.Event()

    def hosts() -> list[dict[str, Any]]:
        sampled.set()
        return []

    with recording:
        recording.every(0.001, "inventory", lambda: recording.sample_inventory(hosts))
        assert sampled.wait(10)
    assert history(tmp_path).events[-1].data.get("name") == marks.END
