"""A dataplane without packets: control sockets, a controller and a generator that answer as the real ones do.

The generator's flows go where ranges told to the doubles' controller would have led them; nothing is lost.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from listening import Component

from nfvcert.dataplane.identity import Identity
from nfvcert.dataplane.switch.access import SwitchAccess

FLOWS = 60
RATE = 50
COLUMNS = (
    "flow,src,dst,sport,dport,proto,first_tx_ns,last_tx_ns,sent,received,duplicates,reordered,first_instance,"
    "owner_packets,other_packets,first_other_ns,detoured,last_detoured_ns,longest_gap_ns,changes,silence_ms"
)


class Program(Component):
    """A switch's control socket, near enough."""

    def __init__(self, path: Path) -> None:
        self.rules: dict[str, dict[str, Any]] = {}
        super().__init__(path)

    def _messages(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"ok": True, "id": order.get("id"), "t_ns": time.monotonic_ns(), **self._answer(order)}]

    def _answer(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["op"] == "apply":
            for name in order["remove"]:
                self.rules.pop(name)
            self.rules |= {rule["rule"]: rule for rule in order["add"]}
        if order["op"] in ("dump", "apply", "info"):
            return {"rules": list(self.rules.values()), "used": len(self.rules), "capacity": 205}
        if order["op"] == "counters":
            ports = {name: {"rx_packets": 0} for name in ("source", "sink", "s1", "s2")}
            return {"ports": ports, "no_rule": 0, "detoured": {}, "loops": 0}
        if order["op"] == "dump_flows":
            return {"flows": [[1, 2, 3, 4, 17, 10, 640, 5, 6]]}
        return {}


class Generator:
    """The flow mode of the generator's client."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self.bursts: list[dict[str, Any]] = []
        self._begin = 0
        self.streams: list[tuple[Any, Any]] = []
        self._came: list[tuple[int, bytes]] = []

    def keep_received(self, port: int, packets: int, *, pcap_filter: str) -> None:
        """Received packets are always kept."""

    def add_streams(self, port: Any, streams: list[Any]) -> list[int]:
        """Remember them; those outward reach the sink once, as the first instance sends them on."""
        self.streams += [(port, stream) for stream in streams]
        for stream in streams if port == 0 else ():
            frame = bytearray(stream.packet)
            frame[11] = 1
            self._came.append((time.monotonic_ns(), bytes(frame)))
        return list(range(len(streams)))

    def received(self, port: int) -> list[tuple[int, bytes]]:
        """What has come."""
        came, self._came = self._came, []
        return came

    def start(self, ports: list[int], *, force: bool = False) -> dict[str, Any]:
        """Begin with the streams."""
        return {"t_ns": time.monotonic_ns()}

    def stop(self, ports: list[int]) -> None:
        """End them."""

    def remove_streams(self, ports: list[int]) -> None:
        """Forget them."""

    def wait(self, ports: list[int], timeout_s: float) -> bool:
        """They have ended."""
        return True

    def flow_prepare(self, **parameters: Any) -> dict[str, Any]:
        """Remember what is wanted."""
        self.parameters = parameters
        return {}

    def flow_start(self) -> dict[str, Any]:
        """Begin."""
        self._begin = time.monotonic_ns()
        return {"t_ns": self._begin}

    def flow_burst(self, **changes: Any) -> dict[str, Any]:
        """Remember a burst."""
        self.bursts.append(changes)
        return {}

    @property
    def _seconds(self) -> float:
        return float(self.parameters["duration_s"])

    def flow_stop(self) -> dict[str, Any]:
        """Write the flows and sum up."""
        each = round(RATE * self._seconds)
        end = self._begin + round(self._seconds * 1e9)
        lines = [COLUMNS]
        for n in range(FLOWS):
            row = (
                n,
                167772161 + n,
                3323068416,
                1024 + n,
                9,
                17,
                self._begin,
                end,
                each,
                each,
                0,
                0,
                1,
                each,
                0,
                0,
                0,
                0,
            )
            lines.append(",".join(map(str, (*row, 7_000_000, 0, 0))))
        Path(self.parameters["flows_file"]).write_text("\n".join(lines) + "\n")
        counts = {"intended": each * FLOWS, "sent": each * FLOWS, "received": each * FLOWS}
        times = {"intended_duration_s": self._seconds, "duration_s": self._seconds}
        return {"summary": {**counts, **times, "lost": 0, "duplicates": 0, "reordered": 0, "foreign": 0}}

    def flow_intervals(self) -> list[dict[str, Any]]:
        """All intervals."""
        count = round(self._seconds * 10)
        total = round(RATE * self._seconds) * FLOWS
        found = []
        for i in range(count):
            packets = total * (i + 1) // count - total * i // count
            begin = self._begin + i * 100_000_000
            found.append(
                {
                    "begin_ns": begin, "end_ns": begin + 100_000_000, "sent": packets, "received": packets,
                    "living": FLOWS, "instances": {"1": {"packets": packets, "detoured": 0}},
                    "latency_ns": {"direct": {"p50": 9000, "p99": 20000, "n": 10}},
                }
            )  # fmt: skip
        return found


class Controller:
    """Answers every request with a scaling that has converged."""

    def __init__(self, relays: dict[str, str]) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        double = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                double.asked.append((self.path, body))
                double.order(relays["switch"])
                self._say(201, {"id": f"op-{len(double.asked)}", "given": [[32768, 65535]]})

            def do_GET(self) -> None:
                now = time.monotonic_ns()
                steps = [{"t_ns": now, "step": name, "text": name} for name in ("snapshot", "detour", "push")]
                self._say(200, {"state": "CONVERGED", "steps": steps, "threshold": 200})

            def _say(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def order(self, path: str) -> None:
        """Order something of the hardware switch, through the relay."""
        rule = {"rule": f"r{len(self.asked)}", "flow": [1, 2, 3, len(self.asked), 17], "port": "s1", "owner": "nfvcert"}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            order = {"op": "apply", "id": 1, "add": [rule], "remove": [], "atomic": True}
            connection.sendall(json.dumps(order).encode() + b"\n")
            connection.recv(1 << 16)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


class Handle:
    """A dataplane that is up."""

    def __init__(self, folder: Path, setup: Any) -> None:
        self.folder = folder
        self.setup = setup
        servers = [f"s{n}" for n in range(1, setup.servers + 1)]
        self.names = ["switch", *servers, *(f"{server}/v1" for server in servers)]
        self.components = {name: Program(self.control_path(name)) for name in self.names}
        self.generator = Generator()
        self.controller: Controller | None = None
        self.done: list[tuple[str, str]] = []
        instances = {f"{server}/v1": number for number, server in enumerate(servers, 1)}
        self.layout = SimpleNamespace(
            identity=setup.identity or "five-tuple",
            state_timeout_ms=200,
            driver=setup.driver or "core",
            bridged=False,
            instances=instances,
            control=self.control_path,
            server_names=servers,
            setup=setup,
            server_mac=lambda server: f"02:4e:46:01:00:0{server[1:]}",
        )

    def control_path(self, name: str) -> Path:
        """Its socket."""
        return self.folder / f"{name.replace('/', '-')}.ctl"

    def control(self, name: str) -> Any:
        """A client."""
        from nfvcert.dataplane.control import ControlClient

        return ControlClient(self.control_path(name))

    def switch(self, owner: str) -> Any:
        """The hardware switch, driven."""
        return SwitchAccess(control=self.control_path("switch")).drive(owner, Identity.FIVE_TUPLE)

    def switch_observer(self) -> Any:
        """The hardware switch, observed."""
        return SwitchAccess(control=self.control_path("switch")).observe([])

    @property
    def controller_url(self) -> str:
        """Where it listens."""
        assert self.controller is not None
        return self.controller.url

    def start(self, name: str) -> None:
        """Start a process."""
        self.done.append(("start", name))
        if name == "controller" and self.controller is None:
            self.controller = Controller(dict(self.setup.relays))

    def favouring_packets(self) -> AbstractContextManager[None]:
        """There are none."""
        return nullcontext()

    def kill(self, name: str) -> None:
        """Kill one."""
        self.done.append(("kill", name))

    def stop(self, name: str) -> None:
        """Stop one."""
        self.done.append(("stop", name))

    def go_on(self, name: str) -> None:
        """Let it go on."""
        self.done.append(("go on", name))

    def processes(self) -> list[dict[str, Any]]:
        """All of them."""
        return [{"name": name, "pid": 7, "running": True} for name in self.names]

    def close(self) -> None:
        """End everything."""
        for component in self.components.values():
            component.close()
        if self.controller is not None:
            self.controller.close()


HANDLES: list[Handle] = []


@contextmanager
def open_doubles(access: Any, setup: Any) -> Iterator[Handle]:
    """In the place of the real dataplane."""
    handle = Handle(Path(access.state_dir), setup)
    HANDLES.append(handle)
    try:
        yield handle
    finally:
        handle.close()
