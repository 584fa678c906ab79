"""The flow mode of the embedded generator: thousands of living flows, each packet accounted for."""

from __future__ import annotations

from typing import Any

from nfvcert.traffic.trex.process import ClientProcess, GeneratorRefusal

PREPARE_S = 120.0
STOP_S = 180.0


class FlowMode:
    """Extension methods of the RPC protocol over the client's own connection."""

    def __init__(self, client: ClientProcess) -> None:
        self._client = client
        self._methods: list[str] = []
        self._interval = 0
        self._flow_port = 0

    def flow_prepare(
        self, *, tx_port: int = 0, rx_port: int = 1, force: bool = False, **parameters: Any
    ) -> dict[str, Any]:
        """Make the first population of flows; parameters are those of the packet engine's flow mode.

        Raises:
            GeneratorRefusal: a parameter makes no sense, above line rate without ``force``, or the server has no flow
                mode (a TRex in a lab).
        """
        wanted = {"rx_port": rx_port, **parameters}
        self._flow_port, self._interval = tx_port, 0
        return self._flow("flow_prepare", {"parameters": wanted, "force": force}, timeout_s=PREPARE_S)

    def flow_start(self) -> dict[str, Any]:
        """Start what was prepared: {t_ns}, CLOCK_MONOTONIC of the first packet. Raises: GeneratorRefusal."""
        return self._flow("flow_start", {})

    def flow_update(self, *, force: bool = False, **changes: Any) -> dict[str, Any]:
        """Change ``pps`` or ``new_per_second``. Raises: GeneratorRefusal."""
        return self._flow("flow_update", {"changes": changes, "force": force})

    def flow_burst(self, **changes: Any) -> dict[str, Any]:
        """More new flows for a moment: ``duration_ms``, ``new_per_second``. Raises: GeneratorRefusal."""
        return self._flow("flow_burst", {"changes": changes})

    def flow_intervals(self) -> list[dict[str, Any]]:
        """What was seen in intervals since the last call.

        Raises:
            GeneratorRefusal: nothing was prepared, or some were dropped because they were not fetched in time.
        """
        gathered: list[dict[str, Any]] = []
        while True:
            [told] = self._client.rpc([["flow_intervals", {"port_id": self._flow_port, "since": self._interval}]])
            self._interval = told["next"]
            if told["dropped"]:
                found = str(told["dropped"])
                raise GeneratorRefusal("intervals were dropped", "refused", where=self._client.where, found=found)
            if not told["intervals"]:
                return gathered
            gathered += told["intervals"]

    def flow_stop(self) -> dict[str, Any]:
        """Stop, settle, then read: {summary}. Raises: GeneratorRefusal."""
        return self._flow("flow_stop", {}, timeout_s=STOP_S)

    def _flow(self, method: str, parameters: dict[str, Any], *, timeout_s: float = 10.0) -> dict[str, Any]:
        if self._methods and method not in self._methods:
            where = self._client.where
            hint = "use the embedded generator"
            raise GeneratorRefusal("this server has no flow mode", "unknown-method", where=where, hint=hint)
        request = {"handler": None, "port_id": self._flow_port, **parameters}
        [result] = self._client.rpc([[method, request]], timeout_s=timeout_s)
        return dict(result or {})
