"""Rule sets of the hardware switch: from a map of ports and exceptions to named rules, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nfvcert.dataplane.identity import IDS, Flow
from nfvcert.dataplane.ranges import Cost, IdMap, Indices, boundaries, one_entry

PARTITION = 64
"""Up to so many entries the table is a partition of all ids; above, ranges lie over one catch-all range."""


@dataclass(frozen=True)
class RangeRule:
    """Flows whose id is in [lo, hi] leave by a port; of ranges that overlap the highest priority acts."""

    lo: int
    hi: int
    port: str
    priority: int = 0

    @cached_property
    def name(self) -> str:
        """Says everything, so that equal names are equal rules."""
        return f"{self.port}:{self.lo}-{self.hi}" if not self.priority else f"{self.port}:{self.lo}-{self.hi}+"

    def document(self, owner: str) -> dict[str, Any]:
        """As the switch takes it."""
        base = {"rule": self.name, "range": [self.lo, self.hi], "port": self.port, "owner": owner}
        return {**base, "priority": self.priority} if self.priority else base


@dataclass(frozen=True)
class FlowRule:
    """An exception: one flow leaves by a port whatever the ranges say."""

    flow: Flow
    port: str

    @cached_property
    def name(self) -> str:
        """Says everything, so that equal names are equal rules."""
        return f"{self.port}:{'-'.join(map(str, self.flow))}"

    def document(self, owner: str) -> dict[str, Any]:
        """As the switch takes it."""
        return {"rule": self.name, "flow": self.flow.key, "port": self.port, "owner": owner}


Rule = RangeRule | FlowRule
Rules = dict[str, Rule]


@dataclass(frozen=True)
class Change:
    """What turns one rule set into another; `remove` holds names."""

    remove: list[str] = field(default_factory=list)
    add: list[Rule] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)

    @property
    def exceptions(self) -> list[Rule]:
        """The exceptions among the added rules."""
        return [rule for rule in self.add if isinstance(rule, FlowRule)]

    @property
    def rest(self) -> Change:
        """The change without its new exceptions."""
        return Change(self.remove, [rule for rule in self.add if isinstance(rule, RangeRule)])


def is_partition(starts: Indices, ends: Indices, cost: Cost) -> bool:
    """Whether the table holds all the runs of a map, or those that differ from a catch-all range below them."""
    return len(starts) <= PARTITION and int(cost(starts, ends).sum()) <= PARTITION


def range_rules(ports: IdMap, names: Sequence[str], base: int, cost: Cost = one_entry) -> list[RangeRule]:
    """Ranges that send each id to its port, `names[ports[id]]`; `base` is the port of a catch-all, if there is one."""
    starts, ends = boundaries(ports)
    values = ports[starts]
    if is_partition(starts, ends, cost):
        chosen, priority, rules = np.ones(len(starts), np.bool_), 0, []
    else:
        chosen, priority, rules = values != base, 1, [RangeRule(0, IDS - 1, names[base])]
    lows, highs, owners = starts[chosen].tolist(), ends[chosen].tolist(), values[chosen].tolist()
    rules += [RangeRule(lo, hi, names[value], priority) for lo, hi, value in zip(lows, highs, owners, strict=True)]
    return rules


def rule_set(
    ports: IdMap, exceptions: Mapping[Flow, int], names: Sequence[str], base: int, cost: Cost = one_entry
) -> Rules:
    """The whole table: ranges, then exceptions."""
    rules: list[Rule] = [*range_rules(ports, names, base, cost)]
    rules += [FlowRule(flow, names[port]) for flow, port in exceptions.items()]
    return {rule.name: rule for rule in rules}


def entries_of(rules: Iterable[Rule], cost: Cost) -> int:
    """Entries that rules cost: an exception costs one."""
    found = list(rules)
    ranges = [rule for rule in found if isinstance(rule, RangeRule)]
    starts = np.array([rule.lo for rule in ranges], np.int64)
    ends = np.array([rule.hi for rule in ranges], np.int64)
    return len(found) - len(ranges) + int(cost(starts, ends).sum())


def change(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Change:
    """What is to be removed and added."""
    return Change([name for name in before if name not in after], [after[name] for name in after if name not in before])


def ports_of(rules: Iterable[Rule], names: Sequence[str]) -> IdMap:
    """The map of ports that ranges make; -1 where no range acts."""
    ports: IdMap = np.full(IDS, -1, np.int8)
    ranges = [rule for rule in rules if isinstance(rule, RangeRule)]
    for rule in sorted(ranges, key=lambda rule: rule.priority):
        ports[rule.lo : rule.hi + 1] = names.index(rule.port)
    return ports
