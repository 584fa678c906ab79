"""Sending a capture file that lies on the server's machine."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.methods.common import Handler, duration_of, owned_port
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.pcap import read_packets
from nfvcert.traffic.trex.server.ports import FILE_PROFILE, MOST_STREAMS, Port, State
from nfvcert.traffic.trex.server.rates import packets_per_second
from nfvcert.traffic.trex.server.sessions import EventType
from nfvcert.traffic.trex.server.streams import SHORTEST_PACKET, with_addresses

SOURCE_FROM_FILE, DESTINATION_FROM_FILE = 0x8000_0000, 0x4000_0000
"""Flags beside the number of rounds: MAC addresses stay as the file has them."""
MOST_ROUNDS = 0x3FFF_FFFF
LONGEST_GAP_US = 1e12
LINE_PERCENT = 100.0
"""Rate within a burst of one packet, as TRex's client has it: the gap before it is what counts."""


def push_remote(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Send a capture file, ``count`` times over (0: until stopped), ``duration`` seconds at most (-1: no limit).

    Packets follow each other as they were recorded, ``speedup`` times as fast, or ``ipg_usec`` apart.
    """
    port = owned_port(context, parameters)
    where = f"push_remote, port {port.index}"
    if port.state in (State.TX, State.PAUSE, State.PCAP_TX):
        raise RpcError("the port sends already", where=where, found=port.state.value, hint="stop it")
    if parameters.flag("is_dual", False):
        raise RpcError("a file is sent in one direction", where=where, hint="send a file per port")
    path = Path(parameters.text("pcap_filename", longest=4096))
    rounds = parameters.integer("count", high=(1 << 32) - 1)
    duration = duration_of(parameters, where)
    packets = read_packets(path, most=MOST_STREAMS, longest=context.longest_packet)
    gaps = _gaps([gap for gap, _ in packets], parameters, where)
    kept = (bool(rounds & SOURCE_FROM_FILE), bool(rounds & DESTINATION_FROM_FILE))
    octets = [with_addresses(packet.ljust(SHORTEST_PACKET, b"\0"), port.addresses, *kept) for _, packet in packets]
    context.look_at_links()
    if not port.link_up:
        raise RpcError("the link is down", where=where, hint="bring its peer up")
    streams = _chain(octets, gaps, rounds & MOST_ROUNDS, port.speed_bps)
    context.order("load", port=port.index, profile=FILE_PROFILE, streams=streams)
    answer = context.order("start", port=port.index, profile=FILE_PROFILE, multiplier=1.0, duration_s=duration)
    port.file_started_ns = int(answer.get("t_ns", 0))
    context.traffic_begins()
    context.log.say("file-started", port=port.index, file=str(path), packets=len(packets))
    context.sessions.publish(EventType.PORT_STARTED, {"port_id": port.index})
    return {}


def stop_file(context: Context, port: Port) -> None:
    """Stop sending a file, if the port does."""
    if port.file_started_ns is None:
        return
    context.order("unload", port=port.index, profile=FILE_PROFILE)
    port.file_started_ns = None
    context.log.say("file-stopped", port=port.index)
    context.sessions.publish(EventType.PORT_STOPPED, {"port_id": port.index})


def _gaps(recorded: list[float], parameters: Parameters, where: str) -> list[float]:
    """Microseconds before each packet."""
    fixed = parameters.number("ipg_usec", -1)
    least = parameters.number("min_ipg_usec", 0)
    speedup = parameters.number("speedup", 1)
    if speedup <= 0:
        raise invalid("'speedup' is to be positive", where=where, found=f"{speedup:g}")
    if (fixed != -1 and fixed < 0) or least < 0:
        raise invalid("gaps are not to be negative", where=where, found=f"{fixed:g} and at least {least:g}")
    wanted = [gap * 1e6 for gap in recorded] if fixed == -1 else [fixed] * len(recorded)
    gaps = [max(least, gap / speedup) for gap in wanted]
    longest = max(gaps)
    if not math.isfinite(longest) or longest > LONGEST_GAP_US:
        raise invalid(f"a gap is at most {LONGEST_GAP_US:g} us", where=where, found=f"{longest:g}")
    return gaps


def _chain(packets: list[bytes], gaps: list[float], rounds: int, speed_bps: float) -> list[dict[str, Any]]:
    """Streams of a packet each, one behind the other; the last one leads back to the first."""
    last = len(packets) - 1
    return [
        {
            "id": place,
            "self_start": place == 0,
            "start_paused": False,
            "isg_us": gap,
            "next": 0 if place == last else place + 1,
            "action_count": rounds if place == last else 0,
            "mode": {"type": "single_burst", "total_pkts": 1},
            "pps": packets_per_second("percentage", LINE_PERCENT, len(octets), speed_bps),
            "packet": base64.b64encode(octets).decode(),
            "dummy": False,
            "seed": None,
            "vm": {"instructions": [], "cache": 0},
            "flow_stats": {"kind": "none", "group": 0},
        }
        for place, (octets, gap) in enumerate(zip(packets, gaps, strict=True))
    ]


METHODS: dict[str, Handler] = {"push_remote": push_remote}
