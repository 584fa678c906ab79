"""The NFVO over real HTTP, with a scripted VNFM and a subscriber."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from nfvcert.reference.nfvo.app import build_app
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.config import NfvoConfig
from nfvcert.sol.common import now
from waiting import eventually

T = TypeVar("T")
PACKAGES = "/vnfpkgm/v2/vnf_packages"
SERVICES = "/nslcm/v2/ns_instances"
OPERATIONS = "/nslcm/v2/ns_lcm_op_occs"
FINAL = ("COMPLETED", "FAILED", "ROLLED_BACK")
PATIENCE_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(app: FastAPI, port: int) -> Iterator[str]:
    """Serve an application from a thread."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Vnfm:
    """A VNFM that does what its script says and remembers what it was asked.

    ``script`` maps a task to the states that its operation enters by itself; ``refuse`` a task to an error answer;
    ``lose`` a task whose answer gets lost to whether it is begun all the same.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any, float]] = []
        self.instances: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.told: dict[str, str] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.script: dict[str, list[str]] = {}
        self.refuse: dict[str, tuple[int, str]] = {}
        self.lose: dict[str, bool] = {}
        self.silent = False
        self.http = httpx.Client(timeout=5, trust_env=False)
        self._count = 0
        self._lock = threading.RLock()
        self.app = FastAPI()
        self.app.add_api_route("/{path:path}", self._serve, methods=["GET", "POST", "DELETE", "PATCH"])

    def requests(self, ending: str) -> list[Any]:
        """Bodies of POST requests to paths with that ending."""
        return [body for method, path, body, _ in self.asked if method == "POST" and path.endswith(ending)]

    def enter(self, operation: str, state: str, error: str = "") -> None:
        """Bring an operation to a state and tell it."""
        with self._lock:
            record = self.operations[operation]
            record |= {"operationState": state, "stateEnteredTime": now()}
            record.pop("error", None)
            if error:
                record["error"] = {"status": 500, "detail": error}
            self._effect(record, state)
        self.tell(
            {
                "id": f"n{self._next()}",
                "notificationType": "VnfLcmOperationOccurrenceNotification",
                "notificationStatus": "START" if state == "STARTING" else "RESULT",
                "operationState": state,
                "vnfInstanceId": record["vnfInstanceId"],
                "operation": record["operation"],
                "vnfLcmOpOccId": operation,
                **({"error": record["error"]} if error else {}),
            }
        )
        self.told[operation] = state

    def tell(self, notification: dict[str, Any]) -> None:
        if self.silent:
            return
        for identifier, subscription in list(self.subscriptions.items()):
            link = {"href": "http://vnfm/"}
            links = {"vnfInstance": link, "subscription": link, "vnfLcmOpOcc": link}
            body = notification | {"subscriptionId": identifier, "timeStamp": now(), "_links": links}
            answer = self.http.post(subscription["callbackUri"], json=body)
            assert answer.status_code == 204, answer.text

    def add_instance(self, vnfd_id: str, state: str = "NOT_INSTANTIATED") -> str:
        identifier = f"vnf-{self._next()}"
        self.instances[identifier] = {
            "id": identifier,
            "vnfdId": vnfd_id,
            "vnfProvider": "p",
            "vnfProductName": "n",
            "vnfSoftwareVersion": f"software of {vnfd_id}",
            "vnfdVersion": "1",
            "instantiationState": state,
            "_links": {"self": {"href": "http://vnfm/"}},
        }
        return identifier

    def begin(self, instance: str, task: str, request: dict[str, Any]) -> str:
        """An operation, on request of the NFVO or of somebody else."""
        identifier = f"op-{self._next()}"
        self.operations[identifier] = {
            "id": identifier,
            "operationState": "STARTING",
            "stateEnteredTime": now(),
            "startTime": now(),
            "vnfInstanceId": instance,
            "operation": task.upper(),
            "operationParams": request,
        }
        states = self.script.get(task, ["STARTING", "PROCESSING", "COMPLETED"])
        threading.Thread(target=self._play, args=(identifier, list(states)), daemon=True).start()
        return identifier

    def last(self, state: str = "") -> str:
        """The operation that began last, when it is in that state and everybody has been told."""
        return eventually(
            lambda: next((i for i, told in reversed(self.told.items()) if not state or told == state), None)
        )

    def _play(self, operation: str, states: list[str]) -> None:
        for state in states:
            self.enter(operation, state, "the script says so" if state in ("FAILED_TEMP", "FAILED") else "")

    def _effect(self, record: dict[str, Any], state: str) -> None:
        instance = self.instances.get(record["vnfInstanceId"])
        if state != "COMPLETED" or instance is None:
            return
        if record["operation"] == "INSTANTIATE":
            instance["instantiationState"] = "INSTANTIATED"
        elif record["operation"] == "TERMINATE":
            instance["instantiationState"] = "NOT_INSTANTIATED"
        elif record["operation"] == "CHANGE_VNFPKG":
            vnfd_id = record["operationParams"]["vnfdId"]
            instance |= {"vnfdId": vnfd_id, "vnfSoftwareVersion": f"software of {vnfd_id}"}

    def _next(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    async def _serve(self, path: str, request: Request) -> Response:
        raw = await request.body()
        body = json.loads(raw) if raw else None
        self.asked.append((request.method, "/" + path, body, time.monotonic()))
        parts = path.split("/")[2:]
        task = parts[-1]
        if task in self.refuse:
            status, detail = self.refuse[task]
            return JSONResponse({"status": status, "detail": detail}, status)
        base = str(request.base_url)
        match request.method, parts:
            case "POST", ["subscriptions"]:
                identifier = f"sub-{self._next()}"
                self.subscriptions[identifier] = body
                return JSONResponse({"id": identifier} | body, 201)
            case "POST", ["vnf_instances"]:
                return JSONResponse(self.instances[self.add_instance(body["vnfdId"])], 201)
            case "GET", ["vnf_instances"]:
                return JSONResponse(list(self.instances.values()))
            case "GET", ["vnf_lcm_op_occs"]:
                found = [o for o in self.operations.values() if o["operationState"] not in FINAL]
                return JSONResponse(found)
            case "GET", [kind, identifier]:
                place = {"vnf_instances": self.instances, "vnf_lcm_op_occs": self.operations}.get(
                    kind, self.subscriptions
                )
                return JSONResponse(place[identifier]) if identifier in place else _missing()
            case "DELETE", ["vnf_instances", identifier]:
                self.instances.pop(identifier, None)
                return Response(status_code=204)
            case "POST", ["vnf_instances", identifier, task]:
                if task in self.lose:
                    if self.lose[task]:
                        self.begin(identifier, task, body)
                    return StreamingResponse(_torn(), 202, {"Content-Length": "9"})
                operation = self.begin(identifier, task, body)
                return Response(None, 202, {"Location": f"{base}vnflcm/v2/vnf_lcm_op_occs/{operation}"})
            case "POST", ["vnf_lcm_op_occs", identifier, task]:
                states = self.script.get(task, _TASK_STATES[task])
                threading.Thread(target=self._play, args=(identifier, list(states)), daemon=True).start()
                if task == "fail":
                    eventually(lambda: self.operations[identifier]["operationState"] == "FAILED")
                    return JSONResponse(self.operations[identifier])
                return Response(status_code=202)
        return _missing()


_TASK_STATES = {
    "retry": ["PROCESSING", "COMPLETED"],
    "rollback": ["ROLLING_BACK", "ROLLED_BACK"],
    "fail": ["FAILED"],
    "cancel": ["FAILED_TEMP"],
}


async def _torn() -> AsyncIterator[bytes]:
    """A body that breaks off."""
    yield b"1"
    raise ConnectionResetError


def _missing() -> Response:
    return JSONResponse({"status": 404, "detail": "not there"}, 404)


class Subscriber:
    """Takes notifications."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.app = FastAPI()
        self.app.add_api_route("/sink", self._test, methods=["GET"])
        self.app.add_api_route("/sink", self._take, methods=["POST"])

    async def _test(self) -> Response:
        return Response(status_code=204)

    async def _take(self, request: Request) -> Response:
        self.told.append(await request.json())
        self.times.append(time.monotonic())
        return Response(status_code=204)

    def states(self, operation: str) -> list[tuple[str, str]]:
        """(notificationStatus, operationState) of an operation, as they arrived."""
        return [
            (one["notificationStatus"], one["operationState"])
            for one in self.told
            if one.get("nsLcmOpOccId") == operation
        ]


class Bench:
    """The NFVO as OSS and VNFM see it."""

    def __init__(self, url: str, vnfm: Vnfm, subscriber: Subscriber, sink: str, app: FastAPI | None = None) -> None:
        self.url = url
        self.vnfm = vnfm
        self.subscriber = subscriber
        self.sink = sink
        self.app = app
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False, headers={"Version": "2.0.0"})

    def get(self, path: str, **options: Any) -> Any:
        answer = self.http.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 201) -> httpx.Response:
        answer = self.http.post(path, json={} if body is None else body)
        assert answer.status_code == status, answer.text
        return answer

    def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.http.patch(path, json=body, headers={"Content-Type": "application/merge-patch+json"} | headers)

    def upload(self, content: bytes, path: str = "") -> dict[str, Any]:
        """The package resource after an upload came to its end."""
        path = path or self.post(PACKAGES).headers["location"]
        answer = self.http.put(f"{path}/package_content", content=content, headers={"Content-Type": "application/zip"})
        assert answer.status_code == 202, answer.text
        return eventually(lambda: ((p := self.get(path))["onboardingState"] in ("ONBOARDED", "ERROR") and p) or None)

    def upload_nsd(self, content: bytes) -> dict[str, Any]:
        path = self.post("/nsd/v2/ns_descriptors").headers["location"]
        answer = self.http.put(f"{path}/nsd_content", content=content, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 202, answer.text
        return self.get(path)

    def subscribe(self) -> None:
        self.post("/nslcm/v2/subscriptions", {"callbackUri": self.sink})

    def service(self, nsd_id: str, **vnf: Any) -> str:
        """An instantiated service; returns its id."""
        body = {"nsdId": nsd_id, "nsName": "s", "nsDescription": ""}
        service = self.post(SERVICES, body).json()["id"]
        params = [{"vnfProfileId": "vnf", "additionalParams": vnf}] if vnf else []
        body = {"nsFlavourId": "default", "additionalParamsForVnf": params}
        self.ended(self.begun(f"{SERVICES}/{service}/instantiate", body))
        return service

    def vnf(self, service: str) -> dict[str, Any]:
        """The only VNF of a service, as its record shows it."""
        (found,) = self.get(f"{SERVICES}/{service}")["vnfInstance"]
        return found

    def change(self, service: str, vnfd_id: str, **params: Any) -> str:
        """Ask for another package of the only VNF; returns the operation."""
        data = {"vnfInstanceId": self.vnf(service)["id"], "vnfdId": vnfd_id, "additionalParams": params}
        return self.begun(
            f"{SERVICES}/{service}/update", {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [data]}
        )

    def begun(self, path: str, body: Any) -> str:
        return self.post(path, body, 202).headers["location"].rsplit("/", 1)[1]

    def operation(self, identifier: str) -> dict[str, Any]:
        return self.get(f"{OPERATIONS}/{identifier}")

    def ended(self, identifier: str, state: str = "COMPLETED") -> dict[str, Any]:
        """The record of an operation once it is in that state."""

        def reached() -> dict[str, Any] | None:
            record = self.operation(identifier)
            final = ("COMPLETED", "FAILED", "ROLLED_BACK", "PARTIALLY_COMPLETED")
            assert record["operationState"] == state or record["operationState"] not in final, record
            return record if record["operationState"] == state else None

        return eventually(reached)

    def usage(self, vnfd_id: str) -> str:
        (found,) = self.get(PACKAGES, params={"filter": f"(eq,vnfdId,{vnfd_id})"})
        return found["usageState"]


@contextmanager
def bench(path: Path, behaviour: NfvoBehaviour | None = None, **changes: Any) -> Iterator[Bench]:
    """A running NFVO; unless told not to `wait`, it has subscribed to its VNFM."""
    vnfm, subscriber = Vnfm(), Subscriber()
    with (
        served(vnfm.app, free_port()) as vnfm_url,
        served(subscriber.app, free_port()) as sink,
        running(path, vnfm, subscriber, vnfm_url, sink, behaviour, **changes) as found,
    ):
        yield found


@contextmanager
def running(
    path: Path,
    vnfm: Vnfm,
    subscriber: Subscriber,
    vnfm_url: str,
    sink: str,
    behaviour: NfvoBehaviour | None = None,
    *,
    wait: bool = True,
    **changes: Any,
) -> Iterator[Bench]:
    port = free_port()
    values: dict[str, Any] = {
        "name": "nfvo",
        "port": port,
        "state_dir": path,
        "peers": {"vnfm": vnfm_url},
        "poll_s": 0.2,
    }
    app = build_app(NfvoConfig.model_validate(values | changes), behaviour or NfvoBehaviour())
    with served(app, port) as url:
        eventually(lambda: vnfm.subscriptions or not wait)
        yield Bench(url, vnfm, subscriber, f"{sink}/sink", app)
