"""Recording from several threads and processes, and putting the segments together."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nfvcert.history import Event, EventKind, Recorder, load_history, marks
from nfvcert.history.reader import read_events
from nfvcert.history.recorder import SEGMENT_SUFFIX, merge_segments, unmerged_scenarios

HERE = settings(max_examples=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_threads_record_whole_lines_with_numbers_in_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    threads = [
        threading.Thread(target=lambda n=n: [recorder.mark("step", text=f"{n}-{i}") for i in range(200)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    events = read_events(recorder.path)
    assert [event.seq for event in events] == list(range(1600))
    assert {event.data["text"] for event in events} == {f"{n}-{i}" for n in range(8) for i in range(200)}
    for thread_number in range(8):
        own = [event.data["text"] for event in events if event.data["text"].startswith(f"{thread_number}-")]
        assert own == [f"{thread_number}-{i}" for i in range(200)]


def test_every_event_is_flushed_at_once(tmp_path: Path) -> None:
    """A recorder that is killed leaves everything that it was told before."""
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark("step", text="one")
    assert [event.data["text"] for event in read_events(recorder.path)] == ["one"]
    recorder.close()


def test_a_closed_recorder_takes_nothing_any_more(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    assert recorder.mark("step") == 0
    recorder.close()
    recorder.close()
    assert recorder.mark("step") == -1
    assert len(read_events(recorder.path)) == 1


def test_a_time_may_be_given(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.record(EventKind.API_CALL, "tester:oss", {"status": 200}, t=42)
    recorder.close()
    event = read_events(recorder.path)[0]
    assert (event.t, event.kind, event.source, event.scenario) == (42, EventKind.API_CALL, "tester:oss", "upgrade")
    assert event.wall.endswith("+00:00")


@HERE
@given(data=st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_events_come_back_as_they_were(data: dict[str, object]) -> None:
    event = Event(7, EventKind.MARK, "scenario", "upgrade", data, "2026-01-01T00:00:00Z", 3)
    line = event.to_json()
    assert "\n" not in line
    assert Event.from_json(line) == event


@HERE
@given(times=st.lists(st.tuples(st.sampled_from(["tester", "witness", "em"]), st.integers(0, 50)), max_size=40))
def test_merging_orders_by_time_and_loses_nothing(times: list[tuple[str, int]], tmp_path_factory: object) -> None:
    folder = tmp_path_factory.mktemp("merge")  # type: ignore[attr-defined]
    recorders = {name: Recorder(folder, "upgrade", name) for name in {writer for writer, _ in times}}
    for number, (writer, t) in enumerate(times):
        recorders[writer].record(EventKind.MARK, writer, {"number": number}, t=t)
    for recorder in recorders.values():
        recorder.close()
    merged = merge_segments(folder, "upgrade")
    if not times:
        assert merged is None
        return
    assert merged is not None
    assert merged.name == "upgrade.jsonl"
    events = load_history(merged).events
    assert [event.t for event in events] == sorted(t for _, t in times)
    assert [event.seq for event in events] == list(range(len(times)))
    assert {event.data["number"] for event in events} == set(range(len(times)))
    assert list(folder.glob(f"*{SEGMENT_SUFFIX}")) == []


def test_of_one_time_the_order_within_a_writer_stays(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    for number in range(20):
        recorder.record(EventKind.MARK, "scenario", {"number": number}, t=5)
    recorder.close()
    merged = merge_segments(tmp_path, "upgrade")
    assert merged is not None
    assert [event.data["number"] for event in read_events(merged)] == list(range(20))


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark("step", text="whole")
    recorder.mark("step", text="cut")
    recorder.close()
    recorder.path.write_bytes(recorder.path.read_bytes()[:-15])
    merged = merge_segments(tmp_path, "upgrade")
    assert merged is not None
    assert [event.data["text"] for event in read_events(merged)] == ["whole"]


def test_merging_twice_adds_to_what_is_there(tmp_path: Path) -> None:
    for text in ("first", "second"):
        recorder = Recorder(tmp_path, "upgrade", "tester")
        recorder.mark("step", text=text)
        recorder.close()
        merge_segments(tmp_path, "upgrade")
    events = read_events(tmp_path / "upgrade.jsonl")
    assert [event.data["text"] for event in events] == ["first", "second"]
    assert [event.seq for event in events] == [0, 1]


def test_merging_nothing_leaves_what_is_there(tmp_path: Path) -> None:
    assert merge_segments(tmp_path, "upgrade") is None
    (tmp_path / "upgrade.jsonl").write_text("", encoding="utf-8")
    assert merge_segments(tmp_path, "upgrade") == tmp_path / "upgrade.jsonl"


def test_segments_of_other_scenarios_stay_apart(tmp_path: Path) -> None:
    for scenario in ("upgrade", "rollback"):
        recorder = Recorder(tmp_path, scenario, "tester")
        recorder.mark("step", text=scenario)
        recorder.close()
    assert unmerged_scenarios(tmp_path) == ["rollback", "upgrade"]
    merge_segments(tmp_path, "upgrade")
    assert unmerged_scenarios(tmp_path) == ["rollback"]
    assert [event.data["text"] for event in read_events(tmp_path / "upgrade.jsonl")] == ["upgrade"]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "upgrade", "tester")
    recorder.mark("step", text="Grüße, 世界\n")
    recorder.close()
    line = recorder.path.read_text(encoding="utf-8")
    assert "Grüße, 世界" in line
    assert json.loads(line)["data"]["text"] == "Grüße, 世界\n"


def test_marks_are_named_once() -> None:
    names = [value for name, value in vars(marks).items() if name.isupper() and isinstance(value, str)]
    assert len(names) == len(set(names))
