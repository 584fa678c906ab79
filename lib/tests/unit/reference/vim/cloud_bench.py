"""The VIM on a real port with hosts that run nothing, and an unmodified openstacksdk connected to it."""

from __future__ import annotations

import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import uvicorn
from fake_hosts import FakeAgent, fake_hosts
from openstack.connection import Connection

from nfvcert.reference.vim.app import build_app
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.settings import VimConfig

USER = {"username": "tester", "password": "secret", "project_name": "lab"}


@dataclass
class Bench:
    """A running VIM."""

    url: str
    connection: Connection
    agents: dict[str, FakeAgent]

    def connect(self, **changes: str) -> Connection:
        return connect(self.url, **changes)


def connect(url: str, **changes: str) -> Connection:
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=f"{url}/identity/v3",
        region_name="RegionOne",
        user_domain_name="Default",
        project_domain_name="Default",
        **(USER | changes),
    )


@contextmanager
def running(path: Path, behaviour: VimBehaviour | None = None, **changes: Any) -> Iterator[Bench]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    hosts = fake_hosts()
    config = VimConfig.model_validate({"name": "vim", "port": port, "state_dir": path, "user": USER} | changes)
    server = uvicorn.Server(
        uvicorn.Config(build_app(config, behaviour or VimBehaviour(), hosts), port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    warnings.filterwarnings("ignore", module="openstack")
    connection = connect(config.url)
    try:
        yield Bench(config.url, connection, {host.name: host.agent for host in hosts})
    finally:
        connection.close()
        server.should_exit = True
        thread.join()
