"""Carrying out the orders of planners: the only place where the dataplane is changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.controller.journal import Journal
from nfvcert.dataplane.controller.parties import Parties
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.orders import (
    Copy,
    CountFlows,
    Discard,
    Expect,
    Forget,
    Hold,
    ListFlows,
    Order,
    Push,
    Pushed,
    ReadLoads,
    ReadOccupancy,
    ReadRoom,
    Resume,
    SetOwners,
    Terminate,
)
from nfvcert.dataplane.ranges import IdMap
from nfvcert.dataplane.rules import Change, FlowRule, Rules, change, entries_of, ports_of, rule_set
from nfvcert.dataplane.switch import Switch, SwitchRefused

CHUNK = 16
"""Rules in one message to a switch that refuses some."""
ATTEMPTS = 200
REFUSED_FOR_NOW = "refused"


class Executor:
    """Keeps the dataplane and what is believed of it in agreement; one order at a time.

    Args:
        last_effect_ns: when the last change of the dataplane took effect.
    """

    def __init__(
        self,
        switch: Switch,
        parties: Parties,
        behaviour: ControllerBehaviour,
        journal: Journal,
        fabric: Fabric,
        quota: int | None,
    ) -> None:
        self.fabric = fabric
        self.last_effect_ns = time.monotonic_ns()
        self._switch = switch
        self._parties = parties
        self._behaviour = behaviour
        self._journal = journal
        self._quota = quota
        self._rules: Rules = {}
        self._expecting: list[Expect] = []
        self._handlers: dict[type, Callable[[Any], Any]] = {
            SetOwners: lambda order: self.set_owners(order.owners),
            ReadOccupancy: lambda _: {place: parties.occupancy(place) for place in range(len(parties.places))},
            ReadLoads: lambda _: self._loads(),
            ListFlows: lambda order: parties.flows(order.place, order.ranges),
            CountFlows: lambda order: parties.count(order.place, order.ranges),
            ReadRoom: lambda _: self._room(),
            Push: self.push,
            Expect: self._expect,
            Forget: lambda order: parties.forget(order.place),
            Hold: lambda order: parties.hold(order.server, order.ranges),
            Copy: lambda order: parties.copy(order.source, order.target, order.ranges),
            Discard: lambda order: parties.discard(order.place, order.ranges),
            Resume: lambda order: parties.resume(order.server, order.place),
            Terminate: lambda order: parties.terminate(order.place),
        }

    def do(self, order: Order) -> Any:
        """Carry out an order of a planner and give its answer."""
        return self._handlers[type(order)](order)

    def take_over(self, initial: int) -> None:
        """Bring the dataplane under control: what the table holds is believed; an empty one gets its first range."""
        self._rules = {rule.name: rule for rule in self._switch.read().rules}
        fabric = self.fabric
        if self._rules:
            ports = ports_of(self._rules.values(), self._parties.ports)
            fabric.ports = np.where(ports < 0, fabric.base, ports).astype(np.int8)
            fabric.exceptions = {
                rule.flow: self._parties.ports.index(rule.port)
                for rule in self._rules.values()
                if isinstance(rule, FlowRule)
            }
            self.set_owners(fabric.owners)
            return
        everything = np.full(fabric.owners.size, initial, np.int8)
        self.set_owners(everything)
        self.push(Push(np.full(everything.size, fabric.server(initial), np.int8)))

    def set_owners(self, owners: IdMap) -> None:
        """Tell every server's switch who gets new flows; gaining servers first."""
        self._journal.owners(owners)
        fabric = self.fabric
        servers = range(len(fabric.servers))
        first = {server: fabric.gains_first(server, owners) for server in servers}
        for server in servers:
            if not np.array_equal(first[server], owners) and not np.array_equal(first[server], fabric.owners):
                self._parties.set_ranges(server, fabric.server_ranges(server, first[server]))
        gaining = sorted(servers, key=lambda server: not np.array_equal(first[server], owners))
        for server in gaining:
            self.last_effect_ns = self._parties.set_ranges(server, fabric.server_ranges(server, owners))
        fabric.owners = owners.copy()

    def push(self, order: Push) -> Pushed:
        """Bring ports and exceptions into the hardware switch."""
        fabric = self.fabric
        exceptions = dict(fabric.exceptions if order.exceptions is None else order.exceptions)
        wanted = rule_set(order.ports, exceptions, self._parties.ports, fabric.base, self._switch.cost)
        needed = change(self._rules, wanted)
        if not needed:
            return Pushed(True, time.monotonic_ns())
        self._expect_again()
        try:
            t_ns = self._apply(needed)
        except SwitchRefused as error:
            if not self._behaviour.accepts_refusal(error.code):
                return Pushed(False, refusal=error.message)
            t_ns = time.monotonic_ns()
        self._rules = wanted
        fabric.ports, fabric.exceptions = order.ports.copy(), exceptions
        self.last_effect_ns = t_ns
        return Pushed(True, t_ns, len(needed.add), len(needed.remove))

    def drop_exceptions(self, ended: list[Flow]) -> Pushed:
        """Remove the exceptions of flows that have ended."""
        gone = set(ended)
        return self.push(Push(self.fabric.ports, {f: s for f, s in self.fabric.exceptions.items() if f not in gone}))

    def _apply(self, needed: Change) -> int:
        try:
            return self._switch.apply(needed)
        except SwitchRefused as error:
            if error.code != REFUSED_FOR_NOW:
                raise
        # the switch refuses a whole for one of its rules: first what harms nobody, rule by rule, then the rest
        t_ns = 0
        for batch in self._behaviour.batches(needed):
            for piece in _pieces(batch, self._rules):
                t_ns = self._insist(piece)
        return t_ns

    def _insist(self, piece: Change) -> int:
        for _ in range(ATTEMPTS):
            try:
                t_ns = self._switch.apply(piece)
            except SwitchRefused as error:
                if error.code != REFUSED_FOR_NOW:
                    raise
                continue
            self._rules = {name: rule for name, rule in self._rules.items() if name not in set(piece.remove)}
            self._rules |= {rule.name: rule for rule in piece.add}
            return t_ns
        raise SwitchRefused(REFUSED_FOR_NOW, f"the switch refused {ATTEMPTS} times", where="hardware switch")

    def _loads(self) -> dict[int, float]:
        rates = [self._parties.load(place) for place in range(len(self._parties.places))]
        found = {place: rate for place, rate in enumerate(rates) if rate is not None}
        return found if len(found) == len(rates) else {}

    def _room(self) -> int:
        used, capacity = self._switch.used()
        own = entries_of(self._rules.values(), self._switch.cost)
        return self._behaviour.room(capacity, max(0, used - own), self._quota)

    def _expect_again(self) -> None:
        """Say once more, right before the push, which flows are to be expected.

        A server's switch forgets them like all others when nothing came for the state timeout, and making up the rules
        may have taken as long.
        """
        for order in self._expecting:
            self._parties.expect(order.server, order.flows, order.place)
        self._expecting.clear()

    def _expect(self, order: Expect) -> None:
        self._expecting.append(order)
        self._parties.expect(order.server, order.flows, order.place)


def _pieces(batch: Change, rules: Rules) -> list[Change]:
    """New exceptions in small messages, then all ranges in one, then in small messages the exceptions that go."""
    new = batch.exceptions
    ended = [name for name in batch.remove if isinstance(rules.get(name), FlowRule)]
    ranges = Change([name for name in batch.remove if name not in set(ended)], batch.rest.add)
    first = [Change([], new[at : at + CHUNK]) for at in range(0, len(new), CHUNK)]
    last = [Change(ended[at : at + CHUNK]) for at in range(0, len(ended), CHUNK)]
    return [*first, *([ranges] if ranges else []), *last]
