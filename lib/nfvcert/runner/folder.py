"""The run folder: where everything of one run lies."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

from nfvcert.errors import UsageError

DEFAULT_OUTPUT = Path("reports/output")


class RunFolder:
    """Paths inside a run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The run's id: the folder's name."""
        return self.path.name

    @property
    def history(self) -> Path:
        """Histories and their tables."""
        return self.path / "history"

    @property
    def logs(self) -> Path:
        """Logs of back-ends and components."""
        return self.path / "logs"

    @property
    def plan(self) -> Path:
        """What was planned."""
        return self.path / "plan.json"

    @property
    def declared(self) -> Path:
        """What drop, testbed and profile declared."""
        return self.path / "declared.json"

    @property
    def attachment(self) -> Path:
        """How back-ends reach the testbed; gone when it is down."""
        return self.path / "attachment.json"

    @property
    def reported(self) -> Path:
        """Tests that a back-end reported as run, one JSON object a line."""
        return self.path / "reported.jsonl"

    @property
    def results(self) -> Path:
        """Verdicts and measures."""
        return self.path / "results.json"

    def create(self) -> None:
        """Make the folder with its parts."""
        for part in (self.path, self.history, self.logs):
            part.mkdir(parents=True, exist_ok=True)


def new_run(output: Path, *, link_latest: bool) -> RunFolder:
    """A new run folder below ``output`` with an id made of date, time and four random characters."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder = RunFolder(output / name)
    folder.create()
    if link_latest:
        latest = output / "latest"
        fresh = output / f".latest-{name}"
        fresh.symlink_to(name)
        fresh.replace(latest)
    return folder


def existing_run(path: Path) -> RunFolder:
    """The run folder at ``path``.

    Raises:
        UsageError: there is none.
    """
    resolved = path.resolve()
    if not (resolved / "plan.json").exists() and not (resolved / "results.json").exists():
        raise UsageError("this is no run folder", where=str(path), hint="name a folder that 'nfvcert certify' made")
    return RunFolder(resolved)
