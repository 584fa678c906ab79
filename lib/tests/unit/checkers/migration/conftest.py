"""Good histories of all scenarios of dynamic scaling, told once."""

from __future__ import annotations

import pytest
from scaling_stories import SCENARIOS, told

from nfvcert.history import History


@pytest.fixture(scope="session")
def scaled() -> dict[str, History]:
    """One good history of each scenario; tests must not change them."""
    return {scenario: told(scenario) for scenario in SCENARIOS}
