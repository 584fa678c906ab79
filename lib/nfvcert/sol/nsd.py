"""NS descriptor management (SOL005 clause 5, API ``nsd``, major version 2): data models."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from nfvcert.sol.common import KeyValuePairs, Link, ProblemDetails, SolModel, SolRequest

API_NAME = "nsd"
API_MAJOR = "v2"
API_PATH = "/nsd/v2"
API_VERSION = "2.0.0"


class NsdOnboardingState(StrEnum):
    """How far a descriptor resource has come (SOL005 5.5.4.5)."""

    CREATED = "CREATED"
    UPLOADING = "UPLOADING"
    PROCESSING = "PROCESSING"
    ONBOARDED = "ONBOARDED"
    ERROR = "ERROR"


class NsdOperationalState(StrEnum):
    """Whether a descriptor may be used for new services (SOL005 5.5.4.3)."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class NsdUsageState(StrEnum):
    """Whether services use a descriptor (SOL005 5.5.4.4)."""

    IN_USE = "IN_USE"
    NOT_IN_USE = "NOT_IN_USE"


class CreateNsdInfoRequest(SolRequest):
    """Creates a descriptor resource (SOL005 5.5.2.3)."""

    userDefinedData: KeyValuePairs | None = None


class NsdInfoModifications(SolRequest):
    """Merge patch of a descriptor resource, and its answer (SOL005 5.5.2.1)."""

    nsdOperationalState: NsdOperationalState | None = None
    userDefinedData: KeyValuePairs | None = None


class NsdInfo(SolModel):
    """An NS descriptor (SOL005 5.5.2.2)."""

    id: str
    nsdId: str | None = None
    nsdName: str | None = None
    nsdVersion: str | None = None
    nsdDesigner: str | None = None
    nsdInvariantId: str | None = None
    vnfPkgIds: list[str] | None = None
    nsdOnboardingState: NsdOnboardingState
    onboardingFailureDetails: ProblemDetails | None = None
    nsdOperationalState: NsdOperationalState
    nsdUsageState: NsdUsageState
    userDefinedData: KeyValuePairs | None = None
    links: dict[str, Link] | None = Field(default=None, alias="_links")
