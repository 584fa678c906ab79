"""From a frame to its answer: every request gets a reply, whatever it is."""

from __future__ import annotations

import traceback
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, RpcError, invalid
from nfvcert.traffic.trex.server.frames import Frame, decode, encode
from nfvcert.traffic.trex.server.methods import METHODS, WITHOUT_API_HANDLER
from nfvcert.traffic.trex.server.parameters import Parameters


class Dispatcher:
    """Carries out the requests of frames."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def answer(self, data: bytes) -> bytes:
        """The frame that answers a frame."""
        self.context.begin_frame()
        frame: Frame | None = None
        try:
            frame = decode(data)
        except RpcError as error:
            self.context.log.say("bad-frame", octets=len(data), error=error.message)
            return encode([_error_reply(None, error)], None)
        return encode([self._reply(request) for request in frame.requests], frame)

    def _reply(self, request: Any) -> dict[str, Any]:
        identity = request.get("id") if isinstance(request, dict) else None
        try:
            return {"jsonrpc": "2.0", "id": identity, "result": self._carry_out(request)}
        except RpcError as error:
            return _error_reply(identity, error)
        except Exception as error:  # a fault of the server is the client's to know, and must not end the server
            self.context.log.say("fault", request=str(request)[:500], trace=traceback.format_exc())
            fault = RpcError("the server failed", code=INTERNAL_ERROR, found=f"{type(error).__name__}: {error}")
            return _error_reply(identity, fault)

    def _carry_out(self, request: Any) -> Any:
        if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
            raise RpcError("no JSON-RPC 2.0 request", code=INVALID_REQUEST, found=str(request)[:80])
        method, values = request.get("method"), request.get("params", {})
        if not isinstance(method, str) or not isinstance(values, dict):
            raise RpcError("'method' is to be a text and 'params' an object", code=INVALID_REQUEST)
        handler = METHODS.get(method)
        if handler is None:
            raise RpcError("unknown method", code=METHOD_NOT_FOUND, found=method[:80])
        if method not in WITHOUT_API_HANDLER and values.get("api_h") != self.context.api_h:
            raise invalid(
                "the API handler is not this server's",
                where=method,
                found="none" if "api_h" not in values else "another one",
                hint="synchronise with api_sync_v2 first; after a restart of the server again",
            )
        if self.context.clock() > self.context.deadline:
            raise RpcError(
                "not carried out: the requests before it took too long", where=method, hint="send fewer at once"
            )
        return handler(self.context, Parameters(method, values))


def _error_reply(identity: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.body()}
