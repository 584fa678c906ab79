"""The HTTP interface of the agent."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from nfvcert.errors import NfvcertError
from nfvcert.nfvi.agent.host import Host
from nfvcert.nfvi.agent.models import (
    Container,
    ContainerSpec,
    DumpRequest,
    Endpoint,
    EndpointSpec,
    Fault,
    FaultRecord,
    Health,
    Id,
    Image,
    ImageSpec,
    Inventory,
    Network,
    NetworkSpec,
    Port,
    PortSpec,
    Problem,
)
from nfvcert.nfvi.agent.refusal import Refusal

DEFAULT_GRACE_S = 2.0

Name = Annotated[Id, Path()]


def create_app(host: Host) -> FastAPI:
    """The interface of one host."""
    app = FastAPI(title=f"nfvcert host agent {host.config.name}")

    @app.exception_handler(NfvcertError)
    async def problem(_request: Request, error: NfvcertError) -> JSONResponse:
        body = Problem(what=error.what, where=error.where, found=error.found, hint=error.hint)
        return JSONResponse(body.model_dump(), status_code=error.status if isinstance(error, Refusal) else 500)

    @app.get("/health")
    async def health() -> Health:
        return host.health()

    @app.get("/inventory")
    def inventory() -> Inventory:
        return host.inventory()

    @app.put("/networks/{identifier}")
    def put_network(identifier: Name, spec: NetworkSpec) -> Network:
        return host.networking.put_network(identifier, spec)

    @app.delete("/networks/{identifier}", status_code=204)
    def delete_network(identifier: Name) -> None:
        host.networking.delete_network(identifier)

    @app.put("/ports/{identifier}")
    def put_port(identifier: Name, spec: PortSpec) -> Port:
        return host.networking.put_port(identifier, spec)

    @app.delete("/ports/{identifier}", status_code=204)
    def delete_port(identifier: Name) -> None:
        host.networking.delete_port(identifier)

    @app.put("/endpoints/{name}")
    def put_endpoint(name: Name, spec: EndpointSpec) -> Endpoint:
        return host.networking.put_endpoint(name, spec)

    @app.delete("/endpoints/{name}", status_code=204)
    def delete_endpoint(name: Name) -> None:
        host.networking.delete_endpoint(name)

    @app.get("/images")
    def images() -> list[Image]:
        return host.images.list()

    @app.put("/images/{identifier}")
    def put_image(identifier: str, spec: ImageSpec) -> Image:
        return host.images.put(identifier, spec)

    @app.put("/containers/{identifier}", status_code=201)
    def put_container(identifier: Name, spec: ContainerSpec) -> Container:
        return host.containers.create(identifier, spec)

    @app.get("/containers/{identifier}")
    def get_container(identifier: Name) -> Container:
        return host.containers.get(identifier)

    @app.delete("/containers/{identifier}", status_code=204)
    async def delete_container(identifier: Name, grace_s: float = DEFAULT_GRACE_S, wait: bool = True) -> Response:
        """204: gone. 202: accepted and going on, because of `wait=false` or because a fault holds it back."""
        entry, held = host.containers.delete(identifier, grace_s)
        if held or not wait:
            return Response(status_code=202)
        await asyncio.to_thread(entry.gone.wait)
        if entry.failure is not None:
            raise entry.failure
        return Response(status_code=204)

    @app.get("/faults")
    def faults() -> list[FaultRecord]:
        return host.faults.list()

    @app.post("/faults", status_code=201)
    def put_fault(fault: Fault) -> FaultRecord:
        return host.put_fault(fault)

    @app.delete("/faults", status_code=204)
    def clear_faults() -> None:
        host.faults.clear()

    @app.get("/observations/counters")
    def counters() -> dict[str, Any]:
        return host.observer.request({"op": "counters"})

    @app.post("/observations/dump")
    def dump(request: DumpRequest) -> dict[str, Any]:
        return host.observer.request({"op": "dump", "path": str(request.path), "clear": request.clear})

    return app
