"""The VIM as an application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from nfvcert.nfvi.client import AsyncHostClient
from nfvcert.reference.common.app import create_app
from nfvcert.reference.common.store import Store
from nfvcert.reference.vim.agents import Host, Hosts
from nfvcert.reference.vim.api import compute, identity, image, network, service
from nfvcert.reference.vim.api.tokens import Tokens
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.cloud import build_cloud
from nfvcert.reference.vim.host_agent import AgentOfHost
from nfvcert.reference.vim.settings import VimConfig

log = logging.getLogger(__name__)


def agents(config: VimConfig) -> Hosts:
    """The hosts of the configuration with clients of their agents."""
    underlay = [host.underlay_ip for host in config.hosts if host.underlay_ip]
    return Hosts(
        Host(
            name=host.name,
            vcpus=host.vcpus,
            ram_mb=host.ram_mb,
            agent=AgentOfHost(
                host.name,
                AsyncHostClient(host.agent_socket, name=host.name, timeout_s=config.agent_timeout_s),
                underlay,
                config.user_data_file,
                config.kernel_address_networks,
            ),
        )
        for host in config.hosts
    )


def build_app(config: VimConfig, behaviour: VimBehaviour, hosts: Hosts | None = None) -> FastAPI:
    """The application; `hosts` are those of the configuration unless given."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database)
    cloud = build_cloud(config, behaviour, store, hosts if hosts is not None else agents(config))
    tokens = Tokens(config.user, config.token_lifetime_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        cloud.lifecycle.resume()
        yield
        await cloud.lifecycle.close()
        await cloud.hosts.close()
        store.close()

    app = create_app("vim", [], lifespan=lifespan)
    service.install(app)
    app.include_router(identity.router(tokens, config.url, config.region))
    app.include_router(compute.router(cloud, tokens, config.url))
    app.include_router(network.router(cloud.networking, tokens, config.quota, config.url))
    app.include_router(image.router(cloud.imaging, cloud.computing, tokens, config.url, config.image_limit))
    return app
