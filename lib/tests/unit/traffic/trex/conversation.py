"""Recorded conversations of the RPC protocol: what is kept of them, and when two of them have the same structure.

A record is one line: {"t": seconds since the first request, "batch": bool, "requests": [...], "replies": [...]}. What
differs from run to run (handlers, sessions, times, hosts' names) is replaced by a name in angle brackets or by zero.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).resolve().parents[5] / "fixtures" / "traffic" / "trex" / "conversation.jsonl"
_TEXTS = {
    "api_h": "<api_h>",
    "handler": "<handler>",
    "session_id": "<session>",
    "hostname": "<host>",
    "uptime": "<time>",
}
_TIMES = {"ts", "t_ns", "begin_ns", "end_ns"}
_BY_VALUE = {"histogram", "latency_histogram"}
"""Maps whose keys are values, not names."""


def canonical(value: Any, *, method: str = "") -> Any:
    """Without what differs from run to run."""
    if isinstance(value, dict):
        if value.get("name") == "trex-barrier":
            value = {**value, "type": 1}
        return {key: _canonical_entry(key, entry, method) for key, entry in sorted(value.items())}
    if isinstance(value, list):
        return [canonical(entry, method=method) for entry in value]
    return value


def _canonical_entry(key: str, value: Any, method: str) -> Any:
    if key in _TEXTS and value not in ("", "wrong"):
        return _TEXTS[key]
    if key in _TIMES:
        return 0
    if key == "result" and method == "acquire":
        return "<handler>"
    if key in ("user", "who", "owner") and value and value != "sub":
        return "<user>"
    if key == "version" and isinstance(value, str):
        return "<version>"
    if key == "key":
        return 1
    return canonical(value, method=method)


def record(t: float, content: Any, answer: Any) -> dict[str, Any] | None:
    """One exchange; None for a subscriber's question that nothing had to be told to."""
    batch = isinstance(content, list)
    requests, replies = (content, answer) if batch else ([content], [answer])
    if requests[0]["method"] == "get_async_events" and not replies[0].get("result", {}).get("data") and t > 1.0:
        return None
    pairs = [(_without_id(request), _without_id(reply)) for request, reply in zip(requests, replies, strict=True)]
    return {
        "t": round(t, 3),
        "batch": batch,
        "requests": [canonical(request) for request, _ in pairs],
        "replies": [canonical(reply, method=request["method"]) for request, reply in pairs],
    }


def read(path: Path = RECORDED) -> list[dict[str, Any]]:
    """The records of a conversation."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def structure(value: Any) -> Any:
    """Names and kinds without values: numbers are alike, and so are the entries of a list."""
    match value:
        case dict():
            return {key: "map" if key in _BY_VALUE else structure(entry) for key, entry in sorted(value.items())}
        case list():
            return [structure(entry) for entry in value]
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "nothing"


def _without_id(message: dict[str, Any]) -> dict[str, Any]:
    return {key: entry for key, entry in message.items() if key not in ("id", "jsonrpc")}
