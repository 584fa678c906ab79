"""Reading the parameters of a request, each with a clear error when it is not what it should be."""

from __future__ import annotations

import math
from typing import Any

from nfvcert.traffic.trex.server.errors import invalid

_REQUIRED = object()


class Parameters:
    """Parameters of one request of a method."""

    def __init__(self, method: str, values: dict[str, Any]) -> None:
        self.method = method
        self.values = values

    def integer(self, name: str, default: Any = _REQUIRED, *, low: int = 0, high: int = (1 << 64) - 1) -> int:
        """A whole number within bounds."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}", value)
        return value

    def number(self, name: str, default: Any = _REQUIRED) -> float:
        """A finite number."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(name, "a number", value)
        return float(value)

    def text(self, name: str, default: Any = _REQUIRED, *, longest: int = 256) -> str:
        """A text, not too long."""
        value = self._get(name, default)
        if not isinstance(value, str) or len(value) > longest:
            raise self._wrong(name, f"a text of at most {longest} characters", value)
        return value

    def flag(self, name: str, default: Any = _REQUIRED) -> bool:
        """True or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def mapping(self, name: str, default: Any = _REQUIRED) -> dict[str, Any]:
        """An object."""
        value = self._get(name, default)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return value

    def integers(self, name: str, *, most: int, high: int = (1 << 32) - 1) -> list[int]:
        """A list of whole numbers."""
        values = self._get(name, _REQUIRED)
        good = isinstance(values, list) and all(type(value) is int and 0 <= value <= high for value in values)
        if not good or len(values) > most:
            raise self._wrong(name, f"a list of at most {most} whole numbers", values)
        return list(values)

    def session(self) -> int | str:
        """Number or name of the client's session."""
        value = self._get("session_id", _REQUIRED)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self._wrong("session_id", "a number or a text", value)
        return value

    def _get(self, name: str, default: Any) -> Any:
        value = self.values.get(name, default)
        if value is _REQUIRED:
            raise invalid(f"the parameter '{name}' is missing", where=self.method)
        return value

    def _wrong(self, name: str, wanted: str, value: Any) -> Exception:
        return invalid(f"'{name}' is to be {wanted}", where=self.method, found=repr(value)[:80])
