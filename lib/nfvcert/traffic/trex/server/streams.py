"""Streams: the protocol's stream object, validated, and compiled to what the engine sends."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError

from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.instructions import Instruction, check_program
from nfvcert.traffic.trex.server.rates import Load, load_of, packets_per_second

SHORTEST_GIVEN = 14
"""Octets of an Ethernet header; what is shorter than a frame is filled up."""
SHORTEST_PACKET = 60
LATENCY_TRAILER = 16
LARGEST_STATS_GROUP = 1022
LARGEST_LATENCY_GROUP = 65535
_DUMMY = 0x8

PositiveRate = Annotated[float, Field(gt=0, lt=1e18, allow_inf_nan=False)]
Microseconds = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class Rate(_Part):
    type: Literal["pps", "bps_L1", "bps_L2", "percentage"]
    value: PositiveRate


class Continuous(_Part):
    type: Literal["continuous"]
    rate: Rate


class SingleBurst(_Part):
    type: Literal["single_burst"]
    rate: Rate
    total_pkts: PositiveInt


class MultiBurst(_Part):
    type: Literal["multi_burst"]
    rate: Rate
    pkts_per_burst: PositiveInt
    ibg: Microseconds = 0.0
    count: PositiveInt


class Packet(_Part):
    binary: str
    meta: Any = ""


class Program(_Part):
    instructions: list[Instruction] = []
    cache: NonNegativeInt = 0


class FlowStats(_Part):
    enabled: bool
    rule_type: Literal["stats", "latency", "tpg"] = "stats"
    stream_id: NonNegativeInt = 0


class StreamObject(_Part):
    """A stream as the client describes it."""

    enabled: bool
    self_start: bool
    start_paused: bool = False
    isg: Microseconds = 0.0
    flags: NonNegativeInt = 0
    action_count: NonNegativeInt = 0
    next_stream_id: int = -1
    random_seed: int | None = None
    mode: Annotated[Continuous | SingleBurst | MultiBurst, Field(discriminator="type")]
    packet: Packet
    vm: Program = Program()
    flow_stats: FlowStats = FlowStats(enabled=False)


@dataclass(frozen=True, slots=True)
class Addresses:
    """MAC addresses of a port: its own and its destination's; six octets each."""

    source: bytes
    destination: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """A validated stream: ``given`` is what the client said, ``packet`` what leaves, without frame check sequence."""

    number: int
    given: dict[str, Any]
    described: StreamObject
    packet: bytes
    shortest: int
    longest: int

    @property
    def dummy(self) -> bool:
        """Whether it only waits."""
        return bool(self.described.flags & _DUMMY)

    @property
    def group(self) -> tuple[str, int] | None:
        """Kind ("stats" or "latency") and number of its packet group."""
        stats = self.described.flow_stats
        return (stats.rule_type, stats.stream_id) if stats.enabled else None

    @property
    def next_number(self) -> int | None:
        """The stream that follows."""
        return self.described.next_stream_id if self.described.next_stream_id >= 0 else None

    def mean_length(self) -> float:
        """Octets of its packets on average, without frame check sequence."""
        return (self.shortest + self.longest) / 2

    def pps(self, speed_bps: float) -> float:
        """Packets per second while it sends."""
        rate = self.described.mode.rate
        return packets_per_second(rate.type, rate.value, self.mean_length(), speed_bps)

    def load(self, speed_bps: float) -> Load:
        """Its load while it sends."""
        return Load() if self.dummy else load_of(self.pps(speed_bps), self.mean_length())

    def compiled(self, speed_bps: float, addresses: Addresses) -> dict[str, Any]:
        """The engine's stream."""
        described = self.described
        mode: dict[str, Any] = {"type": described.mode.type}
        match described.mode:
            case SingleBurst() as burst:
                mode["total_pkts"] = burst.total_pkts
            case MultiBurst() as bursts:
                mode |= {"pkts_per_burst": bursts.pkts_per_burst, "ibg_us": bursts.ibg, "count": bursts.count}
            case _:
                pass
        kind, group = self.group or ("none", 0)
        return {
            "id": self.number,
            "self_start": described.self_start,
            "start_paused": described.start_paused,
            "isg_us": described.isg,
            "next": self.next_number,
            "action_count": described.action_count,
            "mode": mode,
            "pps": self.pps(speed_bps),
            "packet": base64.b64encode(self._addressed(addresses)).decode(),
            "dummy": self.dummy,
            "seed": described.random_seed,
            "vm": {
                "instructions": [instruction.model_dump() for instruction in described.vm.instructions],
                "cache": described.vm.cache,
            },
            "flow_stats": {"kind": kind, "group": group},
        }

    def _addressed(self, addresses: Addresses) -> bytes:
        """The packet; addresses that the client left to the port are the port's."""
        flags = self.described.flags
        return with_addresses(self.packet, addresses, bool(flags & 1), (flags >> 1) & 3 == 1)


def with_addresses(packet: bytes, addresses: Addresses, own_source: bool, own_destination: bool) -> bytes:
    """A packet with the port's MAC addresses, except where its own are to stay."""
    destination = packet[:6] if own_destination else addresses.destination
    source = packet[6:12] if own_source else addresses.source
    return destination + source + packet[12:]


def check_length(packet: bytes, longest: int, where: str) -> None:
    """Whether a packet can be sent. Raises: RpcError."""
    if not SHORTEST_GIVEN <= len(packet) <= longest:
        raise RpcError(f"a packet has {SHORTEST_GIVEN} to {longest} octets", where=where, found=str(len(packet)))


def parse_stream(number: int, given: object, longest_packet: int) -> Stream:
    """Validate a stream object.

    Args:
        longest_packet: octets without frame check sequence.

    Raises:
        RpcError: something is missing, of a wrong kind, or cannot be sent.
    """
    where = f"stream {number}"
    if not isinstance(given, dict):
        raise invalid("a stream is to be an object", where=where)
    try:
        described = StreamObject.model_validate(given)
    except ValidationError as error:
        raise _invalid_field(where, error) from None
    try:
        packet = base64.b64decode(described.packet.binary, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("the packet is no base64 text", where=where) from None
    check_length(packet, longest_packet, where)
    packet = packet.ljust(SHORTEST_PACKET, b"\0")
    reserved = _check_group(where, described, packet)
    if described.mode.type == "continuous" and described.next_stream_id >= 0:
        raise RpcError("a continuous stream never ends, so none can follow it", where=where)
    try:
        shortest, longest = check_program(described.vm.instructions, packet, reserved=reserved)
    except RpcError as error:
        raise RpcError(error.what, where=f"{where}, {error.where}", found=error.found, hint=error.hint) from None
    return Stream(number, given, described, packet, shortest, longest)


def _check_group(where: str, described: StreamObject, packet: bytes) -> int:
    """Octets at the packet's end that its packet group needs."""
    stats = described.flow_stats
    if not stats.enabled:
        return 0
    if stats.rule_type == "tpg":
        raise RpcError("tagged packet groups are not offered", where=where, hint="use flow statistics")
    largest = LARGEST_LATENCY_GROUP if stats.rule_type == "latency" else LARGEST_STATS_GROUP
    if stats.stream_id > largest:
        raise RpcError(f"packet groups are numbered 0 to {largest}", where=where, found=str(stats.stream_id))
    header = _ip_offset(packet)
    if header is None:
        raise RpcError("packets of a packet group are to be IPv4 or IPv6", where=where)
    if stats.rule_type == "stats":
        return 0
    if len(packet) < header + 20 + LATENCY_TRAILER:
        raise RpcError(
            f"no room for the {LATENCY_TRAILER} octets of the time stamp", where=where, found=str(len(packet))
        )
    return LATENCY_TRAILER


def _ip_offset(packet: bytes) -> int | None:
    """Where the IP header begins, behind at most two VLAN tags; None: no IP."""
    place = 12
    while packet[place : place + 2] in (b"\x81\x00", b"\x88\xa8") and place < 20:
        place += 4
    return place + 2 if packet[place : place + 2] in (b"\x08\x00", b"\x86\xdd") else None


def _invalid_field(where: str, error: ValidationError) -> RpcError:
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return invalid(f"{field}: {first['msg']}", where=where, found=str(first.get("input"))[:80])
