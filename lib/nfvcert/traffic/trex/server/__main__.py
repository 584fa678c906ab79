"""``python -m nfvcert.traffic.trex.server --engine SOCKET``: serve the TRex protocol in front of a packet engine.

Says ``{"event": "ready", "pid": PID, "rpc": PORT, "publisher": PORT, "ports": N}`` on standard output when it serves;
logs JSON lines on standard error. Exit status 3 when the engine cannot be reached or is gone, or a port is in use.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from nfvcert.errors import ExitCode, NfvcertError
from nfvcert.promptness import answer_promptly
from nfvcert.traffic.trex.server.context import Context, Options
from nfvcert.traffic.trex.server.engine import ControlEngine
from nfvcert.traffic.trex.server.server import Server

_PR_SET_PDEATHSIG = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server; returns the exit status."""
    arguments = _arguments(argv)
    if arguments.die_with_parent:
        _die_with_parent()
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: told.append(received))
    options = Options(arguments.speed, arguments.session_timeout, arguments.output_folder)
    try:
        engine = ControlEngine(arguments.engine, timeout_s=arguments.engine_timeout)
        context = Context(engine, options, time.monotonic)
        context.read_ports()
        server = Server(context, arguments.host, arguments.rpc, arguments.publisher)
    except NfvcertError as error:
        print(error.message, file=sys.stderr)
        return ExitCode.TESTBED
    context.log.say(
        "serving", rpc=server.rpc, publisher=server.publisher, engine=arguments.engine, ports=len(context.ports)
    )
    answer_promptly()
    server.announce()
    try:
        reason = server.serve(lambda: bool(told))
    finally:
        server.close()
        engine.close()
    context.log.say("ended", reason=reason or signal.Signals(told[0]).name)
    return ExitCode.TESTBED if reason else ExitCode.PASS


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nfvcert.traffic.trex.server", description="TRex RPC server for the packet engine"
    )
    parser.add_argument("--engine", required=True, metavar="SOCKET", help="control socket of the packet engine")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--rpc", type=int, default=4501, metavar="PORT", help="requests (default: %(default)s; 0: any)")
    parser.add_argument(
        "--publisher", type=int, default=4500, metavar="PORT", help="events (default: %(default)s; 0: any)"
    )
    parser.add_argument("--speed", type=float, default=100.0, metavar="GBIT", help="line rate of ports that have none")
    parser.add_argument(
        "--session-timeout", type=float, default=10.0, metavar="S", help="silence after which a client is gone"
    )
    parser.add_argument("--engine-timeout", type=float, default=10.0, metavar="S", help="wait so long for the engine")
    parser.add_argument("--output-folder", type=Path, metavar="DIR", help="flow tables may only be written below it")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent process ends")
    return parser.parse_args(argv)


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(ExitCode.TESTBED)


if __name__ == "__main__":
    sys.exit(main())
