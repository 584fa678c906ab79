"""Single packets: captures of those that pass, the receive queue of a port, packets that are sent as they are."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.methods.common import Handler, owned_port, port_of
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import Port
from nfvcert.traffic.trex.server.streams import SHORTEST_GIVEN, with_addresses

LARGEST_QUEUE = 100_000
LARGEST_SNAPLEN = 2016
"""Octets that the engine keeps of a packet at most."""
MOST_FETCHED = 1000
MOST_PUSHED_OCTETS = 1_000_000
"""Octets of a push without force, as TRex limits it."""
_MODES = ("fixed", "cyclic")


def capture(context: Context, parameters: Parameters) -> Any:
    """Start, stop, fetch, remove captures, or tell which there are."""
    command = parameters.text("command")
    if command not in _COMMANDS:
        raise invalid("no such command", where=parameters.method, found=command, hint=", ".join(sorted(_COMMANDS)))
    return _COMMANDS[command](context, parameters)


def _start(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin a capture on ports in service mode; ``filter`` is a pcap filter."""
    ways = {way: parameters.integers(way, most=len(context.ports), high=1 << 16) for way in ("tx", "rx")}
    ports = [context.port(index) for index in sorted({*ways["tx"], *ways["rx"]})]
    if not ports:
        raise invalid("a capture is to name ports", where="capture start", hint="tx_ports or rx_ports")
    for port in ports:
        _check_service(port, "capture start")
    if parameters.text("endpoint", ""):
        raise RpcError("captures are not streamed to an endpoint", where="capture start", hint="fetch the packets")
    mode = parameters.text("mode", "fixed")
    if mode not in _MODES:
        raise invalid("no such mode", where="capture start", found=mode, hint=", ".join(_MODES))
    snaplen = parameters.integer("snaplen", LARGEST_SNAPLEN, low=0, high=1 << 16) or LARGEST_SNAPLEN
    answer = context.order(
        "capture_start",
        tx=ways["tx"],
        rx=ways["rx"],
        limit=parameters.integer("limit", low=1, high=LARGEST_QUEUE),
        mode=mode,
        filter=parameters.text("filter", "", longest=4096),
        snaplen=min(snaplen, LARGEST_SNAPLEN),
    )
    number = int(answer["capture"])
    context.captures.add(number)
    context.log.say("capture-started", capture=number, **ways)
    return {"capture_id": number, "start_ts": answer["t_ns"] / 1e9}


def _stop(context: Context, parameters: Parameters) -> dict[str, int]:
    """End a capture; its packets stay until they are fetched or it is removed."""
    answer = context.order("capture_stop", capture=_number(context, parameters))
    return {"pkt_count": answer["packets"]}


def _fetch(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take the oldest packets of a capture, at most ``pkt_limit``; ``pending`` are left."""
    number = _number(context, parameters)
    most = min(parameters.integer("pkt_limit", low=0), MOST_FETCHED)
    snaplen = parameters.integer("snaplen", 0, high=1 << 16)
    answer = context.order("capture_fetch", capture=number, most=most)
    return {
        "pkts": [_told(packet, snaplen) for packet in answer["packets"]],
        "pending": answer["pending"],
        "start_ts": answer["start_ns"] / 1e9,
    }


def _remove(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Give up a capture and what it holds."""
    number = _number(context, parameters)
    context.order("capture_remove", capture=number)
    context.captures.discard(number)
    context.log.say("capture-removed", capture=number)
    return {}


def _status(context: Context, parameters: Parameters) -> list[dict[str, Any]]:
    """The captures there are; ports as bit masks."""
    if not context.captures:
        return []
    told = context.order("capture_status")["captures"]
    return [_described(each) for each in told if each["capture"] in context.captures]


def set_rx_feature(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Receive queue on or off: the last ``size`` packets that came are kept."""
    port = owned_port(context, parameters)
    kind, enabled = parameters.text("type"), parameters.flag("enabled")
    if kind != "queue":
        raise RpcError("no such receive feature", where=f"port {port.index}", found=kind, hint="queue")
    size = parameters.integer("size", low=1, high=LARGEST_QUEUE) if enabled else 0
    close_queue(context, port)
    if enabled:
        answer = context.order("capture_start", rx=[port.index], limit=size, mode="cyclic")
        port.rx_queue, port.rx_capture = size, int(answer["capture"])
    return {}


def close_queue(context: Context, port: Port) -> None:
    """Give up the receive queue of a port, if it has one. Raises: RpcError."""
    if port.rx_capture is not None:
        context.order("capture_remove", capture=port.rx_capture)
        port.rx_queue, port.rx_capture = 0, None


def queued_packets(context: Context, port: Port) -> int:
    """How many packets wait in a receive queue. Raises: RpcError."""
    if port.rx_capture is None:
        return 0
    told = context.order("capture_status")["captures"]
    return next((int(each["packets"]) for each in told if each["capture"] == port.rx_capture), 0)


def get_rx_queue_packets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Packets that the receive queue has gathered, oldest first; they are gone then."""
    port = owned_port(context, parameters)
    if port.rx_capture is None:
        raise RpcError("the receive queue is off", where=f"port {port.index}", hint="set_rx_queue first")
    packets = context.order("capture_fetch", capture=port.rx_capture, most=MOST_FETCHED)["packets"]
    return {"pkts": [{"binary": packet["binary"], "ts": packet["t_ns"] / 1e9} for packet in packets]}


def push_packets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Send packets as they are, one behind the other, ``ipg_usec`` apart; the client shows no handler here."""
    port = port_of(context, parameters)
    where = f"push_pkts, port {port.index}"
    if port.owner is None:
        raise RpcError("nobody owns the port", where=where, hint="acquire it")
    force = parameters.flag("force", False)
    gap = parameters.number("ipg_usec", 0)
    listed = parameters.values.get("pkts")
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise invalid("'pkts' is to be a list of packets", where=where)
    if not 0 <= gap <= 1e6:
        raise invalid("'ipg_usec' is to be from 0 to a second", where=where, found=f"{gap:g}")
    longest = context.longest_packet
    packets = [_composed(each, port, longest, f"{where}, packet {place}") for place, each in enumerate(listed)]
    total = sum(map(len, packets))
    if total > MOST_PUSHED_OCTETS and not force:
        raise RpcError("the packets are too much", where=where, found=f"{total} octets", hint="push fewer, or by force")
    if port.flow_mode:
        raise RpcError("the flow mode has the port", where=where, found=port.flow_mode, hint="flow_stop first")
    context.order(
        "push", port=port.index, packets=[base64.b64encode(each).decode() for each in packets], gap_us=float(gap)
    )
    return {"ts": time.time()}


def _composed(told: dict[str, Any], port: Port, longest: int, where: str) -> bytes:
    """A packet, with the port's MAC addresses where the client leaves them to it."""
    try:
        octets = base64.b64decode(told.get("binary", ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise invalid("'binary' is to be octets in base64", where=where) from None
    if not SHORTEST_GIVEN <= len(octets) <= longest:
        raise invalid(f"a packet has {SHORTEST_GIVEN} to {longest} octets", where=where, found=str(len(octets)))
    own_source, own_destination = (told.get(f"use_port_{which}_mac") is not True for which in ("src", "dst"))
    return with_addresses(octets, port.addresses, own_source, own_destination)


def _number(context: Context, parameters: Parameters) -> int:
    number = parameters.integer("capture_id")
    if number not in context.captures:
        raise RpcError("no such capture", where=parameters.text("command"), found=str(number))
    return number


def _check_service(port: Port, where: str) -> None:
    if not port.service:
        raise RpcError("the port is not in service mode", where=f"{where}, port {port.index}", hint="set service mode")


def _told(packet: dict[str, Any], snaplen: int) -> dict[str, Any]:
    binary = packet["binary"]
    if snaplen:
        binary = base64.b64encode(base64.b64decode(binary)[:snaplen]).decode()
    return {
        "binary": binary,
        "origin": packet["origin"],
        "ts": packet["t_ns"] / 1e9,
        "index": packet["index"],
        "port": packet["port"],
        "wirelen": packet["wire_octets"],
    }


def _described(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": told["capture"],
        "state": "ACTIVE" if told["active"] else "STOPPED",
        "matched": told["matched"],
        "count": told["packets"],
        "bytes": told["octets"],
        "limit": told["limit"],
        "mode": told["mode"],
        "filter": {"tx": _mask(told["tx"]), "rx": _mask(told["rx"]), "bpf": told["filter"]},
    }


def _mask(ports: list[int]) -> int:
    return sum(1 << port for port in ports)


_COMMANDS = {"start": _start, "stop": _stop, "fetch": _fetch, "remove": _remove, "status": _status}

METHODS: dict[str, Handler] = {
    "capture": capture,
    "set_rx_feature": set_rx_feature,
    "get_rx_queue_pkts": get_rx_queue_packets,
    "push_pkts": push_packets,
}
