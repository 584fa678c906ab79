"""The decision rule: a limit against the whole interval of a value; the order of verdicts."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.measure import Measure, Verdict, decide, worst
from nfvcert.measure.decision import Operator

P, F, I = Verdict.PASS, Verdict.FAIL, Verdict.INCONC  # noqa: E741
NUMBERS = st.floats(-1e6, 1e6)


def measure(
    value: float, operator: Operator, limit: float | None, interval: tuple[float, float] | None = None
) -> Measure:
    return Measure("m", value, "packets", operator, limit, "declared", interval)


@pytest.mark.parametrize(
    ("operator", "value", "verdict"),
    [
        ("<=", 1.9, P),
        ("<=", 2, P),
        ("<=", 2.1, F),
        ("<", 1.9, P),
        ("<", 2, F),
        (">=", 2, P),
        (">=", 1.9, F),
        (">", 2, F),
        (">", 2.1, P),
        ("=", 2, P),
        ("=", 2.000001, F),
    ],
)
def test_exact_values(operator: Operator, value: float, verdict: Verdict) -> None:
    assert decide(measure(value, operator, 2)) is verdict


@pytest.mark.parametrize(
    ("operator", "interval", "verdict"),
    [
        ("<=", (0, 1), P),
        ("<=", (0, 2), P),
        ("<=", (1, 3), I),
        ("<=", (2, 3), I),
        ("<=", (2.1, 3), F),
        ("<", (0, 2), I),
        ("<", (2, 3), F),
        (">=", (2, 3), P),
        (">=", (1, 2), I),
        (">=", (1, 1.9), F),
        (">", (2, 3), I),
        (">", (1, 2), F),
        ("=", (1, 3), I),
        ("=", (2, 3), I),
        ("=", (2.5, 3), F),
        ("=", (2, 2), P),
    ],
)
def test_intervals(operator: Operator, interval: tuple[float, float], verdict: Verdict) -> None:
    assert decide(measure(sum(interval) / 2, operator, 2, interval)) is verdict


def test_reported_values_pass_whatever_they_are() -> None:
    assert decide(measure(1e9, "report", None)) is P
    assert decide(measure(1e9, "<=", None)) is P


def test_not_a_number_never_passes() -> None:
    for operator in ("<=", "<", ">=", ">", "="):
        assert decide(measure(math.nan, operator, 2)) is not P


@given(value=NUMBERS, limit=NUMBERS, spread=st.floats(0, 1e5), operator=st.sampled_from(["<=", "<", ">=", ">"]))
def test_widening_an_interval_never_turns_one_verdict_into_the_other(
    value: float, limit: float, spread: float, operator: Operator
) -> None:
    narrow, wide = measure(value, operator, limit), measure(value, operator, limit, (value - spread, value + spread))
    assert decide(wide) in (decide(narrow), I)


@given(low=NUMBERS, high=NUMBERS, limit=NUMBERS, operator=st.sampled_from(["<=", "<", ">=", ">"]))
def test_inconclusive_where_the_ends_disagree(low: float, high: float, limit: float, operator: Operator) -> None:
    low, high = min(low, high), max(low, high)
    ends = {decide(measure(end, operator, limit)) for end in (low, high)}
    assert decide(measure(low, operator, limit, (low, high))) is (I if len(ends) == 2 else ends.pop())


def test_a_measure_is_written_as_results_have_it() -> None:
    raw = Measure("lost", 3, "packets", "<=", 2, "declared", (1.0, 4.0), "Wilson").to_dict()
    assert raw == {
        "name": "lost",
        "value": 3,
        "unit": "packets",
        "limit": "<= 2",
        "source": "declared",
        "interval": [1.0, 4.0],
        "rule": "Wilson",
        "verdict": "INCONC",
    }
    assert Measure("x", 1, "ms", "report", None, "reported").to_dict()["limit"] == "reported"


def test_verdicts_only_worsen() -> None:
    assert [v.rank for v in (Verdict.NOT_APPLICABLE, P, I, F, Verdict.ERROR)] == [0, 1, 2, 3, 4]
    for one, other in itertools.product(Verdict, Verdict):
        assert one.worse_of(other) is other.worse_of(one)
        assert one.worse_of(other).rank == max(one.rank, other.rank)


def test_the_worst_of_nothing_is_not_applicable() -> None:
    assert worst([]) is Verdict.NOT_APPLICABLE
    assert worst([P, I, P]) is I
    assert worst([P, Verdict.ERROR, F]) is Verdict.ERROR
