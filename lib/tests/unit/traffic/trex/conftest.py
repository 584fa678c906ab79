"""Servers to talk to."""

from __future__ import annotations

import pytest
from trex_talk import Talk, make_talk


@pytest.fixture
def talk() -> Talk:
    """A healthy server; nobody owns its ports."""
    return make_talk()


@pytest.fixture
def owned() -> Talk:
    """A server whose two ports are held by session 7, which reads its events."""
    made = make_talk()
    made.acquire(0, 1)
    made.events()
    return made
