"""The model of a traffic decider: what the EM has set, so that it can say so and set it back.

Pure: every function returns a new :class:`Decider`; sending it to the VNFC is the business of `steering`. A worker
belongs to the group of its VNF version (its vnfdId). The share of a group is the part, in percent, of *new* service
requests that its workers get; established users stay where they are. A worker that is to go while its group remains is
put into a group of its own with share 0 (:func:`drain_group`), which keeps its users and gives it no new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

DRAIN_SUFFIX = "/drain"


class PoolMember(BaseModel):
    """One worker as the decider knows it; `mac` is where the decider sends its packets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    mac: str
    group: str
    draining: bool = False


class Decider(BaseModel):
    """Pool and shares of one VNF instance; shares are whole percents by group and sum to 100 when there are any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: tuple[PoolMember, ...] = ()
    shares: dict[str, int] = Field(default_factory=dict)

    def member(self, worker: str) -> PoolMember | None:
        """The pool's entry of a worker, None if it is not in the pool."""
        return next((member for member in self.pool if member.id == worker), None)

    def members(self, group: str) -> list[PoolMember]:
        """All workers of a group that may get new users."""
        return [member for member in self.pool if member.group == group and not member.draining]


def drain_group(group: str) -> str:
    """Name of the group that holds the workers of `group` which get no new users."""
    return group + DRAIN_SUFFIX


def wire_pool(decider: Decider) -> list[dict[str, str]]:
    """The pool as the management protocol's `workers` request has it."""
    return [{"id": m.id, "mac": m.mac, "group": drain_group(m.group) if m.draining else m.group} for m in decider.pool]


def wire_shares(decider: Decider) -> dict[str, int]:
    """The shares as the management protocol's `shares` request has them: every group of the pool, drained ones 0."""
    shares = {entry["group"]: 0 for entry in wire_pool(decider)}
    return shares | decider.shares


def with_members(decider: Decider, members: Iterable[PoolMember]) -> Decider:
    """The decider with these workers added, or replaced where their id is known (which ends a drain)."""
    new = {member.id: member for member in members}
    kept = [new.pop(member.id, member) for member in decider.pool]
    return decider.model_copy(update={"pool": (*kept, *new.values())})


def without_members(decider: Decider, ids: Iterable[str]) -> Decider:
    """The decider without these workers; the shares stay."""
    gone = set(ids)
    return decider.model_copy(update={"pool": tuple(member for member in decider.pool if member.id not in gone)})


def draining(decider: Decider, ids: Iterable[str]) -> Decider:
    """The decider where these workers get no new users."""
    going = set(ids)
    pool = tuple(m.model_copy(update={"draining": True}) if m.id in going else m for m in decider.pool)
    return decider.model_copy(update={"pool": pool})


def with_shares(decider: Decider, shares: Mapping[str, int]) -> Decider:
    """The decider with these shares.

    Raises:
        ValueError: a share is outside 0..100 or they do not sum to 100.
    """
    if any(not 0 <= share <= 100 for share in shares.values()) or sum(shares.values()) != 100:
        raise ValueError(f"shares must be whole percents that sum to 100, not {dict(shares)}")
    return decider.model_copy(update={"shares": dict(shares)})


def split(new_group: str, old_group: str, new_share: int) -> dict[str, int]:
    """Shares of a migration step: `new_share` percent to the new group, the rest to the old one."""
    if new_group == old_group:
        return {new_group: 100}
    return {old_group: 100 - new_share, new_group: new_share}


def only(group: str) -> dict[str, int]:
    """All new service requests to one group."""
    return {group: 100}
