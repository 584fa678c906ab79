"""Wilson intervals, percentiles, and when a trial counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from nfvcert.measure.statistics import percentile, wilson_interval
from nfvcert.measure.trials import Trial, defects_of

COUNTS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    hits, trials = counts
    confidence = 1 - 2 * norm.sf(2.0)
    expected = binomtest(hits, trials).proportion_ci(confidence_level=confidence, method="wilson")
    assert wilson_interval(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(COUNTS)
def test_wilson_holds_the_share_and_stays_within_bounds(counts: tuple[int, int]) -> None:
    hits, trials = counts
    low, high = wilson_interval(hits, trials)
    assert 0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1


def test_no_trial_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_no_hit_is_not_certainty() -> None:
    low, high = wilson_interval(0, 20)
    assert low == 0.0
    assert high > 0.1


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.01, 1), (0.5, 5), (0.9, 9), (0.99, 10), (1, 10)])
def test_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


@given(st.lists(st.floats(-1e9, 1e9), min_size=1), st.floats(0, 1))
def test_percentile_is_one_of_the_values(values: list[float], share: float) -> None:
    assert percentile(values, share) in values


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


GOOD = {"intended": 1000, "sent": 1000, "intended_duration": 10.0, "duration": 10.0}


@pytest.mark.parametrize(
    "change", [{}, {"sent": 1005}, {"sent": 995}, {"duration": 10.5}, {"duration": 9.5}], ids=lambda change: str(change)
)
def test_valid_trials(change: dict[str, float]) -> None:
    assert defects_of(Trial(**{**GOOD, **change})) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sent": 994}, "sent 994 packets where 1000 were intended"),
        ({"sent": 1006}, "sent 1006 packets where 1000 were intended"),
        ({"duration": 10.6}, "took 10.60 s where 10.00 s were intended"),
        ({"duration": 9.4}, "took 9.40 s"),
        ({"send_errors": 1}, "1 packets could not be sent"),
        ({"receiver_drops": 2}, "the receiver itself dropped 2 packets"),
        ({"sent": 0}, "nothing was sent"),
        ({"intended": 0}, "nothing was sent"),
    ],
)
def test_invalid_trials_say_why(change: dict[str, int], reason: str) -> None:
    assert [reason in text for text in defects_of(Trial(**{**GOOD, **change}))] == [True]  # type: ignore[arg-type]


def test_all_reasons_are_given() -> None:
    assert len(defects_of(Trial(1000, 900, 10, 20, send_errors=1, receiver_drops=1))) == 4
