"""Requests to an agent and the meaning of its answers; shared by the synchronous and the asynchronous client. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from nfvcert.errors import StackError, TestbedError
from nfvcert.nfvi.agent.models import (
    Container,
    ContainerSpec,
    DumpRequest,
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

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class HostRefused(TestbedError):
    """The agent answered with a status from 400 to 499: what was asked for cannot be had; `status` says which."""

    status = 0


class HostTrouble(StackError):
    """The agent failed (status 500 and above, 0 when it does not answer at all)."""

    status = 0


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request; `parse(status, body)` gives what the client returns."""

    method: str
    path: str
    parse: Callable[[int, Any], T]
    body: BaseModel | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes | None:
        """The body to send."""
        return self.body.model_dump_json().encode() if self.body is not None else None


def refusal(host: str, call: Call[Any], status: int, body: Any) -> HostRefused | HostTrouble:
    """The error that an answer with a status of 400 and above stands for."""
    problem = body if isinstance(body, dict) else {}
    where = f"host {host}: {call.method} {call.path}"
    if problem.get("where"):
        where += f": {problem['where']}"
    what = problem.get("what") or f"the host agent answered with status {status}"
    found = problem.get("found") or (str(problem.get("detail", "")) if status == 422 else "")
    kind = HostRefused if status < 500 else HostTrouble
    error = kind(what, where=where, found=found, hint=problem.get("hint", ""))
    error.status = status
    return error


def silence(host: str, call: Call[Any], error: Exception) -> HostTrouble:
    """The error that no answer stands for."""
    return HostTrouble(
        "the host agent does not answer",
        where=f"host {host}: {call.method} {call.path}",
        found=f"{type(error).__name__}: {error}",
    )


def _path(*parts: str) -> str:
    return "/" + "/".join(quote(part, safe=":") for part in parts)


def _model(kind: type[M]) -> Callable[[int, Any], M]:
    return lambda _status, body: kind.model_validate(body)


def _list(kind: type[M]) -> Callable[[int, Any], list[M]]:
    adapter = TypeAdapter(list[kind])  # type: ignore[valid-type]
    return lambda _status, body: adapter.validate_python(body)


def _nothing(_status: int, _body: Any) -> None:
    return None


def _object(_status: int, body: Any) -> dict[str, Any]:
    return dict(body)


def health() -> Call[Health]:
    return Call("GET", "/health", _model(Health))


def inventory() -> Call[Inventory]:
    return Call("GET", "/inventory", _model(Inventory))


def put_network(identifier: str, spec: NetworkSpec) -> Call[Network]:
    return Call("PUT", _path("networks", identifier), _model(Network), spec)


def delete_network(identifier: str) -> Call[None]:
    return Call("DELETE", _path("networks", identifier), _nothing)


def put_port(identifier: str, spec: PortSpec) -> Call[Port]:
    return Call("PUT", _path("ports", identifier), _model(Port), spec)


def delete_port(identifier: str) -> Call[None]:
    return Call("DELETE", _path("ports", identifier), _nothing)


def put_endpoint(name: str, spec: EndpointSpec) -> Call[Endpoint]:
    return Call("PUT", _path("endpoints", name), _model(Endpoint), spec)


def delete_endpoint(name: str) -> Call[None]:
    return Call("DELETE", _path("endpoints", name), _nothing)


def images() -> Call[list[Image]]:
    return Call("GET", "/images", _list(Image))


def put_image(identifier: str, spec: ImageSpec) -> Call[Image]:
    return Call("PUT", _path("images", identifier), _model(Image), spec)


def put_container(identifier: str, spec: ContainerSpec) -> Call[Container]:
    return Call("PUT", _path("containers", identifier), _model(Container), spec)


def get_container(identifier: str) -> Call[Container]:
    return Call("GET", _path("containers", identifier), _model(Container))


def delete_container(identifier: str, grace_s: float, wait: bool) -> Call[bool]:
    params = {"grace_s": f"{grace_s:g}", "wait": str(wait).lower()}
    return Call("DELETE", _path("containers", identifier), lambda status, _body: status == 204, params=params)


def faults() -> Call[list[FaultRecord]]:
    return Call("GET", "/faults", _list(FaultRecord))


def put_fault(fault: Fault) -> Call[FaultRecord]:
    return Call("POST", "/faults", _model(FaultRecord), fault)


def clear_faults() -> Call[None]:
    return Call("DELETE", "/faults", _nothing)


def observation_counters() -> Call[dict[str, Any]]:
    return Call("GET", "/observations/counters", _object)


def dump_observations(path: Path, clear: bool) -> Call[dict[str, Any]]:
    return Call("POST", "/observations/dump", _object, DumpRequest(path=path, clear=clear))
