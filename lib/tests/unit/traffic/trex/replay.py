"""A recorded conversation once more: the client's requests at the recorded times, and what has to be the same."""

from __future__ import annotations

from typing import Any, Protocol

from conversation import canonical, structure

SESSION = 4711


class Line(Protocol):
    """A way to a server."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def frame(self, content: Any) -> Any:
        """The answer to a frame."""


class Replay:
    """The requests of the records, with the handlers of this conversation."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._api_h = ""
        self._handlers: dict[int, str] = {}
        self._now = 0.0

    def exchange(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        """The replies to the requests of a record."""
        self._line.wait(max(0.0, told["t"] - self._now))
        self._now = max(self._now, told["t"])
        content = [self._request(request) for request in told["requests"]]
        answer = self._line.frame(content if told["batch"] else content[0])
        replies = answer if told["batch"] else [answer]
        for request, reply in zip(told["requests"], replies, strict=True):
            if "result" in reply and request["method"] == "acquire":
                self._handlers[request["params"]["port_id"]] = reply["result"]
            if "result" in reply and request["method"] == "api_sync_v2":
                self._api_h = reply["result"]["api_h"]
        return [{key: value for key, value in reply.items() if key not in ("id", "jsonrpc")} for reply in replies]

    def _request(self, request: dict[str, Any]) -> dict[str, Any]:
        parameters = dict(request["params"])
        if parameters.get("api_h") == "<api_h>":
            parameters["api_h"] = self._api_h
        if parameters.get("handler") == "<handler>":
            parameters["handler"] = self._handlers.get(parameters["port_id"], "")
        if parameters.get("session_id") == "<session>":
            parameters["session_id"] = SESSION
        return {"jsonrpc": "2.0", "id": 1, "method": request["method"], "params": parameters}


def replay_alike(records: list[dict[str, Any]], line: Line) -> None:
    """Replay, and compare: the same replies and errors in the same structure, the same events in the same order."""
    replay = Replay(line)
    expected_events: list[Any] = []
    events: list[Any] = []
    for place, record in enumerate(records):
        replies = replay.exchange(record)
        for request, expected, reply in zip(record["requests"], record["replies"], replies, strict=True):
            if request["method"] == "get_async_events":
                expected_events += expected["result"]["data"]
                events += reply["result"]["data"]
                continue
            where = f"line {place + 1}, {request['method']}"
            assert ("error" in reply) == ("error" in expected), f"{where}: {reply}"
            if "error" in expected:
                assert reply["error"]["code"] == expected["error"]["code"], f"{where}: {reply}"
            assert structure(_steady(canonical(reply))) == structure(_steady(expected)), where
    assert [_kind(event) for event in events] == [_kind(event) for event in expected_events]
    for expected, event in zip(expected_events, events, strict=True):
        assert structure(canonical(event)) == structure(expected)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def _kind(event: dict[str, Any]) -> tuple[str, Any]:
    return event["name"], event["type"] if event["name"] == "trex-event" else 0


def _steady(reply: dict[str, Any]) -> dict[str, Any]:
    """Without lists whose length depends on the time that passed."""
    result = reply.get("result")
    if isinstance(result, dict):
        for name in ("intervals", "cpu"):
            if name in result:
                return {"result": {**result, name: result[name][:1]} if name == "intervals" else {**result, name: []}}
    return reply
