"""The tester's side of the control interface of the witness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from nfvcert.errors import TestbedError
from nfvcert.testbed.witness.models import Rule, ScenarioOrder, Sink


class WitnessClient:
    """Orders to a running witness.

    Args:
        control_url: base URL of its control interface.
        sink_url: base URL of its notification sinks.
    """

    def __init__(self, control_url: str, sink_url: str) -> None:
        self._sink_url = sink_url
        self._http = httpx.Client(base_url=control_url, timeout=10.0, trust_env=False)

    def sink(self, name: str, *, refuse_first: bool = False) -> str:
        """The callback URL of a sink with that name, its behaviour set."""
        self._order("PUT", "/sinks", Sink(name=name, refuse_first=refuse_first).model_dump())
        return f"{self._sink_url}/sink/{name}"

    def begin(self, scenario: str, folder: Path) -> None:
        """Record from now on."""
        self._order("PUT", "/scenario", ScenarioOrder(scenario=scenario, folder=str(folder)).model_dump())

    def end(self) -> None:
        """Stop recording and lift all faults."""
        self._order("DELETE", "/scenario")

    def add_rule(self, rule: Rule) -> None:
        """Put a fault in force."""
        self._order("PUT", "/rules", rule.model_dump())

    def remove_rule(self, rule_id: str) -> None:
        """Lift a fault."""
        self._order("DELETE", f"/rules/{rule_id}")

    def _order(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise TestbedError(
                "the witness does not answer", where=str(self._http.base_url), found=repr(error)
            ) from error
        if answer.status_code >= 400 and answer.status_code != 404:
            raise TestbedError("the witness refused an order", where=path, found=answer.text)
