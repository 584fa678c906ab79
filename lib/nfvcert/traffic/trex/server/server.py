"""The server: sockets, and the loop that never waits long."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable

import zmq

from nfvcert.errors import TestbedError
from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.dispatcher import Dispatcher
from nfvcert.traffic.trex.server.engine import EngineGone
from nfvcert.traffic.trex.server.frames import LONGEST_TEXT
from nfvcert.traffic.trex.server.housekeeping import Housekeeping

TICK_S = 0.1
TRIGGER = b"{}"
"""What wakes subscribers: they ask for their events then."""
HEARTBEAT_S = 1.0
FAREWELL_S = 2.0
"""So long the server still answers when the engine is gone, that clients learn of it."""


class Server:
    """REP socket for requests, PUB socket that wakes subscribers.

    Raises:
        TestbedError: a port is in use.
    """

    def __init__(self, context: Context, host: str, rpc: int, publisher: int) -> None:
        self.context = context
        self._dispatcher = Dispatcher(context)
        self._housekeeping = Housekeeping(context)
        self._zmq = zmq.Context()
        self._rpc = self._zmq.socket(zmq.REP)
        self._publisher = self._zmq.socket(zmq.PUB)
        for each in (self._rpc, self._publisher):
            each.setsockopt(zmq.LINGER, 200)
        # what is longer than a frame may be is answered with an error; far longer than that it is not even received
        self._rpc.setsockopt(zmq.MAXMSGSIZE, 4 * LONGEST_TEXT)
        self.rpc = self._bind(self._rpc, host, rpc)
        self.publisher = self._bind(self._publisher, host, publisher)
        self._triggers = 0
        self._woken = 0.0

    def _bind(self, each: zmq.Socket[bytes], host: str, port: int) -> int:
        try:
            if port == 0:
                return int(each.bind_to_random_port(f"tcp://{host}"))
            each.bind(f"tcp://{host}:{port}")
            return port
        except zmq.ZMQError as error:
            self.close()
            raise TestbedError("the server cannot listen", where=f"{host}:{port}", found=str(error)) from error

    def serve(self, stopped: Callable[[], bool]) -> str:
        """Serve until ``stopped`` or the engine is gone; answers why it ended, empty when it was told to."""
        poller = zmq.Poller()
        poller.register(self._rpc, zmq.POLLIN)
        engine = self.context.engine.fileno()
        if engine is not None:
            poller.register(engine, zmq.POLLIN)
        next_tick = 0.0
        farewell: float | None = None
        while not stopped() and (farewell is None or time.monotonic() < farewell):
            ready = dict(poller.poll(int(max(0.0, next_tick - time.monotonic()) * 1000)))
            self._take_engine()
            if self._rpc in ready:
                self._answer_one()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._housekeeping.tick()
            self._wake()
            if self.context.gone and farewell is None:
                farewell = time.monotonic() + FAREWELL_S
                if engine is not None:
                    poller.unregister(engine)
        return self.context.gone

    def close(self) -> None:
        """Close the sockets."""
        self._zmq.destroy(linger=200)

    def announce(self) -> None:
        """Say on standard output that requests are served."""
        ready = {
            "event": "ready",
            "pid": os.getpid(),
            "rpc": self.rpc,
            "publisher": self.publisher,
            "ports": len(self.context.ports),
        }
        print(json.dumps(ready), flush=True)
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()

    def _answer_one(self) -> None:
        parts = self._rpc.recv_multipart()
        self._rpc.send(self._dispatcher.answer(parts[0] if len(parts) == 1 else b""))

    def _take_engine(self) -> None:
        if self.context.gone:
            return
        try:
            self.context.engine.service()
        except EngineGone as error:
            self.context.lost(error)
        self.context.take_engine_events()

    def _wake(self) -> None:
        """Wake subscribers for what happened, and every second so that they show that they are there."""
        now = time.monotonic()
        if self.context.sessions.triggers != self._triggers or now - self._woken >= HEARTBEAT_S:
            self._triggers = self.context.sessions.triggers
            self._woken = now
            self._publisher.send(TRIGGER)
