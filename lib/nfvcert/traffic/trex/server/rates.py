"""Rates: from what a client asks for to packets per second and multipliers, and what the line can carry.

A packet of n octets occupies n + 4 octets on layer 2 (frame check sequence) and 20 more on layer 1 (preamble, gap).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nfvcert.traffic.trex.server.errors import RpcError, invalid

FRAME_CHECK = 4
GAP = 20
ROUNDING = 1e-6
"""Relative excess of the line rate that is put down to rounding."""

RateKind = Literal["pps", "bps_L1", "bps_L2", "percentage"]
MultiplierKind = Literal["raw", "pps", "bps", "bpsl1", "percentage"]


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent in a second: packets, bits on layer 2 and on layer 1."""

    pps: float = 0.0
    bps_l2: float = 0.0
    bps_l1: float = 0.0

    def __add__(self, other: Load) -> Load:
        return Load(self.pps + other.pps, self.bps_l2 + other.bps_l2, self.bps_l1 + other.bps_l1)

    def times(self, factor: float) -> Load:
        """The same multiplied."""
        return Load(self.pps * factor, self.bps_l2 * factor, self.bps_l1 * factor)

    def percent_of(self, speed_bps: float) -> float:
        """Share of the line, percent."""
        return 100.0 * self.bps_l1 / speed_bps


def packets_per_second(kind: RateKind, value: float, length: float, speed_bps: float) -> float:
    """Packets of ``length`` octets (without frame check sequence) a second that make up a rate."""
    frame_bits = 8 * (length + FRAME_CHECK)
    line_bits = 8 * (length + FRAME_CHECK + GAP)
    match kind:
        case "pps":
            return value
        case "bps_L2":
            return value / frame_bits
        case "bps_L1":
            return value / line_bits
        case "percentage":
            return value / 100.0 * speed_bps / line_bits


def load_of(pps: float, length: float) -> Load:
    """The load of so many packets of that length."""
    return Load(pps, pps * 8 * (length + FRAME_CHECK), pps * 8 * (length + FRAME_CHECK + GAP))


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A wanted rate of a profile as a whole, absolute or relative to the present one."""

    kind: MultiplierKind
    value: float
    op: Literal["abs", "add", "sub"] = "abs"

    def factor(self, base: Load, speed_bps: float, present: float) -> float:
        """By what the streams' own rates are multiplied.

        Args:
            base: the profile's largest load at factor 1.
            present: the present factor, for "add" and "sub".

        Raises:
            RpcError: the profile sends nothing at all, or nothing would be left.
        """
        unit = {
            "raw": 1.0,
            "pps": base.pps,
            "bps": base.bps_l2,
            "bpsl1": base.bps_l1,
            "percentage": base.percent_of(speed_bps),
        }[self.kind]
        if unit <= 0:
            raise RpcError("a multiplier of a profile that sends no packets", hint="add a stream that starts by itself")
        change = self.value / unit
        factor = {"abs": change, "add": present + change, "sub": present - change}[self.op]
        if factor <= 0:
            raise RpcError("nothing would be left of the rate", found=f"factor {present:g} - {change:g}")
        return factor


def multiplier_of(value: object, *, updates: bool) -> Multiplier:
    """The multiplier of a request; "add" and "sub" only where ``updates``.

    Raises:
        RpcError: it is none.
    """
    if not isinstance(value, dict):
        raise invalid("'mul' is to be an object", found=str(value)[:80])
    kind, number, op = value.get("type"), value.get("value"), value.get("op", "abs")
    if kind not in ("raw", "pps", "bps", "bpsl1", "percentage"):
        raise invalid("unknown multiplier type", found=str(kind), hint="raw, pps, bps, bpsl1 or percentage")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1e18:
        raise invalid("a multiplier is to be positive", found=str(number))
    if op not in (("abs", "add", "sub") if updates else ("abs",)):
        raise invalid("operation of a multiplier that is not possible here", found=str(op))
    return Multiplier(kind, float(number), op)


def check_line(load: Load, speed_bps: float, port: int, *, force: bool) -> None:
    """Refuse what the line cannot carry.

    Raises:
        RpcError: above line rate and not forced.
    """
    if not force and load.bps_l1 > speed_bps * (1 + ROUNDING):
        raise RpcError(
            "the rate is above the line rate",
            where=f"port {port}",
            found=f"{load.bps_l1 / 1e9:.6g} Gbit/s (L1, {load.pps:.0f} packets/s) on {speed_bps / 1e9:g} Gbit/s",
            hint="lower the rate or start with force",
        )
