"""Reaching a hardware switch of either driver: to drive it for an owner, or to observe it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.dataplane.identity import Identity
from nfvcert.dataplane.switch.core import CoreSwitch
from nfvcert.dataplane.switch.observing import CoreObserver, OpenVSwitchObserver, SwitchObserver
from nfvcert.dataplane.switch.openvswitch import OpenVSwitch
from nfvcert.dataplane.switch.protocol import Switch
from nfvcert.errors import UsageError

Driver = Literal["core", "openvswitch"]


class SwitchAccess(BaseModel):
    """Where a hardware switch is.

    ``control`` is the control socket of nfvcert-switch, or the socket on which a bridge of Open vSwitch takes OpenFlow
    connections; ``ports`` are OpenFlow port numbers by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Driver = "core"
    control: Path
    ports: dict[str, int] = Field(default_factory=dict)

    def drive(self, owner: str, identity: Identity) -> Switch:
        """The switch, driven for an owner of rules.

        Raises:
            UsageError: the switch cannot compute that identity.
        """
        if self.driver == "core":
            return CoreSwitch(self.control, owner=owner, identity=identity)
        if identity is not Identity.SOURCE_PORT:
            raise UsageError(
                "Open vSwitch cannot compute this flow id: OpenFlow matches header fields, it does not hash them",
                found=f"identity {identity.value}",
                hint=f"set 'identity: {Identity.SOURCE_PORT.value}'",
            )
        return OpenVSwitch(self.control, owner=owner, ports=self.ports)

    def observe(self, owners: Sequence[str]) -> SwitchObserver:
        """Dumps and counters of the switch; an owner that is not named here is told by a tag."""
        if self.driver == "core":
            return CoreObserver(self.control)
        return OpenVSwitchObserver(self.control, owners=owners, ports=self.ports)
