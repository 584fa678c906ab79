"""The plan: which purposes are judged in a run, by which tests, over which scenarios."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nfvcert.catalogue import Catalogue, select
from nfvcert.errors import UsageError

SCENARIO_SUITES = {
    "packages": "suites/rel006/vnf/test_package.py",
    "lifecycle": "suites/tst001/lifecycle.robot",
    "upgrade": "suites/rel006/vnf/service_upgrade.robot",
    "rollback": "suites/rel006/general/rollback.robot",
    "refusals": "suites/rel006/vnf/refused_requests.robot",
    "exposure": "suites/rel006/vnf/limited_exposure.robot",
}
"""The suite that records each scenario, in the order in which they run. A purpose over several scenarios is shown by
the suite of the last one."""


@dataclass(frozen=True, slots=True)
class PlannedPurpose:
    """A purpose with the test that shows it; ``suite`` is relative to the root of the project."""

    id: str
    requirement: str
    title: str
    backend: str
    suite: str
    test: str
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Purposes in the order in which their suites run."""

    purposes: tuple[PlannedPurpose, ...]
    scenarios: tuple[str, ...]

    def of(self, backend: str) -> list[PlannedPurpose]:
        """The purposes that a back-end shows."""
        return [purpose for purpose in self.purposes if purpose.backend == backend]

    def suites(self, backend: str) -> list[str]:
        """The suites that a back-end has to run, in order: also those that only record for others."""
        ending = ".robot" if backend == "robot" else ".py"
        return [
            suite
            for scenario, suite in SCENARIO_SUITES.items()
            if scenario in self.scenarios and suite.endswith(ending)
        ]

    def without(self, scenarios: set[str]) -> Plan:
        """The plan without the recording of scenarios that are recorded already."""
        return Plan(self.purposes, tuple(s for s in self.scenarios if s not in scenarios))

    def write(self, path: Path) -> None:
        """Write it into the run folder."""
        document = {"purposes": [asdict(purpose) for purpose in self.purposes], "scenarios": list(self.scenarios)}
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_plan(path: Path) -> Plan:
    """Read the plan of a run.

    Raises:
        UsageError: there is none, or it is no plan.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        purposes = tuple(PlannedPurpose(**{**item, "scenarios": tuple(item["scenarios"])}) for item in raw["purposes"])
        return Plan(purposes, tuple(raw["scenarios"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("the plan of the run cannot be read", where=str(path), found=repr(error)) from error


def make_plan(catalogue: Catalogue, ids: list[str]) -> Plan:
    """Plan the tested purposes that the ids select; none selects all.

    The scenarios are those that the purposes need, with all tested purposes selected also ``lifecycle``.

    Raises:
        UsageError: an id names nothing, or nothing that is tested.
    """
    planned = [
        PlannedPurpose(
            id=purpose.id,
            requirement=purpose.requirement,
            title=purpose.title,
            backend=purpose.test.backend,
            suite=purpose.test.suite,
            test=purpose.test.name,
            scenarios=tuple(purpose.scenarios),
        )
        for purpose in select(catalogue, ids)
        if purpose.test is not None
    ]
    if not planned:
        raise UsageError("nothing that is tested is selected", found=", ".join(ids), hint="see 'nfvcert list'")
    needed = {scenario for purpose in planned for scenario in purpose.scenarios} | (set() if ids else {"lifecycle"})
    order = list(SCENARIO_SUITES)
    planned.sort(key=lambda purpose: (max(order.index(scenario) for scenario in purpose.scenarios), purpose.id))
    return Plan(tuple(planned), tuple(scenario for scenario in order if scenario in needed))
