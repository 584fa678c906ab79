"""The two processes of the TCP sessions, each in its namespace."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.embedded import DEATH_SIGNAL

ESTABLISH_TIMEOUT_S = 10.0
END_TIMEOUT_S = 15.0


class SessionEndpoints:
    """A server in one namespace and a client with many sessions in another.

    Args:
        client_netns, server_netns: where they run.
        server_ip: address of the server.
        count: number of sessions.
        interval_s: pause between two requests of a session.
        log: file for what they complain about.
    """

    def __init__(
        self, client_netns: str, server_netns: str, *, server_ip: str, count: int, interval_s: float, log: Path
    ) -> None:
        self.count = count
        self._log = log
        self._server = self._start(server_netns, "server", "--address", server_ip)
        self._expect(self._server, "listening", ESTABLISH_TIMEOUT_S)
        options = ["--address", server_ip, "--sessions", str(count), "--interval", str(interval_s)]
        self._client = self._start(client_netns, "client", *options)
        self.established = int(self._expect(self._client, "established", ESTABLISH_TIMEOUT_S)["sessions"])

    def stop(self) -> list[dict[str, Any]]:
        """End the sessions; returns what became of each."""
        self._finish(self._client)
        sessions = list(self._expect(self._client, "sessions", END_TIMEOUT_S)["sessions"])
        self.close()
        return sessions

    def close(self) -> None:
        """End both processes, whatever they do."""
        for process in (getattr(self, "_client", None), self._server):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def _start(self, netns: str, role: str, *options: str) -> subprocess.Popen[bytes]:
        argv = ["nsenter", f"--net=/run/netns/{netns}", "--", *DEATH_SIGNAL]
        argv += [sys.executable, "-m", "nfvcert.traffic.tcp_sessions", role, *options]
        with self._log.open("ab") as errors:
            return subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )

    @staticmethod
    def _finish(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(b"\n")
            process.stdin.flush()
        except OSError as error:
            raise TestbedError("the client of the TCP sessions died", found=f"status {process.poll()}") from error

    def _expect(self, process: subprocess.Popen[bytes], event: str, timeout_s: float) -> dict[str, Any]:
        lines: Queue[bytes] = Queue()
        assert process.stdout is not None
        stdout = process.stdout
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            answer = json.loads(lines.get(timeout=timeout_s))
        except (Empty, ValueError) as error:
            self.close()
            raise TestbedError(
                f"the TCP sessions did not report '{event}' within {timeout_s:g} s", where=str(self._log)
            ) from error
        if answer.get("event") != event:
            raise TestbedError("the TCP sessions answer out of turn", found=str(answer))
        return dict(answer)
