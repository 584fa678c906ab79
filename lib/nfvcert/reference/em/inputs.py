"""What a coordination request means to this EM: the inputParams of each stage, checked."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Remaining = Literal["move_with_state", "wait", "force"]


class Stage(StrEnum):
    """Where in an operation the VNFM asks for coordination."""

    ACTIVATE = "activate"
    MIGRATE = "migrate"
    RETIRE = "retire"
    DRAIN = "drain"
    REVERT = "revert"
    COMPLETE = "complete"
    REVERTED = "reverted"


class Drain(BaseModel):
    """How a worker is emptied: quiet for `idle_s` within `timeout_s`, else what happens with what remains."""

    model_config = ConfigDict(extra="allow")

    idle_s: float = Field(default=1.0, ge=0, le=3600)
    timeout_s: float = Field(default=3.0, ge=0, le=86400)
    remaining: Remaining = "move_with_state"


class Policy(BaseModel):
    """The part of a modification policy that the EM acts on; other keys pass through unread."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    observe_s: float = Field(default=3.0, ge=0, le=86400)
    decision: Literal["administrator", "automatic"] = "automatic"
    decision_timeout_s: float | None = Field(default=None, gt=0)
    drain: Drain = Field(default_factory=Drain)


class StageInput(BaseModel):
    """The inputParams of a coordination; ids are those of vnfcInfo entries, `share` is a percentage."""

    model_config = ConfigDict(extra="allow")

    stage: Stage
    policy: Policy = Field(default_factory=Policy)
    sourceVnfdId: str | None = None  # noqa: N815
    destinationVnfdId: str | None = None  # noqa: N815
    share: int | None = Field(default=None, ge=0, le=100)
    newVnfcs: list[str] = Field(default_factory=list)  # noqa: N815
    oldVnfcs: list[str] = Field(default_factory=list)  # noqa: N815
    vnfcIds: list[str] = Field(default_factory=list)  # noqa: N815
    additionalParams: dict[str, Any] | None = None  # noqa: N815

    def missing(self) -> list[str]:
        """Names of the attributes that this stage needs and the request lacks."""
        need = {
            Stage.MIGRATE: ["destinationVnfdId", "share", "newVnfcs"],
            Stage.RETIRE: ["vnfcIds"],
            Stage.DRAIN: ["vnfcIds"],
            Stage.REVERT: ["sourceVnfdId"],
            Stage.COMPLETE: ["destinationVnfdId"],
            Stage.REVERTED: ["sourceVnfdId"],
        }.get(self.stage, [])
        return [name for name in need if getattr(self, name) in (None, [], "")]
