"""Driver of nfvcert-generator, the generator of the embedded testbed."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nfvcert.traffic.latency import percentiles_us
from nfvcert.traffic.native import NativeProcess, binary
from nfvcert.traffic.profiles import TrafficProfile
from nfvcert.traffic.protocol import TrialResult

GATEWAY_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 3.0
SUMMARY_TIMEOUT_S = 15.0


class EmbeddedGenerator:
    """A generator process in its own network namespace.

    Args:
        netns: namespace with the two legs.
        gateway_ip: where the clients' packets go first.
        server_ips: addresses of the servers, owned by the generator.
        log: file for its standard error.
        access, external: names of the legs.
        answer_all_arp: the server's side answers for every address; for the self-test without any gateway.
    """

    def __init__(
        self,
        netns: str,
        *,
        gateway_ip: str,
        server_ips: Sequence[str],
        log: Path,
        access: str = "acc0",
        external: str = "ext0",
        answer_all_arp: bool = False,
    ) -> None:
        self._order: dict[str, Any] = {
            "gateway_ip": gateway_ip,
            "server_ips": list(server_ips),
            "answer_all_arp": answer_all_arp,
        }
        self._intervals: queue.Queue[dict[str, Any]] = queue.Queue()
        argv: list[str | Path] = [binary("nfvcert-generator"), "--access", access, "--external", external]
        self._process = NativeProcess(argv, log=log, netns=netns, on_event=self._keep_interval)

    @property
    def pid(self) -> int:
        """Process id of the generator."""
        return self._process.pid

    def prepare(self, profile: TrafficProfile, *, timeout_s: float = GATEWAY_TIMEOUT_S) -> None:
        """Resolve the gateway, for at most ``timeout_s``, and load the profile.

        Raises:
            TestbedError: nobody answers for the gateway, or the profile makes no sense.
        """
        raw = profile.model_dump(mode="json", exclude={"name", "description"})
        self._process.send({"op": "prepare", **self._order, "timeout_s": timeout_s, "profile": raw})
        self._process.await_event("ready", timeout_s + ANSWER_TIMEOUT_S)

    def start(self) -> int:
        """Start sending; returns the time of the first packet (CLOCK_MONOTONIC, ns)."""
        self._process.send({"op": "start"})
        return int(self._process.await_event("started", ANSWER_TIMEOUT_S)["t"])

    def mark(self, name: str) -> int:
        """A moment in the generator's own time (CLOCK_MONOTONIC, ns)."""
        self._process.send({"op": "mark", "name": name})
        return int(self._process.await_event("mark", ANSWER_TIMEOUT_S)["t"])

    def change_rate(self, pps: float) -> int:
        """Send at another rate from now on; returns the time of the change (ns)."""
        self._process.send({"op": "profile", "pps": pps})
        return int(self._process.await_event("profile", ANSWER_TIMEOUT_S)["t"])

    def intervals(self) -> list[dict[str, Any]]:
        """Interval records that have come in since the last call."""
        found = []
        while True:
            try:
                found.append(self._intervals.get_nowait())
            except queue.Empty:
                return found

    def stop(self, flows_file: Path) -> TrialResult:
        """Stop, settle, then read."""
        self._process.send({"op": "stop", "flows_file": str(flows_file)})
        raw = self._process.await_event("summary", SUMMARY_TIMEOUT_S)
        return TrialResult(
            intended=int(raw["intended"]),
            sent=int(raw["sent"]),
            intended_duration=float(raw["intended_duration_s"]),
            duration=float(raw["duration_s"]),
            send_errors=int(raw["tx_errors"]),
            receiver_drops=int(raw["rx_drops"]),
            received=int(raw["received"]),
            lost=int(raw["lost"]),
            duplicates=int(raw["duplicates"]),
            reordered=int(raw["reordered"]),
            return_sent=int(raw["return_sent"]),
            return_received=int(raw["return_received"]),
            bad_checksums=int(raw["bad_checksums"]),
            foreign=int(raw["foreign"]),
            flows=int(raw["flows"]),
            users=int(raw["users"]),
            stalls=list(raw["stalls"]),
            late=[(int(begin), int(count)) for begin, count in raw["late"]],
            latency_us=percentiles_us((int(value), int(count)) for value, count in raw["latency_ns"]),
            flows_file=flows_file,
        )

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _keep_interval(self, event: dict[str, Any]) -> bool:
        if event.get("event") != "interval":
            return False
        self._intervals.put(event)
        return True
