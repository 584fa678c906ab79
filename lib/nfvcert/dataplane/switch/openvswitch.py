"""Driver of Open vSwitch: rules as OpenFlow entries of one table, changed in atomic bundles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nfvcert.dataplane.openflow import FlowMod, OpenFlowClient, OpenFlowRefused
from nfvcert.dataplane.openflow.client import OVERLAP, TABLE_FULL
from nfvcert.dataplane.openflow.flows import Command
from nfvcert.dataplane.ranges import Indices, prefix_entries
from nfvcert.dataplane.rules import Change, Rule, Rules
from nfvcert.dataplane.switch.pipeline import RULES, Place, changes, owner_tag, place_of, rules_of, tag_of
from nfvcert.dataplane.switch.protocol import SwitchRefused, Table

SLOW_S = 20.0
"""A switch may take its time for a large change."""
_CODES = {TABLE_FULL: "table-full", OVERLAP: "overlap"}


@dataclass
class _Known:
    """What the table holds as far as is known: own rules by name, how many entries they are, the entries of others."""

    connection: int
    rules: Rules
    own: int
    others: set[Place]
    capacity: int


class OpenVSwitch:
    """The bridge behind an OpenFlow socket; entries whose cookie tells another owner are not touched.

    A change is one bundle, which Open vSwitch takes at one instant or refuses as a whole: a packet that needs a new
    decision meets either the old table or the new one. Decisions that its datapath has cached are looked at again right
    afterwards, so that a flow may follow the old table for some milliseconds longer.

    One thread at a time.

    Args:
        bridge: socket on which the bridge takes OpenFlow connections.
        ports: OpenFlow port numbers by the names that rules use.
    """

    def __init__(self, bridge: Path, *, owner: str, ports: Mapping[str, int]) -> None:
        self._client = OpenFlowClient(bridge, timeout_s=SLOW_S)
        self._owner = owner
        self._ports = dict(ports)
        self._names = {number: name for name, number in ports.items()}
        self._known: _Known | None = None

    def cost(self, starts: Indices, ends: Indices) -> Indices:
        """One entry for each prefix of a range."""
        return prefix_entries(starts, ends)

    def read(self) -> Table:
        """The whole table."""
        self._known = None
        known = self._installed()
        return Table(list(known.rules.values()), known.capacity, len(known.others))

    def used(self) -> tuple[int, int]:
        """Entries that are taken by whomever, and capacity."""
        known = self._installed()
        return known.own + len(known.others), known.capacity

    def apply(self, change: Change) -> int:
        """Make a change, all of it at one instant.

        It is refused where a rule to be removed is not there, or a new one would take the place of another owner's.
        """
        known = self._installed()
        missing = [name for name in change.remove if name not in known.rules]
        if missing:
            raise self._refusal("unknown-rule", "rules are to be removed that are not there", ", ".join(missing[:3]))
        gone = [mod for name in change.remove for mod in self._mods(Command.DELETE_STRICT, known.rules[name])]
        new = [mod for rule in change.add for mod in self._mods(Command.ADD, rule)]
        if taken := sum(place_of(mod) in known.others for mod in new):
            raise self._refusal("overlap", "other owners have entries for the same packets", f"{taken} of them")
        try:
            self._client.change([*gone, *new])
        except OpenFlowRefused as error:
            code = _CODES.get(error.reason, "openflow-{}-{}".format(*error.reason))
            found = f"{error.found}; {len(gone)} entries to remove, {len(new)} to add, {known.capacity} fit"
            raise self._refusal(code, "the table does not take the change", found) from error
        t_ns = time.monotonic_ns()
        for name in change.remove:
            del known.rules[name]
        known.rules |= {rule.name: rule for rule in change.add}
        known.own += len(new) - len(gone)
        return t_ns

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _installed(self) -> _Known:
        """What the table holds; read anew when others have changed it, or on a new connection: a restart empties it."""
        known, active = self._known, self._client.tables()[RULES].active
        connection = self._client.connections
        if known is None or known.connection != connection or active != known.own + len(known.others):
            entries = self._client.flows(RULES)
            rules = {rule.name: rule for rule in rules_of(entries, self._owner, self._names)}
            others = {place_of(entry) for entry in entries if tag_of(entry) != owner_tag(self._owner)}
            known = _Known(connection, rules, len(entries) - len(others), others, self._client.capacity(RULES))
            self._known = known
        return known

    def _mods(self, command: Command, rule: Rule) -> list[FlowMod]:
        return list(changes(rule, command, self._owner, self._ports))

    def _refusal(self, code: str, what: str, found: str) -> SwitchRefused:
        return SwitchRefused(code, what, where=f"Open vSwitch, {self._client.path}", found=found)
