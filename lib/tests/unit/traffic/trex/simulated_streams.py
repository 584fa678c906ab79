"""Sending of a simulated profile: how many packets of which stream are due by when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class Cursor:
    """Place in a chain of streams."""

    stream: dict[str, Any]
    wait_until: float
    in_burst: float = 0.0
    bursts: int = 0
    whole: int = 0


class Run:
    """One run of a profile.

    ``advance`` yields (stream, packets sent, packets that its group counts as sent).
    """

    def __init__(
        self,
        streams: list[dict[str, Any]],
        multiplier: float,
        duration_s: float,
        now: float,
        *,
        capacity_pps: float = float("inf"),
        ghosts: bool = False,
    ) -> None:
        self.streams = {stream["id"]: stream for stream in streams}
        self.multiplier = multiplier
        self.multipliers: dict[int, float] = {}
        self.begun = self.now = now
        self.capacity_pps = capacity_pps
        self.ghosts = ghosts
        self.sent = 0
        self.finished = False
        self._budget_s = duration_s if duration_s > 0 else float("inf")
        self._paused: set[int] = {stream["id"] for stream in streams if stream["start_paused"]}
        self._visits: dict[int, int] = {}
        self._cursors = [self._enter(stream, now) for stream in streams if stream["self_start"]]

    def pause(self, ids: list[int] | None) -> None:
        self._paused |= set(self.streams if ids is None else ids)

    def resume(self, ids: list[int] | None) -> None:
        self._paused -= set(self.streams if ids is None else ids)

    def advance(self, now: float) -> Iterator[tuple[dict[str, Any], int, int]]:
        """Send until ``now``, or until everything is sent."""
        wanted_pps = sum(
            self._pps(cursor.stream) for cursor in self._cursors if cursor.stream["id"] not in self._paused
        )
        slow = min(1.0, self.capacity_pps / wanted_pps) if wanted_pps else 1.0
        stretch = 1.0 if self.ghosts else slow
        passed = min((now - self.now) * stretch, self._budget_s)
        self._budget_s -= passed
        begin, self.now = self.now, self.now + passed / stretch
        # time goes slower for streams that are stretched; all their own times are counted in it
        self._own = getattr(self, "_own", begin) + passed
        share = slow if self.ghosts else 1.0
        for cursor in list(self._cursors):
            yield from self._advance(cursor, self._own - passed, self._own, share)
        if self._budget_s <= 0 or not self._cursors:
            self.finished = True

    def _advance(
        self, cursor: Cursor, last: float, now: float, share: float
    ) -> Iterator[tuple[dict[str, Any], int, int]]:
        while True:
            stream, mode = cursor.stream, cursor.stream["mode"]
            if stream["id"] in self._paused:
                return
            begin = max(last, cursor.wait_until)
            if begin >= now:
                return
            pps = self._pps(stream)
            limit = {"single_burst": mode.get("total_pkts"), "multi_burst": mode.get("pkts_per_burst")}.get(
                mode["type"]
            )
            due = pps * (now - begin)
            ends = limit is not None and cursor.in_burst + due >= limit - 1e-9
            if ends:
                due = limit - cursor.in_burst
            cursor.in_burst += due
            packets = int(cursor.in_burst + 1e-6) - cursor.whole
            cursor.whole += packets
            if not stream["dummy"] and packets:
                self.sent += round(packets * share)
                yield stream, round(packets * share), packets
            if not ends:
                return
            last = begin + due / pps
            cursor.bursts += 1
            cursor.in_burst, cursor.whole = 0.0, 0
            if mode["type"] == "multi_burst" and (mode["count"] == 0 or cursor.bursts < mode["count"]):
                cursor.wait_until = last + mode["ibg_us"] / 1e6
            elif not self._follow(cursor, last):
                self._cursors.remove(cursor)
                return

    def _follow(self, cursor: Cursor, now: float) -> bool:
        """Go on with the next stream; False when the chain ends."""
        stream = cursor.stream
        if stream["next"] is None:
            return False
        if stream["action_count"] and self._visits[stream["id"]] >= stream["action_count"]:
            return False
        entered = self._enter(self.streams[stream["next"]], now)
        cursor.stream, cursor.wait_until, cursor.bursts = entered.stream, entered.wait_until, 0
        return True

    def _enter(self, stream: dict[str, Any], now: float) -> Cursor:
        self._visits[stream["id"]] = self._visits.get(stream["id"], 0) + 1
        return Cursor(stream, now + stream["isg_us"] / 1e6)

    def _pps(self, stream: dict[str, Any]) -> float:
        return float(stream["pps"] * self.multipliers.get(stream["id"], self.multiplier))
