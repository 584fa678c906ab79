"""Profiles: what an operator demands of a run, and how far a drop may loosen limits by its own declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.catalogue.selection import is_prefix
from nfvcert.documents import read_named

SHIPPED = Path(__file__).parent / "profiles"

Effect = Literal["fails", "noted"]


class Profile(BaseModel):
    """One profile.

    ``mandatory`` lists requirements by id or dotted prefix; ``ceilings`` (``floors``) bound policy parameters for which
    more (less) is looser, nested ones with a dot (``kpi.loss_ratio``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    mandatory: list[str] = Field(default_factory=list)
    inconclusive: Effect = "fails"
    requirement_not_tested: Effect = Field(default="fails", description="a mandatory requirement without any verdict")
    purpose_not_tested: Effect = Field(default="noted", description="a purpose of a mandatory requirement")
    not_applicable: Effect = Field(default="fails", description="a mandatory 'shall' with nothing but N/A")
    weaker_bounds: Effect = "noted"
    worsened_measures: Effect = Field(default="noted", description="against an earlier run, beyond the intervals")
    removed_purposes: Effect = Field(default="fails", description="against an earlier run: judged then, not now")
    ceilings: dict[str, float] = Field(default_factory=dict)
    floors: dict[str, float] = Field(default_factory=dict)

    def demands(self, requirement: str) -> bool:
        """Whether a requirement is mandatory."""
        return any(is_prefix(prefix, requirement) for prefix in self.mandatory)

    def bounded(self, parameter: str, declared: float) -> float:
        """The declared value of a policy parameter, or its ceiling or floor if it is looser than that."""
        if parameter in self.ceilings:
            return min(declared, self.ceilings[parameter])
        if parameter in self.floors:
            return max(declared, self.floors[parameter])
        return declared


def load_profile(name: str | Path) -> Profile:
    """A profile that ships with nfvcert, by name, or one from a YAML file, by path.

    Raises:
        UsageError: there is no such profile, or the file does not fit (with file, line and nearest valid key).
    """
    return read_named(str(name), SHIPPED, Profile, what="gate profile")
