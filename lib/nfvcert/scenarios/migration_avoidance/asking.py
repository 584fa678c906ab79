"""Requests to the controller, each recorded with its answer; its steps and last states when the scenario ends."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from nfvcert.errors import StackError
from nfvcert.history import EventKind, Recorder
from nfvcert.history import migration as m
from nfvcert.sol.http import Answer, SolClient

SCALINGS = "/scalings"
OVERLOADS = "/overloads"
STATUS = "/status"
FINAL = frozenset({"CONVERGED", "COMPLETED", "REFUSED", "FAILED", "WITHDRAWN"})


class Controller:
    """The controller as the tester sees it.

    Args:
        url: where it listens.
        recorder: of the scenario.
    """

    def __init__(self, url: str, recorder: Recorder) -> None:
        self._recorder = recorder
        self._client = SolClient(url, timeout=5.0, observer=self._record)
        self._quiet = SolClient(url, timeout=5.0)
        self._asked: list[tuple[str, str]] = []

    def ask(self, label: str, **request: Any) -> str | None:
        """Ask for a scaling; returns its id, None when it was refused."""
        return self._post(label, SCALINGS, request, request)

    def report_overload(self, label: str, instance: str) -> str | None:
        """Report that an instance is overloaded; returns the id of the scaling that follows from it."""
        return self._post(label, OVERLOADS, {"instance": instance}, {"kind": "overload", "from": instance, "to": ""})

    def scaling(self, identifier: str) -> dict[str, Any]:
        """The record of a scaling as it is now; empty while the controller does not answer."""
        with contextlib.suppress(StackError):
            body = self._quiet.get(f"{SCALINGS}/{identifier}").body
            return body if isinstance(body, dict) else {}
        return {}

    def await_state(self, identifier: str | None, *states: str, timeout_s: float) -> str:
        """Wait for one of the states, or any final one; returns what was reached, or the last one seen in time."""
        deadline = time.monotonic() + timeout_s
        state = ""
        while identifier is not None and time.monotonic() < deadline:
            state = str(self.scaling(identifier).get("state", state))
            if state in states or (not states and state in FINAL):
                return state
            time.sleep(0.05)
        return state

    def await_step(self, identifier: str | None, *steps: str, timeout_s: float) -> int | None:
        """Wait for a step of one of these names; returns its time (ns), None if it did not come in time."""
        deadline = time.monotonic() + timeout_s
        while identifier is not None and time.monotonic() < deadline:
            for step in self.scaling(identifier).get("steps") or []:
                if step["step"] in steps:
                    return int(step["t_ns"])
            time.sleep(0.02)
        return None

    def sample_status(self) -> None:
        """Record what the controller says of itself."""
        body = self._quiet.get(STATUS).body
        self._recorder.record(EventKind.INVENTORY, m.CONTROLLER, body if isinstance(body, dict) else {})

    def record_ends(self) -> None:
        """Record the last state and all steps of every scaling that was asked for."""
        for label, identifier in self._asked:
            record = self.scaling(identifier)
            for step in record.get("steps") or []:
                told = {key: step.get(key) for key in ("t_ns", "step", "text", "rules", "exceptions", "final")}
                at = int(step["t_ns"])
                data = {"name": m.CONTROLLER_STEP, "label": label, "id": identifier, **told}
                self._recorder.record(EventKind.MARK, m.CONTROLLER, data, t=at)
            self._recorder.mark(
                m.SCALING_END,
                label=label,
                id=identifier,
                state=record.get("state", "unknown"),
                reason=record.get("reason") or "",
                threshold=record.get("threshold"),
                cut_flows=record.get("cut_flows") or [],
            )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        self._quiet.close()

    def _post(self, label: str, path: str, body: dict[str, Any], about: dict[str, Any]) -> str | None:
        at = time.monotonic_ns()
        answer: Answer | None = None
        with contextlib.suppress(StackError):
            answer = self._client.post(path, body)
        found = answer.body if answer is not None and isinstance(answer.body, dict) else {}
        identifier = found.get("id") if answer is not None and answer.ok else None
        told = {"method": "", "from": "", "to": "", "share": None, **about}
        self._recorder.mark(
            m.SPLIT,
            label=label,
            t_ns=at,
            status=None if answer is None else answer.status,
            id=identifier,
            answer=found,
            **told,
        )
        if identifier is not None and all(known != identifier for _, known in self._asked):
            self._asked.append((label, str(identifier)))
        return identifier

    def _record(self, exchange: dict[str, Any]) -> None:
        self._recorder.record(
            EventKind.API_CALL,
            "controller-client",
            {
                "method": exchange["method"],
                "path": exchange["url"].partition("://")[2].partition("/")[2],
                "t_request": exchange["t_start"],
                "request": exchange["request_body"],
                "status": exchange.get("status"),
                "answer": exchange.get("response_body"),
                "error": exchange.get("error"),
            },
            t=exchange["t_end"],
        )
