"""What the methods have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import ALL_PROFILES, DEFAULT_PROFILE, Port

Handler = Callable[[Context, Parameters], Any]


def port_of(context: Context, parameters: Parameters) -> Port:
    """The port that a request names."""
    return context.port(parameters.integer("port_id", high=1 << 16))


def owned_port(context: Context, parameters: Parameters) -> Port:
    """The port that a request names, which its sender holds. Raises: RpcError."""
    port = port_of(context, parameters)
    owner = port.check_handler(parameters.values.get("handler"))
    context.sessions.heard(owner.session)
    return port


def profile_name(parameters: Parameters) -> str:
    """The profile that a request names, maybe all."""
    return parameters.text("profile_id", DEFAULT_PROFILE, longest=64)


def one_profile(parameters: Parameters) -> str:
    """The single profile that a request names. Raises: RpcError."""
    name = profile_name(parameters)
    if name.startswith(ALL_PROFILES) or not name:
        raise RpcError("one profile is to be named", where=parameters.method, found=name)
    return name


def duration_of(parameters: Parameters, where: str) -> float:
    """How many seconds a request is to send for; -1: no limit. Raises: RpcError."""
    duration = parameters.number("duration", -1)
    if duration != -1 and duration <= 0:
        raise invalid("'duration' is to be positive, or -1 for no limit", where=where, found=f"{duration:g}")
    return duration
