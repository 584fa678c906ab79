"""Client of the VNFCs' management protocol: newline-delimited JSON over TCP, one request at a time per connection.

A connection is opened when it is first needed and again after any failure; every exchange has a time limit, so a caller
never waits longer than that for a VNFC that does not answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nfvcert.errors import StackError
from nfvcert.reference.em.netns import SocketFactory

MANAGEMENT_PORT = 8300
ANSWER_LIMIT = 64 * 1024 * 1024


class ElementError(StackError):
    """A VNFC answered a management request with an error."""


class UnreachableError(ElementError):
    """A VNFC cannot be connected, does not answer in time, or answers rubbish."""


class ManagementClient:
    """One VNFC's management address.

    Args:
        name: how errors call the VNFC.
        host: IPv4 address of its management port.
        sockets: where sockets come from.
        port: TCP port.
        timeout_s: limit of one exchange, connecting included.
    """

    def __init__(
        self, name: str, host: str, sockets: SocketFactory, *, port: int = MANAGEMENT_PORT, timeout_s: float = 2.0
    ) -> None:
        self.name = name
        self.host = host
        self.port = port
        self.timeout_s = timeout_s
        self._sockets = sockets
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def where(self) -> str:
        """The VNFC and its address, for messages."""
        return f"VNFC {self.name} ({self.host}:{self.port})"

    async def call(
        self, operation: str, parameters: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """Send one request and return its answer.

        Args:
            operation: name of the request.
            parameters: further members of the request.
            timeout_s: other limit than the client's.

        Raises:
            UnreachableError: no connection, no answer in time, or not a JSON object.
            ElementError: the VNFC refused.
        """
        limit = timeout_s if timeout_s is not None else self.timeout_s
        try:
            async with asyncio.timeout(limit):
                async with self._turn:
                    answer = await self._exchange({"command": operation, **(parameters or {})})
        except TimeoutError as error:
            raise UnreachableError(
                f"management does not answer {operation!r} within {limit:g} s", where=self.where
            ) from error
        except (OSError, EOFError) as error:
            raise UnreachableError(
                f"management cannot be reached for {operation!r}", where=self.where, found=str(error)
            ) from error
        except ValueError as error:
            raise UnreachableError(
                f"answer to {operation!r} is not valid", where=self.where, found=str(error)
            ) from error
        if answer.get("ok") is not True:
            raise ElementError(f"{operation!r} was refused", where=self.where, found=str(answer.get("error", answer)))
        return answer

    def drop(self) -> None:
        """Give the connection up at once."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def close(self) -> None:
        """Close the connection if there is one."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(streams[1].wait_closed(), 1.0)

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """Write the request, read one line; any failure in between drops the connection, for its state is unknown."""
        finished = False
        try:
            reader, writer = await self._connect()
            writer.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError("connection closed by the VNFC")
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise ValueError(f"a JSON {type(answer).__name__} instead of an object")
            finished = True
            return answer
        finally:
            if not finished:
                self.drop()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            created = await self._sockets.create()
            try:
                await asyncio.get_running_loop().sock_connect(created, (self.host, self.port))
                self._streams = await asyncio.open_connection(sock=created, limit=ANSWER_LIMIT)
            except BaseException:
                created.close()
                raise
        return self._streams
