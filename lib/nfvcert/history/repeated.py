"""Names of scenarios that a run records several times: the first has the plain name, others a number behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_AGAIN = re.compile(r"(?P<scenario>.+)-r(?P<number>[0-9]+)")


def repeat_name(scenario: str, number: int) -> str:
    """The name of the ``number``-th recording of a scenario, from 1."""
    return scenario if number == 1 else f"{scenario}-r{number}"


def scenario_and_number(name: str) -> tuple[str, int]:
    """The scenario that was recorded under a name, and which of its recordings that is, from 1."""
    found = _AGAIN.fullmatch(name)
    return (found["scenario"], int(found["number"])) if found else (name, 1)


def how_often(names: Iterable[str]) -> Counter[str]:
    """How often each scenario was recorded, in the order of the names."""
    return Counter(scenario_and_number(name)[0] for name in names)


def in_words(names: Iterable[str]) -> str:
    """Scenarios with how often each is recorded."""
    return ", ".join(name if times == 1 else f"{name} ({times} times)" for name, times in how_often(names).items())
