"""Search for the highest rate at which a device loses no more than a bound.

Binary search with loss verification after ETSI GS NFV-TST 009 clause 12.3.3, in steps of equal ratio: a trial above the
bound is repeated before it counts, because one disturbance of a shared machine is not the device's limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial: rate asked for (packets/s), packets sent and received, the seconds that sending really took, and why
    the trial does not count, if so."""

    rate: float
    sent: int
    received: int
    defects: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def delivered(self) -> float:
        """Packets received for each second of sending; 0 when that time is not known."""
        return self.received / self.seconds if self.seconds > 0 else 0.0

    @property
    def loss_ratio(self) -> float:
        """Share of the packets sent that did not come; 1 when nothing was sent."""
        return max(0, self.sent - self.received) / self.sent if self.sent else 1.0


@dataclass(frozen=True, slots=True)
class Peak:
    """Highest rate that kept the bound, lowest that did not (packets/s); None where no trial was on that side.

    ``limited_by_sender``: the rate above was not reached by the sender, so that the device may be able to do more.
    """

    rate: float | None
    above: float | None
    limited_by_sender: bool
    trials: tuple[Outcome, ...] = field(default=())
    loss_limit: float = 0.0

    @property
    def delivered(self) -> float:
        """Highest rate that arrived in any trial within the bound of loss (packets/s), 0 when there was none.

        Trials in which less was sent than asked for count with what they delivered in the time that they really took: a
        link that makes its sender wait is full, and loses nothing.
        """
        return max((t.delivered for t in self.trials if t.loss_ratio <= self.loss_limit), default=0.0)


def find_peak(
    measure: Callable[[float], Outcome],
    *,
    minimum: float,
    maximum: float,
    loss_limit: float,
    width: float = 0.02,
    verifications: int = 1,
) -> Peak:
    """Search between ``minimum`` and ``maximum`` (packets/s) until both bounds are within ``width`` of each other.

    Args:
        measure: one trial at a rate.
        loss_limit: largest accepted share of lost packets.
        verifications: how often a trial above the limit is repeated before it counts.

    Raises:
        ValueError: the limits are no interval.
    """
    if not 0 < minimum <= maximum or width <= 0:
        raise ValueError("the search needs 0 < minimum <= maximum and a width above 0")
    trials: list[Outcome] = []

    def passes(rate: float) -> bool:
        for _ in range(1 + verifications):
            outcome = measure(rate)
            trials.append(outcome)
            if not outcome.defects and outcome.loss_ratio <= loss_limit:
                return True
        return False

    def result(rate: float | None, above: float | None) -> Peak:
        at_above = [t for t in trials if t.rate == above]
        sender = bool(at_above) and all(t.defects and t.loss_ratio <= loss_limit for t in at_above)
        return Peak(rate, above, sender, tuple(trials), loss_limit)

    if passes(maximum):
        return result(maximum, None)
    if minimum == maximum or not passes(minimum):
        return result(None, minimum)
    low, high = minimum, maximum
    while high / low > 1 + width:
        middle = sqrt(low * high)
        if passes(middle):
            low = middle
        else:
            high = middle
    return result(low, high)
