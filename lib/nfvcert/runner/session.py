"""What a back-end works with: attachment, drop, profile, run folder; read once from the environment of the runner."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nfvcert.checkers import Declared, Judgement, judge
from nfvcert.drop.read import Drop, read_drop
from nfvcert.errors import UsageError
from nfvcert.history import History, load_history
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import read_plan
from nfvcert.scenarios.bench import Bench
from nfvcert.scenarios.profile import RunProfile, read_profile
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.attachment import Attachment, DataplaneAccess, read_attachment, read_dataplane

RUN = "NFVCERT_RUN"
DROP = "NFVCERT_DROP"
PROFILE = "NFVCERT_PROFILE"


@dataclass(frozen=True)
class Session:
    """A back-end's part in a run; it works on the MANO stack or on the dataplane, whichever the runner brought up."""

    folder: RunFolder
    drop: Drop
    profile: RunProfile

    @cached_property
    def attachment(self) -> Attachment:
        """How the MANO stack is reached."""
        return read_attachment()

    @cached_property
    def dataplane(self) -> DataplaneAccess:
        """What the dataplane of the testbed is made of."""
        return read_dataplane()

    def bench(self, scenario: str) -> Bench:
        """The bench for a scenario."""
        return Bench(
            scenario,
            attachment=self.attachment,
            drop=self.drop,
            profile=self.profile,
            run_folder=self.folder.path,
        )

    def recording(self, scenario: str) -> Recording:
        """The recording of a scenario on the dataplane, where no reference point of the MANO stack is to be seen."""
        about = {
            "run": self.folder.id,
            "testbed": self.dataplane.testbed,
            "profile": self.profile.name,
            "repeats": self.profile.scaling.repeats,
        }
        return Recording(self.folder.path, scenario, None, about)

    def planned(self, purpose: str) -> list[str]:
        """The scenarios on which a purpose rests in this run, those included that the profile repeats."""
        return next(list(found.scenarios) for found in read_plan(self.folder.plan).purposes if found.id == purpose)

    def judge(self, purpose: str, scenarios: list[str]) -> Judgement:
        """Judge a purpose over what has been recorded so far."""
        return judge(purpose, recorded(self.folder, scenarios), read_declared(self.folder))


def current_session() -> Session:
    """The session that the runner's environment describes.

    Raises:
        UsageError: the suites were started by hand.
    """
    missing = [name for name in (RUN, DROP, PROFILE) if not os.environ.get(name)]
    if missing:
        raise UsageError(
            "the suites are started by the runner", found=f"{', '.join(missing)} not set", hint="use 'nfvcert certify'"
        )
    return Session(
        folder=RunFolder(Path(os.environ[RUN])),
        drop=read_drop(Path(os.environ[DROP])),
        profile=read_profile(os.environ[PROFILE]),
    )


def recorded(folder: RunFolder, scenarios: list[str]) -> dict[str, History]:
    """The histories of those scenarios that were recorded."""
    found = {}
    for scenario in scenarios:
        path = folder.history / f"{scenario}.jsonl"
        if path.exists():
            state = path.stat()
            found[scenario] = _load_once(path, state.st_mtime_ns, state.st_size)
    return found


@functools.lru_cache(maxsize=16)
def _load_once(path: Path, _changed: int, _size: int) -> History:
    """A history is read once for all purposes that are judged on it; written anew it is read anew."""
    return load_history(path)


def read_declared(folder: RunFolder) -> Declared:
    """What was declared for the run.

    Raises:
        UsageError: it is not there, or damaged.
    """
    try:
        return Declared.model_validate_json(folder.declared.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            "what was declared for the run cannot be read", where=str(folder.declared), found=str(error)
        ) from error
