"""The recorded conversation of the unmodified client: replayed, the server answers in the same structure."""

from __future__ import annotations

from typing import Any

from conversation import read
from replay import replay_alike
from trex_talk import Talk, make_talk

from nfvcert.traffic.trex.server.methods import METHODS


class Spoken:
    """The way to a server of this process, whose time passes when told to."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def wait(self, seconds: float) -> None:
        self._talk.pass_time(seconds, step=0.05)

    def frame(self, content: Any) -> Any:
        return self._talk.frame(content)


def test_every_method_is_in_the_recorded_conversation() -> None:
    used = {request["method"] for told in read() for request in told["requests"]}
    assert set(METHODS) <= used
    answered = {
        request["method"]
        for told in read()
        for request, reply in zip(told["requests"], told["replies"], strict=True)
        if "result" in reply
    }
    refused = {"push_remote", "conf_ns_batch", "enable_tpg", "disable_tpg"}
    refused |= {"start_capture_port", "stop_capture_port", "set_capture_port_bpf"}
    tickets = {"flow_prepare", "flow_stop"}
    assert set(METHODS) - answered == refused | tickets


def test_the_conversation_replays_in_the_same_structure() -> None:
    replay_alike(read(), Spoken(make_talk(speed_gbps=10.0, session_timeout_s=60.0)))
