"""Adding, removing and examining streams."""

from __future__ import annotations

import math
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.methods.common import Handler, one_profile, owned_port, port_of, profile_name
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import ALL_PROFILES, Port
from nfvcert.traffic.trex.server.rates import Load
from nfvcert.traffic.trex.server.streams import parse_stream

HIGHEST_STREAM = (1 << 31) - 1


def add_stream(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add a stream to a profile."""
    port = owned_port(context, parameters)
    name = one_profile(parameters)
    number = parameters.integer("stream_id", high=HIGHEST_STREAM)
    stream = parse_stream(number, parameters.values.get("stream"), context.longest_packet)
    anew = context.groups.add(stream)
    try:
        port.add_stream(name, stream)
    except RpcError:
        context.groups.remove(stream)
        raise
    if anew is not None:
        context.stale_groups.add(anew)
    return {}


def remove_stream(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove one stream."""
    port = owned_port(context, parameters)
    name = one_profile(parameters)
    number = parameters.integer("stream_id", high=HIGHEST_STREAM)
    profile = port.profile(name)
    _check_stopped(port, name)
    if number not in profile.streams:
        raise RpcError("no such stream", where=f"port {port.index}, profile {name}", found=str(number))
    context.groups.remove(profile.streams.pop(number))
    profile.loaded = False
    if not profile.streams:
        _drop_profile(context, port, name)
    return {}


def remove_all_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove the streams of a profile, or of all."""
    port = owned_port(context, parameters)
    names = [name for name in port.selected(profile_name(parameters)) if name in port.profiles]
    for name in names:
        _check_stopped(port, name)
    for name in names:
        for stream in port.profiles[name].streams.values():
            context.groups.remove(stream)
        port.profiles[name].streams.clear()
        _drop_profile(context, port, name)
    if not port.profiles:
        port.highest_stream = 0
    return {}


def get_all_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The streams of a profile, or of all, as they were given."""
    port = port_of(context, parameters)
    profiles: dict[str, Any] = {}
    for name in port.selected(profile_name(parameters)):
        if name in port.profiles:
            profiles[name] = {str(number): stream.given for number, stream in port.profiles[name].streams.items()}
    return {"profiles": profiles}


def get_profile_list(context: Context, parameters: Parameters) -> list[str]:
    """Names of the profiles of a port."""
    return sorted(port_of(context, parameters).profiles)


def get_stream_list(context: Context, parameters: Parameters) -> list[int]:
    """Numbers of the streams of a profile, or of all."""
    port = port_of(context, parameters)
    chosen = [port.profiles[name] for name in port.selected(profile_name(parameters)) if name in port.profiles]
    return sorted(number for profile in chosen for number in profile.streams)


def validate(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a port's profiles would send at multiplier 1; refused when they cannot be sent."""
    port = owned_port(context, parameters)
    name = profile_name(parameters) if "profile_id" in parameters.values else ALL_PROFILES
    names = port.selected(name)
    if not port.profiles:
        raise RpcError("no streams", where=f"port {port.index}")
    outlines = [port.profile(name).outline(port.speed_bps) for name in names]
    peak = sum((outline.peak for outline in outlines), Load())
    seconds = max(outline.seconds for outline in outlines)
    spans = [span for outline in outlines for span in outline.spans]
    return {
        "rate": {
            "max_pps": peak.pps,
            "max_bps_l2": peak.bps_l2,
            "max_bps_l1": peak.bps_l1,
            "max_line_util": peak.percent_of(port.speed_bps),
        },
        "graph": {
            "expected_duration": 0 if math.isinf(seconds) else seconds * 1e6,
            "events_count": 2 * len(spans),
            "events": [
                {"stream_id": span.stream, "time_usec": span.begin * 1e6, "diff_pps": span.load.pps}
                for span in spans[:1000]
            ],
        },
    }


def _check_stopped(port: Port, name: str) -> None:
    if port.profiles[name].running:
        raise RpcError(
            "streams cannot be removed from a profile that runs",
            where=f"port {port.index}, profile {name}",
            hint="stop it",
        )


def _drop_profile(context: Context, port: Port, name: str) -> None:
    profile = port.profiles.pop(name)
    if profile.known:
        context.order("unload", port=port.index, profile=name)


METHODS: dict[str, Handler] = {
    "add_stream": add_stream,
    "remove_stream": remove_stream,
    "remove_all_streams": remove_all_streams,
    "get_all_streams": get_all_streams,
    "get_profile_list": get_profile_list,
    "get_stream_list": get_stream_list,
    "validate": validate,
}
