"""Starting, changing and ending traffic."""

from __future__ import annotations

import time
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.methods.common import Handler, duration_of, one_profile, owned_port, profile_name
from nfvcert.traffic.trex.server.methods.files import stop_file
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import ALL_PROFILES, DEFAULT_PROFILE, Port, Profile, State
from nfvcert.traffic.trex.server.rates import Load, check_line, multiplier_of
from nfvcert.traffic.trex.server.sessions import EventType

MOST_STREAMS_NAMED = 20_000


def start_traffic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Start a profile, for ``duration`` seconds or until stopped (-1)."""
    port = owned_port(context, parameters)
    name = one_profile(parameters)
    profile = port.profile(name)
    where = f"port {port.index}, profile {name}"
    force = parameters.flag("force", False)
    duration = duration_of(parameters, where)
    if parameters.number("start_at_ts", 0):
        raise RpcError(
            "a start at a given time is not offered", where=where, hint="start the ports one after the other"
        )
    _check_free(port, profile, where, force=force)
    context.look_at_links()
    if not port.link_up and not force:
        raise RpcError("the link is down", where=where, hint="bring its peer up or start with force")
    base = profile.outline(port.speed_bps).peak
    factor = multiplier_of(parameters.mapping("mul"), updates=False).factor(base, port.speed_bps, 1.0)
    check_line(port.present_load(without=name) + base.times(factor), port.speed_bps, port.index, force=force)
    _load(context, port, name, profile)
    answer = context.order("start", port=port.index, profile=name, multiplier=factor, duration_s=duration)
    profile.running, profile.factor = State.TX, factor
    profile.started_ns = int(answer.get("t_ns", 0))
    context.traffic_begins()
    context.log.say("started", port=port.index, profile=name, multiplier=factor, duration_s=duration)
    _tell(context, port, name, EventType.PROFILE_STARTED)
    return {"multiplier": factor, "ts": time.time(), "t_ns": answer.get("t_ns")}


def stop_traffic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Stop a profile, or all, and a capture file; what does not run stays as it is."""
    port = owned_port(context, parameters)
    chosen = profile_name(parameters)
    for name in port.selected(chosen):
        stop_profile(context, port, name)
    if chosen in (DEFAULT_PROFILE, ALL_PROFILES):
        stop_file(context, port)
    return {}


def stop_profile(context: Context, port: Port, name: str) -> None:
    """Stop a profile if it runs."""
    profile = port.profiles.get(name)
    if profile is None or not profile.running:
        return
    context.order("stop", port=port.index, profile=name)
    profile.running = None
    context.log.say("stopped", port=port.index, profile=name)
    _tell(context, port, name, EventType.PROFILE_STOPPED)


def pause_traffic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Pause a profile, or all that run; only continuous streams can be paused."""
    port = owned_port(context, parameters)
    for name in _running(port, parameters, State.TX):
        profile = port.profiles[name]
        _check_continuous(profile.streams, profile, f"port {port.index}, profile {name}")
        context.order("pause", port=port.index, profile=name)
        profile.running = State.PAUSE
        _tell(context, port, name, EventType.PROFILE_PAUSED)
    return {}


def resume_traffic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Let a paused profile, or all, go on."""
    port = owned_port(context, parameters)
    for name in _running(port, parameters, State.PAUSE):
        context.order("resume", port=port.index, profile=name)
        port.profiles[name].running = State.TX
        _tell(context, port, name, EventType.PROFILE_RESUMED)
    return {}


def update_traffic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change the rate of a profile, or of all that run."""
    port = owned_port(context, parameters)
    multiplier = multiplier_of(parameters.mapping("mul"), updates=True)
    force = parameters.flag("force", False)
    factor = 1.0
    for name in _running(port, parameters, State.TX):
        profile = port.profiles[name]
        base = profile.outline(port.speed_bps).peak
        factor = multiplier.factor(base, port.speed_bps, profile.factor)
        check_line(port.present_load(without=name) + base.times(factor), port.speed_bps, port.index, force=force)
        context.order("update", port=port.index, profile=name, multiplier=factor)
        profile.factor = factor
    return {"multiplier": factor}


def pause_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Pause some continuous streams of a profile that runs."""
    port, name, numbers = _named_streams(context, parameters)
    _check_continuous(numbers, port.profiles[name], f"port {port.index}, profile {name}")
    context.order("pause", port=port.index, profile=name, ids=numbers)
    return {}


def resume_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Let some streams go on."""
    port, name, numbers = _named_streams(context, parameters)
    context.order("resume", port=port.index, profile=name, ids=numbers)
    return {}


def update_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change the rate of some streams of a profile that runs."""
    port, name, numbers = _named_streams(context, parameters)
    profile = port.profiles[name]
    chosen = {number: profile.streams[number] for number in numbers}
    base = sum((stream.load(port.speed_bps) for stream in chosen.values()), Load())
    factor = multiplier_of(parameters.mapping("mul"), updates=False).factor(base, port.speed_bps, profile.factor)
    others = port.present_load() + base.times(factor - profile.factor)
    check_line(others, port.speed_bps, port.index, force=parameters.flag("force", False))
    context.order("update_streams", port=port.index, profile=name, ids=numbers, multiplier=factor)
    return {"multiplier": factor}


def remove_rx_filters(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Nothing to remove: packets of packet groups that arrive late are counted still."""
    port = owned_port(context, parameters)
    port.profile(one_profile(parameters))
    return {}


def _load(context: Context, port: Port, name: str, profile: Profile) -> None:
    """Give the engine the streams, unless it has them."""
    context.renew_groups()
    if profile.loaded:
        return
    streams = [
        stream.compiled(port.speed_bps, port.addresses)
        for stream in profile.streams.values()
        if stream.described.enabled
    ]
    context.order("load", port=port.index, profile=name, streams=streams)
    profile.loaded = profile.known = True


def _check_free(port: Port, profile: Profile, where: str, *, force: bool) -> None:
    if profile.running:
        raise RpcError("the profile runs already", where=where, hint="stop it or update it")
    if port.file_started_ns is not None:
        raise RpcError("the port sends a capture file", where=where, hint="stop it")
    if port.service and not force:
        raise RpcError("the port is in service mode", where=where, hint="leave it first or start with force")


def _running(port: Port, parameters: Parameters, state: State) -> list[str]:
    """The profiles meant that are in a state. Raises: RpcError when none is."""
    name = profile_name(parameters)
    chosen = [other for other in port.selected(name) if port.profile(other).running is state]
    if not chosen:
        found = port.profiles[name].state.value if name in port.profiles else port.state.value
        raise RpcError(f"nothing is in state {state.value}", where=f"port {port.index}, profile {name}", found=found)
    return chosen


def _named_streams(context: Context, parameters: Parameters) -> tuple[Port, str, list[int]]:
    port = owned_port(context, parameters)
    name = one_profile(parameters)
    profile = port.profile(name)
    numbers = parameters.integers("stream_ids", most=MOST_STREAMS_NAMED)
    where = f"port {port.index}, profile {name}"
    missing = [number for number in numbers if number not in profile.streams]
    if missing or not numbers:
        raise RpcError("streams that exist are to be named", where=where, found=str(missing or "none")[:80])
    if not profile.running:
        raise RpcError("the profile does not run", where=where, found=profile.state.value)
    return port, name, numbers


def _check_continuous(numbers: Any, profile: Profile, where: str) -> None:
    bursts = [number for number in numbers if profile.streams[number].described.mode.type != "continuous"]
    if bursts:
        raise RpcError("only continuous streams can be paused", where=where, found=f"bursts: {bursts[:10]}")


def _tell(context: Context, port: Port, name: str, kind: EventType) -> None:
    context.sessions.publish(kind, {"port_id": port.index, "profile_id": name})


METHODS: dict[str, Handler] = {
    "start_traffic": start_traffic,
    "stop_traffic": stop_traffic,
    "pause_traffic": pause_traffic,
    "resume_traffic": resume_traffic,
    "update_traffic": update_traffic,
    "pause_streams": pause_streams,
    "resume_streams": resume_streams,
    "update_streams": update_streams,
    "remove_rx_filters": remove_rx_filters,
}
