"""Scalings: what was asked, how far it has come, as interfaces show it and the journal keeps it."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

State = Literal["STARTED", "DETOURING", "PUSHING", "CONVERGED", "COMPLETED", "REFUSED", "WITHDRAWN", "FAILED"]
ENDED: frozenset[str] = frozenset({"COMPLETED", "REFUSED", "WITHDRAWN", "FAILED"})

MethodName = Literal["plain", "alternative", "sub-ranges", "never-migrate", "always-migrate"]


class ScalingRequest(BaseModel):
    """What can be asked for.

    ``share`` is the part of the ids of `from` that `to` gets (kind version: of the new flows of both).
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Literal["scale-out", "scale-in", "version"] = "scale-out"
    method: MethodName = "plain"
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    share: float = Field(default=0.5, ge=0.0, le=1.0)
    threshold: int | None = Field(default=None, ge=1)
    longest_wait_s: float | None = Field(default=None, gt=0)
    abrupt: bool = False

    @model_validator(mode="after")
    def _differ(self) -> ScalingRequest:
        if self.source == self.target:
            raise ValueError("'from' and 'to' are the same instance")
        return self


class Step(BaseModel):
    """One step; `t_ns` is the instant of its effect (CLOCK_MONOTONIC)."""

    t_ns: int
    step: str
    text: str
    rules: dict[str, Any] = Field(default_factory=dict)
    exceptions: int = 0
    final: bool = False


class Scaling(BaseModel):
    """A scaling and its history."""

    id: str
    request: ScalingRequest
    state: State = "STARTED"
    reason: str = ""
    domain: list[tuple[int, int]] = Field(default_factory=list)
    given: list[tuple[int, int]] = Field(default_factory=list)
    steps: list[Step] = Field(default_factory=list)
    report: dict[str, Any] = Field(default_factory=dict)
    started_ns: int = Field(default_factory=time.monotonic_ns)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED

    def document(self) -> dict[str, Any]:
        """As the interface shows it."""
        asked = self.request.model_dump(by_alias=True)
        return {
            "id": self.id,
            **asked,
            "state": self.state,
            "reason": self.reason,
            "threshold": asked["threshold"],
            "cut_flows": [],
            "given": self.given,
            "steps": [step.model_dump() for step in self.steps],
            **self.report,
        }
