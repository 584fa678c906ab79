"""Capture files that clients have the server send: packets, and the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.streams import check_length

ETHERNET = 1
"""Link type of Ethernet (draft-ietf-opsawg-pcaplinktype)."""


def read_packets(path: Path, *, most: int, longest: int) -> list[tuple[float, bytes]]:
    """The packets of a pcap or pcapng file in its order, each with the seconds from the one before it.

    Args:
        most: packets.
        longest: octets of a packet, without frame check sequence.

    Raises:
        RpcError: the file cannot be read, holds no Ethernet packets or more than that, or one of another length.
    """
    packets: list[tuple[float, bytes]] = []
    before: float | None = None
    for time, octets in _raw(path):
        if len(packets) == most:
            raise RpcError(f"a file of at most {most} packets can be sent", where=str(path), hint="split it")
        check_length(octets, longest, f"{path}, packet {len(packets) + 1}")
        packets.append((0.0 if before is None else max(0.0, time - before), octets))
        before = time
    if not packets:
        raise RpcError("the file holds no packets", where=str(path))
    return packets


def _raw(path: Path) -> Iterator[tuple[float, bytes]]:
    """Packets with their times in seconds."""
    from scapy.error import Scapy_Exception
    from scapy.utils import RawPcapReader  # half a second, for servers that are asked for it

    try:
        with RawPcapReader(str(path)) as reader:
            for octets, told in reader:
                link = getattr(told, "linktype", getattr(reader, "linktype", None))
                if link != ETHERNET:
                    raise RpcError("only Ethernet packets can be sent", where=str(path), found=f"link type {link}")
                yield _seconds(told, getattr(reader, "nano", False)), octets
    except (OSError, Scapy_Exception, EOFError) as error:
        raise RpcError(
            "the capture file cannot be read",
            where=str(path),
            found=str(error) or type(error).__name__,
            hint="name a pcap or pcapng file on the server's machine by its whole path",
        ) from error


def _seconds(told: Any, nanoseconds: bool) -> float:
    if hasattr(told, "tsresol"):
        return float(((told.tshigh << 32) | told.tslow) / told.tsresol)
    return float(told.sec + told.usec * (1e-9 if nanoseconds else 1e-6))
