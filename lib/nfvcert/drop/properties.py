"""Reading properties of TOSCA nodes: what is missing or of the wrong type becomes a finding with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nfvcert.drop.findings import Finding, fault
from nfvcert.drop.yamltree import Node

_SCALAR = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]{1,3})")
_SIZES = {
    "B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30, "TB": 10**12, "TiB": 2**40,
}  # fmt: skip
_SIZES_BY_CASE = {unit.lower(): factor for unit, factor in _SIZES.items()}
_TIMES = {"d": 86400.0, "h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MIB, GIB = 2**20, 2**30


class Properties:
    """The properties of one node, policy or nested value; ``label`` names it in findings."""

    def __init__(
        self, node: Node | None, file: str, label: str, line: int, clause: str, findings: list[Finding]
    ) -> None:
        self.node = node
        self.file = file
        self.label = label
        self.line = node.line if node is not None else line
        self.clause = clause
        self.findings = findings

    def child(self, *path: str, required: bool = False) -> Properties:
        """A nested mapping; an empty one when it is missing."""
        label = ".".join((self.label, *path))
        node = self.node.get(*path) if self.node is not None else None
        if node is None and required:
            self._missing(".".join(path))
        elif node is not None and not isinstance(node.value, dict):
            self._wrong(node, ".".join(path), "a mapping")
            node = None
        return Properties(node, self.file, label, self.line, self.clause, self.findings)

    def __bool__(self) -> bool:
        return self.node is not None

    def names(self) -> list[str]:
        """Keys of the mapping."""
        return [key for key, _ in self.node.entries()] if self.node is not None else []

    def text(self, key: str, default: str | None = None, *, choice: Sequence[str] | None = None) -> str:
        """A string as written; without a default it is required."""
        fallback = default or (choice[0] if choice else "")
        node = self._get(key, default is None)
        if node is None:
            return fallback
        if not node.is_scalar or not node.text:
            self._wrong(node, key, "text")
            return fallback
        if choice is not None and node.text not in choice:
            self._wrong(node, key, "one of " + ", ".join(choice))
            return fallback
        return node.text

    def integer(self, key: str, default: int | None = None, *, least: int = 0, most: int = 1_000_000) -> int:
        """An integer within bounds."""
        node = self._get(key, default is None)
        fallback = least if default is None else default
        if node is None:
            return fallback
        if isinstance(node.value, bool) or not isinstance(node.value, int) or not least <= node.value <= most:
            self._wrong(node, key, f"an integer from {least} to {most}")
            return fallback
        return node.value

    def truth(self, key: str, default: bool | None = None) -> bool:
        """A boolean."""
        node = self._get(key, default is None)
        if node is None or not isinstance(node.value, bool):
            if node is not None:
                self._wrong(node, key, "true or false")
            return bool(default)
        return node.value

    def size(self, key: str, default: int | None = None) -> int:
        """A TOSCA scalar-unit.size in bytes."""
        return int(self._scalar(key, default, _SIZES_BY_CASE, "a size such as '64 MiB'"))

    def seconds(self, key: str, default: float | None = None) -> float:
        """A TOSCA scalar-unit.time in seconds."""
        return self._scalar(key, default, _TIMES, "a time such as '10 s'")

    def texts(self, key: str, *, required: bool = False) -> list[str]:
        """A list of strings."""
        node = self._get(key, required)
        if node is None:
            return []
        if not isinstance(node.value, list) or not all(element.is_scalar for element in node.value):
            self._wrong(node, key, "a list of text")
            return []
        return [element.text for element in node.value]

    def text_map(self, key: str) -> dict[str, str]:
        """A mapping from text to text."""
        node = self._get(key, False)
        if node is None:
            return {}
        if not isinstance(node.value, dict) or not all(value.is_scalar for value in node.value.values()):
            self._wrong(node, key, "a mapping of text")
            return {}
        return {name: value.text for name, value in node.entries()}

    def elements(self, key: str, *, required: bool = False) -> list[Properties]:
        """A list of mappings."""
        node = self._get(key, required)
        if node is None:
            return []
        if not isinstance(node.value, list) or not all(isinstance(e.value, dict) for e in node.value):
            self._wrong(node, key, "a list of mappings")
            return []
        label = f"{self.label}.{key}"
        return [Properties(e, self.file, label, e.line, self.clause, self.findings) for e in node.value]

    def fault(self, rule: str, message: str, found: object = "", expected: object = "", line: int = 0) -> None:
        """A finding at this place."""
        self.findings.append(fault(rule, self.clause, f"{self.file}:{line or self.line}", message, found, expected))

    def _scalar(self, key: str, default: float | None, units: dict[str, float] | dict[str, int], what: str) -> float:
        node = self._get(key, default is None)
        if node is None:
            return default or 0
        match = _SCALAR.fullmatch(node.text.strip()) if node.is_scalar else None
        factor = units.get(match.group(2)) or units.get(match.group(2).lower()) if match else None
        if match is None or factor is None:
            self._wrong(node, key, what)
            return default or 0
        return float(match.group(1)) * factor

    def _get(self, key: str, required: bool) -> Node | None:
        node = self.node.get(key) if self.node is not None else None
        if node is not None and node.is_scalar and node.value is None and node.text in ("", "~", "null"):
            node = None
        if node is None and required:
            self._missing(key)
        return node

    def _missing(self, key: str) -> None:
        self.fault("vnfd.missing", f"{self.label}: {key} is missing")

    def _wrong(self, node: Node, key: str, expected: str) -> None:
        self.fault("vnfd.type", f"{self.label}: {key} is not valid", node.kind, expected, node.line)
