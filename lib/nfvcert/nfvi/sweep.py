"""Remove everything that carries a run id: at the normal end of a run, and after a run that was killed.

A run is dead when nobody who lives holds its lease. Every step is idempotent and the run directory goes last, so that a
sweep that was itself killed is simply done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nfvcert.errors import TestbedError
from nfvcert.nfvi import cgroups, namespaces, procfs
from nfvcert.nfvi.lease import NEW_PREFIX, is_alive
from nfvcert.nfvi.names import RunId, is_run_id, parse_netns, parse_root_interface
from nfvcert.nfvi.rundir import RunDirectory, known_runs, run_root

KILL_TIMEOUT_S = 10.0
"""How long killed processes may take to go; the kernel needs milliseconds unless they hang in a driver."""

ORPHAN_AGE_S = 60.0
"""From which age on namespaces without run directory are removed; younger ones may be somebody's who works by hand."""


@dataclass
class Swept:
    """What was removed of one run."""

    rid: RunId
    processes: list[int] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)
    cgroups: list[str] = field(default_factory=list)
    directory: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.processes or self.mounts or self.namespaces or self.interfaces or self.cgroups or self.directory
        )

    def __str__(self) -> str:
        parts = [
            f"{len(items)} {what}"
            for what, items in (
                ("processes", self.processes),
                ("containers", self.containers),
                ("mounts", self.mounts),
                ("namespaces", self.namespaces),
                ("interfaces", self.interfaces),
                ("control groups", self.cgroups),
            )
            if items
        ]
        if self.directory:
            parts.append("the run directory")
        return f"run {self.rid}: " + (", ".join(parts) + " removed" if parts else "nothing left to remove")


def traces() -> set[RunId]:
    """Run ids of which anything is to be seen on this machine, living or dead."""
    found = set(known_runs())
    found |= {parsed[0] for name in namespaces.names() if (parsed := parse_netns(name))}
    found |= {RunId(name) for name in cgroups.runs(cgroups.hierarchies()) if is_run_id(name)}
    found |= {rid for _, rid in _root_interfaces()}
    return found


def dead_runs(*, orphans_after_s: float = ORPHAN_AGE_S) -> list[RunId]:
    """Run ids that left traces and that nobody holds any more.

    Args:
        orphans_after_s: namespaces without a run directory count when the youngest of the run id is that old.
    """
    known = set(known_runs())
    return sorted(
        rid for rid in traces() if not is_alive(rid) and (rid in known or _youngest_namespace_s(rid) >= orphans_after_s)
    )


def sweep(*, orphans_after_s: float = ORPHAN_AGE_S) -> list[Swept]:
    """Remove what dead runs left. Answers what was removed, run by run; the argument is that of :func:`dead_runs`."""
    with _exclusive():
        swept = [destroy(rid) for rid in dead_runs(orphans_after_s=orphans_after_s)]
        _remove_unborn()
    return swept


def destroy(rid: RunId) -> Swept:
    """Remove everything of a run, its directory last. Safe to call again, also for a run that never was.

    Raises:
        TestbedError: something resists; the message says what.
    """
    swept = Swept(rid)
    run = RunDirectory(rid)
    groups = _groups(rid)
    _kill(rid, groups, swept)
    with contextlib.suppress(OSError):
        swept.containers = sorted(entry.name for entry in run.runc.iterdir() if entry.is_dir())
    _unmount(run.path, swept)
    for name in namespaces.names():
        parsed = parse_netns(name)
        if parsed and parsed[0] == rid and namespaces.remove(name):
            swept.namespaces.append(name)
    _remove_interfaces(rid, swept)
    swept.cgroups = [str(path) for group in groups for path in group.remove()]
    if run.path.is_dir():
        shutil.rmtree(run.path)
        swept.directory = True
    return swept


def processes_of(rid: RunId) -> set[int]:
    """Processes that live in a namespace or a control group of the run, the caller left out."""
    wanted = {
        identity
        for name in namespaces.names()
        if (parsed := parse_netns(name)) and parsed[0] == rid and (identity := namespaces.identity(name))
    }
    found = {pid for group in _groups(rid) for pid in group.processes()}
    if wanted:
        found |= {pid for pid in procfs.pids() if procfs.network_namespace(pid) in wanted}
    return found - {os.getpid()}


def _groups(rid: RunId) -> list[cgroups.ContainerGroup]:
    """The control groups of containers, and of what polls."""
    mounted = cgroups.hierarchies()
    return [cgroups.ContainerGroup(mounted, path) for path in (rid.cgroup(), rid.polling_cgroup())]


def _kill(rid: RunId, groups: list[cgroups.ContainerGroup], swept: Swept) -> None:
    """Kill the containers, then all others; each until nobody is found, since processes may fork while being killed.

    Containers go first while their agent, if there is one, can still reap them.
    """
    deadline = time.monotonic() + KILL_TIMEOUT_S
    killed: set[int] = set()
    for everybody in (False, True):
        while victims := _alive(processes_of(rid) if everybody else groups[0].processes() - {os.getpid()}):
            if time.monotonic() > deadline:
                found = ", ".join(map(str, sorted(victims)))
                raise TestbedError("processes of a run cannot be killed", where=f"run {rid}", found=found)
            for group in groups:
                group.kill()
            waiting = []
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    waiting.append(os.pidfd_open(pid))
                    os.kill(pid, signal.SIGKILL)
            killed |= victims
            _await_exit(waiting, 1.0)
    swept.processes = sorted(killed)


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if (found := procfs.stat(pid)) and found.alive}


def _youngest_namespace_s(rid: RunId) -> float:
    """Age of the last namespace made for the run; infinite when there is none."""
    ages = []
    for name in namespaces.names():
        if (parsed := parse_netns(name)) and parsed[0] == rid:
            with contextlib.suppress(FileNotFoundError):
                ages.append(time.time() - namespaces.path_of(name).stat().st_ctime)
    return min(ages, default=float("inf"))


def _await_exit(pidfds: list[int], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    poll = select.poll()
    for descriptor in pidfds:
        poll.register(descriptor, select.POLLIN)
    remaining = set(pidfds)
    while remaining and (left := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left * 1000):
            poll.unregister(descriptor)
            remaining.discard(descriptor)
    for descriptor in pidfds:
        os.close(descriptor)


def _mounts_below(path: Path) -> list[str]:
    """Mount points inside a directory, the deepest first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4].encode().decode("unicode_escape")
        if place.startswith(f"{path}/"):
            found.append(place)
    return sorted(found, key=len, reverse=True)


def _unmount(path: Path, swept: Swept) -> None:
    for place in _mounts_below(path):
        with contextlib.suppress(OSError):
            namespaces.libc_call("umount2", place.encode(), namespaces.MNT_DETACH)
            swept.mounts.append(place)
    if left := _mounts_below(path):
        raise TestbedError("something is still mounted in a run directory", where=str(path), found=", ".join(left))


def _root_interfaces() -> list[tuple[str, RunId]]:
    """Interfaces of ours in the caller's namespace, by name."""
    found = []
    for line in Path("/proc/self/net/dev").read_text().splitlines()[2:]:
        name = line.partition(":")[0].strip()
        if rid := parse_root_interface(name):
            found.append((name, rid))
    return found


def _remove_interfaces(rid: RunId, swept: Swept) -> None:
    names = [name for name, owner in _root_interfaces() if owner == rid]
    if not names:
        return
    from nfvcert.nfvi.links import Netlink  # costs 0.1 s to import, hardly ever needed

    with Netlink() as netlink:
        swept.interfaces = [name for name in names if netlink.delete(name)]


def _remove_unborn() -> None:
    """Remove directories of leases whose holder died while acquiring them."""
    root = run_root()
    if not root.is_dir():
        return
    for entry in root.iterdir():
        if entry.name.startswith(NEW_PREFIX):
            pid = entry.name.rpartition("-")[2]
            if not (pid.isdigit() and procfs.stat(int(pid))):
                shutil.rmtree(entry, ignore_errors=True)


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """One sweep at a time on this machine."""
    root = run_root()
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(root / "sweep.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
