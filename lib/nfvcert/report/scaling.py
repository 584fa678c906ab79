"""Courses of scalings with migration avoidance: what was measured over time and in sum, and what REL002 reports.

A course is stored as JSON in the run folder, rates in bits a second on the wire, times in seconds from the beginning of
the traffic::

    {"scenario", "title", "method", "lifetime", "driver", "drawn": bool, "invalid", "offered_bps", "flows", "new_flows",
     "trigger": s, "converged": s or null, "pushed": s or null, "instances": ["s1/v1", "s2/v1"],
     "t": [s], "load": {instance: [bit/s]}, "detour": [bit/s], "added_us": [us or null], "figures": {...}}

All lists are as long as ``t``; an added latency is null where no packet was detoured. ``invalid`` says why nothing can
be concluded from the trial; it is empty for a valid one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from nfvcert.errors import UsageError


@dataclass(frozen=True, slots=True)
class Reference:
    """What ETSI GS NFV-REL 002 annex A.1 states of its own testbed; its curves are known by these figures only."""

    offered_bps: float = 1e9
    convergence_s: float = 5.6
    imbalance_percent: float = 10.0
    added_latency_us: float = 10.0
    detour_bps: float = 0.5e9
    table_capacity: int = 2048

    @property
    def detour_share(self) -> float:
        """Largest share of the offered load that was detoured."""
        return self.detour_bps / self.offered_bps

    def band(self, offered_bps: float) -> tuple[float, float]:
        """Loads between which two instances are that much out of balance, for another offered load (bit/s)."""
        half = offered_bps / 2
        return half * (1 - self.imbalance_percent / 200), half * (1 + self.imbalance_percent / 200)


REL002 = Reference()


class Figures(BaseModel):
    """What came out of one scaling; None where there is nothing to tell."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    affinity_violations: int | None = None
    lost: int | None = None
    imbalance_percent: float | None = None
    imbalance_limit: float | None = None
    convergence_s: float | None = None
    added_latency_median_us: float | None = None
    detoured_bytes: int | None = None
    detour_peak_bps: float | None = None
    detour_peak_percent: float | None = None
    table_max: int | None = None
    table_capacity: int | None = None


class Course(BaseModel):
    """One scaling."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str
    title: str
    method: str
    lifetime: str
    driver: str = "core"
    drawn: bool = True
    invalid: str = ""
    offered_bps: float
    flows: float
    new_flows: float
    trigger: float
    converged: float | None
    pushed: float | None
    instances: list[str]
    t: list[float]
    load: dict[str, list[float | None]]
    detour: list[float | None]
    added_us: list[float | None]
    figures: Figures

    @model_validator(mode="after")
    def _fit(self) -> Course:
        lists: dict[str, list[Any]] = {"detour": list(self.detour), "added_us": list(self.added_us)}
        lists |= {f"load of {name}": list(self.load.get(name, [])) for name in self.instances}
        for name, values in lists.items():
            if len(values) != len(self.t):
                raise ValueError(f"{name}: {len(values)} values for {len(self.t)} times")
        return self


def read_course(path: Path) -> Course:
    """The course in a file.

    Raises:
        UsageError: it is missing or is none.
    """
    try:
        return Course.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError("the course of a scaling is missing", where=str(path), found=error.strerror or "") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(step) for step in problem["loc"])
        found = f"{place}: {problem['msg']}" if place else str(problem["msg"])
        raise UsageError("the course of a scaling does not fit together", where=str(path), found=found) from error
    except ValueError as error:
        raise UsageError("the course of a scaling is no JSON", where=str(path), found=str(error)) from error
