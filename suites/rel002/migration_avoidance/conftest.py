"""What the suites of migration avoidance share: each scenario is recorded once in a run, whichever test comes first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nfvcert.runner.session import Session
from nfvcert.scenarios.migration_avoidance import record

Record = Callable[..., None]


@pytest.fixture
def planned(session: Session, request: pytest.FixtureRequest) -> list[str]:
    """The scenarios that the plan names for the purpose of the test's marker: the profile may repeat some."""
    return session.planned(str(request.node.get_closest_marker("purpose").args[0]))


@pytest.fixture(scope="session")
def recorded(session: Session) -> Record:
    """Record scenarios by name, those not recorded yet; a failure to record one fails every test that needs it."""
    failures: dict[str, Exception | None] = {}

    def met(*scenarios: str) -> None:
        for scenario in scenarios:
            if scenario not in failures:
                failures[scenario] = None
                if (session.folder.history / f"{scenario}.jsonl").exists():
                    continue
                try:
                    record(scenario, session.recording(scenario), session.dataplane, session.profile.scaling)
                except Exception as error:
                    failures[scenario] = error
            failure = failures[scenario]
            if failure is not None:
                raise failure

    return met
