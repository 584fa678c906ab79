"""Run profiles: how long and how hard the scenarios of a run are."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.documents import read_named

FOLDER = Path(__file__).with_name("profiles")


class ScalingProfile(BaseModel):
    """Length and load of the scenarios on the dataplane.

    ``load`` is the share of the testbed's full load that is offered: packets, living flows and new flows a second
    alike, so that all ratios are kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    load: float = Field(default=1.0, gt=0, le=1)
    duration_s: float = Field(default=20.0, ge=5)
    trigger_s: float = Field(default=2.0, gt=0, description="the overload is reported that long after the beginning")
    repeats: int = Field(default=1, ge=1, description="how often scenarios are recorded whose figures are medians")
    kills: int = Field(default=20, ge=2, description="how often the controller is killed while a push is under way")


class RunProfile(BaseModel):
    """Durations in seconds, loads by the name of a traffic profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    traffic: str = Field(description="traffic profile of the upgrade under load")
    background_traffic: str = Field(description="traffic profile of all other scenarios")
    warm_up_s: float = Field(gt=0)
    control_s: float = Field(gt=0)
    settle_s: float = Field(ge=0, description="traffic goes on that long after the last change")
    held_stop_s: float = Field(ge=0, description="stop of old VNFCs is held back that long by their hosts")
    held_grant_s: float = Field(ge=0)
    sessions: int = Field(ge=0, description="TCP sessions that last through the scenario")
    session_interval_s: float = Field(gt=0)
    inventory_every_s: float = Field(gt=0)
    scaling: ScalingProfile = ScalingProfile()
    weaker_bounds: dict[str, str] = Field(
        default_factory=dict, description="purpose id -> what a run of this length cannot show"
    )


def read_profile(name: str) -> RunProfile:
    """A profile that ships with nfvcert, by name, or one from a file.

    Raises:
        UsageError: there is no such profile, or it is not well formed.
    """
    return read_named(name, FOLDER, RunProfile, what="run profile")
