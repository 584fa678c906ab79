"""Driver of nfvcert-switch, the model of a hardware switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nfvcert.dataplane.control import ControlClient, OrderRefused
from nfvcert.dataplane.identity import Flow, Identity, flow
from nfvcert.dataplane.ranges import Indices, one_entry
from nfvcert.dataplane.rules import Change, FlowRule, RangeRule, Rule
from nfvcert.dataplane.switch.protocol import SwitchRefused, Table

SLOW_S = 60.0
"""A switch may take its time for each rule of a large change."""


class CoreSwitch:
    """The switch behind a control socket; rules carry `owner`, rules with another owner are not touched."""

    def __init__(self, control: Path, *, owner: str, identity: Identity) -> None:
        self._client = ControlClient(control, timeout_s=SLOW_S)
        self._owner = owner
        self._identity = identity

    def cost(self, starts: Indices, ends: Indices) -> Indices:
        """One entry for each range."""
        return one_entry(starts, ends)

    def read(self) -> Table:
        """The whole table."""
        dump = self._client.call("dump")
        own = [self._rule(raw) for raw in dump["rules"] if raw.get("owner") == self._owner]
        return Table(own, int(dump["capacity"]), len(dump["rules"]) - len(own))

    def used(self) -> tuple[int, int]:
        """Entries that are taken by whomever, and capacity."""
        info = self._client.call("info")
        return int(info["used"]), int(info["capacity"])

    def apply(self, change: Change) -> int:
        """Make a change, all of it at one instant."""
        documents = [rule.document(self._owner) for rule in change.add]
        try:
            answer = self._client.call("apply", add=documents, remove=change.remove, atomic=True)
        except OrderRefused as error:
            raise SwitchRefused(error.code, error.what, where=error.where, found=error.found) from error
        return int(answer["t_ns"])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _rule(self, raw: dict[str, Any]) -> Rule:
        if "flow" in raw:
            return FlowRule(self._flow(raw["flow"]), raw["port"])
        lo, hi = raw["range"]
        return RangeRule(lo, hi, raw["port"], int(raw.get("priority", 0)))

    def _flow(self, key: list[int]) -> Flow:
        src, dst, sport, dport, proto = key
        return flow(src, dst, sport, dport, proto, self._identity)
