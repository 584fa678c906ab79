"""The command line within this process, and a sample drop built from small fake programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nfvcert.cli import main
from nfvcert.drop.build import build_drop

ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as the shell would."""
    monkeypatch.setenv("COLUMNS", "80")

    def command(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["nfvcert", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built sample drop; not to be written to."""
    folder = tmp_path_factory.mktemp("drop")

    def binary(name: str) -> Path:
        path = folder / name
        path.write_bytes(b"#! not a program: " + name.encode() + b"\n")
        return path

    source = ROOT / "fixtures" / "drops" / "edge-gateway"
    return build_drop(source, folder / "built", binaries=binary, architecture="amd64")
