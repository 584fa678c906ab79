"""Field-engine instructions: which exist, and whether a program of them fits its packet.

The engine executes the instruction objects of the protocol as they are; what could not be executed is refused here,
before anything is sent.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from nfvcert.traffic.trex.server.errors import RpcError

Size = Literal[1, 2, 4, 8]
Unsigned64 = Annotated[int, Field(ge=0, lt=1 << 64)]
Signed64 = Annotated[int, Field(ge=-(1 << 63), lt=1 << 64)]
Name = Annotated[str, Field(min_length=1, max_length=64)]

SHORTEST_TRIM = 14
"""Octets that a trimmed packet keeps at least: its Ethernet header."""


class _Instruction(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class FlowVariable(_Instruction):
    """A counter or random number between two values, or a list that is gone through."""

    type: Literal["flow_var"]
    name: Name
    size: Size
    op: Literal["inc", "dec", "random"]
    step: PositiveInt = 1
    init_value: Unsigned64 = 0
    min_value: Unsigned64 = 0
    max_value: Unsigned64 = 0
    value_list: list[Unsigned64] | None = Field(default=None, min_length=1, max_length=65536)
    next_var: Name | None = None

    @model_validator(mode="after")
    def _bounds(self) -> FlowVariable:
        if self.largest >= 1 << (8 * self.size):
            raise ValueError(f"{self.largest} does not fit into {self.size} octets")
        if self.value_list is None and not self.min_value <= self.init_value <= self.max_value:
            raise ValueError(f"init_value {self.init_value} is not within {self.min_value}..{self.max_value}")
        return self

    @property
    def smallest(self) -> int:
        return min(self.value_list) if self.value_list else self.min_value

    @property
    def largest(self) -> int:
        return max(self.value_list) if self.value_list else self.max_value


class RepeatableRandom(_Instruction):
    """Random numbers that repeat after ``limit`` values."""

    type: Literal["flow_var_rand_limit"]
    name: Name
    size: Size
    limit: PositiveInt
    seed: Unsigned64
    min_value: Unsigned64
    max_value: Unsigned64
    next_var: Name | None = None

    @model_validator(mode="after")
    def _bounds(self) -> RepeatableRandom:
        if not self.min_value <= self.max_value < 1 << (8 * self.size):
            raise ValueError(f"{self.min_value}..{self.max_value} is no range of {self.size} octets")
        return self

    @property
    def smallest(self) -> int:
        return self.min_value

    @property
    def largest(self) -> int:
        return self.max_value


class TupleVariable(_Instruction):
    """Address and port that count together; written as NAME.ip (4 octets) and NAME.port (2)."""

    type: Literal["tuple_flow_var"]
    name: Name
    ip_min: Annotated[int, Field(ge=0, lt=1 << 32)]
    ip_max: Annotated[int, Field(ge=0, lt=1 << 32)]
    port_min: Annotated[int, Field(ge=0, lt=1 << 16)]
    port_max: Annotated[int, Field(ge=0, lt=1 << 16)]
    limit_flows: NonNegativeInt = 0

    @model_validator(mode="after")
    def _bounds(self) -> TupleVariable:
        if self.ip_min > self.ip_max or self.port_min > self.port_max:
            raise ValueError("a range ends before it begins")
        return self


class WriteVariable(_Instruction):
    """Write a variable into the packet."""

    type: Literal["write_flow_var"]
    name: Name
    pkt_offset: NonNegativeInt
    add_value: Signed64 = 0
    is_big_endian: bool = True


class WriteMasked(_Instruction):
    """Write the bits of a variable that a mask selects."""

    type: Literal["write_mask_flow_var"]
    name: Name
    pkt_offset: NonNegativeInt
    pkt_cast_size: Literal[1, 2, 4]
    mask: Unsigned64
    shift: Annotated[int, Field(ge=-63, le=63)] = 0
    add_value: Signed64 = 0
    is_big_endian: bool = True


class Trim(_Instruction):
    """Shorten the packet to the value of a variable."""

    type: Literal["trim_pkt_size"]
    name: Name


class FixIpv4(_Instruction):
    """Compute the checksum of the IPv4 header at an offset."""

    type: Literal["fix_checksum_ipv4"]
    pkt_offset: NonNegativeInt


class FixTransport(_Instruction):
    """Compute the checksums of IP and transport header; l4_type 11 UDP, 13 TCP, 17 IP only."""

    type: Literal["fix_checksum_hw"]
    l2_len: NonNegativeInt
    l3_len: NonNegativeInt
    l4_type: Literal[11, 13, 17]


class FixIcmpv6(_Instruction):
    """Compute the checksum of ICMPv6."""

    type: Literal["fix_checksum_icmpv6"]
    l2_len: NonNegativeInt
    l3_len: NonNegativeInt


Instruction = Annotated[
    FlowVariable
    | RepeatableRandom
    | TupleVariable
    | WriteVariable
    | WriteMasked
    | Trim
    | FixIpv4
    | FixTransport
    | FixIcmpv6,
    Field(discriminator="type"),
]
_Number = FlowVariable | RepeatableRandom
_BEHIND_TRANSPORT = {11: 8, 13: 20, 17: 0}


def check_program(instructions: list[Instruction], packet: bytes, *, reserved: int = 0) -> tuple[int, int]:
    """Whether a program fits its packet; the shortest and longest packet that it makes, octets.

    Args:
        reserved: octets at the packet's end that belong to the time stamp of a latency stream.

    Raises:
        RpcError: a variable is missing, twice or of a wrong size, or an offset lies outside the packet.
    """
    variables, sizes = _variables(instructions)
    shortest = longest = len(packet)
    room = len(packet) - reserved
    for place, instruction in enumerate(instructions):
        where = f"instruction {place} ({instruction.type})"
        match instruction:
            case WriteVariable():
                _within(where, instruction.pkt_offset, _size(sizes, instruction.name, where), room, reserved)
            case WriteMasked():
                _size(sizes, instruction.name, where)
                _within(where, instruction.pkt_offset, instruction.pkt_cast_size, room, reserved)
            case Trim():
                variable = variables.get(instruction.name)
                if variable is None or variable.size != 2:
                    raise _misfit("a packet is trimmed by a variable of 2 octets", where, instruction.name)
                if variable.largest > len(packet) or variable.smallest < SHORTEST_TRIM + reserved:
                    found = f"{variable.smallest}..{variable.largest} octets of {len(packet)}"
                    raise _misfit("a packet cannot be trimmed to these lengths", where, found)
                shortest, longest = variable.smallest, variable.largest
            case FixIpv4():
                _within(where, instruction.pkt_offset, 20, len(packet), 0)
                if packet[instruction.pkt_offset] >> 4 != 4:
                    raise _misfit("no IPv4 header there", where, f"offset {instruction.pkt_offset}")
            case FixTransport():
                end = _BEHIND_TRANSPORT[instruction.l4_type]
                _within(where, instruction.l2_len, instruction.l3_len + end, len(packet), 0)
            case FixIcmpv6():
                _within(where, instruction.l2_len, instruction.l3_len + 4, len(packet), 0)
            case _:
                pass
    return shortest, longest


def _variables(instructions: list[Instruction]) -> tuple[dict[str, _Number], dict[str, int]]:
    """Numbers by name, and the sizes in octets of everything that can be written."""
    numbers: dict[str, _Number] = {}
    sizes: dict[str, int] = {}
    for place, instruction in enumerate(instructions):
        if not isinstance(instruction, FlowVariable | RepeatableRandom | TupleVariable):
            continue
        parts = {instruction.name: getattr(instruction, "size", 4)}
        if isinstance(instruction, TupleVariable):
            parts = {f"{instruction.name}.ip": 4, f"{instruction.name}.port": 2}
        else:
            numbers[instruction.name] = instruction
        for name, size in parts.items():
            if name in sizes:
                raise _misfit("a variable is defined twice", f"instruction {place} ({instruction.type})", name)
            sizes[name] = size
    for name, number in numbers.items():
        _check_chain(name, number, numbers)
    return numbers, sizes


def _check_chain(name: str, number: _Number, numbers: dict[str, _Number]) -> None:
    seen = {name}
    while number.next_var is not None:
        follower = numbers.get(number.next_var)
        if follower is None:
            raise _misfit("next_var names no variable", f"variable {number.name}", number.next_var)
        if follower.name in seen:
            raise _misfit("next_var leads in a circle", f"variable {name}", follower.name)
        seen.add(follower.name)
        number = follower


def _size(sizes: dict[str, int], name: str, where: str) -> int:
    if name not in sizes:
        known = ", ".join(sorted(sizes)) or "none"
        raise RpcError("a variable that is not defined is written", where=where, found=name, hint=f"defined: {known}")
    return sizes[name]


def _within(where: str, offset: int, size: int, room: int, reserved: int) -> None:
    if offset + size > room:
        kept = f" before the {reserved} octets of the time stamp" if reserved else ""
        raise _misfit(f"outside the packet of {room} octets{kept}", where, f"octets {offset}..{offset + size - 1}")


def _misfit(what: str, where: str, found: str) -> RpcError:
    return RpcError(what, where=where, found=found)
