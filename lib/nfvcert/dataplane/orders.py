"""What a method asks for: orders that planners yield, and the answers they get.

A planner is a generator: it yields an order and is sent the answer. It does no I/O and knows no clock, so that the same
planner runs against the real dataplane and against a model of it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.ranges import IdMap, Range


@dataclass(frozen=True)
class SetOwners:
    """Tell every server's switch who gets new flows; gaining servers first. Answer: None."""

    owners: IdMap


@dataclass(frozen=True)
class ReadOccupancy:
    """Which ids living flows of each instance have. Answer: dict of instance -> IdSet."""


@dataclass(frozen=True)
class ReadLoads:
    """Packets per second that each instance got lately. Answer: dict of instance -> float, {} before two readings."""


@dataclass(frozen=True)
class ListFlows:
    """Living flows of an instance in ranges. Answer: list of Flow."""

    place: int
    ranges: list[Range]


@dataclass(frozen=True)
class CountFlows:
    """How many living flows of an instance there are in ranges. Answer: int."""

    place: int
    ranges: list[Range]


@dataclass(frozen=True)
class ReadRoom:
    """How many entries the controller may own in all. Answer: int."""


@dataclass(frozen=True)
class Push:
    """Bring ports and exceptions into the hardware switch, at one instant where it can. Answer: Pushed.

    `exceptions` None: as they are.
    """

    ports: IdMap
    exceptions: Mapping[Flow, int] | None = None


@dataclass(frozen=True)
class Pushed:
    """Answer to a push: whether it was taken, when it took effect, what was changed; `refusal` says why not."""

    taken: bool
    t_ns: int = 0
    added: int = 0
    removed: int = 0
    refusal: str = ""


@dataclass(frozen=True)
class Expect:
    """Make flows known to a server's switch as flows of an instance elsewhere. Answer: None."""

    server: int
    flows: list[Flow]
    place: int


@dataclass(frozen=True)
class Forget:
    """Let every server's switch forget the flows of an instance that has ended. Answer: None."""

    place: int


@dataclass(frozen=True)
class Hold:
    """Let a server's switch hold back packets of ranges. Answer: None."""

    server: int
    ranges: list[Range]


@dataclass(frozen=True)
class Copy:
    """Copy the state of the flows of ranges from one instance to another. Answer: number of flows; acknowledged."""

    source: int
    target: int
    ranges: list[Range]


@dataclass(frozen=True)
class Discard:
    """Let an instance discard the state of the flows of ranges. Answer: None."""

    place: int
    ranges: list[Range]


@dataclass(frozen=True)
class Resume:
    """Let a server's switch send what it holds to an instance, which owns those flows from then on. Answer: None."""

    server: int
    place: int
    ranges: list[Range]


@dataclass(frozen=True)
class Terminate:
    """End an instance that serves nothing any more. Answer: None."""

    place: int


@dataclass(frozen=True)
class Tell:
    """Write a step of the scaling. Answer: None. A step's vocabulary is that of the histories."""

    step: str
    text: str
    t_ns: int | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    final: bool = False
    state: str | None = None


@dataclass(frozen=True)
class Report:
    """Keep a figure with the scaling (threshold, cut_flows, ...). Answer: None."""

    values: dict[str, Any]


@dataclass(frozen=True)
class Wait:
    """Let time pass; orders between two waits are not mixed with those of others. Answer: seconds since the start."""

    seconds: float


Order = (
    SetOwners
    | ReadOccupancy
    | ReadLoads
    | ListFlows
    | CountFlows
    | ReadRoom
    | Push
    | Expect
    | Forget
    | Hold
    | Copy
    | Discard
    | Resume
    | Terminate
    | Tell
    | Report
    | Wait
)

Plan = Generator[Order, Any, str]
"""Ends with the reason for which the scaling is over; raises :class:`Refused` when it cannot be done."""


class Refused(Exception):
    """A scaling cannot be done; the message names what was found. Everything is as it was before."""
