"""Names of scenarios that a run records several times: the first has the plain name, others a number behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")
_AGAIN = re.compile(r"(?P<scenario>.+)-r(?P<number>[0-9]+)")


def repeat_name(scenario: str, number: int) -> str:
    """The name of the ``number``-th recording of a scenario, from 1."""
    return scenario if number == 1 else f"{scenario}-r{number}"


def scenario_and_number(name: str) -> tuple[str, int]:
    """The scenario that was recorded under a name, and which of its recordings that is, from 1."""
    found = _AGAIN.fullmatch(name)
    return (found["scenario"], int(found["number"])) if found else (name, 1)


def in_words(names: Iterable[str]) -> str:
    """Scenarios with how often each is recorded."""
    count = Counter(scenario_and_number(name)[0] for name in names)
    return ", ".join(name if times == 1 else f"{name} ({times} times)" for name, times in count.items())


def repeats_of(scenario: str, recorded: Mapping[str, T]) -> dict[int, T]:
    """What was recorded of a scenario, by the number of the recording, in their order."""
    found = {scenario_and_number(name): one for name, one in recorded.items()}
    return {number: found[name, number] for name, number in sorted(found) if name == scenario}
