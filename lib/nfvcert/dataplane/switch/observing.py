"""What an observer reads of a hardware switch, alike for both drivers: its whole table and its counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nfvcert.dataplane.control import ControlClient
from nfvcert.dataplane.openflow import OpenFlowClient
from nfvcert.dataplane.switch.pipeline import RULES, document, owner_tag

T = TypeVar("T")
Document = dict[str, Any]


class SwitchObserver(Protocol):
    """Dumps and counters; both say when they were taken (``t_ns``, CLOCK_MONOTONIC)."""

    def dump(self, known: int = 0) -> Document:
        """used, capacity, generation, t_ns; and rules, unless they are those of the generation that is known.

        A rule tells rule, range or flow, port, owner, and the priority of a range.
        """

    def counters(self) -> Document:
        """Packets and octets by port, packets without a rule, t_ns."""

    def close(self) -> None:
        """Let go of the switch."""


class CoreObserver:
    """Observes nfvcert-switch, which speaks of itself in these terms."""

    def __init__(self, control: Path) -> None:
        self._client = ControlClient(control)

    def dump(self, known: int = 0) -> Document:
        """The whole table, if it has changed."""
        return self._client.call("dump", known=known)

    def counters(self) -> Document:
        """All counters."""
        return self._client.call("counters")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class OpenVSwitchObserver:
    """Observes a bridge of Open vSwitch by a connection of its own.

    Every entry is told by what it matches, not by what its cookie says of the rule that it belongs to: an entry for a
    prefix is a range. So the rules of a dump are as many as the entries that are used.
    """

    def __init__(self, bridge: Path, *, owners: Sequence[str], ports: Mapping[str, int]) -> None:
        self._client = OpenFlowClient(bridge)
        self._owners = {owner_tag(owner): owner for owner in owners}
        self._names = {number: name for name, number in ports.items()}
        self._capacity: tuple[int, int] | None = None
        self._rules: list[Document] | None = None
        self._generation = 0

    def dump(self, known: int = 0) -> Document:
        """The whole limited table, if it has changed, in an order of its own."""
        entries, t_ns = _timed(lambda: self._client.flows(RULES))
        rules = [document(entry, self._owners, self._names) for entry in entries]
        rules.sort(key=lambda rule: (rule["rule"], rule["owner"], rule["port"]))
        if rules != self._rules:
            self._rules, self._generation = rules, self._generation + 1
        told = {"used": len(rules), "capacity": self._most(), "generation": self._generation, "t_ns": t_ns}
        return told if known == self._generation else {"rules": rules, **told}

    def counters(self) -> Document:
        """Counters of the ports and of the limited table."""
        found, t_ns = _timed(self._client.ports)
        table = self._client.tables()[RULES]
        ports = {
            self._names[port.port]: {
                "rx_packets": port.rx_packets,
                "rx_bytes": port.rx_bytes,
                "rx_missed": port.rx_dropped,
                "rx_errors": port.rx_errors,
                "tx_packets": port.tx_packets,
                "tx_bytes": port.tx_bytes,
                "tx_dropped": port.tx_dropped,
            }
            for port in found
            if port.port in self._names
        }
        return {"ports": ports, "no_rule": max(0, table.lookups - table.matched), "t_ns": t_ns}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _most(self) -> int:
        connection = self._client.connect()
        if self._capacity is None or self._capacity[0] != connection:
            self._capacity = (connection, self._client.capacity(RULES))
        return self._capacity[1]


def _timed(ask: Callable[[], T]) -> tuple[T, int]:
    """An answer, and the middle of the time that it took (ns)."""
    begin = time.monotonic_ns()
    answer = ask()
    return answer, (begin + time.monotonic_ns()) // 2
