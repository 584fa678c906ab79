"""What a host has and what is left of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class HostSpec:
    """A compute host: its name (a DNS label), virtual CPUs and memory in MiB."""

    name: str
    vcpus: int = 8
    ram_mb: int = 2048


@dataclass(frozen=True)
class Demand:
    """What one container or machine takes. vCPUs may be fractions."""

    vcpus: float
    ram_mb: int


@dataclass(frozen=True)
class Free:
    """What is left on a host; negative when it is overcommitted."""

    vcpus: float
    ram_mb: int

    def fits(self, demand: Demand) -> bool:
        """Whether the demand can still be placed."""
        return demand.vcpus <= self.vcpus and demand.ram_mb <= self.ram_mb


def free(host: HostSpec, placed: Iterable[Demand]) -> Free:
    """What is free on a host with these demands placed on it."""
    demands = list(placed)
    return Free(
        vcpus=host.vcpus - sum(demand.vcpus for demand in demands),
        ram_mb=host.ram_mb - sum(demand.ram_mb for demand in demands),
    )
