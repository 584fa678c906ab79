"""A witness as a process of its own between a client and a small component, all on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from nfvcert.history import Event
from nfvcert.history.reader import read_events
from nfvcert.testbed.embedded.addresses import free_ports
from nfvcert.testbed.waiting import wait_for
from nfvcert.testbed.witness.client import WitnessClient
from nfvcert.testbed.witness.models import Listener, WitnessConfig

POINT, DEAD = "or-vnfm", "ve-vnfm-em"


class Component(ThreadingHTTPServer):
    """Answers every request with what it got, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Component

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        self.server.got.append(told)
        plain = (200, {"content-type": "application/json"}, json.dumps({"path": self.path}).encode())
        status, headers, answer = self.server.answers.get(self.path, plain)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("content-length", str(len(answer)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815


class WitnessBench:
    """A running witness with its control client, its component and the folder that it records into."""

    def __init__(self, config: WitnessConfig, component: Component, folder: Path) -> None:
        self.component = component
        self.folder = folder
        self.url = f"http://127.0.0.1:{config.listeners[0].port}"
        self.dead_url = f"http://127.0.0.1:{config.listeners[1].port}"
        self.sink_url = f"http://127.0.0.1:{config.sink_port}"
        self.control_url = f"http://127.0.0.1:{config.control_port}"
        self.control = WitnessClient(self.control_url, self.sink_url)
        self.http = httpx.Client(trust_env=False, timeout=20.0)

    def begin(self, scenario: str = "upgrade") -> None:
        """Record a scenario from now on."""
        self.control.begin(scenario, self.folder)

    def recorded(self, scenario: str = "upgrade") -> list[Event]:
        """What has been recorded of a scenario; every event is flushed before the answer goes on."""
        return read_events(self.folder / f"{scenario}.witness.part.jsonl")

    def calls(self) -> list[dict[str, Any]]:
        """Data of the recorded exchanges."""
        return [event.data for event in self.recorded() if str(event.kind) == "api.call"]


@contextmanager
def running(folder: Path) -> Iterator[WitnessBench]:
    """Start everything and end it again."""
    component = Component()
    serving = threading.Thread(target=component.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    serving.start()
    point, dead, nobody, control, sink = free_ports(5)
    listeners = [
        Listener(name=POINT, port=point, upstream=component.url),
        Listener(name=DEAD, port=dead, upstream=f"http://127.0.0.1:{nobody}"),
    ]
    config = WitnessConfig(listeners=listeners, control_port=control, sink_port=sink, timeout_s=10.0)
    file = folder / "witness.json"
    file.write_text(config.model_dump_json(), encoding="utf-8")
    argv = [sys.executable, "-m", "nfvcert.testbed.witness", "--config", str(file)]
    with subprocess.Popen(argv) as process:
        try:
            bench = WitnessBench(config, component, folder / "history")
            wait_for(lambda: _answers(bench), timeout_s=20, what="the witness getting ready")
            yield bench
        finally:
            process.terminate()
            process.wait(10)
            component.shutdown()
            component.server_close()


def _answers(bench: WitnessBench) -> bool:
    urls = (f"{bench.control_url}/health", f"{bench.sink_url}/sink/probe", f"{bench.url}/ready")
    try:
        return all(bench.http.get(url).status_code in (200, 204) for url in urls)
    except httpx.HTTPError:
        return False
