"""What all tests share: they can be interrupted, and none fails because the machine is slow."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "nfvcert",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("nfvcert")


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that starts tests in the background lets them ignore SIGINT, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
