"""What drop, testbed and profile declare, as the checkers see it; stored in the run as ``declared.json``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Version(_Strict):
    """One version of the VNF, by what its package says.

    ``executables`` maps a VDU to the SHA-256 digests of the executables in its image (witness W1), ``instances`` a VDU
    to the number of its VNFCs after instantiation.
    """

    vnfd_id: str
    software_version: str
    descriptor_version: str = ""
    provider: str = ""
    product: str = ""
    executables: dict[str, list[str]]
    instances: dict[str, int]


class Declared(_Strict):
    """Everything that judgements may rely on besides the histories."""

    in_service: Version
    candidate: Version
    modification: dict[str, Any] = Field(description="software_modification of the candidate's metadata")
    parameters: dict[str, Any] = Field(description="policy parameters after defaults, drop and ceilings")
    parameter_sources: dict[str, str] = Field(default_factory=dict)
    features: list[str] = Field(default_factory=list, description="what the testbed can do")
    drop_features: list[str] = Field(default_factory=list)
    profile: str = "default"
    weaker_bounds: dict[str, str] = Field(
        default_factory=dict, description="purpose id -> what a short run cannot show"
    )

    @property
    def changed_vdus(self) -> list[str]:
        """VDUs whose image the modification replaces."""
        return sorted({pair["vdu"] for pair in self.modification.get("images", [])})

    def policy(self, name: str) -> dict[str, Any]:
        """A policy of the metadata by name; empty when there is none of that name."""
        return dict(self.modification.get("policies", {}).get(name, {}))

    def limit(self, name: str) -> float:
        """A numeric policy parameter.

        Raises:
            KeyError: there is none of that name.
        """
        return float(self.parameters[name])

    def source(self, name: str) -> str:
        """Where a policy parameter comes from."""
        return self.parameter_sources.get(name, "default of nfvcert")
