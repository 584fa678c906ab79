"""Sockets that live in another network namespace than this process.

A socket belongs for its whole life to the namespace in which it was created. One thread enters the namespace for good
and does nothing but create sockets; the event loop of the process then uses them from its own namespace.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from nfvcert.nfvi import namespaces


class SocketFactory:
    """Creates TCP sockets in the network namespace `netns`, or in that of the process when it is None."""

    def __init__(self, netns: str | None = None) -> None:
        self.netns = netns
        self._entered = False
        self._thread: ThreadPoolExecutor | None = None

    async def create(self) -> socket.socket:
        """A new non-blocking IPv4 TCP socket.

        Raises:
            TestbedError: there is no such namespace.
            OSError: it may not be entered.
        """
        if self.netns is None:
            return _tcp_socket()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"netns-{self.netns}")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._create_inside, self.netns)

    def _create_inside(self, netns: str) -> socket.socket:
        if not self._entered:
            namespaces.enter(netns)
            self._entered = True
        return _tcp_socket()

    def close(self) -> None:
        """End the thread; sockets that were created stay usable."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None
            self._entered = False


def _tcp_socket() -> socket.socket:
    created = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    created.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return created
