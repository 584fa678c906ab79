"""What is left of a run on this machine."""

from __future__ import annotations

from pathlib import Path

from nfvcert.nfvi import cgroups, namespaces, procfs
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.rundir import RunDirectory


def remains(rid: RunId) -> list[str]:
    """Everything on this machine that carries the run id: files, control groups, namespaces, command lines."""
    found = [name for name in namespaces.names() if rid in name]
    for mount in cgroups.hierarchies().mount_points():
        found += [str(path) for path in (mount / "nfvcert").glob(f"{rid}*")]
    if RunDirectory(rid).path.exists():
        found.append(str(RunDirectory(rid).path))
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if rid in line]
    for pid in procfs.pids():
        stat = procfs.stat(pid)
        if stat is None or not stat.alive:
            continue
        try:
            if rid.encode() in Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/cgroup").read_bytes():
                found.append(f"process {pid}")
        except OSError:
            continue
    return found
