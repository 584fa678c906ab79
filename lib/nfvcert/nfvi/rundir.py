"""Where a live run keeps its state: ``/run/nfvcert/<rid>`` and the places inside."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nfvcert.nfvi.names import RunId, is_run_id

ROOT_VARIABLE = "NFVCERT_RUN_ROOT"
"""Environment variable that moves the state of runs elsewhere."""


def run_root() -> Path:
    """Directory that holds one directory for each run."""
    return Path(os.environ.get(ROOT_VARIABLE) or "/run/nfvcert")


def known_runs() -> list[RunId]:
    """Run ids that have a directory, in order."""
    root = run_root()
    if not root.is_dir():
        return []
    return sorted(RunId(entry.name) for entry in root.iterdir() if is_run_id(entry.name) and entry.is_dir())


@dataclass(frozen=True)
class HostDirectory:
    """Places of one compute host."""

    path: Path

    @property
    def images(self) -> Path:
        """Verified images, unpacked once each."""
        return self.path / "images"

    @property
    def bundles(self) -> Path:
        """One directory for each container: rootfs, config.json, record.json."""
        return self.path / "bundles"

    @property
    def logs(self) -> Path:
        """Output of containers; outlives them until the run ends."""
        return self.path / "logs"

    @property
    def state(self) -> Path:
        """What the agent was asked for, for an agent that is started again."""
        return self.path / "state.json"


@dataclass(frozen=True)
class RunDirectory:
    """Places of one run."""

    rid: RunId

    @property
    def path(self) -> Path:
        return run_root() / self.rid

    @property
    def lease(self) -> Path:
        return self.path / "lease.json"

    @property
    def runc(self) -> Path:
        """State directory of runc."""
        return self.path / "runc"

    @property
    def logs(self) -> Path:
        """Log files of the processes of the testbed."""
        return self.path / "logs"

    def socket(self, host: str) -> Path:
        """Socket on which a host's agent listens."""
        return self.path / f"{host}.sock"

    def agent_config(self, host: str) -> Path:
        return self.path / f"{host}.json"

    def host(self, host: str) -> HostDirectory:
        return HostDirectory(self.path / host)
