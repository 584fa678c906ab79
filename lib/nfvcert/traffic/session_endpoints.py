"""The two processes of the TCP sessions, each in its namespace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nfvcert.traffic.native import NativeProcess
from nfvcert.traffic.tcp_sessions import ANSWER_TIMEOUT_S

ESTABLISH_TIMEOUT_S = 10.0
END_TIMEOUT_S = 15.0


class SessionEndpoints:
    """A server in one namespace and a client with many sessions in another.

    Args:
        client_netns, server_netns: where they run.
        server_ip: address of the server.
        count: number of sessions.
        interval_s: pause between two requests of a session.
        answer_timeout_s: a session without an answer for that long is broken.
        log: file for what they complain about.
    """

    def __init__(
        self,
        client_netns: str,
        server_netns: str,
        *,
        server_ip: str,
        count: int,
        interval_s: float,
        log: Path,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.count = count
        self._log = log
        self._client: NativeProcess | None = None
        self._server = self._start(server_netns, "server", "--address", server_ip)
        try:
            self._server.await_event("listening", ESTABLISH_TIMEOUT_S)
            options = ["--address", server_ip, "--sessions", str(count), "--interval", str(interval_s)]
            options += ["--answer-timeout", str(answer_timeout_s)]
            self._client = self._start(client_netns, "client", *options)
            established = self._client.await_event("established", ESTABLISH_TIMEOUT_S)
        except BaseException:
            self.close()
            raise
        self.established = int(established["sessions"])

    def stop(self) -> list[dict[str, Any]]:
        """End the sessions; returns what became of each."""
        try:
            assert self._client is not None
            self._client.send({"op": "stop"})
            return list(self._client.await_event("sessions", END_TIMEOUT_S)["sessions"])
        finally:
            self.close()

    def close(self) -> None:
        """End both processes, whatever they do."""
        for process in (self._client, self._server):
            if process is not None:
                process.close()

    def _start(self, netns: str, role: str, *options: str) -> NativeProcess:
        argv = [sys.executable, "-m", "nfvcert.traffic.tcp_sessions", role, *options]
        return NativeProcess(argv, log=self._log, netns=netns)
