"""Attribute-based filtering of collections: ``filter=(eq,attr/sub,value);(in,attr,a,b)`` (SOL013 5.2).

Parsing and evaluation are pure. Semantics kept here: expressions joined by ``;`` must all hold; a path through an array
holds if it holds for any element; an absent attribute meets only the negative operators; values compare as the
attribute's JSON type (numbers numerically, booleans as ``true``/``false``, everything else as text).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ONE = ("eq", "neq", "gt", "lt", "gte", "lte")
MANY = ("in", "nin", "cont", "ncont")
_NEGATIVE = {"neq": "eq", "nin": "in", "ncont": "cont"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, given: found == given,
    "gt": lambda found, given: found > given,
    "lt": lambda found, given: found < given,
    "gte": lambda found, given: found >= given,
    "lte": lambda found, given: found <= given,
}


class FilterError(ValueError):
    """A filter expression that SOL013 5.2 does not allow; the text says where."""


@dataclass(frozen=True)
class Expression:
    """One parenthesis of a filter: operator, attribute path, values."""

    operator: str
    path: tuple[str, ...]
    values: tuple[str, ...]

    def matches(self, document: Any) -> bool:
        """Whether `document` (parsed JSON) meets this expression."""
        positive = _NEGATIVE.get(self.operator)
        if positive:
            return not Expression(positive, self.path, self.values).matches(document)
        return any(self._holds(found) for found in _resolve(document, self.path))

    def _holds(self, found: Any) -> bool:
        if self.operator == "in":
            return any(_compare("eq", found, value) for value in self.values)
        if self.operator == "cont":
            return isinstance(found, str) and any(value in found for value in self.values)
        return _compare(self.operator, found, self.values[0])


@dataclass(frozen=True)
class Filter:
    """A whole filter; an empty one matches everything."""

    expressions: tuple[Expression, ...] = ()

    def matches(self, document: Any) -> bool:
        """Whether `document` meets every expression."""
        return all(expression.matches(document) for expression in self.expressions)

    def select(self, documents: Iterable[Any]) -> list[Any]:
        """The documents that match, in their order."""
        return [document for document in documents if self.matches(document)]


def parse(text: str) -> Filter:
    """Parse the value of the ``filter`` query parameter.

    Raises:
        FilterError: the text is not a filter; names the position (from 0) and what was expected.
    """
    if not text:
        raise FilterError("an empty filter")
    return Filter(tuple(_expressions(text)))


def select_fields(document: dict[str, Any], fields: str = "", exclude: str = "") -> dict[str, Any]:
    """`document` with only the named attributes (comma-separated names, first path element counts) or without them.

    ``id`` and ``_links`` always stay, because the result must still name its resource (SOL013 5.3).
    """
    if fields:
        names = {"id", "_links"} | {name.split("/")[0] for name in fields.split(",")}
        return {key: value for key, value in document.items() if key in names}
    if exclude:
        names = {name.split("/")[0] for name in exclude.split(",")} - {"id", "_links"}
        return {key: value for key, value in document.items() if key not in names}
    return document


def _expressions(text: str) -> Iterator[Expression]:
    position = 0
    while True:
        tokens, position = _parenthesis(text, position)
        yield _expression(tokens)
        if position == len(text):
            return
        if text[position] != ";":
            raise FilterError(f"position {position}: ';' expected, found {text[position]!r}")
        position += 1


def _parenthesis(text: str, position: int) -> tuple[list[str], int]:
    """The comma-separated tokens of the parenthesis that begins at `position`, and the position behind it."""
    if position >= len(text) or text[position] != "(":
        raise FilterError(f"position {position}: '(' expected")
    tokens: list[str] = []
    position += 1
    while True:
        token, position = _token(text, position)
        tokens.append(token)
        if position >= len(text):
            raise FilterError(f"position {position}: ')' expected, found the end")
        if text[position] == ")":
            return tokens, position + 1
        if text[position] != ",":
            raise FilterError(f"position {position}: ',' or ')' expected, found {text[position]!r}")
        position += 1


def _token(text: str, position: int) -> tuple[str, int]:
    """One token; a quoted one may hold anything, with a quote doubled."""
    if position < len(text) and text[position] == "'":
        return _quoted(text, position + 1)
    end = position
    while end < len(text) and text[end] not in ",()'":
        end += 1
    return text[position:end], end


def _quoted(text: str, position: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = text.find("'", position)
        if end < 0:
            raise FilterError(f"position {position}: closing quote expected, found the end")
        parts.append(text[position:end])
        if text[end + 1 : end + 2] != "'":
            return "".join(parts), end + 1
        parts.append("'")
        position = end + 2


def _expression(tokens: list[str]) -> Expression:
    operator, rest = tokens[0], tokens[1:]
    if operator not in ONE + MANY:
        raise FilterError(f"unknown operator {operator!r}; known are {', '.join(ONE + MANY)}")
    if len(rest) < 2 or (operator in ONE and len(rest) != 2):
        count = "one value" if operator in ONE else "at least one value"
        raise FilterError(f"{operator} takes an attribute name and {count}, found {len(rest)} further parts")
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in rest[0].split("/"))
    if not all(path):
        raise FilterError(f"empty attribute name in {rest[0]!r}")
    return Expression(operator, path, tuple(rest[1:]))


def _resolve(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """All values at `path`; arrays are gone through, absent attributes give none."""
    if isinstance(value, list):
        for item in value:
            yield from _resolve(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, dict):
        if path[0] == "@key":
            yield from (key for key in value if len(path) == 1)
        elif path[0] in value:
            yield from _resolve(value[path[0]], path[1:])


def _compare(operator: str, found: Any, given: str) -> bool:
    if isinstance(found, bool):
        return operator == "eq" and given == str(found).lower()
    if isinstance(found, (int, float)):
        try:
            return _COMPARE[operator](float(found), float(given))
        except ValueError:
            return False
    return isinstance(found, str) and _COMPARE[operator](found, given)
