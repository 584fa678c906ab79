"""Any order of requests and events leaves ports in states that fit what was asked for, and events without gaps."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from trex_talk import Refused, make_talk

SESSIONS = st.sampled_from([1, 2])
PROFILES = st.sampled_from(["_", "b"])
CONTINUOUS = {"type": "continuous"}
BURST = {"type": "single_burst", "total_pkts": 100}


class Ports(RuleBasedStateMachine):
    """Two sessions contend for a port with two profiles; a model follows."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = make_talk(session_timeout_s=1e9)
        self.owner: int | None = None
        self.handlers = {1: "", 2: ""}
        self.streams: dict[str, dict[int, str]] = {}
        self.running: dict[str, str] = {}
        self.ends: dict[str, float] = {}
        self.next_stream = 1
        self.seen = {1: 0, 2: 0}
        self.finished = {1: 0, 2: 0}
        self.expected_finished = 0
        for session in (1, 2):
            self.talk.events(session)

    def attempt(self, allowed: bool, session: int, method: str, **parameters: Any) -> Any:
        """A request that is carried out exactly when the model says so."""
        try:
            result = self.talk.request(method, port_id=0, handler=self.handlers[session], **parameters)
        except Refused as refused:
            assert not allowed, f"{method} was refused: {refused}"
            return None
        assert allowed, f"{method} was carried out"
        return result

    @rule(session=SESSIONS, force=st.booleans())
    def acquire(self, session: int, force: bool) -> None:
        allowed = self.owner is None or force
        handler = self.attempt(allowed, session, "acquire", user=f"user{session}", session_id=session, force=force)
        if allowed:
            self.owner, self.handlers[session] = session, handler

    @rule(session=SESSIONS)
    def release(self, session: int) -> None:
        allowed = self.owner == session
        self.attempt(allowed, session, "release")
        if allowed:
            self.owner = None

    @rule(session=SESSIONS, profile=PROFILES, mode=st.sampled_from([CONTINUOUS, BURST]))
    def add_stream(self, session: int, profile: str, mode: dict[str, Any]) -> None:
        from trex_talk import stream

        number = self.next_stream
        allowed = self.owner == session and profile not in self.running
        wanted = stream(pps=1000, mode=dict(mode))
        self.attempt(allowed, session, "add_stream", profile_id=profile, stream_id=number, stream=wanted)
        if allowed:
            self.next_stream += 1
            self.streams.setdefault(profile, {})[number] = mode["type"]

    @rule(session=SESSIONS, profile=PROFILES)
    def remove_all(self, session: int, profile: str) -> None:
        allowed = self.owner == session and profile not in self.running
        self.attempt(allowed, session, "remove_all_streams", profile_id=profile)
        if allowed:
            self.streams.pop(profile, None)

    @rule(session=SESSIONS, profile=PROFILES, duration=st.sampled_from([-1, 0.5, 2.0]))
    def start(self, session: int, profile: str, duration: float) -> None:
        allowed = self.owner == session and bool(self.streams.get(profile)) and profile not in self.running
        mul = {"type": "raw", "value": 1, "op": "abs"}
        self.attempt(allowed, session, "start_traffic", profile_id=profile, mul=mul, duration=duration, force=False)
        if allowed:
            self.running[profile] = "TX"
            lasts = float("inf") if "continuous" in self.streams[profile].values() else 0.1
            self.ends[profile] = self.talk.clock.now + min(lasts, duration if duration > 0 else float("inf"))

    @rule(session=SESSIONS, profile=PROFILES)
    def stop(self, session: int, profile: str) -> None:
        allowed = self.owner == session
        self.attempt(allowed, session, "stop_traffic", profile_id=profile)
        if allowed:
            self.running.pop(profile, None)
            self.ends.pop(profile, None)

    @rule(session=SESSIONS, profile=PROFILES)
    def pause(self, session: int, profile: str) -> None:
        continuous = set(self.streams.get(profile, {}).values()) == {"continuous"}
        allowed = self.owner == session and self.running.get(profile) == "TX" and continuous
        self.attempt(allowed, session, "pause_traffic", profile_id=profile)
        if allowed:
            self.running[profile] = "PAUSE"

    @rule(session=SESSIONS, profile=PROFILES)
    def resume(self, session: int, profile: str) -> None:
        allowed = self.owner == session and self.running.get(profile) == "PAUSE"
        self.attempt(allowed, session, "resume_traffic", profile_id=profile)
        if allowed:
            self.running[profile] = "TX"

    @rule(seconds=st.sampled_from([0.3, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.talk.pass_time(seconds)
        for profile, end in list(self.ends.items()):
            if end <= self.talk.clock.now - 0.05:
                del self.ends[profile], self.running[profile]
                self.expected_finished += 1
            elif end <= self.talk.clock.now + 0.05 and profile not in self._running_there():
                del self.ends[profile], self.running[profile]  # at the edge: what the server says holds
                self.expected_finished += 1

    @rule(session=SESSIONS)
    def read_events(self, session: int) -> None:
        for event in self.talk.events(session):
            assert event["seq"] == self.seen[session] + 1
            self.seen[session] = event["seq"]
            self.finished[session] += event["type"] == 14
        assert self.finished[session] <= self.expected_finished

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        status = self.talk.status()
        assert status["owner"] == (f"user{self.owner}" if self.owner else "")
        expected = {name: self.running.get(name, "STREAMS") for name, streams in self.streams.items() if streams}
        assert status["state_profile"] == expected
        assert set(self.talk.simulated.runs) == {(0, name) for name in self.running}

    def teardown(self) -> None:
        for session in (1, 2):
            self.read_events(session)
            assert self.finished[session] == self.expected_finished

    def _running_there(self) -> set[str]:
        return {name for name, state in self.talk.status()["state_profile"].items() if state in ("TX", "PAUSE")}


TestPorts = Ports.TestCase
TestPorts.settings = settings(max_examples=60, stateful_step_count=30)
