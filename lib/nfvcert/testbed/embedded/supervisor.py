"""What back-ends may ask of the process that holds the testbed: restart a component of the stack.

One JSON object a line over a Unix socket: ``{"restart": "vnfm", "down_s": 1.0}`` is answered with
``{"down_from": ns, "up_at": ns}`` or ``{"error": "..."}``.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nfvcert.errors import NfvcertError, TestbedError

Restart = Callable[[str, float], tuple[int, int]]
ANSWER_TIMEOUT_S = 60.0


class Supervisor:
    """Serves requests until stopped."""

    def __init__(self, path: Path, restart: Restart) -> None:
        self.path = path

        class Handler(socketserver.StreamRequestHandler):
            """One connection, one request."""

            def handle(self) -> None:
                """Answer it."""
                answer: dict[str, Any]
                try:
                    order = json.loads(self.rfile.readline())
                    down, up = restart(str(order["restart"]), float(order.get("down_s", 0)))
                    answer = {"down_from": down, "up_at": up}
                except NfvcertError as error:
                    answer = {"error": error.message}
                except (ValueError, KeyError, TypeError) as error:
                    answer = {"error": f"not an order: {error!r}"}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


def ask_restart(path: Path, component: str, down_s: float) -> tuple[int, int]:
    """Ask the holder of the testbed to kill and restart a component; returns down and up times (ns).

    Raises:
        TestbedError: it could not be restarted, or nobody listens.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps({"restart": component, "down_s": down_s}).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
    except (OSError, ValueError) as error:
        raise TestbedError("the holder of the testbed does not answer", where=str(path), found=repr(error)) from error
    if "error" in answer:
        raise TestbedError(f"the {component} could not be restarted", found=answer["error"])
    return int(answer["down_from"]), int(answer["up_at"])
