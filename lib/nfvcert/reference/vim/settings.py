"""Configuration of the VIM."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.reference.common.config import ComponentConfig
from nfvcert.reference.vim.addresses import VNI_FIRST
from nfvcert.reference.vim.quotas import Quota


class HostSettings(BaseModel):
    """A compute host: the socket of its agent, what it offers (memory in MiB), its address on the underlay."""

    model_config = ConfigDict(extra="forbid")

    name: str
    agent_socket: Path
    vcpus: int = Field(default=8, ge=1)
    ram_mb: int = Field(default=4096, ge=1)
    underlay_ip: str = ""


class UserSettings(BaseModel):
    """A user and the project in which all resources are."""

    model_config = ConfigDict(extra="forbid")

    username: str = "admin"
    password: str = "admin"
    project_name: str = "admin"
    domain_name: str = "Default"


class VimConfig(ComponentConfig):
    """All keys.

    Attributes:
        vni_first, mtu: first VXLAN network identifier given to a network, and MTU of new networks.
        user_data_file: where a server's user data is in its container.
        kernel_address_networks: names of networks on which the VIM gives a server's kernel its address, as it does
            wherever a subnet has DHCP; on all others the VNFC configures itself.
        image_limit: longest image in bytes.
    """

    hosts: list[HostSettings] = Field(default_factory=list)
    user: UserSettings = Field(default_factory=UserSettings)
    region: str = "RegionOne"
    token_lifetime_s: int = Field(default=3600, ge=1)
    quota: Quota = Field(default_factory=Quota)
    mtu: int = Field(default=1500, ge=576, le=9000)
    vni_first: int = Field(default=VNI_FIRST, ge=1, le=0xFFFFFF)
    user_data_file: str = "/etc/vnfc/user-data.json"
    kernel_address_networks: list[str] = Field(default_factory=lambda: ["mgmt"])
    agent_timeout_s: float = Field(default=30.0, gt=0)
    image_limit: int = Field(default=4 * 1024**3, ge=1)
