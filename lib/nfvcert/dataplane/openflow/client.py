"""Client of a switch's OpenFlow connection over a Unix socket: bundles that are taken as a whole, dumps, counters."""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from nfvcert.dataplane.connection import Connection
from nfvcert.dataplane.control import ControlLost
from nfvcert.dataplane.openflow import flows, wire
from nfvcert.dataplane.openflow.flows import FlowEntry, FlowMod, PortCounters, TableCounters
from nfvcert.dataplane.openflow.wire import Bundle, Framer, Kind, Message, Part
from nfvcert.errors import TestbedError

FLOW_MOD_FAILED = 5
BUNDLE_FAILED = 17
TABLE_FULL, OVERLAP = (FLOW_MOD_FAILED, 1), (FLOW_MOD_FAILED, 3)
T = TypeVar("T")


class OpenFlowRefused(TestbedError):
    """A switch refused a message.

    Attributes:
        reason: type and code of its error message.
        place: which of the messages of a bundle was refused; None: not told.
    """

    def __init__(self, path: Path, reason: tuple[int, int], place: int | None) -> None:
        self.reason, self.place = reason, place
        told = {TABLE_FULL: "table full", OVERLAP: "overlapping entries"}.get(reason, "no")
        where = f", at change {place + 1}" if place is not None else ""
        super().__init__(
            "a change of the flow table is refused",
            where=str(path),
            found=f"{told} (OpenFlow error {reason[0]}/{reason[1]}){where}",
        )


class OpenFlowClient:
    """A connection to one switch; safe for several threads, which wait for each other.

    Args:
        path: the Unix socket on which the switch takes OpenFlow connections.
        timeout_s: longest wait for one answer, connecting included.

    Attributes:
        connections: how often a connection was made; after a new one the switch may know nothing of what it knew.
    """

    def __init__(self, path: Path | str, *, timeout_s: float = 2.0) -> None:
        self.path = Path(path)
        self.connections = 0
        self._timeout_s = timeout_s
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._framer = Framer()
        self._waiting: deque[Message] = deque()
        self._last_xid = 0

    def change(self, mods: Sequence[FlowMod]) -> None:
        """Make changes, all of them at one instant or none.

        Raises:
            OpenFlowRefused: none is made.
            ControlLost: the switch does not answer.
        """
        self._asking("a bundle", lambda deadline: self._bundle(mods, deadline))

    def flows(self, table: int) -> list[FlowEntry]:
        """The entries of a table."""
        body = flows.flow_request(table)
        return self._asking("flows", lambda deadline: list(self._parts(Part.FLOW, body, flows.flow_entries, deadline)))

    def ports(self) -> list[PortCounters]:
        """Counters of all ports."""
        body = flows.port_request()
        return self._asking("ports", lambda deadline: list(self._parts(Part.PORT, body, flows.port_counters, deadline)))

    def tables(self) -> dict[int, TableCounters]:
        """Counters of all tables."""
        found = self._asking(
            "tables", lambda deadline: list(self._parts(Part.TABLE, b"", flows.table_counters, deadline))
        )
        return {table.table: table for table in found}

    def capacity(self, table: int) -> int:
        """How many entries a table takes."""
        read = flows.table_capacities
        return self._asking(
            "features", lambda deadline: dict(self._parts(Part.TABLE_FEATURES, b"", read, deadline))[table]
        )

    def connect(self) -> int:
        """Connect, where there is no connection; returns :attr:`connections`."""
        return self._asking("hello", lambda deadline: self.connections)

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        with self._lock:
            self._drop()

    def _asking(self, what: str, ask: Callable[[float], T]) -> T:
        """Ask, on a connection made anew once where it turns out to be closed."""
        with self._lock:
            deadline = time.monotonic() + self._timeout_s
            fresh = self._connection is None
            try:
                try:
                    self._connect(deadline)
                    return ask(deadline)
                except (ConnectionError, FileNotFoundError):
                    self._drop()
                    if fresh:
                        raise
                    self._connect(deadline)
                    return ask(deadline)
            except (OSError, ValueError, LookupError, struct.error) as error:
                self._drop()
                timed_out = isinstance(error, TimeoutError)
                found = f"no answer within {self._timeout_s:g} s" if timed_out else str(error) or type(error).__name__
                hint = "see the log of ovs-vswitchd"
                raise ControlLost(f"{what}: no answer", where=str(self.path), found=found, hint=hint) from error

    def _bundle(self, mods: Sequence[FlowMod], deadline: float) -> None:
        bundle = self._xids(len(mods) + 2)
        first, commit = bundle + 1, bundle + 1 + len(mods)
        messages = [wire.bundle_control(bundle, bundle, Bundle.OPEN_REQUEST)]
        messages += [wire.bundle_add(bundle, mod.encode(first + place)) for place, mod in enumerate(mods)]
        messages.append(wire.bundle_control(commit, bundle, Bundle.COMMIT_REQUEST))
        self._send(messages, deadline)
        refusal: tuple[tuple[int, int], int | None] | None = None
        for message in self._answers(range(bundle, commit + 1), deadline):
            if message.kind == Kind.ERROR:
                reason = wire.error_of(message.body)
                place = message.xid - first if first <= message.xid < commit else None
                if refusal is None or refusal[0][0] == BUNDLE_FAILED:
                    refusal = (reason, place)
            if message.xid == commit:
                break
        if refusal is not None:
            raise OpenFlowRefused(self.path, *refusal)

    def _parts(self, part: Part, body: bytes, read: Callable[[bytes], Iterable[T]], deadline: float) -> Iterator[T]:
        xid = self._xids(1)
        self._send([wire.multipart(xid, part, body)], deadline)
        for message in self._answers(range(xid, xid + 1), deadline):
            if message.kind == Kind.ERROR:
                raise OpenFlowRefused(self.path, wire.error_of(message.body), None)
            _, more, content = wire.multipart_of(message.body)
            yield from read(content)
            if not more:
                return

    def _xids(self, count: int) -> int:
        """The first of so many transaction ids that were not used lately."""
        first = self._last_xid + 1 if self._last_xid + count < wire.LAST_XID else 1
        self._last_xid = first + count - 1
        return first

    def _answers(self, xids: range, deadline: float) -> Iterator[Message]:
        """Messages of these transactions as they come; a question whether we live is answered, the rest is dropped."""
        while True:
            message = self._next(deadline)
            if message.kind == Kind.ECHO_REQUEST:
                self._send([wire.pack(Kind.ECHO_REPLY, message.xid, message.body)], deadline)
            elif message.xid in xids and message.kind != Kind.HELLO:
                yield message

    def _send(self, messages: Iterable[bytes], deadline: float) -> None:
        assert self._connection is not None
        self._connection.send(b"".join(messages), deadline)

    def _next(self, deadline: float) -> Message:
        assert self._connection is not None
        while not self._waiting:
            self._waiting += self._framer.feed(self._connection.receive(deadline))
        return self._waiting.popleft()

    def _connect(self, deadline: float) -> None:
        if self._connection is not None:
            return
        self._connection, self._framer, self._waiting = Connection.to(self.path, deadline), Framer(), deque()
        self._send([wire.pack(Kind.HELLO, self._xids(1))], deadline)
        hello = self._next(deadline)
        if hello.kind != Kind.HELLO or hello.version < wire.VERSION:
            raise ValueError(f"the switch does not speak OpenFlow 1.4 but version {hello.version:#04x}")
        self.connections += 1

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
