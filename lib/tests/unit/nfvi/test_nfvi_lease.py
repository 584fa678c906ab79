import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError
from nfvcert.nfvi import lease as leases
from nfvcert.nfvi import sweep
from nfvcert.nfvi.lease import Lease, LeaseLost, TestbedLock, is_alive, read_lease
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.rundir import known_runs


@pytest.fixture
def lease(private_root: Path, monkeypatch: pytest.MonkeyPatch) -> Lease:
    monkeypatch.setattr(leases, "HEARTBEAT_S", 0.01)
    return Lease.acquire(RunId.new(), command="test", testbed="embedded")


def test_a_held_lease_is_alive_and_tells_its_holder(lease: Lease) -> None:
    found = read_lease(lease.rid)
    assert found is not None and found.pid == os.getpid() and found.command == "test"
    assert is_alive(lease.rid)
    assert lease.rid not in sweep.dead_runs()
    lease.release()
    assert not is_alive(lease.rid)
    assert lease.rid in sweep.dead_runs()


def test_a_run_id_is_leased_once(lease: Lease) -> None:
    with pytest.raises(TestbedError, match="in use"):
        Lease.acquire(lease.rid, command="other", testbed="embedded")
    lease.release()
    assert known_runs() == [lease.rid]


def test_a_lease_under_another_root_is_still_alive(
    lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("NFVCERT_RUN_ROOT", str(tmp_path / "elsewhere"))
        assert read_lease(lease.rid) is None
        assert is_alive(lease.rid)
    lease.release()


@pytest.mark.parametrize(("key", "value"), [("start_time", 1), ("boot_id", "another"), ("pid", 2**22 + 1)])
def test_a_holder_that_is_not_the_same_process_is_dead(lease: Lease, key: str, value: object) -> None:
    lease.stop_heartbeat()
    record = json.loads(lease.directory.lease.read_text())
    lease.directory.lease.write_text(json.dumps(record | {key: value}))
    assert not is_alive(lease.rid)
    lease.release()


def test_the_holder_notices_that_the_lease_is_gone(lease: Lease) -> None:
    lease.check()
    lease.directory.lease.unlink()
    lease._thread.join(5)
    with pytest.raises(LeaseLost, match="no lease file"):
        lease.check()
    lease.release()


def test_the_heartbeat_goes_on(lease: Lease) -> None:
    first = read_lease(lease.rid)
    assert first is not None
    while (now := read_lease(lease.rid)) is None or now.heartbeat == first.heartbeat:
        pass
    assert now.created == first.created
    lease.release()


def test_a_half_made_lease_of_a_dead_process_is_removed(private_root: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    unborn = private_root / f".new-abc234-{child.pid}"
    unborn.mkdir(parents=True)
    mine = private_root / f".new-abc235-{os.getpid()}"
    mine.mkdir()
    sweep.sweep()
    assert not unborn.exists() and mine.exists()


def test_a_testbed_is_locked_by_one_and_the_other_is_told_by_whom(private_root: Path) -> None:
    with TestbedLock("lab") as first, TestbedLock("lab") as second:
        first.acquire(command="the first")
        with pytest.raises(TestbedError, match="the first"):
            second.acquire(command="the second")
        first.release()
        second.acquire(command="the second")


def test_the_lock_of_a_killed_holder_is_free(private_root: Path) -> None:
    code = (
        "from nfvcert.nfvi.lease import TestbedLock\nimport time\n"
        "lock = TestbedLock('lab'); lock.acquire(command='child'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"held\n"
        with TestbedLock("lab") as lock:
            with pytest.raises(TestbedError, match="child"):
                lock.acquire(command="parent")
            child.kill()
            lock.acquire(command="parent", wait_s=5)
