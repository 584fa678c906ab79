"""Placing servers on hosts: a pure function of what is wanted and what is free.

The order of filters is that of a common Nova configuration (capacity, then server group policy), the weighing spreads
the members of a soft anti-affinity group first and the load second. Equal weights are broken by the name of the host,
so the same request on the same state always lands on the same host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

ANTI_AFFINITY = "anti-affinity"
SOFT_ANTI_AFFINITY = "soft-anti-affinity"
AFFINITY = "affinity"
SOFT_AFFINITY = "soft-affinity"
POLICIES = (ANTI_AFFINITY, SOFT_ANTI_AFFINITY, AFFINITY, SOFT_AFFINITY)

NO_VALID_HOST = "No valid host was found. There are not enough hosts available."


@dataclass(frozen=True)
class HostState:
    """What the scheduler knows of one host; vcpus in whole CPUs, memory in MiB."""

    name: str
    vcpus: int
    ram_mb: int
    vcpus_used: int = 0
    ram_mb_used: int = 0
    enabled: bool = True

    @property
    def vcpus_free(self) -> int:
        """Whole CPUs that no server has claimed."""
        return self.vcpus - self.vcpus_used

    @property
    def ram_mb_free(self) -> int:
        """Memory in MiB that no server has claimed."""
        return self.ram_mb - self.ram_mb_used


@dataclass(frozen=True)
class Wanted:
    """One server to place: its size, its group's policy and the hosts of the group's other members (one entry each)."""

    vcpus: int
    ram_mb: int
    policy: str | None = None
    member_hosts: tuple[str, ...] = field(default_factory=tuple)
    forced_host: str | None = None


class NoValidHostError(Exception):
    """No host passes all filters; the message is the one Nova puts into a server's fault."""

    def __init__(self) -> None:
        super().__init__(NO_VALID_HOST)


def passes(host: HostState, wanted: Wanted) -> bool:
    """Whether `host` may take the server at all."""
    if not host.enabled or (wanted.forced_host is not None and host.name != wanted.forced_host):
        return False
    if host.vcpus_free < wanted.vcpus or host.ram_mb_free < wanted.ram_mb:
        return False
    if wanted.policy == ANTI_AFFINITY:
        return host.name not in wanted.member_hosts
    if wanted.policy == AFFINITY and wanted.member_hosts:
        return host.name in wanted.member_hosts
    return True


def rank(host: HostState, wanted: Wanted) -> tuple[int, int, int, str]:
    """Sort key, lowest first: members of the group on the host, then CPUs and memory in use, then the name."""
    together = wanted.member_hosts.count(host.name)
    if wanted.policy == SOFT_AFFINITY:
        together = -together
    elif wanted.policy != SOFT_ANTI_AFFINITY:
        together = 0
    return (together, host.vcpus_used, host.ram_mb_used, host.name)


def candidates(hosts: Sequence[HostState], wanted: Wanted) -> list[HostState]:
    """All hosts that may take the server, best first."""
    return sorted((host for host in hosts if passes(host, wanted)), key=lambda host: rank(host, wanted))


def place(hosts: Sequence[HostState], wanted: Wanted) -> str:
    """Name of the best host.

    Raises:
        NoValidHostError: no host passes the filters.
    """
    ranked = candidates(hosts, wanted)
    if not ranked:
        raise NoValidHostError
    return ranked[0].name
