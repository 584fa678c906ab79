"""Search for the peak of a device that is a function."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nfvcert.measure.search import Outcome, find_peak


def device(capacity: float, sender: float = float("inf")) -> Callable[[float], Outcome]:
    def measure(rate: float) -> Outcome:
        sent = min(rate, sender)
        defects = ("fell short",) if sent < rate else ()
        return Outcome(rate, round(sent), round(min(sent, capacity)), defects)

    return measure


@pytest.mark.parametrize("capacity", [1.2e6, 4.4e6, 9.9e6])
def test_the_capacity_is_enclosed(capacity: float) -> None:
    peak = find_peak(device(capacity), minimum=1e5, maximum=1e7, loss_limit=0.0, width=0.01)
    assert peak.rate is not None and peak.above is not None
    assert peak.rate <= capacity < peak.above * 1.000001
    assert peak.above / peak.rate <= 1.01
    assert not peak.limited_by_sender


def test_a_device_that_takes_everything_has_no_bound_above() -> None:
    peak = find_peak(device(1e9), minimum=1e5, maximum=1e7, loss_limit=0.0)
    assert (peak.rate, peak.above, len(peak.trials)) == (1e7, None, 1)


def test_a_device_that_takes_nothing_has_no_peak() -> None:
    peak = find_peak(device(1e3), minimum=1e5, maximum=1e7, loss_limit=0.0)
    assert (peak.rate, peak.above) == (None, 1e5)


def test_a_loss_bound_is_kept() -> None:
    peak = find_peak(device(1e6), minimum=1e5, maximum=1e7, loss_limit=0.1, width=0.001)
    assert peak.rate == pytest.approx(1e6 / 0.9, rel=0.002)


def test_one_disturbed_trial_does_not_count() -> None:
    disturbed = [True]

    def measure(rate: float) -> Outcome:
        if rate == 1e7 and disturbed.pop() if disturbed else False:
            return Outcome(rate, 100, 99)
        return Outcome(rate, 100, 100)

    assert find_peak(measure, minimum=1e5, maximum=1e7, loss_limit=0.0).rate == 1e7


def test_a_sender_that_falls_short_is_named_and_not_the_device() -> None:
    peak = find_peak(device(1e9, sender=2e6), minimum=1e5, maximum=1e7, loss_limit=0.0, width=0.01)
    assert peak.limited_by_sender
    assert peak.rate == pytest.approx(2e6, rel=0.02)


def test_a_full_link_counts_with_what_it_delivered() -> None:
    def measure(rate: float) -> Outcome:
        waiting = rate > 3e6
        sent = round(0.5 * min(rate, 3e6))
        lost = 0 if rate < 9e6 else 7
        return Outcome(rate, sent, sent - lost, ("fell short",) if waiting else (), 0.5)

    peak = find_peak(measure, minimum=1e5, maximum=1e7, loss_limit=0.0, width=0.1)
    assert peak.rate is not None and peak.rate < 3e6
    assert peak.delivered == 3e6


def test_nothing_sent_is_all_lost() -> None:
    assert Outcome(1.0, 0, 0).loss_ratio == 1.0


def test_limits_that_are_no_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="minimum"):
        find_peak(device(1.0), minimum=2.0, maximum=1.0, loss_limit=0.0)
