"""What the witness is told: its listeners, its rules, and what its sinks should do."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Listener(_Strict):
    """One recorded reference point: requests that arrive at ``port`` are forwarded to ``upstream``."""

    name: str
    port: int
    upstream: str


class WitnessConfig(_Strict):
    """Configuration of the process; all listeners are on loopback."""

    listeners: list[Listener]
    control_port: int
    sink_port: int
    log_file: str = ""
    timeout_s: float = 60.0


class Rule(_Strict):
    """A fault for matching requests: held back for a time, or answered by the witness instead of the component."""

    id: str
    listener: str
    method: str
    path: str = Field(description="regular expression searched in the path")
    action: Literal["hold", "answer"]
    seconds: float = 0.0
    status: int = 503
    body: dict[str, Any] | None = None
    count: int | None = Field(default=None, description="how many requests it applies to; all, when left out")

    def matches(self, listener: str, method: str, path: str) -> bool:
        """Whether the rule applies to that request."""
        return (
            self.count != 0
            and listener == self.listener
            and method.upper() == self.method.upper()
            and re.search(self.path, path) is not None
        )


class Sink(_Strict):
    """How a notification sink behaves: it may refuse the first POST of each notification type with 503."""

    name: str
    refuse_first: bool = False


class ScenarioOrder(_Strict):
    """Where to record from now on."""

    scenario: str
    folder: str
