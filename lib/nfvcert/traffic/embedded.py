"""Driver of nfvcert-generator, the generator of the embedded testbed."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.latency import percentiles_us
from nfvcert.traffic.native import binary
from nfvcert.traffic.profiles import TrafficProfile
from nfvcert.traffic.protocol import TrialResult

READY_TIMEOUT_S = 8.0
SUMMARY_TIMEOUT_S = 15.0
DEATH_SIGNAL = ("setpriv", "--pdeathsig", "KILL")


class EmbeddedGenerator:
    """A generator process in its own network namespace.

    Args:
        netns: namespace with the two legs.
        access, external: names of the legs.
        gateway_ip: where the clients' packets go first.
        server_ips: addresses of the servers, owned by the generator.
        log: file for its standard error.
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
        argv = ["nsenter", f"--net=/run/netns/{netns}", "--", *DEATH_SIGNAL]
        argv += [str(binary("nfvcert-generator")), "--access", access, "--external", external]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._intervals: queue.Queue[dict[str, Any]] = queue.Queue()
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), name="generator", daemon=True).start()

    def prepare(self, profile: TrafficProfile) -> None:
        """Resolve the gateway and load the profile.

        Raises:
            TestbedError: nobody answers for the gateway, or the profile makes no sense.
        """
        raw = profile.model_dump(exclude={"name", "description"})
        self._send({"op": "prepare", **self._order, "profile": raw})
        self._await("ready", READY_TIMEOUT_S)

    def start(self) -> int:
        """Start sending; returns the time of the first packet (CLOCK_MONOTONIC, ns)."""
        self._send({"op": "start"})
        return int(self._await("started", READY_TIMEOUT_S)["t"])

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
        self._send({"op": "stop", "flows_file": str(flows_file)})
        raw = self._await("summary", SUMMARY_TIMEOUT_S)
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
            latency_us=percentiles_us((int(value), int(count)) for value, count in raw["latency_ns"]),
            flows_file=flows_file,
        )

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            try:
                self._send({"op": "quit"})
                self._process.wait(2)
            except (TestbedError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()

    def _send(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise TestbedError("the generator died", found=f"status {self._process.poll()}") from error

    def _await(self, event: str, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                status = self._process.poll()
                found = f"status {status}" if status is not None else "silence"
                raise TestbedError(
                    f"the generator did not report '{event}' within {timeout_s:g} s", found=found
                ) from None
            if answer.get("event") == event:
                return answer
            if answer.get("event") == "error":
                raise TestbedError("the generator reports an error", found=str(answer.get("message")))

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "error", "message": f"rubbish: {line[:80]!r}"}
            (self._intervals if event.get("event") == "interval" else self._answers).put(event)
