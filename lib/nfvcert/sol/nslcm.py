"""NS lifecycle management (SOL005 clause 6, API ``nslcm``, major version 2): data models."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from nfvcert.sol.common import (
    CancelMode,
    KeyValuePairs,
    Link,
    NotificationLink,
    NotificationStatus,
    ProblemDetails,
    SolModel,
    SolRequest,
    SubscriptionAuthentication,
    Verbosity,
)
from nfvcert.sol.vnflcm import ExtVirtualLinkData, VnfInstance

API_NAME = "nslcm"
API_MAJOR = "v2"
API_PATH = "/nslcm/v2"
API_VERSION = "2.0.0"


class NsState(StrEnum):
    """Whether a service has resources (SOL005 6.5.2.10)."""

    NOT_INSTANTIATED = "NOT_INSTANTIATED"
    INSTANTIATED = "INSTANTIATED"


class NsLcmOperationState(StrEnum):
    """States of an NS LCM operation occurrence (SOL005 6.5.4.4); there is no STARTING."""

    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"
    FAILED_TEMP = "FAILED_TEMP"
    FAILED = "FAILED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"

    @property
    def final(self) -> bool:
        """No transition leaves this state."""
        return self in _FINAL


_FINAL = frozenset(
    {
        NsLcmOperationState.COMPLETED,
        NsLcmOperationState.PARTIALLY_COMPLETED,
        NsLcmOperationState.FAILED,
        NsLcmOperationState.ROLLED_BACK,
    }
)


class NsLcmOperation(StrEnum):
    """Types of NS LCM operation (SOL005 6.5.4.3)."""

    INSTANTIATE = "INSTANTIATE"
    SCALE = "SCALE"
    UPDATE = "UPDATE"
    TERMINATE = "TERMINATE"
    HEAL = "HEAL"


class NsUpdateType(StrEnum):
    """Kinds of update (SOL005 6.5.2.12)."""

    ADD_VNF = "ADD_VNF"
    REMOVE_VNF = "REMOVE_VNF"
    INSTANTIATE_VNF = "INSTANTIATE_VNF"
    CHANGE_VNF_DF = "CHANGE_VNF_DF"
    OPERATE_VNF = "OPERATE_VNF"
    MODIFY_VNF_INFORMATION = "MODIFY_VNF_INFORMATION"
    CHANGE_EXTERNAL_VNF_CONNECTIVITY = "CHANGE_EXTERNAL_VNF_CONNECTIVITY"
    CHANGE_VNFPKG = "CHANGE_VNFPKG"
    ADD_SAP = "ADD_SAP"
    REMOVE_SAP = "REMOVE_SAP"
    ADD_NESTED_NS = "ADD_NESTED_NS"
    REMOVE_NESTED_NS = "REMOVE_NESTED_NS"
    ASSOC_NEW_NSD_VERSION = "ASSOC_NEW_NSD_VERSION"
    MOVE_VNF = "MOVE_VNF"
    ADD_VNFFG = "ADD_VNFFG"
    REMOVE_VNFFG = "REMOVE_VNFFG"
    UPDATE_VNFFG = "UPDATE_VNFFG"
    CHANGE_NS_DF = "CHANGE_NS_DF"
    ADD_PNF = "ADD_PNF"
    MODIFY_PNF = "MODIFY_PNF"
    REMOVE_PNF = "REMOVE_PNF"
    CREATE_VNF_SNAPSHOT = "CREATE_VNF_SNAPSHOT"
    REVERT_VNF_TO_SNAPSHOT = "REVERT_VNF_TO_SNAPSHOT"
    DELETE_VNF_SNAPSHOT_INFO = "DELETE_VNF_SNAPSHOT_INFO"
    MODIFY_WAN_CONNECTION_INFO = "MODIFY_WAN_CONNECTION_INFO"
    CREATE_NS_VIRTUAL_LINK = "CREATE_NS_VIRTUAL_LINK"
    DELETE_NS_VIRTUAL_LINK = "DELETE_NS_VIRTUAL_LINK"


# --- NS instances ---------------------------------------------------------------------------------------------------


class NsInstance(SolModel):
    """A network service (SOL005 6.5.2.10)."""

    id: str
    nsInstanceName: str
    nsInstanceDescription: str
    nsdId: str
    nsdInfoId: str
    flavourId: str | None = None
    vnfInstance: list[VnfInstance] | None = None
    nsState: NsState
    links: dict[str, Link] | None = Field(default=None, alias="_links")


class CreateNsRequest(SolRequest):
    """Creates a service resource (SOL005 6.5.2.9)."""

    nsdId: str = Field(min_length=1)
    nsName: str
    nsDescription: str


class ParamsForVnf(SolRequest):
    """Parameters for the instances of one VNF profile (SOL005 6.5.3.22)."""

    vnfProfileId: str = Field(min_length=1)
    vnfInstanceName: str | None = None
    vnfInstanceDescription: str | None = None
    vnfConfigurableProperties: KeyValuePairs | None = None
    metadata: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    additionalParams: KeyValuePairs | None = None


class InstantiateNsRequest(SolRequest):
    """Instantiates a service (SOL005 6.5.2.11)."""

    nsFlavourId: str = Field(min_length=1)
    sapData: list[dict[str, Any]] | None = None
    additionalParamsForNs: KeyValuePairs | None = None
    additionalParamsForVnf: list[ParamsForVnf] | None = None
    nsInstantiationLevelId: str | None = None
    startTime: str | None = None
    locationConstraints: list[dict[str, Any]] | None = None
    additionalAffinityOrAntiAffinityRule: list[dict[str, Any]] | None = None


class TerminateNsRequest(SolRequest):
    """Releases all resources of a service (SOL005 6.5.2.15)."""

    terminationTime: str | None = None
    terminateNsData: KeyValuePairs | None = None


class ChangeVnfPackageData(SolRequest):
    """A VNF of the service and its new package (SOL005 6.5.3.54)."""

    vnfInstanceId: str = Field(min_length=1)
    vnfdId: str = Field(min_length=1)
    extVirtualLinks: list[ExtVirtualLinkData] | None = None
    extManagedVirtualLinks: list[dict[str, Any]] | None = None
    additionalParams: KeyValuePairs | None = None
    extensions: KeyValuePairs | None = None
    vnfConfigurableProperties: KeyValuePairs | None = None


class UpdateNsRequest(SolRequest):
    """Changes a service (SOL005 6.5.2.12); the data of other kinds of update are not modelled."""

    updateType: NsUpdateType
    changeVnfPackageData: list[ChangeVnfPackageData] | None = Field(default=None, min_length=1)
    updateTime: str | None = None


class NsCancelRequest(SolRequest):
    """Body of the cancel task (SOL005 6.5.2.16)."""

    cancelMode: CancelMode


# --- operation occurrences ------------------------------------------------------------------------------------------

VnfChangeType = Literal["ADD", "REMOVE", "INSTANTIATE", "TERMINATE", "SCALE", "HEAL", "OPERATE", "CHANGE_VNFPKG"]
ChangeResult = Literal["COMPLETED", "ROLLED_BACK", "FAILED", "PARTIALLY_COMPLETED"]


class AffectedVnf(SolModel):
    """A VNF that an operation touched (SOL005 6.5.3.2)."""

    vnfInstanceId: str
    vnfdId: str
    vnfProfileId: str
    vnfName: str | None = None
    changeType: VnfChangeType
    changeResult: ChangeResult | None = None
    changedInfo: dict[str, Any] | None = None


class NsResourceChanges(SolModel):
    """What an operation changed (SOL005 6.5.2.3)."""

    affectedVnfs: list[AffectedVnf] | None = None


class NsLcmOpOcc(SolModel):
    """The record of an operation (SOL005 6.5.2.3)."""

    id: str
    operationState: NsLcmOperationState
    statusEnteredTime: str
    nsInstanceId: str
    lcmOperationType: NsLcmOperation
    startTime: str
    isAutomaticInvocation: bool = False
    operationParams: dict[str, Any] | None = None
    isCancelPending: bool = False
    cancelMode: CancelMode | None = None
    error: ProblemDetails | None = None
    resourceChanges: NsResourceChanges | None = None
    links: dict[str, Link] | None = Field(default=None, alias="_links")


# --- subscriptions and notifications --------------------------------------------------------------------------------

NotificationType = Literal[
    "NsLcmOperationOccurrenceNotification",
    "NsIdentifierCreationNotification",
    "NsIdentifierDeletionNotification",
    "NsChangeNotification",
]


class NsInstanceSubscriptionFilter(SolRequest):
    """Services that match (SOL005 6.5.3.8)."""

    nsdIds: list[str] | None = None
    vnfdIds: list[str] | None = None
    pnfdIds: list[str] | None = None
    nsInstanceIds: list[str] | None = None
    nsInstanceNames: list[str] | None = None


class NsNotificationsFilter(SolRequest):
    """Which notifications a subscriber wants (SOL005 6.5.3.8); what is absent does not restrict."""

    nsInstanceSubscriptionFilter: NsInstanceSubscriptionFilter | None = None
    notificationTypes: list[NotificationType] | None = None
    operationTypes: list[NsLcmOperation] | None = None
    operationStates: list[NsLcmOperationState] | None = None
    nsComponentTypes: list[Literal["VNF", "PNF", "NS"]] | None = None
    lcmOpNameImpactingNsComponent: list[str] | None = None
    lcmOpOccStatusImpactingNsComponent: list[str] | None = None


class NsSubscriptionRequest(SolRequest):
    """Creates a subscription (SOL005 6.5.2.2)."""

    filter: NsNotificationsFilter | None = None
    callbackUri: str = Field(pattern=r"^https?://[^\s]+$")
    authentication: SubscriptionAuthentication | None = None
    verbosity: Verbosity = Verbosity.FULL


class NsLccnLinks(SolModel):
    """``_links`` of NS LCM notifications (SOL005 6.5.3.9)."""

    nsInstance: NotificationLink
    subscription: NotificationLink
    nsLcmOpOcc: NotificationLink | None = None


class NsLcmOperationOccurrenceNotification(SolModel):
    """Tells that an operation entered a state (SOL005 6.5.2.5)."""

    id: str
    notificationType: Literal["NsLcmOperationOccurrenceNotification"] = "NsLcmOperationOccurrenceNotification"
    subscriptionId: str
    timeStamp: str
    nsInstanceId: str
    nsLcmOpOccId: str
    operation: NsLcmOperation
    notificationStatus: NotificationStatus
    operationState: NsLcmOperationState
    isAutomaticInvocation: bool = False
    verbosity: Verbosity = Verbosity.FULL
    affectedVnf: list[AffectedVnf] | None = None
    error: ProblemDetails | None = None
    links: NsLccnLinks = Field(alias="_links")


class NsIdentifierNotification(SolModel):
    """Tells that a service resource was created or deleted (SOL005 6.5.2.6, 6.5.2.7)."""

    id: str
    notificationType: Literal["NsIdentifierCreationNotification", "NsIdentifierDeletionNotification"]
    subscriptionId: str
    timeStamp: str
    nsInstanceId: str
    links: NsLccnLinks = Field(alias="_links")
