"""What a change of package does, step by step: pure planning from counts, policy and versions.

A step is a JSON object with ``do`` and what it needs, so that a plan can be stored with its operation and continued by
another process. Steps of a change:

- ``create``: one VNFC ``vnfc`` of VDU ``vdu`` from descriptor ``vnfdId``;
- ``migrate``: coordination that moves the share of new service requests to ``share`` percent;
- ``retire``: coordination about old VNFCs to go (``count`` per VDU, absent: all), and their removal;
- ``complete``: last coordination; ``commit``: the records become those of the new version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import uuid4

Step = dict[str, Any]


def new_id() -> str:
    """A fresh VNFC identifier."""
    return str(uuid4())


@dataclass(frozen=True)
class Change:
    """A change of package to be planned.

    Attributes:
        old: number of VNFCs in service of each mapped VDU.
        destination: vnfdId of the new package.
        shares: cumulative percentages at which the traffic migration stops, rising, the last one 100.
        room: how many VNFCs may exist beyond the number in service.
    """

    old: Mapping[str, int]
    destination: str
    shares: Sequence[int]
    room: int


def plan_change(change: Change, *, make_id: Callable[[], str] = new_id) -> list[Step]:
    """Steps that replace all VNFCs of the mapped VDUs without ever exceeding the paid-for number.

    For each share s, ``ceil(s/100 * n)`` new VNFCs of each VDU exist before traffic is moved; where no room is left an
    old VNFC is retired first. With no mapped VDU (files only) there is just the migration and the commit.
    """
    total = sum(change.old.values())
    new = dict.fromkeys(change.old, 0)
    left = dict(change.old)
    steps: list[Step] = []
    for share in change.shares:
        for vdu, count in change.old.items():
            while new[vdu] < ceil(share * count / 100):
                if sum(new.values()) + sum(left.values()) + 1 > total + change.room:
                    victim = vdu if left[vdu] else max(left, key=lambda name: left[name])
                    steps.append({"do": "retire", "count": {victim: 1}})
                    left[victim] -= 1
                steps.append({"do": "create", "vnfc": make_id(), "vdu": vdu, "vnfdId": change.destination})
                new[vdu] += 1
        steps.append({"do": "migrate", "share": share})
    if any(left.values()):
        steps.append({"do": "retire", "count": {vdu: count for vdu, count in left.items() if count}})
    return [*steps, {"do": "complete"}, {"do": "commit"}]


def creations(steps: Sequence[Step]) -> list[Step]:
    """The steps that create a VNFC."""
    return [step for step in steps if step["do"] == "create"]


@dataclass(frozen=True)
class Present:
    """One VNFC as planning a way back sees it."""

    id: str
    vdu: str
    vnfdId: str  # noqa: N815 - the standard's name


def plan_rollback(
    before: Sequence[Present], now: Sequence[Present], *, traffic: bool, change: bool, release: bool = False
) -> list[Step]:
    """Steps from what exists `now` to what existed `before`.

    Missing VNFCs are created first, then traffic is led back, then those that did not exist are removed: service never
    has fewer VNFCs than at either end.

    Args:
        before: VNFCs when the operation was accepted.
        now: VNFCs that exist.
        traffic: the element manager was told about VNFCs of this operation, so it has to be told about their end.
        change: the operation is a change of package (revert) and not a scaling or repair (activate, drain).
        release: the instance had no resources at all before; its networks go too.
    """
    known, there = {item.id for item in before}, {item.id for item in now}
    missing = [item for item in before if item.id not in there]
    extra = [item for item in now if item.id not in known]
    steps: list[Step] = [{"do": "create", "vnfc": item.id, "vdu": item.vdu, "vnfdId": item.vnfdId} for item in missing]
    if change:
        told = traffic or bool(missing)
        lead: list[Step] = [{"do": "revert"}] if told else []
        removal: list[Step] = [{"do": "remove", "vnfcs": [item.id for item in extra]}] if extra else []
        end: list[Step] = [{"do": "reverted"}] if told else []
        return [*steps, *lead, *removal, *end, {"do": "restore"}]
    if release:
        return [{"do": "remove", "vnfcs": [item.id for item in extra]}, {"do": "release"}, {"do": "restore"}]
    if missing:
        steps.append({"do": "activate", "vnfcs": [item.id for item in missing]})
    if extra:
        ids = [item.id for item in extra]
        steps.append({"do": "drain", "vnfcs": ids} if traffic else {"do": "remove", "vnfcs": ids})
    return [*steps, {"do": "restore"}]
