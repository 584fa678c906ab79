"""Good histories of all scenarios, told once."""

from __future__ import annotations

import pytest
from good_histories import SCENARIOS, told

from nfvcert.history import History


@pytest.fixture(scope="session")
def good() -> dict[str, History]:
    """One good history of each scenario; tests must not change them."""
    return {scenario: told(scenario) for scenario in SCENARIOS}
