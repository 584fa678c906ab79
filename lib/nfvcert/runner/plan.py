"""The plan: which purposes are judged in a run, by which tests, over which scenarios."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from nfvcert.catalogue import Catalogue, select
from nfvcert.errors import UsageError
from nfvcert.history.repeated import repeat_name, scenario_and_number
from nfvcert.runner.known import SCENARIOS, Part, feature_of, part_of

SCENARIO_SUITES = {name: known.suite for name, known in SCENARIOS.items()}
"""The suite that records each scenario, in the order in which they run."""


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
class Excluded:
    """A selected purpose that does not apply, with the declaration that excludes it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Purposes in the order in which their suites run, and those that do not apply."""

    purposes: tuple[PlannedPurpose, ...]
    scenarios: tuple[str, ...]
    excluded: tuple[Excluded, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Every purpose that gets a verdict."""
        return [purpose.id for purpose in self.purposes] + [purpose.id for purpose in self.excluded]

    def on(self, part: Part) -> Plan:
        """What is to be run on a part of the testbed."""
        return Plan(
            tuple(purpose for purpose in self.purposes if part_of(purpose.suite) == part),
            tuple(scenario for scenario in self.scenarios if part_of(_suite_of(scenario)) == part),
        )

    def of(self, backend: str) -> list[PlannedPurpose]:
        """The purposes that a back-end shows."""
        return [purpose for purpose in self.purposes if purpose.backend == backend]

    def suites(self, backend: str) -> list[str]:
        """The suites that a back-end has to run, in order: also those that only record for others."""
        ending = ".robot" if backend == "robot" else ".py"
        needed = {scenario_and_number(scenario)[0] for scenario in self.scenarios}
        wanted = (suite for scenario, suite in SCENARIO_SUITES.items() if scenario in needed)
        return [suite for suite in dict.fromkeys(wanted) if suite.endswith(ending)]

    def without(self, scenarios: set[str]) -> Plan:
        """The plan without the recording of scenarios that are recorded already."""
        return Plan(self.purposes, tuple(s for s in self.scenarios if s not in scenarios), self.excluded)

    def write(self, path: Path) -> None:
        """Write it into the run folder."""
        document = {
            "purposes": [asdict(purpose) for purpose in self.purposes],
            "scenarios": list(self.scenarios),
            "excluded": [asdict(purpose) for purpose in self.excluded],
        }
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_plan(path: Path) -> Plan:
    """Read the plan of a run.

    Raises:
        UsageError: there is none, or it is no plan.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        purposes = tuple(PlannedPurpose(**{**item, "scenarios": tuple(item["scenarios"])}) for item in raw["purposes"])
        excluded = tuple(Excluded(**item) for item in raw.get("excluded", []))
        return Plan(purposes, tuple(raw["scenarios"]), excluded)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("the plan of the run cannot be read", where=str(path), found=repr(error)) from error


def make_plan(
    catalogue: Catalogue, ids: list[str], features: Collection[str] | None = None, *, repeats: int = 1
) -> Plan:
    """Plan the tested purposes that the ids select; none selects all.

    The scenarios are those that the purposes need, with all tested purposes selected also ``lifecycle``.

    Args:
        features: what the testbed declares; purposes that need another feature are excluded. None: everything applies.
        repeats: how often scenarios are recorded that the catalogue lets a profile repeat.

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
            scenarios=(*purpose.scenarios, *_again(purpose.repeated, repeats)),
        )
        for purpose in select(catalogue, ids)
        if purpose.test is not None
    ]
    if not planned:
        raise UsageError("nothing that is tested is selected", found=", ".join(ids), hint="see 'nfvcert list'")
    lacking = {purpose.id: missing for purpose in planned if (missing := _lacks(purpose, features))}
    excluded = tuple(Excluded(id, f"the testbed does not declare {feature}") for id, feature in lacking.items())
    planned = [purpose for purpose in planned if purpose.id not in lacking]
    needed = {scenario for purpose in planned for scenario in purpose.scenarios} | (set() if ids else {"lifecycle"})
    planned.sort(key=lambda purpose: (max(_place(scenario) for scenario in purpose.scenarios), purpose.id))
    return Plan(tuple(planned), tuple(sorted(needed, key=_place)), excluded)


def _again(scenarios: list[str], repeats: int) -> list[str]:
    """Names of the further recordings; those that are compared with each other stand together."""
    return [repeat_name(scenario, number) for number in range(2, repeats + 1) for scenario in scenarios]


def _suite_of(scenario: str) -> str:
    return SCENARIO_SUITES[scenario_and_number(scenario)[0]]


def _place(scenario: str) -> tuple[int, int]:
    """Where a scenario stands among all: further recordings stand behind the first."""
    original, number = scenario_and_number(scenario)
    order = list(SCENARIO_SUITES)
    return order.index(original), number


def _lacks(purpose: PlannedPurpose, features: Collection[str] | None) -> str | None:
    """The feature that a purpose needs and the testbed does not declare."""
    needed = feature_of(purpose.suite)
    return needed if needed is not None and features is not None and needed not in features else None
