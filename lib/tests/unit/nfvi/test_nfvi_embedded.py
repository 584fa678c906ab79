"""Coming up, going down and what is left when somebody is killed in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from remaining import remains
from scratchimage import ScratchImage

from nfvcert.errors import TestbedError
from nfvcert.nfvi import fabric, namespaces, sweep
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.embedded import EmbeddedNfvi, NfviSpec
from nfvcert.nfvi.lease import Lease, is_alive
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.process import spawn
from waiting import eventually

pytestmark = pytest.mark.privileged

CHILD = """
import sys, time
from pathlib import Path
from nfvcert.nfvi.agent.models import ContainerSpec, Freeze, ImageSpec, NetworkSpec, PortSpec
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.embedded import EmbeddedNfvi, NfviSpec
from nfvcert.nfvi.names import RunId
with EmbeddedNfvi.up(RunId(sys.argv[1]), NfviSpec([HostSpec("host1"), HostSpec("host2")])) as nfvi:
    for name, host in nfvi.hosts.items():
        host.put_network("net", NetworkSpec(vni=1))
        host.put_image("echo", ImageSpec(path=Path(sys.argv[2])))
        host.put_port("p", PortSpec(network_id="net", mac="02:00:00:00:00:01"))
        host.put_container("c", ContainerSpec(image="echo", ports=["p"]))
    nfvi.hosts["host2"].put_fault(Freeze(kind="freeze", container="c"))
    print("up", flush=True)
    time.sleep(600)
"""


def _child(rid: RunId, scratch: ScratchImage) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-c", CHILD, rid, scratch.layout], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"up\n"
    return child


def test_after_a_kill_the_sweep_leaves_nothing(rid: RunId, scratch: ScratchImage) -> None:
    with _child(rid, scratch) as child:
        assert is_alive(rid) and rid not in sweep.dead_runs()
        child.kill()
    assert rid in sweep.dead_runs()
    swept = {found.rid: found for found in sweep.sweep()}[rid]
    assert remains(rid) == []
    assert len(swept.containers) == 2 and swept.directory
    assert {f"nfv-{rid}-fabric", f"nfv-{rid}-host1", f"nfv-{rid}-host2"} <= set(swept.namespaces)
    assert "the run directory removed" in str(swept)
    assert rid not in sweep.dead_runs()
    assert not sweep.destroy(rid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_takes_the_testbed_down(rid: RunId, scratch: ScratchImage, number: int) -> None:
    with _child(rid, scratch) as child:
        child.send_signal(number)
        child.wait(20)
    assert remains(rid) == []


def test_after_a_kill_on_the_way_up_the_sweep_leaves_nothing(rid: RunId) -> None:
    code = CHILD.replace("with EmbeddedNfvi", "print('up', flush=True)\nwith EmbeddedNfvi")
    with subprocess.Popen([sys.executable, "-c", code, rid, "/none"], stdout=subprocess.PIPE) as child:
        assert eventually(lambda: rid.netns("host1") in namespaces.names())
        child.kill()
    sweep.sweep()
    assert remains(rid) == []


def test_two_can_be_up_at_once_and_one_does_not_sweep_the_other() -> None:
    spec = NfviSpec([HostSpec("host1")])
    with EmbeddedNfvi.up(RunId.new(), spec) as one, EmbeddedNfvi.up(RunId.new(), spec) as two:
        sweep.sweep(orphans_after_s=float("inf"))
        one.check()
        two.check()
        assert one.hosts["host1"].health().rid == one.rid
        one.down()
        assert one.down().rid == one.rid
        two.check()
        assert remains(one.rid) == []
    assert remains(two.rid) == []


def test_what_does_not_come_up_leaves_nothing(rid: RunId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(TestbedError, match="host agent died"):
        EmbeddedNfvi.up(rid, NfviSpec([HostSpec("host1")]))
    assert remains(rid) == []


def test_a_dead_agent_is_noticed(rid: RunId) -> None:
    with EmbeddedNfvi.up(rid, NfviSpec([HostSpec("host1")])) as nfvi:
        os.kill(nfvi.agent("host1").pid, signal.SIGKILL)
        nfvi.agent("host1").wait(10)
        with pytest.raises(TestbedError, match="host agent died"):
            nfvi.check()


def test_namespaces_without_run_directory_are_dead_when_old_enough(rid: RunId) -> None:
    fabric.build(rid, [HostSpec("host1")])
    child = spawn(["sleep", "600"], netns=rid.netns("host1"))
    assert rid in sweep.dead_runs(orphans_after_s=0)
    assert rid not in sweep.dead_runs(orphans_after_s=600)
    assert sweep.processes_of(rid) == {child.pid}
    assert sweep.destroy(rid).processes == [child.pid]
    assert child.wait(5) == -signal.SIGKILL
    assert remains(rid) == []


def test_mounts_in_the_run_directory_go_before_it_does(rid: RunId, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    lease = Lease.acquire(rid, command="test", testbed="embedded")
    place = lease.directory.path / "a place"
    place.mkdir()
    namespaces.libc_call("mount", str(tmp_path).encode(), str(place).encode(), b"none", namespaces.MS_BIND, None)
    lease.stop_heartbeat()
    assert sweep.destroy(rid).mounts == [str(place)]
    lease.release()
    assert (tmp_path / "precious").read_text() == "kept"
