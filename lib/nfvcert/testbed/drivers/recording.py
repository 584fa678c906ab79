"""Recording what the tester itself asks the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from nfvcert.history import EventKind, Recorder
from nfvcert.sol.http import Answer
from nfvcert.testbed.witness.record import KEPT_HEADERS

Observer = Callable[[dict[str, Any]], None]


def recording_observer(recorder: Recorder, role: str, reference_point: str) -> Observer:
    """An observer for :class:`nfvcert.sol.http.SolClient` that writes each exchange as the witness does.

    Args:
        role: who asks: ``oss``, ``nfvo``, ``em`` or a reader.
        reference_point: for instance ``os-ma-nfvo``.
    """

    def observe(exchange: dict[str, Any]) -> None:
        address = urlsplit(exchange["url"])
        data = {
            "reference_point": reference_point,
            "role": role,
            "method": exchange["method"],
            "path": address.path,
            "query": address.query,
            "t_request": exchange["t_start"],
            "request_headers": _kept(exchange.get("request_headers") or {}),
            "request": exchange.get("request_body"),
            "status": exchange.get("status"),
            "headers": _kept(exchange.get("response_headers") or {}),
            "answer": exchange.get("response_body"),
            "error": exchange.get("error"),
        }
        recorder.record(EventKind.API_CALL, f"tester:{role}", data, t=exchange.get("t_end"))

    return observe


def _kept(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() in KEPT_HEADERS}


def problem_of(answer: Answer) -> dict[str, Any] | None:
    """The problem document of an answer as it is recorded; None when there is none."""
    return answer.problem.model_dump(mode="json", exclude_none=True) if answer.problem else None
