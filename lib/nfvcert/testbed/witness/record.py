"""The shape in which the witness and the tester's own clients record HTTP exchanges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

KEPT_HEADERS = frozenset(
    {"version", "location", "etag", "if-match", "retry-after", "content-type", "link", "accept", "x-request-id"}
)
LARGEST_BODY = 256 * 1024


def kept_headers(headers: Iterable[tuple[bytes | str, bytes | str]]) -> dict[str, str]:
    """The headers worth recording, names in lower case; credentials are never among them."""
    kept = {}
    for raw_name, raw_value in headers:
        name = _text(raw_name).lower()
        if name in KEPT_HEADERS:
            kept[name] = _text(raw_value)
    return kept


def recorded_body(content: bytes, content_type: str) -> Any:
    """A body as it is recorded: JSON as it is, everything else as length and digest."""
    if not content:
        return None
    if "json" in content_type and len(content) <= LARGEST_BODY:
        try:
            return json.loads(content)
        except ValueError:
            return {"not_json": content[:512].decode("utf-8", "replace")}
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
