"""The recorded conversation of the unmodified client: replayed, the server answers in the same structure."""

from __future__ import annotations

from typing import Any

from conversation import canonical, read, structure
from trex_talk import Talk, make_talk

from nfvcert.traffic.trex.server.methods import METHODS

SESSION = 4711


class Replay:
    """The client's requests again, at the recorded times."""

    def __init__(self) -> None:
        self.talk: Talk = make_talk(speed_gbps=10.0, session_timeout_s=60.0)
        self.handlers: dict[int, str] = {}
        self.now = 0.0
        self.events: list[Any] = []

    def exchange(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        """Our replies to the requests of a record."""
        self.talk.pass_time(max(0.0, told["t"] - self.now), step=0.05)
        self.now = max(self.now, told["t"])
        content = [self._request(request) for request in told["requests"]]
        answer = self.talk.frame(content if told["batch"] else content[0])
        replies = answer if told["batch"] else [answer]
        for request, reply in zip(told["requests"], replies, strict=True):
            if request["method"] == "acquire" and "result" in reply:
                self.handlers[request["params"]["port_id"]] = reply["result"]
        return [{key: value for key, value in reply.items() if key not in ("id", "jsonrpc")} for reply in replies]

    def _request(self, request: dict[str, Any]) -> dict[str, Any]:
        parameters = dict(request["params"])
        if parameters.get("api_h") == "<api_h>":
            parameters["api_h"] = self.talk.context.api_h
        if parameters.get("handler") == "<handler>":
            parameters["handler"] = self.handlers.get(parameters["port_id"], "")
        if parameters.get("session_id") == "<session>":
            parameters["session_id"] = SESSION
        return {"jsonrpc": "2.0", "id": 1, "method": request["method"], "params": parameters}


def test_every_method_is_in_the_recorded_conversation() -> None:
    used = {request["method"] for told in read() for request in told["requests"]}
    assert set(METHODS) <= used
    answered = {
        request["method"]
        for told in read()
        for request, reply in zip(told["requests"], told["replies"], strict=True)
        if "result" in reply
    }
    refused = {"push_remote", "push_pkts", "conf_ns_batch", "enable_tpg", "disable_tpg"}
    refused |= {"start_capture_port", "stop_capture_port", "set_capture_port_bpf"}
    tickets = {"flow_prepare", "flow_stop"}
    assert set(METHODS) - answered == refused | tickets


def test_the_conversation_replays_in_the_same_structure() -> None:
    replay = Replay()
    told_events: list[Any] = []
    for place, told in enumerate(read()):
        replies = replay.exchange(told)
        for request, expected, reply in zip(told["requests"], told["replies"], replies, strict=True):
            if request["method"] == "get_async_events":
                told_events += expected["result"]["data"]
                replay.events += reply["result"]["data"]
                continue
            where = f"line {place + 1}, {request['method']}"
            assert ("error" in reply) == ("error" in expected), f"{where}: {reply}"
            if "error" in expected:
                assert reply["error"]["code"] == expected["error"]["code"], where
            assert structure(_steady(canonical(reply))) == structure(_steady(expected)), where
    assert [_kind(event) for event in replay.events] == [_kind(event) for event in told_events]
    for expected, event in zip(told_events, replay.events, strict=True):
        assert structure(canonical(event)) == structure(expected)
    assert [event["seq"] for event in replay.events] == list(range(1, len(replay.events) + 1))


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
