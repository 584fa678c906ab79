"""What the pytest suites share: the session of the runner, and one recorded scenario a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nfvcert.measure import Verdict
from nfvcert.runner.session import Session, current_session

Judge = Callable[..., None]


@pytest.fixture(scope="session")
def session() -> Session:
    """The back-end's part in the run."""
    return current_session()


@pytest.fixture
def judge(session: Session, request: pytest.FixtureRequest) -> Iterator[Judge]:
    """Judge the purpose that the test's marker names over the scenarios given."""

    def met(*scenarios: str) -> None:
        marker = request.node.get_closest_marker("purpose")
        judgement = session.judge(str(marker.args[0]), list(scenarios))
        if judgement.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(judgement.reason)
        assert judgement.verdict is Verdict.PASS, f"{judgement.verdict}: {judgement.reason}"

    yield met
