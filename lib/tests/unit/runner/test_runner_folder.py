"""Run folders, reported tests, progress, plot data: what a run leaves and how it is followed."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from nfvcert.checkers import Declared, Version
from nfvcert.errors import UsageError
from nfvcert.history import Event, EventKind, History, Recorder, marks
from nfvcert.runner.folder import RunFolder, existing_run, new_run
from nfvcert.runner.noise import Noise
from nfvcert.runner.progress import LiveProgress, PlainProgress, StepFollower, progress_for
from nfvcert.runner.reported import ENVIRONMENT, ReportedTest, read_reported, report_test
from nfvcert.runner.robot_listener import purpose_of
from nfvcert.runner.series import migration_series
from nfvcert.runner.session import current_session, recorded

# folders


def test_a_new_run_has_an_id_and_its_parts(tmp_path: Path) -> None:
    folder = new_run(tmp_path, link_latest=True)
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", folder.id)
    assert folder.history.is_dir()
    assert folder.logs.is_dir()
    assert (tmp_path / "latest").resolve() == folder.path.resolve()


def test_the_latest_run_is_linked_and_an_isolated_one_is_not(tmp_path: Path) -> None:
    first = new_run(tmp_path, link_latest=True)
    isolated = new_run(tmp_path, link_latest=False)
    assert (tmp_path / "latest").resolve() == first.path.resolve()
    second = new_run(tmp_path, link_latest=True)
    assert (tmp_path / "latest").resolve() == second.path.resolve()
    assert len({first.id, isolated.id, second.id}) == 3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_run_folder_is_known_by_plan_or_results(tmp_path: Path) -> None:
    folder = new_run(tmp_path, link_latest=True)
    with pytest.raises(UsageError, match="this is no run folder"):
        existing_run(folder.path)
    folder.plan.write_text("{}", encoding="utf-8")
    assert existing_run(tmp_path / "latest").path == folder.path.resolve()
    with pytest.raises(UsageError, match="this is no run folder"):
        existing_run(tmp_path / "nothing")


# reported tests


def test_tests_are_reported_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reported.jsonl"
    monkeypatch.setenv(ENVIRONMENT, str(path))
    tests = [ReportedTest("robot", "s", f"t{i}", "TP.VNF.01.2", "PASS", "Grüße\n", 0.5) for i in range(3)]
    for test in tests:
        report_test(test)
    assert read_reported(path) == tests


def test_without_a_runner_nothing_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.chdir(tmp_path)
    report_test(ReportedTest("robot", "s", "t", "", "PASS", "", 0.0))
    assert list(tmp_path.iterdir()) == []


def test_lines_that_were_cut_off_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reported.jsonl"
    monkeypatch.setenv(ENVIRONMENT, str(path))
    report_test(ReportedTest("robot", "s", "t", "TP.VNF.01.2", "PASS", "", 0.0))
    whole = path.read_text(encoding="utf-8")
    path.write_text(f"{whole}\n[]\n7\nrubbish\n{{}}\n{whole[:30]}", encoding="utf-8")
    assert [test.test for test in read_reported(path)] == ["t"]
    assert read_reported(tmp_path / "nothing") == []


def test_the_purpose_of_a_robot_test_is_among_its_tags() -> None:
    assert purpose_of(["slow", "TP.VNF.01.2"]) == "TP.VNF.01.2"
    assert purpose_of(["procedure"]) == ""


# progress


def test_steps_are_followed_as_they_come(tmp_path: Path) -> None:
    follower = StepFollower(tmp_path)
    assert follower.new_steps() == []
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark(marks.STEP, text="one")
    recorder.mark(marks.BEGIN, text="no step")
    recorder.mark(marks.STEP, text="two")
    assert follower.new_steps() == [("upgrade", "one"), ("upgrade", "two")]
    assert follower.new_steps() == []
    recorder.mark(marks.STEP, text="three")
    assert follower.new_steps() == [("upgrade", "three")]
    recorder.close()


def test_a_line_that_is_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """Wherever the line is cut, also within a character, it is told once."""
    line = Event(1, EventKind.MARK, "scenario", "upgrade", {"name": "step", "text": "größer"}, "", 0).to_json() + "\n"
    data = line.encode()
    for cut in range(len(data)):
        path = tmp_path / f"s{cut}.tester.part.jsonl"
        path.write_bytes(data + data[:cut])
        follower = StepFollower(tmp_path)
        assert follower.new_steps() == [("upgrade", "größer")]
        path.write_bytes(data + data)
        assert follower.new_steps() == [("upgrade", "größer")]
        assert follower.new_steps() == []
        path.unlink()


def test_rubbish_and_other_writers_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.tester.part.jsonl").write_text('{"step" rubbish\n"step"\n\n["step"]\n{"data": "step"}\n')
    (tmp_path / "a.witness.part.jsonl").write_text('{"scenario": "a", "data": {"name": "step", "text": "x"}}\n')
    assert StepFollower(tmp_path).new_steps() == []


def test_segments_that_are_merged_away_do_no_harm(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark(marks.STEP, text="one")
    follower = StepFollower(tmp_path)
    follower.new_steps()
    recorder.close()
    recorder.path.unlink()
    assert follower.new_steps() == []


def test_a_segment_that_goes_while_it_is_looked_at_does_no_harm(tmp_path: Path) -> None:
    """Its name is in the folder, and the next thing that is asked of it finds nothing."""
    (tmp_path / "gone.tester.part.jsonl").symlink_to(tmp_path / "nowhere")
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark(marks.STEP, text="one")
    assert StepFollower(tmp_path).new_steps() == [("upgrade", "one")]
    recorder.close()


def test_plain_progress_is_one_line_a_step() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    progress = progress_for(console, ["upgrade"])
    assert isinstance(progress, PlainProgress)
    progress.say("bringing up [the testbed]")
    progress.scenario("upgrade", "migrating")
    progress.close()
    lines = out.getvalue().splitlines()
    assert [re.sub(r"^\[ *\d+\.\d s\] ", "", line) for line in lines] == [
        "bringing up [the testbed]",
        "upgrade: migrating",
    ]


def test_live_progress_shows_what_runs_and_what_is_done() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    progress = progress_for(console, ["upgrade", "rollback"])
    assert isinstance(progress, LiveProgress)
    progress.say("testing")
    progress.scenario("upgrade", "migrating")
    progress.scenario("rollback", "stopping")
    progress.scenario("surprise", "a scenario that was not planned")
    shown = Console(file=io.StringIO(), width=120)
    shown.print(progress._draw())
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    progress.close()
    assert "testing" in text
    assert "✓" in text
    assert "surprise: a scenario" in text


def test_a_scenario_that_is_repeated_takes_one_line_of_the_table() -> None:
    progress = LiveProgress(
        Console(file=io.StringIO(), force_terminal=True, width=120), ["a", "b", "a-r2", "b-r2", "c"]
    )
    for name, step in (("a", "begins"), ("b", "begins"), ("a-r2", "begins"), ("b-r2", "goes on")):
        progress.scenario(name, step)
    shown = Console(file=io.StringIO(), width=120)
    shown.print(progress._draw())
    progress.close()
    lines = [" ".join(line.split()) for line in shown.file.getvalue().splitlines()[1:]]  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert lines[0].startswith("✓ a, 2 times")
    assert "b-r2: goes on" in lines[1]
    assert lines[1].endswith("1 of 2 done")
    assert lines[2] == "· c"


# series


def declared(marker: dict[str, int] | None) -> Declared:
    version = Version(vnfd_id="a", software_version="1", executables={}, instances={})
    modification = {"wire_marker": marker} if marker else {}
    return Declared(in_service=version, candidate=version, modification=modification, parameters={})


def interval(begin: int, **data: object) -> Event:
    values = {"t0": begin, "t1": begin + 100_000_000, **data}
    return Event(begin, EventKind.PACKET_INTERVAL, "generator", "upgrade", values, "", begin)


def mark(t: int, name: str, **data: object) -> Event:
    return Event(t, EventKind.MARK, "scenario", "upgrade", {"name": name, **data}, "", t)


def test_the_plot_shows_rates_losses_and_moments() -> None:
    events = [
        interval(0, by_dscp={"0": 10, "18": 0}, lost=0, lat_us={"p50": 1.0, "p99": 2.0}),
        mark(50_000_000, marks.CONTROL_BEGIN),
        interval(100_000_000, by_dscp={"0": 7, "18": 3}, lost=2),
        mark(150_000_000, marks.PAUSED, share=10.0, since=120_000_000),
        mark(160_000_000, marks.REACHED, level="ns", state="COMPLETED"),
        mark(170_000_000, marks.REACHED, level="vnf", state="COMPLETED"),
        mark(180_000_000, marks.TASK, task="rollback"),
        mark(190_000_000, marks.TASK, task="cancel"),
    ]
    series = migration_series(History("upgrade", events), declared({"source": 0, "destination": 18}))
    assert series is not None
    assert (series["t"], series["old"], series["new"]) == ([0.0, 0.1], [100, 70], [0, 30])
    assert (series["lost"], series["p50_us"], series["p99_us"]) == ([0, 2], [1.0, None], [2.0, None])
    assert series["marks"] == [
        {"t": 0.05, "name": "control run"},
        {"t": 0.12, "name": "10 %"},
        {"t": 0.17, "name": "committed"},
        {"t": 0.18, "name": "rollback"},
    ]
    assert json.loads(json.dumps(series)) == series


def test_without_traffic_there_is_no_plot() -> None:
    assert migration_series(History("packages", [mark(1, marks.STEP)]), declared(None)) is None


def test_without_a_wire_marker_everything_is_old() -> None:
    series = migration_series(History("upgrade", [interval(0, by_dscp={"0": 5})]), declared(None))
    assert series is not None
    assert (series["old"], series["new"]) == ([50], [0])


# sessions of back-ends


def test_suites_started_by_hand_are_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NFVCERT_RUN", "NFVCERT_DROP", "NFVCERT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NFVCERT_DROP", "x")
    with pytest.raises(UsageError, match="the suites are started by the runner") as raised:
        current_session()
    assert raised.value.found == "NFVCERT_RUN, NFVCERT_PROFILE not set"


def test_only_what_was_recorded_is_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    assert recorded(folder, ["upgrade"]) == {}
    event = mark(1, marks.STEP)
    (folder.history / "upgrade.jsonl").write_text(event.to_json() + "\n", encoding="utf-8")
    assert [len(history) for history in recorded(folder, ["upgrade", "rollback"]).values()] == [1]


def test_a_history_that_changed_is_read_anew(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    path = folder.history / "upgrade.jsonl"
    path.write_text(mark(1, marks.STEP).to_json() + "\n", encoding="utf-8")
    first = recorded(folder, ["upgrade"])["upgrade"]
    assert recorded(folder, ["upgrade"])["upgrade"] is first
    path.write_text("".join(mark(t, marks.STEP).to_json() + "\n" for t in (1, 2)), encoding="utf-8")
    assert len(recorded(folder, ["upgrade"])["upgrade"]) == 2


@pytest.mark.parametrize(
    ("noise", "advice"), [(Noise(1, 5, 0, 0.5), False), (Noise(1, 80, 3, 0.5), True), (Noise(1, 5, 0, 4.0), True)]
)
def test_a_noisy_machine_is_told_what_to_do(noise: Noise, advice: bool) -> None:
    assert ("too noisy for figures" in noise.text) is advice
