"""Configuration keys of the reference NFVO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.reference.common.config import ComponentConfig


class Peers(BaseModel):
    """Base URLs of the components which the NFVO calls."""

    model_config = ConfigDict(extra="forbid")

    vnfm: str


class Capacity(BaseModel):
    """What all VNFs together may use; an absent key does not restrict."""

    model_config = ConfigDict(extra="forbid")

    vnfcs: int | None = Field(default=None, ge=0)
    vcpus: float | None = Field(default=None, ge=0)
    memory_mib: float | None = Field(default=None, ge=0)


class NfvoConfig(ComponentConfig):
    """Keys beyond the common ones; times in seconds.

    Attributes:
        peers: the VNFM.
        require_signature: refuse packages that are not signed.
        trusted_certificates: PEM files; a signature must lead to one of them. Empty: signers are not judged, unless
            `require_signature` asks for it.
        largest_package: bytes of a package that may be uploaded.
        capacity: what grants may give out.
        networks: name of an external network in the VNFD -> id of the network in the VIM, for VNFs whose instantiation
            request names no external links.
        vim_connections: vimConnectionInfo of grants.
        zone: zoneId of grants.
        poll_s: time between two looks at operations of which no notification came.
        start_wait_s: longest wait for the delivery of START notifications before the VNFM is asked.
    """

    peers: Peers
    require_signature: bool = False
    trusted_certificates: list[Path] = Field(default_factory=list)
    largest_package: int = Field(default=4 * 1024**3, ge=1)
    capacity: Capacity = Capacity()
    networks: dict[str, str] = Field(default_factory=dict)
    vim_connections: dict[str, Any] = Field(default_factory=dict)
    zone: str = "nova"
    poll_s: float = Field(default=2.0, gt=0)
    start_wait_s: float = Field(default=1.0, ge=0)

    @property
    def packages_dir(self) -> Path:
        """Where package contents are kept."""
        return self.state_dir / f"{self.name}-packages"
