"""Beginning a conversation: version, API handler, events."""

from __future__ import annotations

import importlib.metadata
import time
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.methods.common import Handler
from nfvcert.traffic.trex.server.methods.statistics import global_statistics
from nfvcert.traffic.trex.server.parameters import Parameters

API_NAME = "STL"
API_MAJOR = 5
API_MINOR = 1


def api_sync(context: Context, parameters: Parameters) -> dict[str, str]:
    """Agree on the API's version; the handler is shown with every further request."""
    name = parameters.text("name")
    major, minor = parameters.integer("major"), parameters.integer("minor")
    if name != API_NAME or major != API_MAJOR or minor > API_MINOR:
        raise RpcError(
            "client and server do not fit together",
            found=f"client {name} {major}.{minor}, server {API_NAME} {API_MAJOR}.{API_MINOR}",
            hint="use a client of this API",
        )
    return {"api_h": context.api_h}


def get_version(context: Context, parameters: Parameters) -> dict[str, str]:
    """Who this is."""
    version = importlib.metadata.version("nfvcert")
    return {
        "version": f"nfvcert {version}",
        "build_date": "",
        "build_time": "",
        "built_by": "nfvcert",
        "mode": API_NAME,
    }


def ping(context: Context, parameters: Parameters) -> dict[str, float]:
    """Time of the server, seconds."""
    return {"ts": time.time()}


def publish_now(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Barrier of the asynchronous channel; with a baseline of the statistics if asked for."""
    key = parameters.integer("key")
    baseline = parameters.flag("baseline", False)
    context.sessions.publish_baseline(key, global_statistics(context) if baseline else None)
    return {}


def get_async_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Events of a session since it last asked."""
    return {"data": context.sessions.take(parameters.session(), parameters.text("user", ""))}


def get_async_results(context: Context, parameters: Parameters) -> Any:
    """The answer for which a ticket was given."""
    return context.tickets.fetch(parameters.integer("ticket_id"))


def cancel_async_task(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Give up a ticket."""
    context.tickets.cancel(parameters.integer("ticket_id"))
    return {}


METHODS: dict[str, Handler] = {
    "api_sync_v2": api_sync,
    "get_version": get_version,
    "ping": ping,
    "publish_now": publish_now,
    "get_async_events": get_async_events,
    "get_async_results": get_async_results,
    "cancel_async_task": cancel_async_task,
}
