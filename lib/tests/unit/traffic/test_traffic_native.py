"""Finding native programs, and speaking JSON lines with a process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError
from nfvcert.traffic.native import VARIABLE, NativeProcess, binary

ECHO = """
import json, sys
print(json.dumps({"event": "interval"}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if order["op"] == "rubbish": print("rubbish", flush=True)
    elif order["op"] == "end": sys.exit(7)
    elif order["op"] == "silent": pass
    else: print(json.dumps({"event": order["op"], "ok": order.get("good", True), "error": "bad"}), flush=True)
"""


@pytest.fixture
def argv() -> list[str | Path]:
    return [sys.executable, "-c", ECHO]


def test_a_program_is_found_by_name_below_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "deep" / "nfvcert-something"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(TestbedError, match="make native"):
        binary("nfvcert-something")  # not executable
    program.chmod(0o755)
    assert binary("nfvcert-something") == program


def test_events_go_to_whoever_wants_them(argv: list[str | Path], tmp_path: Path) -> None:
    kept: list[dict] = []

    def keep(event: dict) -> bool:
        if event["event"] == "interval":
            kept.append(event)
        return event["event"] == "interval"

    with NativeProcess(argv, log=tmp_path / "log", on_event=keep) as process:
        process.send({"op": "first"})
        process.send({"op": "second"})
        assert process.await_event("second", 10)["event"] == "second"
    assert kept == [{"event": "interval"}]


def test_silence_an_end_and_rubbish_are_told_apart(argv: list[str | Path], tmp_path: Path) -> None:
    with NativeProcess(argv, log=tmp_path / "log") as process:
        process.send({"op": "silent"})
        with pytest.raises(TestbedError, match=r"no 'ready' within 0\.05 s"):
            process.await_event("ready", 0.05)
        process.send({"op": "rubbish"})
        with pytest.raises(TestbedError, match="no JSON"):
            process.await_event("ready", 10)
        process.send({"op": "end"})
        for _ in range(2):
            with pytest.raises(TestbedError, match="status 7"):
                process.await_event("ready", 10)


def test_a_refusal_is_an_error(argv: list[str | Path], tmp_path: Path) -> None:
    with NativeProcess(argv, log=tmp_path / "log", on_event=lambda event: event["event"] == "interval") as process:
        assert process.request({"op": "ask"})["ok"]
        with pytest.raises(TestbedError, match="'ask' was refused; found: bad"):
            process.request({"op": "ask", "good": False})


def test_closing_ends_a_program_that_does_not_listen(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(60)"
    )
    seen: list[dict] = []
    process = NativeProcess(
        [sys.executable, "-c", stubborn], log=tmp_path / "log", on_event=lambda event: not seen.append(event)
    )
    while not seen:
        pass
    assert process.close(grace_s=0.05) == -9
    assert process.close() == -9


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with (
        NativeProcess([tmp_path / "nothing"], log=tmp_path / "log") as process,
        pytest.raises(TestbedError, match="the program has ended"),
    ):
        process.await_event("ready", 10)
    with pytest.raises(TestbedError, match="cannot start"):
        NativeProcess(["true"], log=tmp_path / "no" / "log")
