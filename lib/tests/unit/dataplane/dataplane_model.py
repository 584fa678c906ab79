"""A model of a dataplane: flows with lives, server switches that know flows, a hardware switch with a small table.

Time passes in small steps. In every step each living flow sends one packet along the way that the switches decide, and
the instance that handles it is compared with the one that handled the flow's first packet. Every order of the
controller lets time pass, too, so that flows are born and end between any two of them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from nfvcert.dataplane.fabric import Place
from nfvcert.dataplane.identity import IDS, Flow
from nfvcert.dataplane.ranges import Cost, one_entry
from nfvcert.dataplane.rules import Change, FlowRule, RangeRule, Rule, entries_of, ports_of
from nfvcert.dataplane.switch.protocol import SwitchRefused, Table

LONGEST_WAY = 4
"""Servers that a packet may visit before it counts as looping."""


class Model:
    """Flows (columns of one life each) and the switches' state.

    Args:
        birth, death, ids: of each flow; births in ascending order, seconds.
        places: instances.
        idle_s: silence after which a server switch forgets a flow.
    """

    def __init__(self, birth: Any, death: Any, ids: Any, places: Sequence[Place], idle_s: float) -> None:
        self.birth, self.death = np.asarray(birth, float), np.asarray(death, float)
        self.ids = np.asarray(ids, np.int64)
        self.places = tuple(places)
        self.servers = tuple(dict.fromkeys(place.server for place in places))
        self.server_of = np.array([self.servers.index(place.server) for place in places])
        self.idle_s = idle_s
        self.now = 0.0
        count, servers = len(self.ids), len(self.servers)
        self.owner = np.full(count, -1)
        self.known = np.full((servers, count), -1)
        self.seen = np.full((servers, count), -np.inf)
        self.ranges = np.full((servers, IDS), -1)
        self.rules: dict[str, Rule] = {}
        self.ports = np.full(IDS, -1, np.int8)
        self.exception = np.full(count, -1)
        self.violations: list[tuple[float, int]] = []
        self.lost = 0
        self.detoured_s = 0.0
        self.handled = np.zeros(len(places))
        self.born = 0
        self.living = np.zeros(0, np.int64)
        self.held: tuple[int, Any] | None = None
        self.copied = np.full(count, -1)

    def advance(self, step: float) -> None:
        """Let time pass; each living flow sends one packet."""
        self.now += step
        born = int(np.searchsorted(self.birth, self.now, "right"))
        if born > self.born:
            self.living = np.concatenate((self.living, np.arange(self.born, born)))
            self.born = born
        self.living = self.living[self.death[self.living] > self.now]
        flows = self.living
        at = np.where(self.exception[flows] >= 0, self.exception[flows], self.ports[self.ids[flows]])
        self.lost += int((at < 0).sum())
        waits = (
            np.zeros(len(flows), np.bool_)
            if self.held is None
            else (at == self.held[0]) & self.held[1][self.ids[flows]]
        )
        flows, at = flows[(at >= 0) & ~waits], at[(at >= 0) & ~waits]
        first = at.copy()
        handler = np.full(len(flows), -1)
        for _ in range(LONGEST_WAY):
            open_ = np.flatnonzero(handler < 0)
            if not len(open_):
                break
            f, s = flows[open_], at[open_]
            fresh = (self.now - self.seen[s, f] > self.idle_s) | (self.known[s, f] < 0)
            place = np.where(fresh, self.ranges[s, self.ids[f]], self.known[s, f])
            self.known[s, f], self.seen[s, f] = place, self.now
            local = self.server_of[place] == s
            handler[open_[local]] = place[local]
            at[open_[~local]] = self.server_of[place[~local]]
        self.lost += int((handler < 0).sum())
        new = self.owner[flows] < 0
        self.owner[flows[new]] = handler[new]
        for flow in flows[(self.owner[flows] != handler) & (handler >= 0)]:
            self.violations.append((self.now, int(flow)))
        detoured = (handler >= 0) & (self.server_of[handler] != first)
        self.detoured_s += float(detoured.sum()) * step
        self.handled += np.bincount(handler[handler >= 0], minlength=len(self.places)) * step

    def flow(self, index: int) -> Flow:
        """The header fields that stand for a flow."""
        return Flow(int(self.ids[index]), index, 1, 2, 3, 17)

    def of(self, server: int, place: int) -> Any:
        """Flows of an instance that a server's switch knows."""
        alive = (self.known[server] == place) & (self.now - self.seen[server] <= self.idle_s)
        return np.flatnonzero(alive)

    def set_rules(self, rules: dict[str, Rule]) -> None:
        """What the hardware switch does from now on."""
        self.rules = rules
        self.ports = ports_of(rules.values(), self.servers)
        self.exception[:] = -1
        for rule in rules.values():
            if isinstance(rule, FlowRule):
                self.exception[rule.flow.src] = self.servers.index(rule.port)


class ModelParties:
    """Servers' switches of a model; each order takes `delay()` seconds."""

    def __init__(self, model: Model, delay: Any) -> None:
        self.model = model
        self.places, self.servers, self.ports = model.places, model.servers, model.servers
        self._delay = delay
        self._loads: dict[int, tuple[float, float]] = {}
        self.terminated: list[int] = []

    def _server(self, place: int) -> int:
        return int(self.model.server_of[place])

    def set_ranges(self, server: int, ranges: dict[str, Any]) -> int:
        self.model.advance(self._delay())
        named = [self._named(server, name) for name in ranges["owners"]]
        self.model.ranges[server] = np.array(named)[np.frombuffer(base64.b64decode(ranges["map"]), np.uint8)]
        return int(self.model.now * 1e9)

    def _named(self, server: int, name: str) -> int:
        for index, place in enumerate(self.places):
            if (place.local == name and self._server(index) == server) or (
                place.server == name and self._server(index) != server
            ):
                return index
        raise AssertionError(name)

    def occupancy(self, place: int) -> Any:
        self.model.advance(self._delay())
        found = np.zeros(IDS, np.bool_)
        found[self.model.ids[self.model.of(self._server(place), place)]] = True
        return found

    def _in(self, place: int, ranges: list[tuple[int, int]]) -> Any:
        self.model.advance(self._delay())
        wanted = np.zeros(IDS, np.bool_)
        for lo, hi in ranges:
            wanted[lo : hi + 1] = True
        flows = self.model.of(self._server(place), place)
        return flows[wanted[self.model.ids[flows]]]

    def flows(self, place: int, ranges: list[tuple[int, int]]) -> list[Flow]:
        return [self.model.flow(index) for index in self._in(place, ranges).tolist()]

    def count(self, place: int, ranges: list[tuple[int, int]]) -> int:
        return len(self._in(place, ranges))

    def load(self, place: int) -> float | None:
        now, handled = self.model.now, float(self.model.handled[place])
        before = self._loads.get(place)
        self._loads[place] = (now, handled)
        if before is None or now <= before[0]:
            return None
        return (handled - before[1]) / (now - before[0])

    def expect(self, server: int, flows: list[Flow], place: int) -> None:
        self.model.advance(self._delay())
        for flow in flows:
            self.model.known[server, flow.src] = place
            self.model.seen[server, flow.src] = self.model.now

    def forget(self, place: int) -> None:
        for server in range(len(self.servers)):
            self.model.advance(self._delay())
            self.model.known[server][self.model.known[server] == place] = -1

    def _ids(self, ranges: list[tuple[int, int]]) -> Any:
        wanted = np.zeros(IDS, np.bool_)
        for lo, hi in ranges:
            wanted[lo : hi + 1] = True
        return wanted

    def hold(self, server: int, ranges: list[tuple[int, int]]) -> None:
        self.model.advance(self._delay())
        self.model.held = (server, self._ids(ranges))

    def copy(self, source: int, target: int, ranges: list[tuple[int, int]]) -> int:
        self.model.advance(self._delay())
        flows = np.flatnonzero((self.model.owner == source) & self._ids(ranges)[self.model.ids])
        self.model.copied[flows] = target
        return len(flows)

    def resume(self, server: int, place: int) -> None:
        self.model.advance(self._delay())
        assert self.model.held is not None
        model = self.model
        flows = np.flatnonzero((model.known[server] >= 0) & model.held[1][model.ids])
        flows = flows[model.server_of[model.known[server, flows]] == server]
        model.known[server, flows] = place
        model.seen[server, flows] = model.now
        model.held = None
        moved = model.copied == place
        model.owner[moved] = place

    def discard(self, place: int, ranges: list[tuple[int, int]]) -> None:
        self.model.advance(self._delay())

    def terminate(self, place: int) -> None:
        self.terminated.append(place)


class ModelSwitch:
    """The hardware switch of a model; refuses what is too much, and one rule in `refuse_every`."""

    def __init__(
        self,
        model: Model,
        delay: Any,
        *,
        capacity: int,
        foreign: int = 0,
        refuse_every: int = 0,
        cost: Cost = one_entry,
    ) -> None:
        self.model = model
        self.capacity, self.foreign = capacity, foreign
        self.cost = cost
        self._delay = delay
        self._refuse_every = refuse_every
        self._rules_seen = 0
        self.most_used = 0
        self.overflows = 0
        self.applied: list[tuple[float, Change]] = []

    def read(self) -> Table:
        return Table(list(self.model.rules.values()), self.capacity, self.foreign)

    def used(self) -> tuple[int, int]:
        return entries_of(self.model.rules.values(), self.cost) + self.foreign, self.capacity

    def apply(self, change: Change) -> int:
        self.model.advance(self._delay())
        before = self._rules_seen
        self._rules_seen += len(change.add)
        every = self._refuse_every
        if every and before // every != self._rules_seen // every:
            raise SwitchRefused("refused", "a rule is refused", where="model")
        rules = {name: rule for name, rule in self.model.rules.items() if name not in set(change.remove)}
        assert not set(rules) & {rule.name for rule in change.add}
        rules |= {rule.name: rule for rule in change.add}
        needed = entries_of(rules.values(), self.cost)
        if needed + self.foreign > self.capacity:
            self.overflows += 1
            raise SwitchRefused("table-full", "the table is full", where="model")
        ranges = sorted(
            ((rule.priority, rule.lo, rule.hi) for rule in rules.values() if isinstance(rule, RangeRule)),
        )
        for one, two in zip(ranges, ranges[1:], strict=False):
            assert one[0] != two[0] or one[2] < two[1], "ranges of one priority overlap"
        self.model.set_rules(rules)
        self.most_used = max(self.most_used, needed)
        self.applied.append((self.model.now, change))
        return int(self.model.now * 1e9)
