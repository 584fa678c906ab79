"""Configuration of the controller."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nfvcert.dataplane.identity import Identity
from nfvcert.dataplane.switch.access import SwitchAccess
from nfvcert.errors import UsageError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstanceConfig(_Strict):
    """An instance of the network function; `number` is what it writes into its packets."""

    control: Path
    number: int = Field(ge=1, le=255)


class ServerConfig(_Strict):
    """A server: the control socket of its switch, its port at the hardware switch, its instances by local name."""

    control: Path
    mac: str
    switch_port: str
    instances: dict[str, InstanceConfig]


class ControllerConfig(_Strict):
    """The whole configuration."""

    listen: int = Field(default=0, ge=0, le=65535)
    journal: Path
    identity: Identity = Identity.FIVE_TUPLE
    owner: str = "nfvcert"
    extension: Path | None = None
    switch: SwitchAccess
    servers: dict[str, ServerConfig] = Field(min_length=1)
    initial: str = ""
    quota: int | None = Field(default=None, ge=1)


def read_config(path: Path) -> ControllerConfig:
    """Read and check a configuration.

    Raises:
        UsageError: it cannot be read, or says something that makes no sense.
    """
    try:
        return ControllerConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError("the configuration cannot be read", where=str(path), found=str(error)) from error
    except (ValueError, ValidationError) as error:
        raise UsageError("the configuration makes no sense", where=str(path), found=str(error)) from error
