"""Clients of host agents, synchronous and asynchronous, over the agent's socket.

Both raise :class:`HostRefused` (a TestbedError) when what was asked for cannot be had, with `status` 404, 409 ..;
and :class:`HostTrouble` (a StackError) when the agent fails or does not answer.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from nfvcert.closing import Closing
from nfvcert.nfvi import calls
from nfvcert.nfvi.agent.models import (
    Container,
    ContainerSpec,
    Endpoint,
    EndpointSpec,
    Fault,
    FaultRecord,
    Health,
    Image,
    ImageSpec,
    Inventory,
    Network,
    NetworkSpec,
    Port,
    PortSpec,
)
from nfvcert.nfvi.calls import Call, HostRefused, HostTrouble

__all__ = ["AsyncHostClient", "HostClient", "HostRefused", "HostTrouble"]

BASE_URL = "http://host"
TIMEOUT_S = 60.0
T = TypeVar("T")


class HostClient(Closing):
    """Synchronous client of one host's agent; may be used from several threads.

    Args:
        socket: the agent's socket.
        name: the host's name in messages.
        timeout_s: longest wait for an answer.
    """

    def __init__(self, socket: Path, *, name: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.socket = socket
        self.name = name or socket.stem
        self._http = httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url=BASE_URL, timeout=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Health:
        """What the host is and offers."""
        return self._send(calls.health())

    def inventory(self) -> Inventory:
        """What is on the host now."""
        return self._send(calls.inventory())

    def put_network(self, identifier: str, spec: NetworkSpec) -> Network:
        """Make a network or change its peers."""
        return self._send(calls.put_network(identifier, spec))

    def delete_network(self, identifier: str) -> None:
        """Remove a network that nobody uses."""
        self._send(calls.delete_network(identifier))

    def put_port(self, identifier: str, spec: PortSpec) -> Port:
        """Define a port."""
        return self._send(calls.put_port(identifier, spec))

    def delete_port(self, identifier: str) -> None:
        """Forget a port."""
        self._send(calls.delete_port(identifier))

    def put_endpoint(self, name: str, spec: EndpointSpec) -> Endpoint:
        """Attach a namespace outside of the VNF."""
        return self._send(calls.put_endpoint(name, spec))

    def delete_endpoint(self, name: str) -> None:
        """Take an endpoint off."""
        self._send(calls.delete_endpoint(name))

    def images(self) -> list[Image]:
        """Images the host has."""
        return self._send(calls.images())

    def put_image(self, identifier: str, spec: ImageSpec) -> Image:
        """Verify and unpack an image."""
        return self._send(calls.put_image(identifier, spec))

    def put_container(self, identifier: str, spec: ContainerSpec) -> Container:
        """Start a container."""
        return self._send(calls.put_container(identifier, spec))

    def get_container(self, identifier: str) -> Container:
        """A container as it is now."""
        return self._send(calls.get_container(identifier))

    def delete_container(self, identifier: str, *, grace_s: float = 2.0, wait: bool = True) -> bool:
        """End a container. True: it is gone. False: accepted and going on."""
        return self._send(calls.delete_container(identifier, grace_s, wait))

    def faults(self) -> list[FaultRecord]:
        """Faults put since the last clearing."""
        return self._send(calls.faults())

    def put_fault(self, fault: Fault) -> FaultRecord:
        """Let a fault happen."""
        return self._send(calls.put_fault(fault))

    def clear_faults(self) -> None:
        """End all faults."""
        self._send(calls.clear_faults())

    def observation_counters(self) -> dict[str, Any]:
        """The observer's own counters, drops of its rings among them."""
        return self._send(calls.observation_counters())

    def dump_observations(self, path: Path, *, clear: bool = False) -> dict[str, Any]:
        """Let the observer write what it saw to a file."""
        return self._send(calls.dump_observations(path, clear))

    def _send(self, call: Call[T]) -> T:
        headers = {"content-type": "application/json"} if call.body is not None else {}
        try:
            answer = self._http.request(
                call.method, call.path, content=call.content(), params=dict(call.params), headers=headers
            )
        except httpx.HTTPError as error:
            raise calls.silence(self.name, call, error) from error
        return _understand(self.name, call, answer)


class AsyncHostClient:
    """Asynchronous client of one host's agent: the same calls as :class:`HostClient`, awaited."""

    def __init__(self, socket: Path, *, name: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.socket = socket
        self.name = name or socket.stem
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url=BASE_URL, timeout=timeout_s
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def health(self) -> Health:
        """What the host is and offers."""
        return await self._send(calls.health())

    async def inventory(self) -> Inventory:
        """What is on the host now."""
        return await self._send(calls.inventory())

    async def put_network(self, identifier: str, spec: NetworkSpec) -> Network:
        """Make a network or change its peers."""
        return await self._send(calls.put_network(identifier, spec))

    async def delete_network(self, identifier: str) -> None:
        """Remove a network that nobody uses."""
        await self._send(calls.delete_network(identifier))

    async def put_port(self, identifier: str, spec: PortSpec) -> Port:
        """Define a port."""
        return await self._send(calls.put_port(identifier, spec))

    async def delete_port(self, identifier: str) -> None:
        """Forget a port."""
        await self._send(calls.delete_port(identifier))

    async def put_endpoint(self, name: str, spec: EndpointSpec) -> Endpoint:
        """Attach a namespace outside of the VNF."""
        return await self._send(calls.put_endpoint(name, spec))

    async def delete_endpoint(self, name: str) -> None:
        """Take an endpoint off."""
        await self._send(calls.delete_endpoint(name))

    async def images(self) -> list[Image]:
        """Images the host has."""
        return await self._send(calls.images())

    async def put_image(self, identifier: str, spec: ImageSpec) -> Image:
        """Verify and unpack an image."""
        return await self._send(calls.put_image(identifier, spec))

    async def put_container(self, identifier: str, spec: ContainerSpec) -> Container:
        """Start a container."""
        return await self._send(calls.put_container(identifier, spec))

    async def get_container(self, identifier: str) -> Container:
        """A container as it is now."""
        return await self._send(calls.get_container(identifier))

    async def delete_container(self, identifier: str, *, grace_s: float = 2.0, wait: bool = True) -> bool:
        """End a container. True: it is gone. False: accepted and going on."""
        return await self._send(calls.delete_container(identifier, grace_s, wait))

    async def faults(self) -> list[FaultRecord]:
        """Faults put since the last clearing."""
        return await self._send(calls.faults())

    async def put_fault(self, fault: Fault) -> FaultRecord:
        """Let a fault happen."""
        return await self._send(calls.put_fault(fault))

    async def clear_faults(self) -> None:
        """End all faults."""
        await self._send(calls.clear_faults())

    async def observation_counters(self) -> dict[str, Any]:
        """The observer's own counters, drops of its rings among them."""
        return await self._send(calls.observation_counters())

    async def dump_observations(self, path: Path, *, clear: bool = False) -> dict[str, Any]:
        """Let the observer write what it saw to a file."""
        return await self._send(calls.dump_observations(path, clear))

    async def _send(self, call: Call[T]) -> T:
        headers = {"content-type": "application/json"} if call.body is not None else {}
        try:
            answer = await self._http.request(
                call.method, call.path, content=call.content(), params=dict(call.params), headers=headers
            )
        except httpx.HTTPError as error:
            raise calls.silence(self.name, call, error) from error
        return _understand(self.name, call, answer)


def _understand(host: str, call: Call[T], answer: httpx.Response) -> T:
    try:
        body = answer.json() if answer.content else None
        if answer.is_success:
            return call.parse(answer.status_code, body)
    except ValueError as error:  # pydantic's validation error is one
        if answer.is_success:
            raise calls.silence(host, call, error) from error
        body = None
    raise calls.refusal(host, call, answer.status_code, body)
