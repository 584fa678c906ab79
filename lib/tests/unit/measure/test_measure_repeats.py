"""Medians, intervals, ratios."""

from __future__ import annotations

import pytest

from nfvcert.measure.repeats import coverage_of, estimate, ratio


def test_five_repeats_have_smallest_and_largest_as_interval() -> None:
    found = estimate([5.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.median, found.low, found.high, found.count) == (3.0, 1.0, 5.0, 5)
    assert found.coverage == pytest.approx(0.9375)


def test_more_repeats_leave_out_the_ends_as_far_as_confidence_allows() -> None:
    found = estimate(list(range(1, 21)))
    assert (found.low, found.high) == (6, 15)
    assert found.coverage == pytest.approx(0.9586, abs=1e-4)


def test_one_value_covers_nothing() -> None:
    found = estimate([7.0])
    assert (found.median, found.low, found.high, found.coverage) == (7.0, 7.0, 7.0, 0.0)


def test_coverage_is_that_of_the_binomial_distribution() -> None:
    assert coverage_of(2, 0) == 0.5
    assert coverage_of(8, 1) == pytest.approx(1 - 2 * 9 / 256)


def test_ratios_are_taken_pair_by_pair() -> None:
    slow_day = ratio([2.0, 1.0, 4.0], [1.0, 0.5, 2.0])
    assert (slow_day.median, slow_day.low, slow_day.high) == (2.0, 2.0, 2.0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate([])
    with pytest.raises(ValueError, match="against"):
        ratio([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="divisor"):
        ratio([1.0], [0.0])


def test_spread_is_relative_to_the_median() -> None:
    assert estimate([9.0, 10.0, 11.0]).spread == pytest.approx(0.2)
    assert estimate([0.0]).spread == 0.0
