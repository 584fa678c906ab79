"""Record the conversation between the unmodified client and a server, for the tests to replay.

``make trex-conversation`` starts the packet engine on both ends of a cable in a network namespace of its own, our
server in front of it, and writes what the tests replay, in fixtures/traffic/trex/conversation.jsonl: to be done anew
when a method or an answer of the server changes. ``--engine simulated`` records with the simulated engine,
``--rpc 4501 --publisher 4500 --output FILE`` with a server that is there, such as a TRex in a lab.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import zmq
from conversation import RECORDED, record

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[2] / "acceptance"))

from trex_stand import stand_up  # noqa: E402


class Recorder(threading.Thread):
    """Stands between client and server and writes down what they say."""

    def __init__(self, rpc: int) -> None:
        super().__init__(daemon=True)
        self.records: list[dict[str, Any]] = []
        context = zmq.Context()
        self._front = context.socket(zmq.REP)
        self.port = int(self._front.bind_to_random_port("tcp://127.0.0.1"))
        self._back = context.socket(zmq.REQ)
        self._back.connect(f"tcp://127.0.0.1:{rpc}")

    def run(self) -> None:
        begin: float | None = None
        while True:
            request = self._front.recv()
            self._back.send(request)
            answer = self._back.recv()
            begin = begin or time.monotonic()
            told = record(time.monotonic() - begin, _text(request), _text(answer))
            if told is not None:
                self.records.append(told)
            self._front.send(answer)


def _text(frame: bytes) -> Any:
    return json.loads(zlib.decompress(frame[8:]) if frame[:4] == b"\xab\xe8\x5c\xea" else frame)


def converse(rpc: int, publisher: int, output: Path) -> None:
    """Record with a server."""
    recorder = Recorder(rpc)
    recorder.start()
    subprocess.run(
        [sys.executable, str(HERE / "converse.py"), str(recorder.port), str(publisher)], check=True, timeout=120
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(told, separators=(",", ":")) for told in recorder.records]
    output.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} exchanges in {output}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rpc", type=int)
    parser.add_argument("--publisher", type=int)
    parser.add_argument("--engine", choices=("real", "simulated"), default="real")
    parser.add_argument("--output", type=Path, default=RECORDED)
    arguments = parser.parse_args()
    if arguments.rpc:
        converse(arguments.rpc, arguments.publisher, arguments.output)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        stand_up(Path(folder), native=arguments.engine == "real") as stand,
    ):
        converse(stand.rpc, stand.publisher, arguments.output)


if __name__ == "__main__":
    main()
