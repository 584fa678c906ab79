"""Errors of the RPC protocol: every one becomes an error reply, none is kept from the client."""

from __future__ import annotations

from nfvcert.errors import NfvcertError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMETERS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000
WORK_IN_PROGRESS = -32002
NO_RESULTS = -32003

_GENERAL = {
    PARSE_ERROR: "Parse error",
    INVALID_REQUEST: "Invalid request",
    METHOD_NOT_FOUND: "Method not found",
    INVALID_PARAMETERS: "Invalid parameters",
    INTERNAL_ERROR: "Internal error",
    REFUSED: "Refused",
    WORK_IN_PROGRESS: "Work in progress",
    NO_RESULTS: "No results",
}


class RpcError(NfvcertError):
    """A request that is answered with an error.

    Args:
        what: what is wrong with it; found and hint as in every error of nfvcert.
        code: number of the error, one of this module's.
    """

    def __init__(self, what: str, *, code: int = REFUSED, where: str = "", found: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, found=found, hint=hint)
        self.code = code

    def body(self) -> dict[str, object]:
        """The error object of the reply: the client shows ``specific_err``."""
        return {"code": self.code, "message": _GENERAL.get(self.code, "Error"), "specific_err": self.message}


class InProgress(RpcError):
    """The answer comes later: the client asks for it with the ticket's number."""

    def __init__(self, ticket: int) -> None:
        super().__init__(str(ticket), code=WORK_IN_PROGRESS)


def invalid(what: str, *, where: str = "", found: str = "", hint: str = "") -> RpcError:
    """A parameter that is missing or makes no sense."""
    return RpcError(what, code=INVALID_PARAMETERS, where=where, found=found, hint=hint)
