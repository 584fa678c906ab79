"""Methods of TRex that this server knows and does not offer, each with what to do instead."""

from __future__ import annotations

from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.methods.common import Handler, owned_port, port_of
from nfvcert.traffic.trex.server.parameters import Parameters

_INSTEAD = {
    "conf_ns_batch": "configure network namespaces on the host",
    "enable_tpg": "use flow statistics",
    "disable_tpg": "use flow statistics",
    "start_capture_port": "use a capture or the receive queue, and push packets",
    "stop_capture_port": "use a capture or the receive queue, and push packets",
    "set_capture_port_bpf": "use a capture or the receive queue, and push packets",
}
_OWNED = {"conf_ns_batch", "start_capture_port", "stop_capture_port", "set_capture_port_bpf"}


def _refuse(context: Context, parameters: Parameters) -> Any:
    if parameters.method in _OWNED:
        owned_port(context, parameters)
    raise RpcError("this server does not offer it", where=parameters.method, hint=_INSTEAD[parameters.method])


def get_tpg_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Tagged packet groups are never enabled."""
    if "port_id" in parameters.values:
        port_of(context, parameters)
    return {"enabled": False}


METHODS: dict[str, Handler] = {
    **dict.fromkeys(_INSTEAD, _refuse),
    "get_tpg_status": get_tpg_status,
}
