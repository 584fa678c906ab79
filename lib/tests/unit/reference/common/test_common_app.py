"""Server rules that every component keeps: versions, problems, media types, sizes, preconditions, start-up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request
from pydantic import Field

from nfvcert.errors import UsageError
from nfvcert.extension import load_behaviour
from nfvcert.reference.common import resources
from nfvcert.reference.common.app import create_app
from nfvcert.reference.common.config import ComponentConfig, load_config
from nfvcert.reference.common.headers import Api
from nfvcert.reference.common.peer import Peer, PeerError
from nfvcert.reference.common.problem import Problem
from nfvcert.sol.common import SolRequest
from waiting import eventually

VERSION = {"Version": "2.0.0"}


class Body(SolRequest):
    number: int = Field(ge=0)


def application() -> Any:
    app = create_app("part", [Api("api", "v2", ("1.9.0", "2.0.0"))], max_body=100)

    @app.post("/api/v2/things")
    async def create(body: Body) -> Body:
        return body

    @app.get("/api/v2/things")
    async def query(request: Request) -> Any:
        rows = [(number * 10, {"id": str(number), "n": number}) for number in range(7)]
        return resources.collection(request, rows, page_size=3, base_url="http://public")

    @app.patch("/api/v2/things/1")
    async def change(request: Request) -> dict[str, str]:
        resources.check_if_match(request, 4)
        return {}

    @app.get("/api/v2/refused")
    async def refused() -> None:
        raise Problem(503, "later", headers={"Retry-After": "2"}, extra={"hint": 1})

    @app.get("/api/v2/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    return app


def send(method: str, path: str, **options: Any) -> httpx.Response:
    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://part") as client:
            return await client.request(method, path, **({"headers": VERSION} | options))

    return asyncio.run(exchange())


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/api/v2/things", {"headers": {}}, 400),
        ("GET", "/api/v2/things", {"headers": {"Version": "3.0.0"}}, 406),
        ("GET", "/api/v2/things", {"headers": {"Version": "1.9.0"}}, 200),
        ("GET", "/api/v2/nothing", {}, 404),
        ("DELETE", "/api/v2/things", {}, 405),
        ("POST", "/api/v2/things", {"json": {"number": 1}}, 200),
        ("POST", "/api/v2/things", {"json": {"number": -1}}, 422),
        ("POST", "/api/v2/things", {"json": {"number": 1, "other": 1}}, 422),
        ("POST", "/api/v2/things", {"content": b"{", "headers": VERSION | {"Content-Type": "application/json"}}, 400),
        ("POST", "/api/v2/things", {"content": b"{}", "headers": VERSION | {"Content-Type": "text/plain"}}, 415),
        ("POST", "/api/v2/things", {"json": {"number": 1, "x": "y" * 200}}, 413),
        ("POST", "/api/v2/things", {}, 422),
        ("GET", "/api/v2/things?filter=(eq", {}, 400),
        ("GET", "/api/v2/broken", {}, 500),
    ],
)
def test_answers_carry_version_and_problem(method: str, path: str, options: dict[str, Any], status: int) -> None:
    response = send(method, path, **options)
    assert response.status_code == status
    assert response.headers["version"] in ("1.9.0", "2.0.0")
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status
        assert response.json()["detail"]


def test_chunked_body_beyond_the_limit() -> None:
    async def chunks() -> Any:
        for _ in range(5):
            yield b"x" * 50

    headers = VERSION | {"Content-Type": "application/json"}
    assert send("POST", "/api/v2/things", content=chunks(), headers=headers).status_code == 413


def test_problem_keeps_headers_and_members() -> None:
    response = send("GET", "/api/v2/refused")
    assert response.headers["retry-after"] == "2"
    assert response.json() == {"hint": 1, "title": "Service Unavailable", "status": 503, "detail": "later"}


def test_health_and_versions_need_no_version_header() -> None:
    assert send("GET", "/health", headers={}).json()["status"] == "ok"
    for path in ("/api/api_versions", "/api/v2/api_versions"):
        shown = send("GET", path, headers={}).json()
        assert shown["uriPrefix"] == "/api"
        assert [version["version"] for version in shown["apiVersions"]] == ["1.9.0", "2.0.0"]


def test_pages_link_to_the_public_address() -> None:
    first = send("GET", "/api/v2/things?filter=(gt,n,0)")
    assert [item["n"] for item in first.json()] == [1, 2, 3]
    link = first.links["next"]["url"]
    assert link.startswith("http://public/api/v2/things?")
    second = send("GET", link.removeprefix("http://public"))
    assert [item["n"] for item in second.json()] == [4, 5, 6]
    assert "next" not in second.links


@pytest.mark.parametrize(("given", "status"), [('"4"', 200), ('"3", "4"', 200), ("*", 200), ('"3"', 412), (None, 200)])
def test_preconditions(given: str | None, status: int) -> None:
    headers = VERSION | {"Content-Type": "application/merge-patch+json"} | ({"If-Match": given} if given else {})
    assert send("PATCH", "/api/v2/things/1", content=b"{}", headers=headers).status_code == status


def test_merge_patch_follows_its_standard() -> None:
    document = {"a": {"b": 1, "c": 2}, "d": 3}
    assert resources.merge_patch(document, {"a": {"b": None, "e": {"f": None}}, "d": [1]}) == {
        "a": {"c": 2, "e": {}},
        "d": [1],
    }
    assert document == {"a": {"b": 1, "c": 2}, "d": 3}


def test_configuration_names_each_wrong_key(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text('{"name": "x", "port": 0, "prot": 1}')
    with pytest.raises(UsageError, match=r"port.*prot"):
        load_config(file, ComponentConfig)
    file.write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        load_config(file, ComponentConfig)
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path / "none", ComponentConfig)
    file.write_text('{"name": "x", "port": 80}')
    config = load_config(file, ComponentConfig)
    assert config.url == "http://127.0.0.1:80"
    assert config.database == "sqlite:///x.sqlite"


def test_extension_must_derive_from_the_component(tmp_path: Path) -> None:
    file = tmp_path / "extension.py"
    assert load_behaviour(None, dict) is dict
    for content, text in (
        ("", "no class Behaviour"),
        ("1/0", "cannot be loaded"),
        ("class Behaviour: pass", "derived"),
    ):
        file.write_text(content)
        with pytest.raises(UsageError, match=text):
            load_behaviour(file, dict)
    with pytest.raises(UsageError, match="does not exist"):
        load_behaviour(tmp_path / "none.py", dict)
    file.write_text("class Behaviour(dict): pass")
    assert issubclass(load_behaviour(file, dict), dict)


def test_peer_tells_silence_refusal_and_rubbish_apart() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/silent":
            raise httpx.ConnectError("refused", request=request)
        if request.url.path == "/list":
            page = request.url.params.get("page")
            headers = {} if page else {"Link": '</list?page=2>; rel="next"'}
            return httpx.Response(200, json=[page or "1"], headers=headers)
        return httpx.Response(403, json={"detail": "not you"}) if request.url.path == "/no" else httpx.Response(200)

    async def scenario() -> None:
        peer = Peer("the other", "http://other", "1.0.0", transport=httpx.MockTransport(handler))
        for path, text, answered in (
            ("/silent", "does not answer", 0),
            ("/no", "403.*not you", 403),
            ("/x", "not JSON", 0),
        ):
            with pytest.raises(PeerError, match=text) as caught:
                await peer.get_object(path)
            assert caught.value.answered == answered
        assert await peer.get_list("/list") == ["1", "2"]
        await peer.close()

    asyncio.run(scenario())


def test_process_serves_and_ends_with_its_parent(tmp_path: Path) -> None:
    """The VNFM as a process: healthy soon, told of a bad configuration, killed with its parent."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    peers = {
        "nfvo": "http://127.0.0.1:1",
        "vim": {"auth_url": "http://127.0.0.1:1", "username": "u", "password": "p", "project_name": "p"},
    }
    config = {"name": "vnfm", "port": port, "state_dir": str(tmp_path), "peers": peers}
    config["log_file"] = str(tmp_path / "vnfm.log")
    (tmp_path / "c.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "nfvcert.reference.vnfm", "--config", str(tmp_path / "c.json")]
    starter = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({command!r})\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    try:
        eventually(lambda: healthy(port))
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not alive(child))
    bad = subprocess.run([*command, "--extension", str(tmp_path / "none.py")], capture_output=True, text=True)
    assert bad.returncode == 4
    assert "none.py" in bad.stderr


def healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.HTTPError:
        return False


def alive(process: int) -> bool:
    try:
        os.kill(process, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
