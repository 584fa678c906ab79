"""Which worker takes over the users of which: a pure plan that keeps the pool balanced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nfvcert.reference.em.decider import Decider


@dataclass(frozen=True)
class Move:
    """All users of worker `source` go to worker `target`."""

    source: str
    target: str


def plan_moves(sources: Sequence[str], targets: Sequence[str], users: Mapping[str, int]) -> list[Move]:
    """One move for each source: the one with most users first, each to the target that then has least.

    Args:
        sources: workers to be emptied.
        targets: workers that may take users; none of them in `sources`.
        users: present number of users by worker; 0 where it is not named.

    Returns:
        The moves, deterministic (ties by id); empty when there is no target.
    """
    load = {target: users.get(target, 0) for target in targets if target not in sources}
    if not load:
        return []
    moves = []
    for source in sorted(sources, key=lambda worker: (-users.get(worker, 0), worker)):
        target = min(load, key=lambda worker: (load[worker], worker))
        load[target] += users.get(source, 0)
        moves.append(Move(source, target))
    return moves


def heirs(decider: Decider, going: Sequence[str]) -> list[str]:
    """Workers that may take over the users of those which go.

    The same group if one of it remains (the state needs no conversion and the version of a user does not change), else
    those of the other groups that get new users at present, else any that remains.
    """
    staying = [member for member in decider.pool if member.id not in going and not member.draining]
    groups = {member.group for member in decider.pool if member.id in going}
    same = [member.id for member in staying if member.group in groups]
    serving = [member.id for member in staying if decider.shares.get(member.group, 0) > 0]
    return same or serving or [member.id for member in staying]
