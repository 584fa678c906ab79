"""A TRex server in front of an engine, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.native import binary

SIMULATED = Path(__file__).resolve().parents[1] / "unit" / "traffic" / "trex" / "simulated_engine.py"
EXAMPLES = Path(__file__).resolve().parent / "trex_examples" / "examples.py"
ENGINE = "nfvcert-packet-engine"


@dataclass
class Stand:
    """Where the server is to be reached, and its processes."""

    rpc: int
    publisher: int
    server: subprocess.Popen[str]
    engine: subprocess.Popen[str]
    folder: Path
    native: bool

    def example(self, name: str, *, timeout_s: float = 60) -> Any:
        """Run one of the client's examples; what it saw."""
        command = [sys.executable, str(EXAMPLES), name, str(self.rpc), str(self.publisher)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)

    @property
    def log(self) -> list[dict[str, Any]]:
        """What the server logged."""
        return [json.loads(line) for line in (self.folder / "server.log").read_text().splitlines()]


def native_engine() -> Path | None:
    """The packet engine's program, if it has been built."""
    with contextlib.suppress(TestbedError):
        return binary(ENGINE)
    return None


@contextlib.contextmanager
def stand_up(
    folder: Path, *, native: bool = False, flaws: dict[str, Any] | None = None, options: Sequence[str] = ()
) -> Iterator[Stand]:
    """Start engine and server; both end with the block."""
    control = folder / "engine.sock"
    command = [sys.executable, str(SIMULATED), "--control", str(control), "--flaws", json.dumps(flaws or {})]
    with contextlib.ExitStack() as stack:
        if native:
            namespace = stack.enter_context(_cable())
            program = [str(native_engine()), "--config", str(_configuration(folder, control))]
            command = ["nsenter", f"--net=/run/netns/{namespace}", "--", *program]
        engine = _start(stack, command, folder / "engine.log")
        _ready(engine, folder / "engine.log")
        server_command = [
            sys.executable,
            "-m",
            "nfvcert.traffic.trex.server",
            "--engine",
            str(control),
            "--die-with-parent",
        ]
        server = _start(
            stack, [*server_command, "--rpc", "0", "--publisher", "0", "--speed", "10", *options], folder / "server.log"
        )
        ready = _ready(server, folder / "server.log")
        if native:
            time.sleep(1.0)  # for the links
        yield Stand(ready["rpc"], ready["publisher"], server, engine, folder, native)


@contextlib.contextmanager
def _cable() -> Iterator[str]:
    """A network namespace with a pair of interfaces, source and sink, on which nobody else sends."""
    namespace = f"nfvcert-trex-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        inside = ["ip", "netns", "exec", namespace]
        for name in ("all", "default"):
            setting = f"net.ipv6.conf.{name}.disable_ipv6=1"
            subprocess.run([*inside, "sysctl", "-q", "-w", setting], check=False)
        subprocess.run([*inside, "ip", "link", "add", "source", "type", "veth", "peer", "name", "sink"], check=True)
        for name in ("source", "sink"):
            subprocess.run([*inside, "ip", "link", "set", name, "up", "arp", "off"], check=True)
        yield namespace
    finally:
        subprocess.run(["ip", "netns", "del", namespace], check=False)


def _configuration(folder: Path, control: Path) -> Path:
    """Two ports of the real engine, at the two ends of a cable."""
    configuration = {
        "control": str(control),
        "die_with_parent": True,
        "memory_mib": 256,
        "port_order": ["source", "sink"],
        "ports": {"source": "af_packet:iface=source", "sink": "af_packet:iface=sink"},
    }
    path = folder / "engine.json"
    path.write_text(json.dumps(configuration))
    return path


def _start(stack: contextlib.ExitStack, command: list[str], log: Path) -> subprocess.Popen[str]:
    output = stack.enter_context(log.open("w"))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _ready(process: subprocess.Popen[str], log: Path, timeout_s: float = 20) -> dict[str, Any]:
    stream: IO[str] | None = process.stdout
    assert stream is not None
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        line = stream.readline() if select.select([stream], [], [], 0.2)[0] else ""
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if told.get("event") == "ready":
                return dict(told)
    raise AssertionError(f"not ready: {process.args!r}\n{log.read_text()[-2000:]}")
