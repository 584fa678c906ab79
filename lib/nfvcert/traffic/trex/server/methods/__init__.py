"""The methods of the protocol, by name."""

from __future__ import annotations

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.methods import (
    captures,
    configuration,
    files,
    flows,
    ownership,
    refused,
    session,
    statistics,
    streams,
    traffic,
)
from nfvcert.traffic.trex.server.methods.common import Handler
from nfvcert.traffic.trex.server.parameters import Parameters

WITHOUT_API_HANDLER = frozenset({"api_sync_v2", "get_version", "ping", "get_supported_cmds"})
"""Methods that a client may call before it has the API handler."""

METHODS: dict[str, Handler] = {
    **session.METHODS,
    **ownership.METHODS,
    **configuration.METHODS,
    **streams.METHODS,
    **traffic.METHODS,
    **captures.METHODS,
    **files.METHODS,
    **statistics.METHODS,
    **flows.METHODS,
    **refused.METHODS,
}


def _supported(context: Context, parameters: Parameters) -> list[str]:
    return sorted(METHODS)


METHODS["get_supported_cmds"] = _supported
