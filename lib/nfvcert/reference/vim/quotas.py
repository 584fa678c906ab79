"""Quotas of a project: a pure comparison of what is used, what is asked for and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from nfvcert.reference.vim.records import Server

UNLIMITED = -1


class Quota(BaseModel):
    """Upper bounds of one project; -1 is no bound; memory in MiB."""

    model_config = ConfigDict(extra="forbid")

    instances: int = 50
    cores: int = 100
    ram: int = 51200
    server_groups: int = 20
    server_group_members: int = 20
    key_pairs: int = 0
    metadata_items: int = 128
    network: int = 50
    subnet: int = 50
    port: int = 500


@dataclass(frozen=True)
class Usage:
    """What the servers of a project have claimed; memory in MiB."""

    instances: int
    cores: int
    ram: int

    def plus(self, vcpus: int, ram: int) -> Usage:
        """The usage after one more server of that size."""
        return Usage(self.instances + 1, self.cores + vcpus, self.ram + ram)

    def as_dict(self) -> dict[str, int]:
        """By name of the quota."""
        return {"instances": self.instances, "cores": self.cores, "ram": self.ram}


def usage(servers: Iterable[Server]) -> Usage:
    """What these servers count against the quota (also those in error, as in Nova)."""
    counted = list(servers)
    return Usage(len(counted), sum(s.vcpus for s in counted), sum(s.ram for s in counted))


def exceeded(before: Mapping[str, int], after: Mapping[str, int], quota: Quota) -> str | None:
    """The refusal text for the first bound that `after` breaks, in the words of Nova; None if all hold."""
    for name, value in after.items():
        bound = getattr(quota, name)
        if bound != UNLIMITED and value > bound:
            asked = value - before[name]
            return f"Quota exceeded for {name}: Requested {asked}, but already used {before[name]} of {bound} {name}"
    return None
