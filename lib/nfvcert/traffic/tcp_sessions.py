"""Real TCP sessions of the kernel's stack that last through a scenario.

``python -m nfvcert.traffic.tcp_sessions server --address A --port P`` answers numbered requests; ``client`` keeps N
sessions to it, each with one request after the other, until a line arrives on standard input. Both run inside the
namespaces of the testbed. The client then prints one JSON object: what became of each session.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass, field

REQUEST = struct.Struct("!IQ")
"""session, number."""
ANSWER = struct.Struct("!IQ4sH")
"""session, number, address and port that the server sees."""
ANSWER_TIMEOUT_S = 5.0


@dataclass
class Session:
    """One session as the client saw it; times CLOCK_MONOTONIC in ns or ms as named."""

    id: int
    established: bool = False
    established_ns: int = 0
    exchanges: int = 0
    longest_ms: float = 0.0
    longest_at_ns: int = 0
    broken: bool = False
    reason: str = ""
    addresses: list[str] = field(default_factory=list)


async def serve(address: str, port: int) -> None:
    """Answer requests until standard input ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, peer_port = writer.get_extra_info("peername")[:2]
        packed = bytes(int(part) for part in host.split("."))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                session, number = REQUEST.unpack(await reader.readexactly(REQUEST.size))
                writer.write(ANSWER.pack(session, number, packed, peer_port))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, port)
    print(json.dumps({"event": "listening"}), flush=True)
    async with server:
        await _end_of_input()


async def keep_sessions(
    address: str, port: int, count: int, interval: float, answer_timeout: float = ANSWER_TIMEOUT_S
) -> list[Session]:
    """Keep sessions until a line arrives on standard input; returns what became of them.

    A session is broken when its peer ends it, answers wrongly, or does not answer within ``answer_timeout`` seconds.
    """
    sessions = [Session(number) for number in range(count)]
    stopping = asyncio.Event()
    tasks = [
        asyncio.create_task(_keep(session, (address, port), interval, answer_timeout, stopping)) for session in sessions
    ]
    while not all(session.established or session.broken for session in sessions):
        await asyncio.sleep(0.02)
    print(json.dumps({"event": "established", "sessions": sum(s.established for s in sessions)}), flush=True)
    await _end_of_input()
    stopping.set()
    await asyncio.gather(*tasks)
    return sessions


async def _keep(
    session: Session, server: tuple[str, int], interval: float, answer_timeout: float, stopping: asyncio.Event
) -> None:
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*server), ANSWER_TIMEOUT_S)
        # The kernel must not give up before this program does: then the reason would depend on who was faster.
        kernel_timeout_ms = int(2 * answer_timeout * 1000)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, kernel_timeout_ms)
        session.established, session.established_ns = True, time.monotonic_ns()
        while not stopping.is_set():
            await _exchange(session, reader, writer, answer_timeout)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), interval)
        writer.close()
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        session.broken = True
        session.reason = f"{type(error).__name__}: {error}".rstrip(": ")


async def _exchange(
    session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_timeout: float
) -> None:
    begin = time.monotonic_ns()
    writer.write(REQUEST.pack(session.id, session.exchanges))
    await writer.drain()
    try:
        raw = await asyncio.wait_for(reader.readexactly(ANSWER.size), answer_timeout)
    except TimeoutError:
        raise TimeoutError(f"no answer within {answer_timeout:g} s") from None
    number, counter, packed, port = ANSWER.unpack(raw)
    if (number, counter) != (session.id, session.exchanges):
        raise ValueError(f"answer {number}/{counter} to request {session.id}/{session.exchanges}")
    seen = f"{'.'.join(str(octet) for octet in packed)}:{port}"
    if seen not in session.addresses:
        session.addresses.append(seen)
    session.exchanges += 1
    taken = (time.monotonic_ns() - begin) / 1e6
    if taken > session.longest_ms:
        session.longest_ms, session.longest_at_ns = round(taken, 3), begin


async def _end_of_input() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def main() -> int:
    """Command-line entry point."""
    parser = argparse.ArgumentParser(description="TCP sessions that last")
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=7000)
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--interval", type=float, default=0.05)
    parser.add_argument("--answer-timeout", type=float, default=ANSWER_TIMEOUT_S)
    options = parser.parse_args()
    if options.role == "server":
        asyncio.run(serve(options.address, options.port))
        return 0
    sessions = asyncio.run(
        keep_sessions(options.address, options.port, options.sessions, options.interval, options.answer_timeout)
    )
    print(json.dumps({"event": "sessions", "sessions": [asdict(session) for session in sessions]}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
