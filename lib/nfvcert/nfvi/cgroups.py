"""Control groups of the machine, version 1 or 2: which limits it can apply, reading, freezing, removing."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nfvcert.nfvi.names import CGROUP_ROOT, POLLING_CGROUP_PREFIX

WANTED = ("cpu", "memory", "pids", "freezer")
MIB = 1024 * 1024
CPU_PERIOD_US = 100_000


@dataclass(frozen=True)
class Hierarchies:
    """Where control groups are mounted.

    Attributes:
        unified: mount point of a version 2 hierarchy that carries the controllers, or None.
        controllers: version 1 controllers and their mount points.
    """

    unified: Path | None
    controllers: dict[str, Path]

    def mount_points(self) -> list[Path]:
        """All hierarchies, each once."""
        found = [self.unified] if self.unified else []
        return list(dict.fromkeys([*found, *self.controllers.values()]))

    def usable(self) -> list[str]:
        """Those of :data:`WANTED` this process can set."""
        if self.unified is not None:
            available = [*_words(self.unified / "cgroup.controllers"), "freezer"]
            return [name for name in WANTED if name in available and os.access(self.unified, os.W_OK)]
        return [name for name in WANTED if name in self.controllers and _can_create(self.controllers[name])]


def parse_mounts(mountinfo: str) -> Hierarchies:
    """Read the hierarchies from the text of /proc/self/mountinfo."""
    unified = None
    controllers: dict[str, Path] = {}
    everything: list[Path] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        place = Path(before.split()[4])
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            if place == Path("/sys/fs/cgroup"):
                unified = place
            everything.append(place)
        elif kind == "cgroup":
            names = options.split()[-1].split(",") if options else []
            for name in names:
                if name not in ("rw", "ro"):
                    controllers.setdefault(name, place)
    if unified is None:
        # In the hybrid layout the version 2 hierarchy carries no controller but runc makes directories in it.
        for number, place in enumerate(everything):
            controllers.setdefault(f"unified{number or ''}", place)
    return Hierarchies(unified, controllers)


def hierarchies() -> Hierarchies:
    """The hierarchies of this machine."""
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


class ContainerGroup:
    """The control group of one container, at `path` below every hierarchy."""

    def __init__(self, mounted: Hierarchies, path: str) -> None:
        self.mounted = mounted
        self.path = path

    def limits(self) -> dict[str, float | int | None]:
        """The limits the kernel applies: {vcpus, memory_mib, pids}, None where there is none."""
        if self.mounted.unified is not None:
            quota, _, period = (self._read("", "cpu.max") or "max 1").partition(" ")
            memory = self._read("", "memory.max")
            pids = self._read("", "pids.max")
        else:
            quota = self._read("cpu", "cpu.cfs_quota_us") or "-1"
            period = self._read("cpu", "cpu.cfs_period_us") or "1"
            memory = self._read("memory", "memory.limit_in_bytes")
            pids = self._read("pids", "pids.max")
        vcpus = None if quota in ("max", "-1") else int(quota) / int(period)
        memory_mib = int(memory) // MIB if memory and memory != "max" and int(memory) < 1 << 60 else None
        return {"vcpus": vcpus, "memory_mib": memory_mib, "pids": int(pids) if pids and pids != "max" else None}

    def usage(self) -> tuple[int | None, int | None]:
        """CPU time in ns and memory in bytes; None where the machine does not count."""
        if self.mounted.unified is not None:
            stat = dict(line.split() for line in (self._read("", "cpu.stat") or "").splitlines())
            cpu = int(stat["usage_usec"]) * 1000 if "usage_usec" in stat else None
            memory = self._read("", "memory.current")
        else:
            used = self._read("cpuacct", "cpuacct.usage")
            cpu = int(used) if used else None
            memory = self._read("memory", "memory.usage_in_bytes")
        return cpu, int(memory) if memory else None

    def freeze(self, frozen: bool) -> bool:
        """Stop or continue all processes; answers False where the machine cannot."""
        with contextlib.suppress(OSError):
            if self.mounted.unified is not None:
                (self.mounted.unified / self.path / "cgroup.freeze").write_text("1" if frozen else "0")
                return True
            if "freezer" in self.mounted.controllers:
                place = self.mounted.controllers["freezer"] / self.path / "freezer.state"
                place.write_text("FROZEN" if frozen else "THAWED")
                return True
        return False

    def frozen(self) -> bool:
        """Whether the group is frozen."""
        if self.mounted.unified is not None:
            return self._read("", "cgroup.freeze") == "1"
        return self._read("freezer", "freezer.state") in ("FROZEN", "FREEZING")

    def processes(self) -> set[int]:
        """All processes in it and below it."""
        return {pid for place in self._places() for pid in _processes(place)}

    def remove(self, timeout_s: float = 2.0) -> list[Path]:
        """Remove its directories from all hierarchies, as far as that works in time. Answers the removed."""
        removed = []
        for place in self._places():
            deadline = time.monotonic() + timeout_s
            for directory in _deepest_first(place):
                while True:
                    try:
                        directory.rmdir()
                        removed.append(directory)
                        break
                    except FileNotFoundError:
                        break
                    except OSError:  # EBUSY until the last process is reaped
                        if time.monotonic() > deadline:
                            break
                        time.sleep(0.005)
        return removed

    def kill(self) -> None:
        """Thaw and SIGKILL everything in it; does not wait."""
        for place in self._places():
            for directory in _deepest_first(place):
                relative = str(directory.relative_to(self._mount_of(directory)))
                ContainerGroup(self.mounted, relative).freeze(False)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _mount_of(self, directory: Path) -> Path:
        return next(mount for mount in self.mounted.mount_points() if directory.is_relative_to(mount))

    def _places(self) -> Iterator[Path]:
        for mount in self.mounted.mount_points():
            if (mount / self.path).is_dir():
                yield mount / self.path

    def _read(self, controller: str, name: str) -> str | None:
        mount = self.mounted.controllers.get(controller) if controller else self.mounted.unified
        if mount is None:
            return None
        try:
            return (mount / self.path / name).read_text().strip()
        except OSError:
            return None


def runs(mounted: Hierarchies) -> set[str]:
    """Names of the directories below our own, and of what polls, in any hierarchy: run ids."""
    found = set()
    for mount in mounted.mount_points():
        with contextlib.suppress(OSError):
            found |= {entry.name for entry in (mount / CGROUP_ROOT).iterdir() if entry.is_dir()}
        with contextlib.suppress(OSError):
            polling = [entry.name for entry in mount.iterdir() if entry.name.startswith(POLLING_CGROUP_PREFIX)]
            found |= {name.removeprefix(POLLING_CGROUP_PREFIX) for name in polling}
    return found


def _deepest_first(place: Path) -> list[Path]:
    return [Path(directory) for directory, _, _ in os.walk(place, topdown=False)]


def _processes(place: Path) -> Iterator[int]:
    for directory in _deepest_first(place):
        for pid in _words(directory / "cgroup.procs"):
            yield int(pid)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _can_create(mount: Path) -> bool:
    """Whether directories can be made in a version 1 hierarchy, found by making ours."""
    try:
        (mount / CGROUP_ROOT).mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(mount / CGROUP_ROOT, os.W_OK)
