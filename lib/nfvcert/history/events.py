"""The event: one line of a history.

An event is one JSON object::

    {"t": monotonic_ns, "wall": rfc3339, "seq": n, "source": "...", "kind": "...", "scenario": "...", "data": {...}}

``t`` is CLOCK_MONOTONIC of the recording machine in nanoseconds. For a call it is the time at which the answer was
complete (``data.t_request`` is when the request left), for a notification the time at which its POST had arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson


class EventKind(StrEnum):
    """What an event tells of; see the evidence kinds of the catalogue."""

    API_CALL = "api.call"
    API_NOTIFICATION = "api.notification"
    PACKET_INTERVAL = "packet.interval"
    FLOW_RECORD = "flow.record"
    INVENTORY = "inventory"
    FAULT = "fault"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was seen, sent or done."""

    t: int
    kind: EventKind
    source: str
    scenario: str
    data: dict[str, Any] = field(default_factory=dict)
    wall: str = ""
    seq: int = -1

    def to_json(self) -> str:
        """The event as one line of JSON, without the line feed."""
        return orjson.dumps(
            {
                "t": self.t,
                "wall": self.wall,
                "seq": self.seq,
                "source": self.source,
                "kind": str(self.kind),
                "scenario": self.scenario,
                "data": self.data,
            },
            option=orjson.OPT_NON_STR_KEYS,
            default=str,
        ).decode()

    @classmethod
    def from_json(cls, line: str | bytes) -> Event:
        """Read one line.

        Raises:
            ValueError: the line is no event (not JSON, a key missing, an unknown kind).
        """
        raw = orjson.loads(line)
        try:
            return cls(
                t=int(raw["t"]),
                kind=EventKind(raw["kind"]),
                source=str(raw["source"]),
                scenario=str(raw["scenario"]),
                data=dict(raw["data"]),
                wall=str(raw.get("wall", "")),
                seq=int(raw["seq"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an event: {error!r}") from error
