"""What the controller needs of a hardware switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nfvcert.dataplane.ranges import Indices
from nfvcert.dataplane.rules import Change, Rule
from nfvcert.errors import TestbedError


class SwitchRefused(TestbedError):
    """A switch understood a change and did not make it; everything is as it was.

    Attributes:
        code: ``table-full``: there is no room; ``refused``: it may take it another time; others, such as
            ``unknown-rule`` and ``overlap``: it will not take it.
    """

    def __init__(self, code: str, what: str, *, where: str, found: str = "") -> None:
        self.code = code
        super().__init__(what, where=where, found=found)


@dataclass(frozen=True)
class Table:
    """The table of a switch: the controller's own rules, and how many entries there are for whom."""

    rules: Sequence[Rule]
    capacity: int
    others: int


class Switch(Protocol):
    """A hardware switch with a limited table of ranges over the flow id and exceptions for single flows."""

    def cost(self, starts: Indices, ends: Indices) -> Indices:
        """Entries that ranges of ids (inclusive ends) cost, for each range."""

    def read(self) -> Table:
        """The whole table."""

    def used(self) -> tuple[int, int]:
        """Entries that are taken by whomever, and capacity."""

    def apply(self, change: Change) -> int:
        """Make a change, all of it at one instant; answers when (CLOCK_MONOTONIC, ns).

        Raises:
            SwitchRefused: it is not made.
            ControlLost: the switch does not answer.
        """

    def close(self) -> None:
        """Let go of the switch."""
