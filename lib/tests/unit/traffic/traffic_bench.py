"""What stands around a generator under test: two namespaces, and a relay between its ports that does harm."""

from __future__ import annotations

import contextlib
import ctypes
import queue
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = 0x4E465643
PAYLOAD_AT = 42
PACKET_IGNORE_OUTGOING = 23
CLONE_NEWNET = 0x40000000
SERVER = "198.19.0.100"
GATEWAY = "198.18.0.1"

_setns = ctypes.CDLL(None, use_errno=True).setns


@dataclass(frozen=True)
class Packet:
    """A measurement packet on its way to the server."""

    flow: int
    sequence: int
    sent: int


@dataclass
class Bench:
    """Namespace ``generator`` with legs acc0 and ext0; their other ends r0 and r1 in ``between``."""

    generator: str
    between: str
    log: Path


def run(*argv: str) -> None:
    """A command that must succeed."""
    subprocess.run(argv, check=True, capture_output=True, text=True)


def in_netns(netns: str, action: Callable[[], Any]) -> Any:
    """What ``action`` gives when a thread inside a namespace does it."""
    result: list[Any] = []

    def work() -> None:
        with open(f"/run/netns/{netns}") as namespace:  # noqa: PTH123
            if _setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), netns)
        result.append(action())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return result[0]


@dataclass
class Relay:
    """Carries frames between r0 and r1. ``decide`` says what becomes of a measurement packet on its way to the server.

    Decisions: pass, drop, twice, damage, hold (until the next packet of its flow has passed).
    """

    netns: str
    decide: Callable[[Packet], str] = lambda packet: "pass"
    done: dict[str, list[Packet]] = field(default_factory=dict)
    seen: int = 0
    destination: bytes = b""

    def __enter__(self) -> Relay:
        def ports() -> list[socket.socket]:
            sockets = []
            for name in ("r0", "r1"):
                port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                port.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
                port.setsockopt(263, PACKET_IGNORE_OUTGOING, 1)
                port.bind((name, 3))
                sockets.append(port)
            return sockets

        self._ports = in_netns(self.netns, ports)
        self._held: dict[int, tuple[Packet, bytes]] = {}
        self._wanted: int | None = None
        self._taken: queue.Queue[tuple[Packet, bytes]] = queue.Queue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        for port in self._ports:
            port.close()

    def count(self, what: str) -> int:
        """How many packets were dealt with in that way."""
        return len(self.done.get(what, ()))

    @property
    def holds(self) -> int:
        """How many packets are held back."""
        return len(self._held)

    def take(self, flow: int) -> tuple[Packet, bytes]:
        """Take the next packet of a flow out of the stream."""
        self._wanted = flow
        return self._taken.get(timeout=30)

    def inject(self, frame: bytes, *, to_access: bool = False) -> None:
        """Send a frame to the server's leg, or to that of the clients."""
        self._ports[0 if to_access else 1].send(frame)

    def _carry(self) -> None:
        access, external = self._ports
        while not self._ending.is_set():
            for port in select.select(self._ports, [], [], 0.02)[0]:
                frame = port.recv(2048)
                with contextlib.suppress(OSError):
                    if port is external:
                        access.send(frame)
                    elif len(frame) < PAYLOAD_AT + 25 or struct.unpack_from("!I", frame, PAYLOAD_AT)[0] != MAGIC:
                        external.send(frame)
                    else:
                        self._forward(external, frame)

    def _forward(self, to: socket.socket, frame: bytes) -> None:
        packet = Packet(*struct.unpack_from("!QIQ", frame, PAYLOAD_AT + 4))
        self.seen += 1
        self.destination = frame[:6]
        if packet.flow == self._wanted:
            self._wanted = None
            self._taken.put((packet, frame))
            return
        held = self._held.pop(packet.flow, None)
        what = "pass" if held else self.decide(packet)
        if what == "hold":
            self._held[packet.flow] = (packet, frame)
            return
        self.done.setdefault(what, []).append(packet)
        if what == "damage":
            frame = frame[:-1] + bytes([frame[-1] ^ 0xFF])
        if what != "drop":
            to.send(frame)
        if what == "twice":
            to.send(frame)
        if held:
            self.done.setdefault("hold", []).append(held[0])
            to.send(held[1])
