"""VNF package management (SOL005 clause 9 and SOL003 clause 10, API ``vnfpkgm``, major version 2): data models."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from nfvcert.sol.common import (
    KeyValuePairs,
    Link,
    NotificationLink,
    ProblemDetails,
    SolModel,
    SolRequest,
    SubscriptionAuthentication,
)
from nfvcert.sol.vnflcm import VnfProviderFilter

API_NAME = "vnfpkgm"
API_MAJOR = "v2"
API_PATH = "/vnfpkgm/v2"
API_VERSION = "2.0.0"


class PackageOnboardingState(StrEnum):
    """How far a package resource has come (SOL005 9.5.4.3)."""

    CREATED = "CREATED"
    UPLOADING = "UPLOADING"
    PROCESSING = "PROCESSING"
    ONBOARDED = "ONBOARDED"
    ERROR = "ERROR"


class PackageOperationalState(StrEnum):
    """Whether a package may be used for new instances (SOL005 9.5.4.4)."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class PackageUsageState(StrEnum):
    """Whether VNF instances use a package (SOL005 9.5.4.5)."""

    IN_USE = "IN_USE"
    NOT_IN_USE = "NOT_IN_USE"


class PackageSecurityOption(StrEnum):
    """How a package is signed (SOL004 5.1): OPTION_1 in the manifest, OPTION_2 around the archive."""

    OPTION_1 = "OPTION_1"
    OPTION_2 = "OPTION_2"


class PackageChangeType(StrEnum):
    """What a package change notification tells (SOL005 9.5.4.6)."""

    OP_STATE_CHANGE = "OP_STATE_CHANGE"
    PKG_DELETE = "PKG_DELETE"


class Checksum(SolModel):
    """Digest of bytes; `hash` in hex (SOL005 9.5.3.5)."""

    algorithm: str
    hash: str


class VnfPackageSoftwareImageInfo(SolModel):
    """A software image in a package (SOL005 9.5.3.2); `size` in bytes, `minDisk` and `minRam` too."""

    id: str
    name: str
    provider: str = ""
    version: str = ""
    checksum: Checksum
    isEncrypted: bool = False
    containerFormat: str
    diskFormat: str
    createdAt: str
    minDisk: int = 0
    minRam: int = 0
    size: int
    userMetadata: KeyValuePairs | None = None
    imagePath: str | None = None


class VnfPackageArtifactInfo(SolModel):
    """A file of a package that is neither descriptor nor software image (SOL005 9.5.3.3)."""

    artifactPath: str
    checksum: Checksum
    isEncrypted: bool = False
    nonManoArtifactSetId: str | None = None
    metadata: KeyValuePairs | None = None


class CreateVnfPkgInfoRequest(SolRequest):
    """Creates a package resource (SOL005 9.5.2.2)."""

    userDefinedData: KeyValuePairs | None = None


class VnfPkgInfoModifications(SolRequest):
    """Merge patch of a package resource, and its answer (SOL005 9.5.2.3)."""

    operationalState: PackageOperationalState | None = None
    userDefinedData: KeyValuePairs | None = None


class VnfPkgInfo(SolModel):
    """A VNF package (SOL005 9.5.2.4, SOL003 10.5.2.2)."""

    id: str
    vnfdId: str | None = None
    vnfProvider: str | None = None
    vnfProductName: str | None = None
    vnfSoftwareVersion: str | None = None
    vnfdVersion: str | None = None
    compatibleSpecificationVersions: list[str] | None = None
    checksum: Checksum | None = None
    packageSecurityOption: PackageSecurityOption | None = None
    signingCertificate: str | None = None
    softwareImages: list[VnfPackageSoftwareImageInfo] | None = None
    additionalArtifacts: list[VnfPackageArtifactInfo] | None = None
    onboardingState: PackageOnboardingState
    operationalState: PackageOperationalState
    usageState: PackageUsageState
    vnfmInfo: list[str] | None = None
    userDefinedData: KeyValuePairs | None = None
    onboardingFailureDetails: ProblemDetails | None = None
    links: dict[str, Link] | None = Field(default=None, alias="_links")


# --- subscriptions and notifications --------------------------------------------------------------------------------

NotificationType = Literal["VnfPackageOnboardingNotification", "VnfPackageChangeNotification"]


class PkgmNotificationsFilter(SolRequest):
    """Which notifications a subscriber wants (SOL005 9.5.3.4); what is absent does not restrict."""

    notificationTypes: list[NotificationType] | None = None
    vnfProductsFromProviders: list[VnfProviderFilter] | None = None
    vnfdId: list[str] | None = None
    vnfPkgId: list[str] | None = None
    operationalState: list[PackageOperationalState] | None = None
    usageState: list[PackageUsageState] | None = None
    vnfmInfo: list[str] | None = None


class PkgmSubscriptionRequest(SolRequest):
    """Creates a subscription (SOL005 9.5.2.5)."""

    filter: PkgmNotificationsFilter | None = None
    callbackUri: str = Field(pattern=r"^https?://[^\s]+$")
    authentication: SubscriptionAuthentication | None = None


class PkgmLinks(SolModel):
    """``_links`` of package notifications (SOL005 9.5.3.6)."""

    vnfPackage: NotificationLink
    subscription: NotificationLink


class VnfPackageOnboardingNotification(SolModel):
    """Tells that a package was onboarded (SOL005 9.5.2.8)."""

    id: str
    notificationType: Literal["VnfPackageOnboardingNotification"] = "VnfPackageOnboardingNotification"
    subscriptionId: str
    timeStamp: str
    vnfPkgId: str
    vnfdId: str
    vnfmInfo: list[str] | None = None
    links: PkgmLinks = Field(alias="_links")


class VnfPackageChangeNotification(SolModel):
    """Tells that a package was enabled, disabled or deleted (SOL005 9.5.2.9)."""

    id: str
    notificationType: Literal["VnfPackageChangeNotification"] = "VnfPackageChangeNotification"
    subscriptionId: str
    timeStamp: str
    vnfPkgId: str
    vnfdId: str
    changeType: PackageChangeType
    operationalState: PackageOperationalState | None = None
    links: PkgmLinks = Field(alias="_links")
