"""What a scenario wants of the dataplane beside what the testbed declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nfvcert.dataplane.switch.access import Driver


@dataclass(frozen=True)
class Setup:
    """What a scenario wants to stand on; None is what the testbed declares.

    ``parameters`` go to the network function, ``switch`` to the hardware switch (``rule_delay_us``, ``refuse_every``,
    ...), ``controller`` to the controller (``quota``, ...). ``relays`` names control sockets that the controller is
    told in the place of a component's own. ``addresses`` gives instances that translate the address to which they do;
    server switches know it, too. With ``state_files`` a server switch that is started again knows what it knew.
    """

    servers: int | None = None
    instances_per_server: int = 1
    table_capacity: int | None = None
    function: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    state_timeout_ms: int | None = None
    identity: str | None = None
    driver: Driver | None = None
    switch: Mapping[str, Any] = field(default_factory=dict)
    controller: Mapping[str, Any] = field(default_factory=dict)
    relays: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    state_files: bool = True
    ring: int = 8192
    """Packets that a link holds: some milliseconds at full load, for what else runs on the cores."""
