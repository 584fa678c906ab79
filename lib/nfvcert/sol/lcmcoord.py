"""VNF LCM coordination between VNFM and EM (SOL002 clause 10, API ``lcmcoord``, version 1.0.0)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from nfvcert.sol.common import KeyValuePairs, Link, ProblemDetails, SolModel, SolRequest

API_PATH = "/lcmcoord/v1"
API_VERSION = "1.0.0"

LcmOperationForCoordType = Literal[
    "INSTANTIATE",
    "SCALE",
    "SCALE_TO_LEVEL",
    "CHANGE_FLAVOUR",
    "TERMINATE",
    "HEAL",
    "OPERATE",
    "CHANGE_EXT_CONN",
    "MODIFY_INFO",
    "CREATE_SNAPSHOT",
    "REVERT_TO_SNAPSHOT",
    "CHANGE_VNFPKG",
]
"""Operations with which coordination may be asked for (SOL002 10.5.4.3)."""


class LcmCoordResultType(StrEnum):
    """What the VNFM is to do after a coordination (SOL002 10.5.4.2)."""

    CONTINUE = "CONTINUE"
    ABORT = "ABORT"
    CANCELLED = "CANCELLED"


class LcmCoordRequestLinks(SolRequest):
    """``_links`` of a coordination request (SOL002 10.5.2.2)."""

    vnfLcmOpOcc: Link
    vnfInstance: Link


class LcmCoordRequest(SolRequest):
    """Asks the EM for a coordination action (SOL002 10.5.2.2)."""

    vnfInstanceId: str = Field(min_length=1)
    vnfLcmOpOccId: str = Field(min_length=1)
    lcmOperationType: LcmOperationForCoordType
    coordinationActionName: str = Field(min_length=1)
    inputParams: KeyValuePairs | None = None
    links: LcmCoordRequestLinks = Field(alias="_links")


class LcmCoordLinks(SolModel):
    """``_links`` of a coordination result (SOL002 10.5.2.3)."""

    self_: Link = Field(alias="self")
    vnfLcmOpOcc: Link
    vnfInstance: Link


class LcmCoord(SolModel):
    """Result of a finished coordination action (SOL002 10.5.2.3)."""

    id: str
    coordinationResult: LcmCoordResultType
    vnfInstanceId: str
    vnfLcmOpOccId: str
    lcmOperationType: LcmOperationForCoordType
    coordinationActionName: str
    outputParams: KeyValuePairs | None = None
    warnings: list[str] | None = None
    error: ProblemDetails | None = None
    links: LcmCoordLinks = Field(alias="_links")
