"""Captures of the simulated engine: copies of the packets that it would have sent and received."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulated_refusal import Refusal

FILTERS: dict[str, Callable[[bytes], bool]] = {
    "": lambda octets: True,
    "udp": lambda octets: octets[12:14] == b"\x08\x00" and octets[23] == 17,
    "arp": lambda octets: octets[12:14] == b"\x08\x06",
}
"""The filters that the simulation knows; the real engine knows all of libpcap."""


@dataclass
class Kept:
    """A capture and what it holds."""

    wish: dict[str, Any]
    start_ns: int
    active: bool = True
    matched: int = 0
    packets: deque[dict[str, Any]] = field(default_factory=deque)


class Captures:
    """Orders about captures."""

    clock: Callable[[], float]

    def __init__(self) -> None:
        self.captures: dict[int, Kept] = {}
        self.captures_made = 0

    def op_capture_start(self, order: dict[str, Any]) -> dict[str, Any]:
        wish = {"tx": [], "rx": [], "mode": "fixed", "filter": "", "snaplen": 2016, **order}
        if wish["filter"] not in FILTERS:
            raise Refusal("bad-input", f"filter '{wish['filter']}': syntax error in filter expression: syntax error")
        self.captures_made += 1
        now = int(self.clock() * 1e9)
        self.captures[self.captures_made] = Kept(wish, now)
        return {"capture": self.captures_made, "t_ns": now}

    def op_capture_stop(self, order: dict[str, Any]) -> dict[str, Any]:
        kept = self._kept(order)
        kept.active = False
        return {"packets": len(kept.packets)}

    def op_capture_remove(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = self.op_capture_stop(order)
        del self.captures[order["capture"]]
        return answer

    def op_capture_fetch(self, order: dict[str, Any]) -> dict[str, Any]:
        kept = self._kept(order)
        packets = [kept.packets.popleft() for _ in range(min(order["most"], len(kept.packets)))]
        return {"packets": packets, "pending": len(kept.packets), "start_ns": kept.start_ns}

    def op_capture_status(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"captures": [self._described(number, kept) for number, kept in self.captures.items()]}

    def seen(self, port: int, octets: bytes, sent: int, arrived: int) -> None:
        """Equal packets have left a port, and so many have come to its peer."""
        for kept in self.captures.values():
            if not kept.active or not FILTERS[kept.wish["filter"]](octets):
                continue
            for way, place, count in (("tx", port, sent), ("rx", port ^ 1, arrived)):
                if place in kept.wish[way]:
                    self._keep(kept, way, place, octets, count)

    def _keep(self, kept: Kept, way: str, port: int, octets: bytes, count: int) -> None:
        limit, cyclic = kept.wish["limit"], kept.wish["mode"] == "cyclic"
        before, kept.matched = kept.matched, kept.matched + count
        begin = max(0, count - limit) if cyclic else 0
        end = count if cyclic else min(count, limit - len(kept.packets))
        for place in range(begin, end):
            kept.packets.append(
                {
                    "binary": base64.b64encode(octets[: kept.wish["snaplen"]]).decode(),
                    "t_ns": int(self.clock() * 1e9),
                    "index": before + place + 1,
                    "port": port,
                    "origin": way.upper(),
                    "wire_octets": len(octets),
                }
            )
            if len(kept.packets) > limit:
                kept.packets.popleft()

    def _kept(self, order: dict[str, Any]) -> Kept:
        if order["capture"] not in self.captures:
            raise Refusal("bad-input", f"there is no capture {order['capture']}")
        return self.captures[order["capture"]]

    def _described(self, number: int, kept: Kept) -> dict[str, Any]:
        return {
            "capture": number,
            "active": kept.active,
            "limit": kept.wish["limit"],
            "mode": kept.wish["mode"],
            "tx": kept.wish["tx"],
            "rx": kept.wish["rx"],
            "filter": kept.wish["filter"],
            "start_ns": kept.start_ns,
            "matched": kept.matched,
            "packets": len(kept.packets),
            "octets": sum(len(base64.b64decode(packet["binary"])) for packet in kept.packets),
        }
