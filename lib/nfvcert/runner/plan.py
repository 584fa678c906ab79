"""The plan: which purposes are judged in a run, by which tests, over which scenarios."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nfvcert.catalogue import Catalogue
from nfvcert.errors import UsageError


@dataclass(frozen=True, slots=True)
class PlannedPurpose:
    """A purpose with the test that shows it; ``suite`` is relative to the folder of the suites."""

    id: str
    requirement: str
    backend: str
    suite: str
    test: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Purposes in the order in which their suites run."""

    purposes: tuple[PlannedPurpose, ...]

    def of(self, backend: str) -> list[PlannedPurpose]:
        """The purposes that a back-end shows."""
        return [purpose for purpose in self.purposes if purpose.backend == backend]

    @property
    def scenarios(self) -> list[str]:
        """All scenarios that the plan needs, each once."""
        return list(dict.fromkeys(scenario for purpose in self.purposes for scenario in purpose.scenarios))

    def write(self, path: Path) -> None:
        """Write it into the run folder."""
        path.write_text(json.dumps([asdict(purpose) for purpose in self.purposes], indent=1), encoding="utf-8")


def read_plan(path: Path) -> Plan:
    """Read the plan of a run."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Plan(tuple(PlannedPurpose(**{**item, "scenarios": tuple(item["scenarios"])}) for item in raw))


def make_plan(catalogue: Catalogue, requirements: list[str], purposes: list[str], features: set[str]) -> Plan:
    """Plan the tested purposes of the selected requirements.

    A purpose that needs the history of a scenario of another suite brings that suite's scenario along.

    Args:
        requirements: ids or prefixes; none selects all.
        purposes: ids of single purposes; none selects all of the requirements.
        features: what the testbed can do.

    Raises:
        UsageError: an id selects nothing.
    """
    selected = catalogue.select(requirements)
    planned = []
    for requirement in selected:
        for purpose in requirement.purposes:
            if purpose.test is None or (purposes and purpose.id not in purposes):
                continue
            planned.append(
                PlannedPurpose(
                    id=purpose.id,
                    requirement=requirement.id,
                    backend=purpose.test.backend,
                    suite=purpose.test.suite,
                    test=purpose.test.name,
                    scenarios=tuple(purpose.scenarios),
                )
            )
    unknown = set(purposes) - {purpose.id for purpose in planned}
    if unknown:
        raise UsageError(f"no tested purpose is called {', '.join(sorted(unknown))}", hint="see 'nfvcert list'")
    return Plan(tuple(sorted(planned, key=lambda purpose: (purpose.backend, _suite_rank(purpose.suite), purpose.id))))


SUITE_ORDER = (
    "rel006/vnf/test_package.py",
    "tst001/lifecycle.robot",
    "rel006/vnf/service_upgrade.robot",
    "rel006/general/rollback.robot",
    "rel006/vnf/refused_requests.robot",
    "rel006/vnf/limited_exposure.robot",
)
"""Suites in the order of their scenarios; a purpose over several scenarios stands in the last suite it needs."""


def _suite_rank(suite: str) -> int:
    return SUITE_ORDER.index(suite) if suite in SUITE_ORDER else len(SUITE_ORDER)
