"""Recording what the tester itself asks the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nfvcert.history import EventKind, Recorder

Observer = Callable[[dict[str, Any]], None]


def recording_observer(recorder: Recorder, role: str, reference_point: str) -> Observer:
    """An observer for :class:`nfvcert.sol.http.SolClient` that writes each exchange into a history.

    Args:
        role: who asks: ``oss``, ``nfvo``, ``em`` or ``administrator``.
        reference_point: for instance ``os-ma-nfvo``.
    """

    def observe(exchange: dict[str, Any]) -> None:
        data = {"reference_point": reference_point, "role": role, **exchange}
        recorder.record(EventKind.API_CALL, f"tester:{role}", data, t=exchange.get("t_answer"))

    return observe
