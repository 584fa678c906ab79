"""Refusals of the VIM and how each OpenStack service words them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class CloudFaultError(Exception):
    """A request is refused; `type` is the exception name that Neutron shows to its clients."""

    status = 500
    type = "CloudFault"

    def __init__(self, message: str, *, type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if type is not None:
            self.type = type


class BadRequestError(CloudFaultError):
    """The body or query is not what the API allows, or names something that does not exist."""

    status = 400
    type = "HTTPBadRequest"


class UnauthorizedError(CloudFaultError):
    """No valid token or wrong credentials."""

    status = 401
    type = "Unauthorized"


class ForbiddenError(CloudFaultError):
    """The quota or a rule does not allow it."""

    status = 403
    type = "Forbidden"


class NotFoundError(CloudFaultError):
    """No resource of this kind has this id."""

    status = 404

    def __init__(self, kind: str, id: str) -> None:
        name = kind.replace("_", " ").capitalize()
        super().__init__(f"{name} {id} could not be found.", type=f"{name.replace(' ', '')}NotFound")


class ConflictError(CloudFaultError):
    """The resource is in use or in a state that does not allow it."""

    status = 409
    type = "Conflict"


class NotAcceptableError(CloudFaultError):
    """A microversion that is not offered."""

    status = 406
    type = "NotAcceptable"


class UnavailableError(CloudFaultError):
    """A host agent does not answer."""

    status = 503
    type = "ServiceUnavailable"


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
NOVA_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    503: "serviceUnavailable",
}

Wording = Callable[[int, str, str], Any]


def identity_body(status: int, message: str, type: str) -> dict[str, Any]:
    """Error body of the identity service."""
    return {"error": {"code": status, "message": message, "title": TITLES.get(status, "Error")}}


def compute_body(status: int, message: str, type: str) -> dict[str, Any]:
    """Error body of the compute service."""
    if status == 406:
        return {"errors": [{"status": 406, "title": "Not Acceptable", "detail": message, "code": "", "request_id": ""}]}
    return {NOVA_NAMES.get(status, "computeFault"): {"code": status, "message": message}}


def network_body(status: int, message: str, type: str) -> dict[str, Any]:
    """Error body of the network service."""
    return {"NeutronError": {"type": type, "message": message, "detail": ""}}


def image_body(status: int, message: str, type: str) -> dict[str, Any]:
    """Error body of the image service."""
    return {"code": status, "title": TITLES.get(status, "Error"), "message": message}
