"""Stand-ins for NFVO, EM, subscribers (real HTTP) and the VIM (in memory), scripted by the tests of the VNFM."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from nfvcert.reference.vnfm.app import serve
from nfvcert.reference.vnfm.behaviour import VnfmBehaviour
from nfvcert.reference.vnfm.cloud import PortRequest, ServerRequest, VimError
from nfvcert.reference.vnfm.config import VnfmConfig
from nfvcert.reference.vnfm.descriptor import (
    AntiAffinity,
    Aspect,
    ConnectionPoint,
    Descriptor,
    Image,
    Link,
    Modification,
    Policy,
    Source,
    Vdu,
)
from nfvcert.reference.vnfm.service import Vnfm
from nfvcert.sol.http import Answer, SolClient
from waiting import eventually

OLD = "11111111-0000-4000-8000-000000000001"
NEW = "11111111-0000-4000-8000-000000000002"
PORTS = {"lb": ("access", "internal", "mgmt"), "worker": ("internal", "external", "mgmt")}
LB_ADDRESS = "198.18.0.1"


def descriptor(vnfd_id: str = OLD, version: str = "1.0.0", **changes: Any) -> Descriptor:
    """A gateway of one load balancer and two workers; from version 2 on it can replace version 1."""

    def points(vdu: str) -> tuple[ConnectionPoint, ...]:
        return tuple(ConnectionPoint(f"{vdu}_{name}", name, "" if name == "internal" else name) for name in PORTS[vdu])

    worker = Image(f"worker-{version}", version, version[0] * 64, f"Files/images/worker-{version}.tar")
    balancer = Image("lb-1.0.0", "1.0.0", "b" * 64, "Files/images/lb-1.0.0.tar")
    policies = {
        "staged": Policy("staged", (10, 30, 100), 2, {"method": "coexistence", "steps": [10, 30, 100]}),
        "frugal": Policy("frugal", (50, 100), 1, {"method": "coexistence", "steps": [50, 100]}),
    }
    modification = Modification("component_upgrade", (Source(OLD, "1.0.0"),), ("worker",), "staged", policies)
    attributes: dict[str, Any] = {
        "vnfd_id": vnfd_id,
        "provider": "Acme",
        "product": "gateway",
        "software_version": version,
        "descriptor_version": version,
        "flavours": ("default",),
        "vdus": {
            "lb": Vdu("lb", balancer, 1, 64, 0, points("lb"), config={"role": "lb"}),
            "worker": Vdu("worker", worker, 1, 64, 0, points("worker"), initial=2, minimum=1, maximum=4),
        },
        "links": {"internal": Link("internal", "10.80.0.0/16")},
        "aspects": {"workers": Aspect("workers", 1, 3, {"worker": 1})},
        "anti_affinity": (AntiAffinity("spread", ("worker",)),),
        "coordination": frozenset({"activate", "drain", "traffic-migration", "retirement", "completion"}),
        "modification": modification if version != "1.0.0" else None,
    }
    return Descriptor(**(attributes | changes))


class FakeReader:
    """Reads "archives" that hold only a vnfdId."""

    def __init__(self, descriptors: dict[str, Descriptor]) -> None:
        self.descriptors = descriptors

    def descriptor(self, archive: Path) -> Descriptor:
        return self.descriptors[archive.read_text()]

    def image(self, archive: Path, image: Image) -> Path:
        return archive


class FakeCloud:
    """A VIM in memory with the calls of :class:`nfvcert.reference.vnfm.cloud.Cloud`.

    ``fault(call, name)`` may raise; ``held`` blocks the named calls until released; ``stuck`` servers do not go.
    """

    def __init__(self) -> None:
        self.networks: dict[str, str] = {"access": "198.18.0.0/16", "external": "198.19.0.0/16", "mgmt": "10.64.0.0/16"}
        self.groups: dict[str, str] = {}
        self.ports: dict[str, dict[str, str]] = {}
        self.servers: dict[str, dict[str, Any]] = {}
        self.images: dict[str, str] = {}
        self.stuck = threading.Event()
        self.log: list[tuple[str, str]] = []
        self.peak = 0
        self.fault: Callable[[str, str], None] = lambda call, name: None
        self.entered = threading.Event()
        self.hold: tuple[str, threading.Event] | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def running(self, image: str = "") -> list[str]:
        """Ids of servers, of those whose image name begins with `image`."""
        with self._lock:
            return [name for name, server in self.servers.items() if server["image"].startswith(image)]

    def _enter(self, call: str, name: str) -> None:
        with self._lock:
            self.log.append((call, name))
        self.fault(call, name)
        if self.hold and self.hold[0] == call:
            self.entered.set()
            self.hold[1].wait(10)

    def create_network(self, name: str, cidr: str) -> tuple[str, str]:
        self._enter("create_network", name)
        self.networks[name] = cidr
        return name, f"subnet-{name}"

    def delete_network(self, network: str) -> None:
        self._enter("delete_network", network)
        self.networks.pop(network, None)

    def subnet(self, network: str) -> tuple[str, str]:
        if network not in self.networks:
            raise VimError(f"the network {network} does not exist")
        return f"subnet-{network}", self.networks[network]

    def create_port(self, request: PortRequest) -> dict[str, str]:
        self._enter("create_port", request.name)
        with self._lock:
            base = self.networks[request.network].split("/")[0].rsplit(".", 1)[0]
            used = {port["ip"] for port in self.ports.values()} | request.avoid
            address = request.address or next(f"{base}.{n}" for n in range(2, 250) if f"{base}.{n}" not in used)
            number = next(self._numbers)
            port = {"id": f"port-{number}", "mac": f"fa:16:3e:00:00:{number:02x}", "ip": address}
            self.ports[port["id"]] = port | {"name": request.name}
            return port

    def delete_ports(self, ports: list[str]) -> None:
        for port in ports:
            self._enter("delete_port", port)
            self.ports.pop(port, None)

    def image(self, name: str, file: Path, container_format: str, disk_format: str) -> tuple[str, bool]:
        self._enter("image", name)
        known = name in self.images.values()
        if not known:
            self.images[f"image-{next(self._numbers)}"] = name
        return next(number for number, found in self.images.items() if found == name), not known

    def delete_image(self, name: str) -> None:
        self._enter("delete_image", name)
        self.images = {number: found for number, found in self.images.items() if found != name}

    def flavor(self, vcpus: int, ram: int, disk: int) -> str:
        return f"{vcpus}-{ram}-{disk}"

    def create_group(self, name: str, policy: str) -> str:
        self.groups[name] = policy
        return name

    def delete_group(self, group: str) -> None:
        self.groups.pop(group, None)

    def create_server(self, request: ServerRequest) -> str:
        with self._lock:
            identifier = f"server-{next(self._numbers)}"
            self.servers[identifier] = {
                "name": request.name,
                "status": "ACTIVE",
                "image": self.images[request.image],
                "user_data": request.user_data,
                "group": request.group,
            }
            self.peak = max(self.peak, len(self.servers))
        self._enter("create_server", request.name)
        return identifier

    def server_status(self, server: str) -> tuple[str, str]:
        found = self.servers.get(server)
        return (found["status"], "") if found else ("", "")

    def delete_server(self, server: str) -> None:
        self._enter("delete_server", server)
        if self.stuck.is_set():
            threading.Thread(target=self._vanish, args=(server,), daemon=True).start()
        else:
            self.servers.pop(server, None)

    def _vanish(self, server: str) -> None:
        while self.stuck.is_set():
            time.sleep(0.01)
        self.servers.pop(server, None)

    def operate(self, server: str, start: bool) -> None:
        self._enter("operate", server)
        self.servers[server]["status"] = "ACTIVE" if start else "SHUTOFF"

    def remains(self, server_name: str, port_prefix: str) -> tuple[list[str], list[str]]:
        with self._lock:
            servers = [name for name, server in self.servers.items() if server["name"] == server_name]
            ports = [name for name, port in self.ports.items() if port["name"].startswith(port_prefix)]
        return servers, ports


class World:
    """NFVO, EM and subscribers at one address; what they receive is kept, what they answer is scripted."""

    def __init__(self) -> None:
        self.descriptors = {OLD: descriptor(), NEW: descriptor(NEW, "2.0.0")}
        self.disabled: set[str] = set()
        self.grants: list[dict[str, Any]] = []
        self.refusal = ""
        self.grant_gate = threading.Event()
        self.grant_gate.set()
        self.coordinations: list[dict[str, Any]] = []
        self.coordination_gate = threading.Event()
        self.coordination_gate.set()
        self.cancelled: list[str] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.script: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda request: {}
        self.busy = 0
        self.received: dict[str, list[dict[str, Any]]] = {}
        self.refusing: dict[str, int] = {}
        self.app = FastAPI()
        self._routes()

    def stages(self) -> list[str]:
        """Stages of the coordinations so far, migrations with their share."""
        shown = []
        for request in self.coordinations:
            given = request["inputParams"]
            shown.append(f"{given['stage']} {given['share']}" if "share" in given else given["stage"])
        return shown

    def decide(self, number: int = -1, **result: Any) -> None:
        """Answer a coordination that is pending."""
        identifier = list(self.results)[number]
        self.results[identifier] = {"coordinationResult": "CONTINUE"} | result

    def _routes(self) -> None:
        app = self.app

        @app.get("/vnfpkgm/v2/vnf_packages")
        def packages() -> list[dict[str, Any]]:
            return [
                {
                    "id": f"pkg-{vnfd_id[-1]}",
                    "vnfdId": vnfd_id,
                    "onboardingState": "ONBOARDED",
                    "operationalState": "DISABLED" if vnfd_id in self.disabled else "ENABLED",
                }
                for vnfd_id in self.descriptors
            ]

        @app.get("/vnfpkgm/v2/vnf_packages/{package}/package_content")
        def content(package: str) -> Response:
            return Response(next(name for name in self.descriptors if name[-1] == package[-1]))

        @app.post("/grant/v1/grants")
        def grant(body: dict[str, Any]) -> JSONResponse:
            self.grants.append(body)
            self.grant_gate.wait(10)
            if self.refusal:
                return JSONResponse({"status": 403, "detail": self.refusal}, 403, media_type="application/problem+json")
            return JSONResponse({"id": f"grant-{len(self.grants)}"}, 201)

        @app.post("/lcmcoord/v1/coordinations")
        def coordinate(body: dict[str, Any]) -> Response:
            if self.busy:
                self.busy -= 1
                return Response(status_code=503, headers={"Retry-After": "0"})
            self.coordinations.append(body)
            identifier = f"coord-{len(self.coordinations)}"
            answer = self.script(body)
            result = {"id": identifier, "coordinationResult": "CONTINUE"}
            if answer is not None:
                return JSONResponse(result | answer, 201)
            self.results[identifier] = {}
            self.coordination_gate.wait(10)
            return Response(status_code=202, headers={"Location": f"/lcmcoord/v1/coordinations/{identifier}"})

        @app.get("/lcmcoord/v1/coordinations/{identifier}")
        def result(identifier: str) -> Response:
            found = self.results[identifier]
            return JSONResponse({"id": identifier} | found, 200) if found else Response(status_code=202)

        @app.post("/lcmcoord/v1/coordinations/{identifier}/cancel")
        def cancel(identifier: str) -> Response:
            self.cancelled.append(identifier)
            return Response(status_code=202)

        @app.get("/sink/{name}")
        def probe(name: str) -> Response:
            return Response(status_code=404 if name == "nobody" else 204)

        @app.post("/sink/{name}")
        async def sink(name: str, request: Request) -> Response:
            body = json.loads(await request.body())
            self.received.setdefault(name, []).append(body)
            if self.refusing.get(name, 0):
                self.refusing[name] -= 1
                return Response(status_code=503)
            return Response(status_code=204)


class Server:
    """An application served over real HTTP from a thread of the test."""

    def __init__(self, app: FastAPI, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(app, port=self.port, log_config=None, ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


class Stack:
    """A VNFM over real HTTP with its world; can be restarted on the same store."""

    def __init__(self, world: World, world_url: str, directory: Path, behaviour: type[VnfmBehaviour]) -> None:
        self.world = world
        self.world_url = world_url
        self.cloud = FakeCloud()
        self.config = VnfmConfig.model_validate(
            {
                "name": "vnfm",
                "port": free_port(),
                "state_dir": directory,
                "page_size": 20,
                "poll_s": 0.01,
                "resource_timeout_s": 5,
                "grant_timeout_s": 10,
                "peers": {
                    "nfvo": world_url,
                    "em": world_url,
                    "vim": {"auth_url": world_url, "username": "u", "password": "p", "project_name": "p"},
                },
            }
        )
        self.client = SolClient(self.config.url, "2.0.0")
        self.start(behaviour)

    def start(self, behaviour: type[VnfmBehaviour] = VnfmBehaviour) -> None:
        self.vnfm = Vnfm(
            self.config,
            behaviour(),
            cloud=self.cloud,  # type: ignore[arg-type]
            reader=FakeReader(self.world.descriptors),
        )
        self._server = Server(serve(self.vnfm), self.config.port)

    def stop(self) -> None:
        self._server.stop()

    def close(self) -> None:
        self.client.close()
        self.stop()

    # --- requests ---

    def task(self, instance: str, task: str, **body: Any) -> Answer:
        return self.client.post(f"/vnflcm/v2/vnf_instances/{instance}/{task}", body)

    def occurrence_task(self, operation: str, task: str, **body: Any) -> Answer:
        return self.client.post(f"/vnflcm/v2/vnf_lcm_op_occs/{operation}/{task}", body)

    def instance(self, identifier: str) -> dict[str, Any]:
        return dict(self.client.get(f"/vnflcm/v2/vnf_instances/{identifier}").expect(200).body)

    def occurrence(self, identifier: str) -> dict[str, Any]:
        return dict(self.client.get(f"/vnflcm/v2/vnf_lcm_op_occs/{identifier}").expect(200).body)

    def until(self, answer: Answer | str, *states: str) -> dict[str, Any]:
        """The operation of a 202 answer (or by id) once it is in one of `states`."""
        identifier = answer if isinstance(answer, str) else answer.expect(202).location.rpartition("/")[2]
        record: dict[str, Any] = {}

        def reached() -> bool:
            record.update(self.occurrence(identifier))
            if record["operationState"] in states:
                return True
            assert record["operationState"] not in ("COMPLETED", "FAILED", "ROLLED_BACK"), record
            return False

        eventually(reached)
        return self.occurrence(identifier)

    def create(self, vnfd_id: str = OLD) -> str:
        answer = self.client.post("/vnflcm/v2/vnf_instances", {"vnfdId": vnfd_id, "vnfInstanceName": "gw"})
        return str(answer.expect(201).body["id"])

    def instantiate(self) -> str:
        identifier = self.create()
        answer = self.task(identifier, "instantiate", flavourId="default", extVirtualLinks=ext_links())
        self.until(answer, "COMPLETED")
        return identifier

    def change(self, instance: str, policy: str | None = "staged", vnfd_id: str = NEW, **params: Any) -> Answer:
        extra = ({"policy": policy} if policy else {}) | params
        return self.task(instance, "change_vnfpkg", vnfdId=vnfd_id, additionalParams=extra)

    def subscribe(self, name: str, **body: Any) -> str:
        request = {"callbackUri": f"{self.world_url}/sink/{name}"} | body
        return str(self.client.post("/vnflcm/v2/subscriptions", request).expect(201).body["id"])

    def vnfcs(self, instance: str, vdu: str = "worker") -> list[dict[str, Any]]:
        info = self.instance(instance).get("instantiatedVnfInfo") or {}
        return [vnfc for vnfc in info.get("vnfcResourceInfo", []) if vnfc["vduId"] == vdu]


def ext_links() -> list[dict[str, Any]]:
    """External links for the load balancer's fixed address and the networks of all."""
    fixed = {"ipOverEthernet": {"ipAddresses": [{"type": "IPV4", "fixedAddresses": [LB_ADDRESS]}]}}
    links = []
    for name in ("access", "external", "mgmt"):
        config = {"1": {"cpProtocolData": [{"layerProtocol": "IP_OVER_ETHERNET"} | fixed]}} if name == "access" else {}
        links.append({"id": f"ext-{name}", "resourceId": name, "extCps": [{"cpdId": name, "cpConfig": config}]})
    return links


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pause_at(world: World, stage: str) -> None:
    """Let the EM think about one stage until it is decided."""

    def script(request: dict) -> dict | None:
        return None if world.stages()[-1] == stage else {}

    world.script = script


def paused(stack: Stack, world: World, stage: str, policy: str = "staged") -> tuple[str, str]:
    """A change of package whose coordination of `stage` is pending: instance and operation."""
    instance = stack.instantiate()
    world.coordinations.clear()
    pause_at(world, stage)
    operation = stack.change(instance, policy).location.rpartition("/")[2]
    eventually(lambda: bool(world.results))
    return instance, operation
