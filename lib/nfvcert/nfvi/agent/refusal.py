"""Errors of the agent with the HTTP status they become."""

from __future__ import annotations

from nfvcert.errors import TestbedError


class Refusal(TestbedError):
    """The request cannot be fulfilled as it stands; `status` is the HTTP status of the answer."""

    status = 400


class NotFound(Refusal):
    """What the request names does not exist on this host."""

    status = 404


class Conflict(Refusal):
    """What the request asks for contradicts what there is."""

    status = 409


class Unavailable(Refusal):
    """The host cannot do this now, or at all."""

    status = 503
