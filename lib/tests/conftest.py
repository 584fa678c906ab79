"""What all tests share: they can be interrupted."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that starts tests in the background lets them ignore SIGINT, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
