"""The dumps of the hardware switch's table in columns, as the table ``rules`` of a history."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("rule", pa.string()),
        ("kind", pa.string()),
        ("lo", pa.int32()),
        ("hi", pa.int32()),
        ("priority", pa.int32()),
        ("src", pa.int64()),
        ("dst", pa.int64()),
        ("sport", pa.int32()),
        ("dport", pa.int32()),
        ("proto", pa.int32()),
        ("port", pa.string()),
        ("owner", pa.string()),
    ]
)


class RuleDumps:
    """Takes dumps one after the other and keeps the rules of those that differ from the one before."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self._rules: list[dict[str, Any]] | None = None
        self._counted: dict[str, Any] = {}
        self.generation = 0
        """Of the last dump; the switch tells the rules of others only."""

    def take(self, dump: dict[str, Any]) -> dict[str, Any]:
        """Keep a dump; returns the data of its inventory event."""
        t = int(dump["t_ns"])
        rules = dump.get("rules")
        self.generation = int(dump.get("generation", 0))
        if rules is not None and rules != self._rules:
            self._rules = rules
            for rule in rules:
                self._add(t, rule)
            ranges = sum("range" in rule for rule in rules)
            owners = Counter(str(rule.get("owner") or "") for rule in rules)
            self._counted = {"ranges": ranges, "exceptions": len(rules) - ranges, "owners": dict(owners)}
        return {"t_ns": t, "used": int(dump["used"]), "capacity": int(dump["capacity"]), **self._counted}

    def table(self) -> pa.Table:
        """Everything kept."""
        return pa.table(self._columns, schema=SCHEMA)

    def _add(self, t: int, rule: dict[str, Any]) -> None:
        low, high = rule.get("range") or (0, 0)
        addresses = rule.get("flow") or (0, 0, 0, 0, 0)
        kind = "range" if "range" in rule else "flow"
        values = (
            t,
            rule["rule"],
            kind,
            low,
            high,
            rule.get("priority") or 0,
            *addresses,
            rule["port"],
            rule.get("owner") or "",
        )
        for name, value in zip(SCHEMA.names, values, strict=True):
            self._columns[name].append(value)
