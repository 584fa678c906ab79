"""The driver of every generator that speaks the TRex protocol: the embedded engine and a lab's TRex alike."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nfvcert.traffic.trex.flow_mode import FlowMode
from nfvcert.traffic.trex.plan import Stream, intended_packets
from nfvcert.traffic.trex.process import ORDER_S, ClientProcess, GeneratorRefusal
from nfvcert.traffic.trex.receiving import Receiving
from nfvcert.traffic.trex.trial import Reading, Tolerances, TrexTrial, difference, reading_of, sums

START_S = 20.0
SETTLE_S = 2.0
"""Residual packets are waited for so long (RFC 2544, clause 23)."""
MOST_STRETCH = 4.0
"""A trial that takes so many times as long as intended is ended."""
MOST_GROUPS = 1000

__all__ = ["GeneratorRefusal", "TrexGenerator"]


class TrexGenerator(FlowMode, Receiving):
    """A generator behind a TRex server, driven by the unmodified client in a process of its own.

    Orders may come from several threads; they are carried out one after the other.

    Args:
        server: host of the server.
        rpc, publisher: its ports.
        user: who the ports are taken for.
        log: file for what the client prints; default: nowhere.

    Raises:
        TestbedError: the client's process cannot be started.
    """

    def __init__(
        self, server: str, *, rpc: int = 4501, publisher: int = 4500, user: str = "nfvcert", log: Path | None = None
    ) -> None:
        super().__init__(ClientProcess(f"TRex at {server}:{rpc}", log))
        self._address: dict[str, Any] = {"server": server, "rpc": rpc, "publisher": publisher, "user": user}
        self._speeds: dict[int, float] = {}
        self._streams: dict[int | str, list[Stream]] = {}
        self._captures: dict[int, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # connection

    @property
    def pid(self) -> int:
        """Process id of the client's process."""
        return self._client.pid

    def connect(self, ports: Sequence[int] | None = None, *, force: bool = False, reset: bool = True) -> dict[str, Any]:
        """Connect, take ports (default: all) and bring them to a known state.

        Returns:
            version, methods, acquired (port numbers), ports [{index, description, mac, speed_gbps}].

        Raises:
            GeneratorRefusal: nobody answers, the API does not fit, or another session holds a port.
        """
        wanted = list(ports) if ports is not None else None
        answer = self._client.order("connect", timeout_s=START_S, **self._address, ports=wanted, force=force)
        self._speeds = {port["index"]: float(port["speed_gbps"]) for port in answer["ports"]}
        self._methods = list(answer["methods"])
        if reset:
            self.reset(answer["acquired"])
        return answer

    def reset(self, ports: Sequence[int] | None = None) -> None:
        """Stop, remove streams and clear counters of ports. Raises: GeneratorRefusal."""
        chosen = self._ports(ports)
        self._client.order("reset", ports=chosen)
        for port in chosen:
            self._streams.pop(port, None)

    def state(self) -> dict[str, Any]:
        """connected, acquired, active (port numbers), events (what the server told, as text)."""
        return self._client.order("state")

    def close(self) -> None:
        """Stop traffic, give ports up, disconnect and end the client's process."""
        self._client.close()

    # streams

    def add_streams(self, port: int | str, streams: Sequence[Stream]) -> list[int]:
        """Add streams to a port, or to a profile of it that runs on its own ("1.late"); answers their numbers.

        Raises:
            GeneratorRefusal: with the first stream's fault.
        """
        answer = self._client.order("add_streams", port=port, streams=[stream.described() for stream in streams])
        self._streams.setdefault(port, []).extend(streams)
        return [int(number) for number in answer["ids"]]

    def remove_streams(self, ports: Sequence[int] | None = None) -> None:
        """Remove all streams of ports. Raises: GeneratorRefusal."""
        chosen = self._ports(ports)
        self._client.order("remove_streams", ports=chosen)
        for port in chosen:
            self._streams.pop(port, None)

    def start(
        self, ports: Sequence[int | str], *, multiplier: float | str = 1.0, duration_s: float = -1, force: bool = False
    ) -> dict[str, Any]:
        """Start sending.

        Args:
            multiplier: factor, or a rate as TRex writes it ("10kpps", "50%", "1gbps", "1gbpsl1").
            duration_s: -1 for no limit.

        Returns:
            t_ns (CLOCK_MONOTONIC before the request), factors (as the server computed them, per port).

        Raises:
            GeneratorRefusal: above line rate without ``force``, streams that do not fit together, link down.
        """
        return self._client.order(
            "start", ports=list(ports), multiplier=_multiplier(multiplier), duration_s=duration_s, force=force
        )

    def update(self, ports: Sequence[int], *, multiplier: float | str, force: bool = False) -> None:
        """Change the rate; "+" or "-" behind it adds or subtracts. Raises: GeneratorRefusal."""
        self._client.order("update", ports=list(ports), multiplier=_multiplier(multiplier), force=force)

    def pause(self, ports: Sequence[int]) -> None:
        """Pause ports whose streams are continuous. Raises: GeneratorRefusal."""
        self._client.order("pause", ports=list(ports))

    def resume(self, ports: Sequence[int]) -> None:
        """Let them go on. Raises: GeneratorRefusal."""
        self._client.order("resume", ports=list(ports))

    def stop(self, ports: Sequence[int] | None = None) -> None:
        """Stop sending. Raises: GeneratorRefusal."""
        self._client.order("stop", ports=self._ports(ports))

    def wait(self, ports: Sequence[int], timeout_s: float) -> bool:
        """Wait until sending has ended; False when it has not within that time. Raises: GeneratorRefusal."""
        return bool(self._wait(ports, timeout_s)["finished"])

    def read(self) -> Reading:
        """All counters since the server began. Raises: GeneratorRefusal."""
        ports = sorted(self._speeds)
        requests: list[list[Any]] = [["get_port_stats", {"port_id": port}] for port in ports]
        *counted, overall, active = self.rpc([*requests, ["get_global_stats", {}], ["get_active_pgids", {}]])
        numbers = [*active["ids"].get("flow_stats", []), *active["ids"].get("latency", [])]
        groups: dict[str, dict[str, Any]] = {"ver_id": {}, "flow_stats": {}, "latency": {}}
        for begin in range(0, len(numbers), MOST_GROUPS):
            [told] = self.rpc([["get_pgid_stats", {"pgids": numbers[begin : begin + MOST_GROUPS]}]])
            for part, content in groups.items():
                content.update(told.get(part) or {})
        return reading_of(dict(zip(ports, counted, strict=True)), overall, groups)

    def run_trial(
        self,
        sending: Sequence[int],
        receiving: Sequence[int],
        *,
        multiplier: float | str = 1.0,
        duration_s: float,
        settle_s: float = SETTLE_S,
        force: bool = False,
        tolerances: Tolerances = Tolerances(),
    ) -> TrexTrial:
        """One trial with the streams that ports have: read, send, stop, settle, read.

        Args:
            duration_s: -1 when all streams end by themselves.

        Raises:
            GeneratorRefusal: it cannot be started, or the connection was lost.
        """
        before = self.read()
        started = self.start(sending, multiplier=multiplier, duration_s=duration_s, force=force)
        factors = dict(zip(sending, started["factors"], strict=False))
        intended = self._intended(sending, factors, duration_s)
        longest = self._longest(sending, factors, duration_s)
        ended = self._wait(sending, longest)
        self.stop(sending)
        time.sleep(settle_s)
        after = self.read()
        self._client.order("settle", ports=list(sending))
        ports, groups, queue_full = difference(before, after)
        sent, received, send_errors, receiver_drops = sums(ports, sending, receiving)
        return TrexTrial(
            intended=intended,
            sent=sent,
            intended_duration=duration_s if duration_s > 0 and self._endless(sending) else None,
            duration=(ended["t_ns"] - started["t_answered_ns"]) / 1e9,
            received=received,
            send_errors=send_errors,
            receiver_drops=receiver_drops,
            queue_full=queue_full,
            finished=bool(ended["finished"]),
            ports=ports,
            groups=groups,
            tolerances=tolerances,
        )

    def rpc(self, requests: Sequence[Sequence[Any]], *, timeout_s: float = 10.0) -> list[Any]:
        """Requests of the protocol over the client's connection, [[method, parameters], ...], and their results.

        Raises:
            GeneratorRefusal: one was refused.
        """
        return self._client.rpc(requests, timeout_s=timeout_s)

    def _wait(self, ports: Sequence[int], timeout_s: float) -> dict[str, Any]:
        return self._client.order("wait", timeout_s=timeout_s + ORDER_S, ports=list(ports), wait_s=timeout_s)

    def _intended(self, sending: Sequence[int], factors: dict[int, Any], duration_s: float) -> float | None:
        seconds = duration_s if duration_s > 0 else math.inf
        total = 0.0
        for port in sending:
            streams = self._streams.get(port, [])
            if factors.get(port) is None or any(stream.next and stream.action_count for stream in streams):
                return None
            total += intended_packets(streams, factors[port], seconds, self._speeds[port])
        return total if math.isfinite(total) else None

    def _endless(self, sending: Sequence[int]) -> bool:
        """Whether something of these ports sends for the whole duration."""
        return any(
            stream.described()["mode"]["type"] == "continuous" for p in sending for stream in self._streams.get(p, [])
        )

    def _longest(self, sending: Sequence[int], factors: dict[int, Any], duration_s: float) -> float:
        """So long a trial is waited for, seconds."""
        if duration_s > 0:
            return MOST_STRETCH * duration_s + 5.0
        packets = self._intended(sending, factors, -1)
        slowest = min(
            (
                s.rate.pps(len(s.packet), self._speeds[p]) * (factors.get(p) or 1)
                for p in sending
                for s in self._streams.get(p, [])
            ),
            default=1.0,
        )
        return MOST_STRETCH * (packets or 0) / slowest + 60.0

    def _ports(self, ports: Sequence[int] | None) -> list[int]:
        return list(ports) if ports is not None else list(self.state()["acquired"])


def _multiplier(value: float | str) -> str:
    """As the client reads it; a factor is written without exponent."""
    return value if isinstance(value, str) else f"{value:.9f}".rstrip("0").rstrip(".")
