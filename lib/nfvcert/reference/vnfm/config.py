"""Configuration keys of the reference VNFM."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.reference.common.config import ComponentConfig


class VimAccess(BaseModel):
    """Identity service of the VIM and the account to use."""

    model_config = ConfigDict(extra="forbid")

    auth_url: str
    username: str
    password: str
    project_name: str
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"
    region_name: str | None = None


class Peers(BaseModel):
    """Base URLs of the components which the VNFM calls."""

    model_config = ConfigDict(extra="forbid")

    nfvo: str
    em: str = ""
    vim: VimAccess


class VnfmConfig(ComponentConfig):
    """Keys beyond the common ones; times in seconds.

    Attributes:
        peers: NFVO, EM (empty: no coordination) and VIM.
        grant_timeout_s: longest wait for a grant.
        coordination_timeout_s: longest wait for the result of a coordination.
        resource_timeout_s: longest wait for a server to become active or to go.
        poll_s: time between two looks at a server, a pending grant or a coordination.
    """

    peers: Peers
    grant_timeout_s: float = Field(default=120, gt=0)
    coordination_timeout_s: float = Field(default=3600, gt=0)
    resource_timeout_s: float = Field(default=60, gt=0)
    poll_s: float = Field(default=0.1, gt=0)
