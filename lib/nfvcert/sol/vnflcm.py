"""VNF lifecycle management (SOL003 clause 5 and SOL002 clause 5, API ``vnflcm``, major version 2): data models.

Requests accept the attributes of both documents, because one VNFM serves NFVO and EM at the same paths.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from nfvcert.sol.common import (
    CancelMode,
    ChangeType,
    KeyValuePairs,
    LccnLinks,
    LcmOperation,
    LcmOperationState,
    Link,
    NotificationStatus,
    ProblemDetails,
    ResourceHandle,
    SolModel,
    SolRequest,
    StopType,
    SubscriptionAuthentication,
    Verbosity,
    VnfOperationalState,
)
from nfvcert.sol.vnfinstance import ExtVirtualLinkData, VimConnectionInfo
from nfvcert.sol.vnfinstance import ScaleInfo as ScaleInfo
from nfvcert.sol.vnfinstance import VnfInstance as VnfInstance

API_NAME = "vnflcm"
API_MAJOR = "v2"
API_PATH = "/vnflcm/v2"
API_VERSION = "2.0.0"

# --- requests -------------------------------------------------------------------------------------------------------


class CreateVnfRequest(SolRequest):
    """Creates an instance resource (SOL003 5.5.2.3)."""

    vnfdId: str = Field(min_length=1)
    vnfInstanceName: str | None = None
    vnfInstanceDescription: str | None = None
    metadata: KeyValuePairs | None = None


class _OperationRequest(SolRequest):
    """Attributes that most operation requests share."""

    additionalParams: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    vnfConfigurableProperties: KeyValuePairs | None = None


class InstantiateVnfRequest(_OperationRequest):
    """Instantiates a VNF (SOL003 5.5.2.4)."""

    flavourId: str = Field(min_length=1)
    instantiationLevelId: str | None = None
    targetScaleLevelInfo: list[ScaleInfo] | None = None
    extVirtualLinks: list[ExtVirtualLinkData] | None = None
    extManagedVirtualLinks: list[dict[str, Any]] | None = None
    vimConnectionInfo: dict[str, VimConnectionInfo] | None = None
    localizationLanguage: str | None = None


class ScaleVnfRequest(SolRequest):
    """Adds or removes scaling steps (SOL003 5.5.2.5)."""

    type: Literal["SCALE_OUT", "SCALE_IN"]
    aspectId: str = Field(min_length=1)
    numberOfSteps: int = Field(default=1, ge=1, le=1000)
    additionalParams: KeyValuePairs | None = None


class HealVnfRequest(SolRequest):
    """Repairs a VNF (SOL003 5.5.2.9) or the named VNFCs of it (SOL002 5.5.2.9)."""

    vnfcInstanceId: list[str] | None = None
    cause: str | None = None
    additionalParams: KeyValuePairs | None = None
    healScript: str | None = None

    @field_validator("vnfcInstanceId", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class OperateVnfRequest(SolRequest):
    """Starts or stops a VNF (SOL003 5.5.2.10) or the named VNFCs of it (SOL002 5.5.2.10)."""

    vnfcInstanceId: list[str] | None = None
    changeStateTo: VnfOperationalState
    stopType: StopType | None = None
    gracefulStopTimeout: int | None = Field(default=None, ge=0)
    additionalParams: KeyValuePairs | None = None


class TerminateVnfRequest(SolRequest):
    """Releases all resources of a VNF (SOL003 5.5.2.8)."""

    terminationType: Literal["FORCEFUL", "GRACEFUL"]
    gracefulTerminationTimeout: int | None = Field(default=None, ge=0)
    additionalParams: KeyValuePairs | None = None


class ChangeCurrentVnfPkgRequest(_OperationRequest):
    """Gives an instance another package (SOL003 5.5.2.11a)."""

    vnfdId: str = Field(min_length=1)
    extVirtualLinks: list[ExtVirtualLinkData] | None = None
    extManagedVirtualLinks: list[dict[str, Any]] | None = None
    vimConnectionInfo: dict[str, VimConnectionInfo] | None = None


class VnfInfoModificationRequest(SolRequest):
    """Merge patch of an instance's information (SOL003 5.5.2.12)."""

    vnfInstanceName: str | None = None
    vnfInstanceDescription: str | None = None
    vnfdId: str | None = Field(default=None, min_length=1)
    vnfConfigurableProperties: KeyValuePairs | None = None
    metadata: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    vimConnectionInfo: dict[str, VimConnectionInfo | None] | None = None


class RequestWithoutAttributes(SolRequest):
    """Body of a task that takes none; ``{}`` is accepted."""


class CancelRequest(SolRequest):
    """Body of the cancel task (SOL003 5.5.2.14)."""

    cancelMode: CancelMode


# --- operation occurrences ------------------------------------------------------------------------------------------


class AffectedVnfc(SolModel):
    """A VNFC that an operation touched (SOL003 5.5.3.13)."""

    id: str
    vduId: str
    vnfdId: str | None = None
    changeType: ChangeType
    computeResource: ResourceHandle
    affectedVnfcCpIds: list[str] | None = None
    addedStorageResourceIds: list[str] | None = None
    removedStorageResourceIds: list[str] | None = None
    metadata: KeyValuePairs | None = None


class AffectedVirtualLink(SolModel):
    """A virtual link that an operation touched (SOL003 5.5.3.14)."""

    id: str
    vnfVirtualLinkDescId: str
    vnfdId: str | None = None
    changeType: ChangeType | Literal["LINK_PORT_ADDED", "LINK_PORT_REMOVED"]
    networkResource: ResourceHandle


class ResourceChanges(SolModel):
    """What an operation changed (SOL003 5.5.2.13)."""

    affectedVnfcs: list[AffectedVnfc] | None = None
    affectedVirtualLinks: list[AffectedVirtualLink] | None = None


class VnfInfoModifications(SolModel):
    """Changed attributes of an instance (SOL003 5.5.2.12a)."""

    vnfInstanceName: str | None = None
    vnfInstanceDescription: str | None = None
    vnfConfigurableProperties: KeyValuePairs | None = None
    metadata: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    vimConnectionInfo: dict[str, Any] | None = None
    vnfdId: str | None = None
    vnfProvider: str | None = None
    vnfProductName: str | None = None
    vnfSoftwareVersion: str | None = None
    vnfdVersion: str | None = None


class LcmCoordination(SolModel):
    """A coordination of an operation, as its record shows it (SOL003 5.5.2.13)."""

    id: str
    coordinationActionName: str
    coordinationResult: Literal["CONTINUE", "ABORT", "CANCELLED"] | None = None
    startTime: str
    endTime: str | None = None
    endpointType: Literal["MGMT", "VNF"] = "MGMT"
    delay: str | None = None


class RejectedLcmCoordination(SolModel):
    """A coordination which the EM put off with 503 (SOL003 5.5.2.13)."""

    coordinationActionName: str
    rejectionTime: str
    endpointType: Literal["MGMT", "VNF"] = "MGMT"
    delay: str


class VnfLcmOpOcc(SolModel):
    """The record of an operation (SOL003 5.5.2.13)."""

    id: str
    operationState: LcmOperationState
    stateEnteredTime: str
    startTime: str
    vnfInstanceId: str
    grantId: str | None = None
    operation: LcmOperation
    isAutomaticInvocation: bool = False
    operationParams: dict[str, Any] | None = None
    isCancelPending: bool = False
    cancelMode: CancelMode | None = None
    error: ProblemDetails | None = None
    resourceChanges: ResourceChanges | None = None
    changedInfo: VnfInfoModifications | None = None
    lcmCoordinations: list[LcmCoordination] | None = None
    rejectedLcmCoordinations: list[RejectedLcmCoordination] | None = None
    modificationsTriggeredByVnfPkgChange: VnfInfoModifications | None = None
    links: dict[str, Link] | None = Field(default=None, alias="_links")


# --- subscriptions and notifications --------------------------------------------------------------------------------

NotificationType = Literal[
    "VnfLcmOperationOccurrenceNotification",
    "VnfIdentifierCreationNotification",
    "VnfIdentifierDeletionNotification",
]


class VnfVersionFilter(SolRequest):
    """Software versions that match (SOL003 4.4.1.5)."""

    vnfSoftwareVersion: str
    vnfdVersions: list[str] | None = None


class VnfProductFilter(SolRequest):
    """Products that match (SOL003 4.4.1.5)."""

    vnfProductName: str
    versions: list[VnfVersionFilter] | None = None


class VnfProviderFilter(SolRequest):
    """Providers that match (SOL003 4.4.1.5)."""

    vnfProvider: str
    vnfProducts: list[VnfProductFilter] | None = None


class VnfInstanceSubscriptionFilter(SolRequest):
    """Instances that match (SOL003 4.4.1.5)."""

    vnfdIds: list[str] | None = None
    vnfProductsFromProviders: list[VnfProviderFilter] | None = None
    vnfInstanceIds: list[str] | None = None
    vnfInstanceNames: list[str] | None = None


class LifecycleChangeNotificationsFilter(SolRequest):
    """Which notifications a subscriber wants (SOL003 5.5.3.12); what is absent does not restrict."""

    vnfInstanceSubscriptionFilter: VnfInstanceSubscriptionFilter | None = None
    notificationTypes: list[NotificationType] | None = None
    operationTypes: list[LcmOperation] | None = None
    operationStates: list[LcmOperationState] | None = None


class LccnSubscriptionRequest(SolRequest):
    """Creates a subscription (SOL003 5.5.2.15)."""

    filter: LifecycleChangeNotificationsFilter | None = None
    callbackUri: str = Field(pattern=r"^https?://[^\s]+$")
    authentication: SubscriptionAuthentication | None = None
    verbosity: Verbosity = Verbosity.FULL


class VnfLcmOperationOccurrenceNotification(SolModel):
    """Tells that an operation entered a state (SOL003 5.5.2.17)."""

    id: str
    notificationType: Literal["VnfLcmOperationOccurrenceNotification"] = "VnfLcmOperationOccurrenceNotification"
    subscriptionId: str
    timeStamp: str
    notificationStatus: NotificationStatus
    operationState: LcmOperationState
    vnfInstanceId: str
    operation: LcmOperation
    isAutomaticInvocation: bool = False
    verbosity: Verbosity = Verbosity.FULL
    vnfLcmOpOccId: str
    affectedVnfcs: list[AffectedVnfc] | None = None
    affectedVirtualLinks: list[AffectedVirtualLink] | None = None
    changedInfo: VnfInfoModifications | None = None
    modificationsTriggeredByVnfPkgChange: VnfInfoModifications | None = None
    error: ProblemDetails | None = None
    links: LccnLinks = Field(alias="_links")


class VnfIdentifierNotification(SolModel):
    """Tells that an instance resource was created or deleted (SOL003 5.5.2.18, 5.5.2.19)."""

    id: str
    notificationType: Literal["VnfIdentifierCreationNotification", "VnfIdentifierDeletionNotification"]
    subscriptionId: str
    timeStamp: str
    vnfInstanceId: str
    links: LccnLinks = Field(alias="_links")
