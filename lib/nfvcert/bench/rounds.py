"""Measuring contenders in turn, so that what disturbs the machine for a while disturbs all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nfvcert.bench.results import Reading, Series
from nfvcert.errors import NfvcertError
from nfvcert.traffic.programs import ProgramMissing


@dataclass(frozen=True)
class Contender:
    """Something that is measured: its name, the kind of its ports, and one measurement from start to end."""

    name: str
    ports: str
    measure: Callable[[], Reading]
    point: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[str], None]


Distance = Callable[[], float | None]


def take_turns(
    contenders: Sequence[Contender], repeats: int, tell: Tell, distance: Distance = lambda: None
) -> list[Series]:
    """Measure each contender ``repeats`` times, one after the other in every round, in alternating order.

    ``distance`` tells how far apart the cores are (ns), before and after each measurement; the larger one is kept with
    the reading. A contender that is not installed is left out with the reason; one that fails in a round is measured
    again in the next. Every round is told in one line.
    """
    series = [Series(c.name, c.ports, c.point) for c in contenders]
    absent: set[int] = set()
    before = distance()
    for number in range(repeats):
        order = list(range(len(contenders)))
        for index in order if number % 2 == 0 else reversed(order):
            if index in absent:
                continue
            contender = contenders[index]
            try:
                measured = contender.measure()
            except ProgramMissing as error:
                absent.add(index)
                series[index].failures.append(error.message)
                tell(f"{contender.name}: {error.message}")
            except NfvcertError as error:
                series[index].failures.append(error.message)
                tell(f"{contender.name}: {error.message}")
            else:
                after = distance()
                apart = max((each for each in (before, after) if each is not None), default=None)
                before = after
                reading = Reading(measured.rate, measured.details, number, apart)
                series[index].readings.append(reading)
                where = "".join(f", {key} {value}" for key, value in contender.point.items())
                cores = "" if apart is None else f" (cores {apart:.0f} ns apart)"
                tell(f"{number + 1}/{repeats} {contender.name}{where}: {reading.rate / 1e6:.3f} Mpps{cores}")
    return series
