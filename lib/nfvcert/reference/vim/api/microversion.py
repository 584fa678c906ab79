"""Microversions of the compute service: which one a request wants, and saying so in the answer."""

from __future__ import annotations

import re
from typing import NamedTuple

from fastapi import Request, Response

from nfvcert.reference.vim.faults import BadRequestError, NotAcceptableError


class Microversion(NamedTuple):
    """Major and minor number; compares as a tuple."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


MINIMUM = Microversion(2, 1)
MAXIMUM = Microversion(2, 79)


def wanted(headers: dict[str, str]) -> Microversion:
    """The microversion of a request, by its (lower-case) headers; the minimum if it names none.

    Raises:
        BadRequestError: not a version.
        NotAcceptableError: not between minimum and maximum.
    """
    text = headers.get("openstack-api-version", "")
    service, _, value = text.partition(" ")
    if service != "compute":
        value = headers.get("x-openstack-nova-api-version", "")
    value = value.strip()
    if not value:
        return MINIMUM
    if value == "latest":
        return MAXIMUM
    match = re.fullmatch(r"(\d+)\.(\d+)", value)
    if match is None:
        raise BadRequestError(f"API Version String {value} is of invalid format. Must be of format MajorNum.MinorNum.")
    version = Microversion(int(match[1]), int(match[2]))
    if not MINIMUM <= version <= MAXIMUM:
        raise NotAcceptableError(
            f"Version {value} is not supported by the API. Minimum is {MINIMUM} and maximum is {MAXIMUM}."
        )
    return version


async def negotiate(request: Request, response: Response) -> Microversion:
    """The microversion of a request (FastAPI dependency); the answer says which one it is in."""
    version = wanted({name.lower(): value for name, value in request.headers.items()})
    response.headers["OpenStack-API-Version"] = f"compute {version}"
    response.headers["X-OpenStack-Nova-API-Version"] = str(version)
    response.headers["Vary"] = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
    return version
