"""Coordination with the element manager (SOL002 clause 10): the client side of ``lcmcoord``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from nfvcert.reference.common.peer import Peer, PeerError, detail_of, object_of
from nfvcert.reference.common.problem import Problem
from nfvcert.sol.common import now
from nfvcert.sol.lcmcoord import API_PATH, LcmCoordResultType

log = logging.getLogger(__name__)

COORDINATIONS = f"{API_PATH}/coordinations"
_CANCEL_TIMEOUT = 2.0
_UNREACHABLE_TRIES = 3

Entry = dict[str, Any]


class CoordinationAborted(Problem):
    """The element manager wants the operation to stop (ABORT, CANCELLED or an error)."""

    def __init__(self, detail: str, extra: dict[str, Any] | None = None) -> None:
        super().__init__(409, detail, title="coordination aborted", extra=extra)


@dataclass
class Journal:
    """What an operation record says about its coordinations; `changed` is called after each entry.

    Attributes:
        done: LcmCoordination entries.
        rejected: RejectedLcmCoordination entries.
    """

    changed: Callable[[], None]
    done: list[Entry] = field(default_factory=list)
    rejected: list[Entry] = field(default_factory=list)


class Coordinator:
    """Client of the EM's coordination interface.

    Args:
        peer: the EM; None means that nobody is to be asked, every action then continues.
        timeout: seconds to wait for a result.
        poll: seconds between two looks at an unfinished coordination.
    """

    def __init__(self, peer: Peer | None, timeout: float, poll: float) -> None:
        self._peer = peer
        self._timeout = timeout
        self._poll = poll

    async def coordinate(self, request: dict[str, Any], journal: Journal) -> dict[str, Any]:
        """Ask for an action and wait for its result; returns ``outputParams``.

        Raises:
            CoordinationAborted: the result is not CONTINUE.
            PeerError: no answer, or an answer that is no LcmCoord.
        """
        if self._peer is None:
            return {}
        try:
            async with asyncio.timeout(self._timeout):
                return await self._coordinate(self._peer, request, journal)
        except TimeoutError as error:
            name = request["coordinationActionName"]
            raise PeerError(f"the EM did not finish the coordination {name} within {self._timeout:g} s") from error

    async def _coordinate(self, peer: Peer, request: dict[str, Any], journal: Journal) -> dict[str, Any]:
        response, started = await self._begin(peer, request, journal)
        if response.status_code == 201:
            result = object_of(response, peer.name)
            journal.done.append(_entry(request, str(result.get("id", "")), started))
        else:
            location = _pending(request, response, started, journal)
            try:
                result = await self._await(peer, location)
            except (asyncio.CancelledError, TimeoutError):
                await _withdraw(peer, location, journal)
                raise
        verdict = result.get("coordinationResult")
        if verdict not in tuple(LcmCoordResultType):
            raise PeerError(f"the EM's coordination result is {verdict!r}, not CONTINUE, ABORT or CANCELLED")
        journal.done[-1] |= {"endTime": now(), "coordinationResult": verdict}
        journal.changed()
        if verdict != LcmCoordResultType.CONTINUE:
            raise _aborted(request, str(verdict), result.get("error"))
        output = result.get("outputParams")
        return output if isinstance(output, dict) else {}

    async def _begin(self, peer: Peer, request: dict[str, Any], journal: Journal) -> tuple[httpx.Response, str]:
        """POST until the EM takes it; 503 with Retry-After puts it off, other refusals abort."""
        unreachable = 0
        while True:
            started = now()
            try:
                response = await self._post(peer, request, journal, started)
            except PeerError:
                unreachable += 1
                if unreachable >= _UNREACHABLE_TRIES:
                    raise
                await asyncio.sleep(self._poll * unreachable)
                continue
            if response.status_code in (201, 202):
                return response, started
            if response.status_code != 503:
                raise CoordinationAborted(
                    f"the EM refused the coordination {request['coordinationActionName']} "
                    f"({response.status_code}): {detail_of(response)}"
                )
            delay = _delay(response, self._poll)
            journal.rejected.append(_rejection(request, delay))
            journal.changed()
            await asyncio.sleep(delay)

    async def _post(self, peer: Peer, request: dict[str, Any], journal: Journal, started: str) -> httpx.Response:
        """POST once; if the wait is given up meanwhile, what the EM takes on all the same is withdrawn."""
        posting = asyncio.create_task(peer.send("POST", COORDINATIONS, json=request, timeout=self._timeout))
        try:
            return await asyncio.shield(posting)
        except asyncio.CancelledError:
            try:
                response = await asyncio.wait_for(posting, _CANCEL_TIMEOUT)
            except (PeerError, TimeoutError) as error:
                log.warning("whether the EM took %s is not known: %s", request["coordinationActionName"], error)
            else:
                if response.status_code == 202:
                    await _withdraw(peer, _pending(request, response, started, journal), journal)
            raise

    async def _await(self, peer: Peer, location: str) -> dict[str, Any]:
        unreachable = 0
        while True:
            await asyncio.sleep(self._poll)
            try:
                response = await peer.call("GET", location, expect=(200, 202, 503))
            except PeerError as error:
                unreachable += 1
                if error.answered or unreachable >= _UNREACHABLE_TRIES:
                    raise
                continue
            unreachable = 0
            if response.status_code == 200:
                return object_of(response, peer.name)


def _pending(request: dict[str, Any], response: httpx.Response, started: str, journal: Journal) -> str:
    """Enter a coordination that the EM took on in the journal; returns where its result will be."""
    location = urljoin(str(response.request.url), response.headers.get("location", ""))
    journal.done.append(_entry(request, location.rstrip("/").rpartition("/")[2], started))
    journal.changed()
    return location


async def _withdraw(peer: Peer, location: str, journal: Journal) -> None:
    """Tell the EM that nobody waits any longer; if it cannot be told the operation ends all the same."""
    journal.done[-1] |= {"endTime": now(), "coordinationResult": LcmCoordResultType.CANCELLED}
    journal.changed()
    try:
        await peer.send("POST", f"{location}/cancel", timeout=_CANCEL_TIMEOUT)
    except PeerError as error:
        log.warning("the cancellation of %s was not delivered: %s", location, error)


def _entry(request: dict[str, Any], identifier: str, started: str) -> Entry:
    return {
        "id": identifier,
        "coordinationActionName": request["coordinationActionName"],
        "startTime": started,
        "endpointType": "MGMT",
    }


def _rejection(request: dict[str, Any], delay: float) -> Entry:
    return {
        "coordinationActionName": request["coordinationActionName"],
        "rejectionTime": now(),
        "endpointType": "MGMT",
        "delay": f"{delay:g}",
    }


def _delay(response: httpx.Response, default: float) -> float:
    try:
        return max(float(response.headers.get("retry-after", default)), 0.0)
    except ValueError:
        return default


def _aborted(request: dict[str, Any], verdict: str, error: Any) -> CoordinationAborted:
    reason = error.get("detail", "") if isinstance(error, dict) else ""
    name, stage = request["coordinationActionName"], (request.get("inputParams") or {}).get("stage", "")
    text = f"the EM answered {verdict} to the coordination {name} ({stage})"
    return CoordinationAborted(
        f"{text}: {reason}" if reason else text, {"coordinationActionName": name, "coordinationResult": verdict}
    )
