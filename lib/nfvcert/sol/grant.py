"""VNF lifecycle operation granting (SOL003 clause 9, API ``grant``, major version 1): data models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from nfvcert.sol.common import KeyValuePairs, LcmOperation, Link, ResourceHandle, SolModel, SolRequest
from nfvcert.sol.vnflcm import ScaleInfo

API_NAME = "grant"
API_MAJOR = "v1"
API_PATH = "/grant/v1"
API_VERSION = "1.4.0"

ResourceType = Literal["COMPUTE", "VL", "STORAGE", "LINKPORT", "OSCONTAINER", "VIRTUALCP"]


class ResourceDefinition(SolRequest):
    """A resource that an operation wants to add, use for a time, change or remove (SOL003 9.5.3.2)."""

    id: str = Field(min_length=1)
    type: ResourceType
    vduId: str | None = None
    vnfdId: str | None = None
    resourceTemplateId: list[str] | None = None
    secondaryResourceTemplateId: str | None = None
    resource: ResourceHandle | None = None
    snapshotResDef: dict[str, Any] | None = None


class ConstraintResourceRef(SolRequest):
    """A resource that a placement constraint names (SOL003 9.5.3.7)."""

    idType: Literal["RES_MGMT", "GRANT"]
    resourceId: str
    vimConnectionId: str | None = None
    resourceProviderId: str | None = None


class PlacementConstraint(SolRequest):
    """Which resources are to be together or apart (SOL003 9.5.3.6)."""

    affinityOrAntiAffinity: Literal["AFFINITY", "ANTI_AFFINITY"]
    scope: Literal["NFVI_POP", "ZONE", "ZONE_GROUP", "NFVI_NODE", "NETWORK_LINK_AND_NODE", "CONTAINER_NAMESPACE"]
    resource: list[ConstraintResourceRef] = Field(min_length=1)
    fallbackBestEffort: bool | None = None


class GrantRequestLinks(SolRequest):
    """``_links`` of a grant request (SOL003 9.5.2.2)."""

    vnfLcmOpOcc: Link
    vnfInstance: Link


class GrantRequest(SolRequest):
    """A VNFM asks for permission (SOL003 9.5.2.2)."""

    vnfInstanceId: str = Field(min_length=1)
    vnfLcmOpOccId: str = Field(min_length=1)
    vnfdId: str = Field(min_length=1)
    dstVnfdId: str | None = None
    flavourId: str | None = None
    operation: LcmOperation
    isAutomaticInvocation: bool
    instantiationLevelId: str | None = None
    targetScaleLevelInfo: list[ScaleInfo] | None = None
    addResources: list[ResourceDefinition] | None = None
    tempResources: list[ResourceDefinition] | None = None
    removeResources: list[ResourceDefinition] | None = None
    updateResources: list[ResourceDefinition] | None = None
    placementConstraints: list[PlacementConstraint] | None = None
    vimConstraints: list[dict[str, Any]] | None = None
    additionalParams: KeyValuePairs | None = None
    links: GrantRequestLinks = Field(alias="_links")


class GrantInfo(SolModel):
    """Permission for one resource of the request (SOL003 9.5.3.3)."""

    resourceDefinitionId: str
    reservationId: str | None = None
    vimConnectionId: str | None = None
    resourceProviderId: str | None = None
    zoneId: str | None = None
    resourceGroupId: str | None = None


class ZoneInfo(SolModel):
    """A resource zone (SOL003 9.5.3.4)."""

    id: str
    zoneId: str
    vimConnectionId: str | None = None


class Grant(SolModel):
    """The permission (SOL003 9.5.2.3)."""

    id: str
    vnfInstanceId: str
    vnfLcmOpOccId: str
    vimConnectionInfo: dict[str, Any] | None = None
    zones: list[ZoneInfo] | None = None
    addResources: list[GrantInfo] | None = None
    tempResources: list[GrantInfo] | None = None
    removeResources: list[GrantInfo] | None = None
    updateResources: list[GrantInfo] | None = None
    additionalParams: KeyValuePairs | None = None
    links: dict[str, Link] = Field(alias="_links")
