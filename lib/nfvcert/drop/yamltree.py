"""YAML from a stranger as a tree of nodes that know their lines.

Scalars follow the core schema of YAML 1.2. Aliases are allowed but counted as if written out, so that a document of a
few lines cannot stand for more nodes than the limit; depth and size are bounded, tags and duplicate keys refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from nfvcert.drop.findings import FindingError, fault
from nfvcert.drop.limits import DEFAULT, Limits

CLAUSE = "SOL001 5 (TOSCA YAML)"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,40}")
_OCTAL = re.compile(r"0o[0-7]{1,40}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,4})?")
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")} | {"!"}


@dataclass(slots=True)
class Node:
    """A node of a document: a scalar, a list of nodes, or a mapping from text to nodes.

    ``text`` is a scalar as it was written, so that a version ``1.10`` is not taken for a number.
    """

    value: Any
    line: int
    text: str = ""
    weight: int = 1
    key_lines: dict[str, int] = field(default_factory=dict)

    def get(self, *path: str) -> Node | None:
        """The node under a path of keys, or None."""
        node: Node | None = self
        for key in path:
            node = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
        return node

    def entries(self) -> Iterator[tuple[str, Node]]:
        """Keys and nodes of a mapping; nothing for any other node."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def elements(self) -> list[Node]:
        """Elements of a list; none for any other node."""
        return self.value if isinstance(self.value, list) else []

    @property
    def is_scalar(self) -> bool:
        return not isinstance(self.value, dict | list)

    @property
    def kind(self) -> str:
        """What the node is, in words."""
        if isinstance(self.value, dict):
            return "a mapping"
        return "a list" if isinstance(self.value, list) else f"'{self.text}'"

    def plain(self) -> Any:
        """The node as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def line_at(self, location: tuple[int | str, ...]) -> int:
        """Line of the deepest part of a location that exists."""
        node, line = self, self.line
        for step in location:
            if isinstance(node.value, dict) and step in node.value:
                line = node.key_lines.get(str(step), line)
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
                line = node.line
            else:
                break
        return line


def parse_yaml(data: bytes, where: str, limits: Limits = DEFAULT) -> Node:
    """The only document in ``data``.

    Raises:
        FindingError: no YAML, not UTF-8, too large, too deep, an alias bomb, or a construct that is not allowed.
    """
    if len(data) > limits.document:
        raise _bad(where, "yaml.size", "the document is too large", f"{len(data)} bytes", f"at most {limits.document}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(where, "yaml.encoding", "the document is not UTF-8 text", f"byte {error.start}") from None
    builder = _Builder(where, limits)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        raise _bad(place, "yaml.syntax", "not valid YAML", getattr(error, "problem", None) or error) from None
    if builder.root is None:
        raise _bad(where, "yaml.empty", "the document is empty")
    return builder.root


class _Builder:
    """Builds the tree from parser events, without recursion."""

    def __init__(self, where: str, limits: Limits) -> None:
        self.where = where
        self.limits = limits
        self.root: Node | None = None
        self._documents = 0
        self._nodes = 0
        self._stack: list[tuple[Node, str | None]] = []
        self._key: list[Node | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._bad(line, "yaml.documents", "the file holds more than one document")
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event.tag, line)
            plain = event.implicit[0] and not event.style
            node = Node(_resolve(event.value) if plain else event.value, line, event.value)
            self._anchor(event.anchor, node)
            self._add(node)
        elif isinstance(event, yaml.AliasEvent):
            node = self._aliased(event.anchor, line)
            self._add(node)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._check_tag(event.tag, line)
            node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            self._stack.append((node, event.anchor))
            self._key.append(None)
            if len(self._stack) > self.limits.depth:
                raise self._bad(line, "yaml.depth", "the document is nested too deeply", expected=self.limits.depth)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            node, anchor = self._stack.pop()
            self._key.pop()
            self._anchor(anchor, node)
            self._add(node)

    def _add(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > self.limits.nodes:
            raise self._bad(node.line, "yaml.size", "the document has too many nodes", expected=self.limits.nodes)
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1][0]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif self._key[-1] is None:
            self._take_key(node)
            return
        else:
            key = self._key[-1]
            self._key[-1] = None
            parent.value[key.text] = node
            parent.key_lines[key.text] = key.line
        parent.weight += node.weight
        if parent.weight > self.limits.nodes:
            raise self._bad(
                node.line, "yaml.alias_bomb", "aliases stand for too many nodes", parent.weight, self.limits.nodes
            )

    def _take_key(self, node: Node) -> None:
        if not node.is_scalar:
            raise self._bad(node.line, "yaml.key", "a key is not a scalar", node.kind)
        if node.text == "<<":
            raise self._bad(node.line, "yaml.merge", "merge keys are not part of YAML 1.2")
        if node.text in self._stack[-1][0].value:
            raise self._bad(node.line, "yaml.duplicate_key", "the key occurs twice", node.text)
        self._key[-1] = node

    def _anchor(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _aliased(self, anchor: str | None, line: int) -> Node:
        if any(open_anchor == anchor for _, open_anchor in self._stack):
            raise self._bad(line, "yaml.alias_bomb", "an alias refers to what contains it", anchor)
        if anchor is None or anchor not in self._anchors:
            raise self._bad(line, "yaml.alias", "the alias refers to nothing", anchor)
        return self._anchors[anchor]

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag is not None and tag not in _TAGS:
            raise self._bad(line, "yaml.tag", "tags are not allowed", tag)

    def _bad(self, line: int, rule: str, message: str, found: object = "", expected: object = "") -> FindingError:
        return _bad(f"{self.where}:{line}", rule, message, found, expected)


def _resolve(text: str) -> Any:
    """A plain scalar after the core schema."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    return float(text) if _FLOAT.fullmatch(text) else text


def _bad(where: str, rule: str, message: str, found: object = "", expected: object = "") -> FindingError:
    return fault(rule, CLAUSE, where, message, found, expected).error()
