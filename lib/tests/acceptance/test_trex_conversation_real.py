"""The recorded conversation once more, with the server in front of the real engine."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import zmq
from trex_stand import native_engine, stand_up

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit" / "traffic" / "trex"))

from conversation import read
from replay import replay_alike


class Wire:
    """The way to a server over its socket, plain JSON."""

    def __init__(self, rpc: int) -> None:
        self._socket = zmq.Context.instance().socket(zmq.REQ)
        self._socket.setsockopt(zmq.RCVTIMEO, 5000)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(f"tcp://127.0.0.1:{rpc}")

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def frame(self, content: Any) -> Any:
        self._socket.send(json.dumps(content).encode())
        return json.loads(self._socket.recv())

    def close(self) -> None:
        self._socket.close()


def test_the_recorded_conversation_replays_on_the_real_engine(tmp_path: Path) -> None:
    if native_engine() is None:
        pytest.skip("the packet engine is not built")
    with stand_up(tmp_path, native=True) as stand:
        wire = Wire(stand.rpc)
        try:
            replay_alike(read(), wire)
        finally:
            wire.close()
