"""Measuring contenders in turn, so that what disturbs the machine for a while disturbs all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nfvcert.bench.child import PeerMissing
from nfvcert.bench.results import Reading, Series
from nfvcert.errors import NfvcertError


@dataclass(frozen=True)
class Contender:
    """Something that is measured: its name, the kind of its ports, and one measurement from start to end."""

    name: str
    ports: str
    measure: Callable[[], Reading]
    point: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[str], None]


def take_turns(contenders: Sequence[Contender], repeats: int, tell: Tell) -> list[Series]:
    """Measure each contender ``repeats`` times, one after the other in every round, in alternating order.

    A contender that is not installed is left out with the reason; one that fails in a round is measured again in the
    next. Every round is told in one line.
    """
    series = [Series(c.name, c.ports, c.point) for c in contenders]
    absent: set[int] = set()
    for number in range(repeats):
        order = list(range(len(contenders)))
        for index in order if number % 2 == 0 else reversed(order):
            if index in absent:
                continue
            contender = contenders[index]
            try:
                reading = contender.measure()
            except PeerMissing as error:
                absent.add(index)
                series[index].failures.append(error.message)
                tell(f"{contender.name}: {error.message}")
            except NfvcertError as error:
                series[index].failures.append(error.message)
                tell(f"{contender.name}: {error.message}")
            else:
                series[index].readings.append(reading)
                where = "".join(f", {key} {value}" for key, value in contender.point.items())
                tell(f"{number + 1}/{repeats} {contender.name}{where}: {reading.rate / 1e6:.3f} Mpps")
    return series
