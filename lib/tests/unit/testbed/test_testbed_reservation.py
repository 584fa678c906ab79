"""Holding the dataplane of a machine: one run at a time, and nothing left of it afterwards."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError
from nfvcert.nfvi.rundir import ROOT_VARIABLE
from nfvcert.testbed.attachment import ENVIRONMENT, read_dataplane
from nfvcert.testbed.model import Testbed, read_testbed
from nfvcert.testbed.reservation import DataplaneReservation

TESTBEDS = Path(__file__).resolve().parents[4] / "testbeds"

pytestmark = pytest.mark.privileged


@pytest.fixture
def testbed() -> Testbed:
    return read_testbed(TESTBEDS / "dataplane.yaml")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_what_a_back_end_is_told(testbed: Testbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "DEF.MA.03.c.py"
    with DataplaneReservation.take(
        testbed, log_dir=tmp_path / "logs", extensions={"controller": file}, programs={"nfvcert-switch": file}
    ) as held:
        access = held.access
        assert (access.testbed, access.settings) == ("dataplane", testbed.dataplane)
        assert access.extensions == {"controller": str(file)}
        assert access.programs == {"nfvcert-switch": str(file)}
        assert stat.S_IMODE(Path(access.state_dir).stat().st_mode) == 0o700
        held.check()
        path = tmp_path / "attachment.json"
        access.write(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        monkeypatch.setenv(ENVIRONMENT, str(path))
        assert read_dataplane() == access
    assert not Path(access.state_dir).exists()


def test_a_second_run_waits_and_is_told_who_holds_it(testbed: Testbed, tmp_path: Path) -> None:
    with (
        DataplaneReservation.take(testbed, log_dir=tmp_path),
        pytest.raises(TestbedError, match="the testbed is in use"),
    ):
        DataplaneReservation.take(testbed, log_dir=tmp_path, wait_s=0.1)
    DataplaneReservation.take(testbed, log_dir=tmp_path, wait_s=0.1).release()


def test_giving_it_back_twice_is_harmless(testbed: Testbed, tmp_path: Path) -> None:
    held = DataplaneReservation.take(testbed, log_dir=tmp_path)
    held.release()
    held.release()


def test_a_testbed_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="the testbed has no dataplane"):
        DataplaneReservation.take(read_testbed(TESTBEDS / "embedded.yaml"), log_dir=tmp_path)
