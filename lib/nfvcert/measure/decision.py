"""Deciding a measure against its limit.

Decision rule: the limit is compared with the whole uncertainty interval of the value. If the interval lies inside the
limit the measure passes, if it lies outside it fails, and if the limit lies in the interval it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nfvcert.measure.verdict import Verdict

Operator = Literal["<=", ">=", "=", "<", ">", "report"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured value.

    ``interval`` holds the lowest and highest value that the evidence allows (method in ``rule``); None means that the
    value was counted exactly.
    """

    name: str
    value: float
    unit: str
    operator: Operator
    limit: float | None
    source: str
    interval: tuple[float, float] | None = None
    rule: str = "exact count"

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONC by the decision rule of this module."""
        return decide(self)

    def to_dict(self) -> dict[str, Any]:
        """The measure as results.json has it."""
        raw = asdict(self)
        raw["interval"] = list(self.interval) if self.interval else None
        raw["limit"] = "reported" if self.limit is None else f"{self.operator} {self.limit:g}"
        raw["verdict"] = str(self.verdict)
        del raw["operator"]
        return raw


def decide(measure: Measure) -> Verdict:
    """PASS, FAIL or INCONC of one measure."""
    if measure.operator == "report" or measure.limit is None:
        return Verdict.PASS
    low, high = measure.interval or (measure.value, measure.value)
    limit = measure.limit
    if measure.operator in ("<=", "<"):
        inside = (lambda x: x <= limit) if measure.operator == "<=" else (lambda x: x < limit)
        return _by_ends(inside(high), inside(low))
    if measure.operator in (">=", ">"):
        inside = (lambda x: x >= limit) if measure.operator == ">=" else (lambda x: x > limit)
        return _by_ends(inside(low), inside(high))
    if low == high:
        return Verdict.PASS if low == limit else Verdict.FAIL
    return Verdict.INCONC if low <= limit <= high else Verdict.FAIL


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; N/A of none."""
    result = Verdict.NOT_APPLICABLE
    for verdict in verdicts:
        result = result.worse_of(verdict)
    return result


def _by_ends(worst_end: bool, best_end: bool) -> Verdict:
    if worst_end:
        return Verdict.PASS
    return Verdict.INCONC if best_end else Verdict.FAIL
