"""Data types which every SOL interface shares: model bases, problem details, links, enumerations.

Two bases fix how strict a model is: :class:`SolModel` ignores what it does not know (answers of a stack under test may
carry more than we model), :class:`SolRequest` forbids it (a request with a misspelt attribute must not half work).
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

KeyValuePairs = dict[str, Any]
"""JSON object of free keys (SOL013 7.1.5)."""


class SolModel(BaseModel):
    """Base of resources, answers and notifications: unknown attributes are ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    def dump(self) -> dict[str, Any]:
        """The JSON object of this model with absent attributes left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SolRequest(SolModel):
    """Base of request bodies: an unknown attribute is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ProblemDetails(BaseModel):
    """Error body of type application/problem+json (SOL013 6.3); ``status`` and ``detail`` are mandatory there."""

    model_config = ConfigDict(extra="allow")

    type: str | None = None
    title: str | None = None
    status: int = Field(ge=100, le=599)
    detail: str
    instance: str | None = None

    def dump(self) -> dict[str, Any]:
        """The JSON object with absent attributes left out."""
        return self.model_dump(mode="json", exclude_none=True)


class Link(SolModel):
    """Reference to another resource by URI (SOL013 7.1)."""

    href: str


class NotificationLink(SolModel):
    """Reference inside a notification, absolute URI (SOL013 7.1)."""

    href: str


class LccnLinks(SolModel):
    """``_links`` of VNF LCM notifications (SOL003 5.5.3.4)."""

    vnfInstance: NotificationLink
    subscription: NotificationLink
    vnfLcmOpOcc: NotificationLink | None = None


class LcmOperationState(StrEnum):
    """States of a VNF LCM operation occurrence (SOL003 5.6.2.2)."""

    STARTING = "STARTING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED_TEMP = "FAILED_TEMP"
    FAILED = "FAILED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"

    @property
    def final(self) -> bool:
        """No transition leaves this state."""
        return self in (LcmOperationState.COMPLETED, LcmOperationState.FAILED, LcmOperationState.ROLLED_BACK)


class LcmOperation(StrEnum):
    """Types of VNF LCM operation (SOL003 5.5.4.4)."""

    INSTANTIATE = "INSTANTIATE"
    SCALE = "SCALE"
    SCALE_TO_LEVEL = "SCALE_TO_LEVEL"
    CHANGE_FLAVOUR = "CHANGE_FLAVOUR"
    TERMINATE = "TERMINATE"
    HEAL = "HEAL"
    OPERATE = "OPERATE"
    CHANGE_EXT_CONN = "CHANGE_EXT_CONN"
    MODIFY_INFO = "MODIFY_INFO"
    CREATE_SNAPSHOT = "CREATE_SNAPSHOT"
    REVERT_TO_SNAPSHOT = "REVERT_TO_SNAPSHOT"
    CHANGE_VNFPKG = "CHANGE_VNFPKG"


class CancelMode(StrEnum):
    """How a running operation is stopped (SOL003 5.5.4.6)."""

    GRACEFUL = "GRACEFUL"
    FORCEFUL = "FORCEFUL"


class InstantiationState(StrEnum):
    """Whether a VNF instance has resources (SOL003 5.5.2.2)."""

    NOT_INSTANTIATED = "NOT_INSTANTIATED"
    INSTANTIATED = "INSTANTIATED"


class VnfOperationalState(StrEnum):
    """Whether an instantiated VNF or VNFC runs (SOL003 5.5.4.3)."""

    STARTED = "STARTED"
    STOPPED = "STOPPED"


class StopType(StrEnum):
    """How a VNF is stopped by Operate (SOL003 5.5.4.5)."""

    FORCEFUL = "FORCEFUL"
    GRACEFUL = "GRACEFUL"


class NotificationStatus(StrEnum):
    """START or RESULT of an operation (SOL003 5.5.2.17)."""

    START = "START"
    RESULT = "RESULT"


class Verbosity(StrEnum):
    """How much a notification holds (SOL003 5.5.4.12)."""

    FULL = "FULL"
    SHORT = "SHORT"


class ChangeType(StrEnum):
    """What happened to an affected resource (SOL003 5.5.3.13)."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    MODIFIED = "MODIFIED"
    TEMPORARY = "TEMPORARY"


class ResourceHandle(SolModel):
    """Where a virtualised resource is (SOL003 4.4.1.7)."""

    vimConnectionId: str | None = None
    resourceProviderId: str | None = None
    resourceId: str
    vimLevelResourceType: str | None = None


class ParamsBasic(SolRequest):
    """User name and password of a subscriber's notification endpoint (SOL013 8.3.4)."""

    userName: str | None = None
    password: str | None = None


class SubscriptionAuthentication(SolRequest):
    """How notifications are authorised at the subscriber (SOL013 8.3.4); BASIC is the one supported here."""

    authType: list[str] = Field(min_length=1)
    paramsBasic: ParamsBasic | None = None


class VersionInformation(SolModel):
    """One version of an API (SOL013 9.1)."""

    version: str
    isDeprecated: bool = False


class ApiVersionInformation(SolModel):
    """Answer of the api_versions resource (SOL013 9.1)."""

    uriPrefix: str
    apiVersions: list[VersionInformation]


def now() -> str:
    """The wall-clock time as RFC 3339 in UTC with microseconds, the DateTime format of SOL013 7.1."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
