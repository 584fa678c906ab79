"""The agent's parts put together: what the HTTP interface calls."""

from __future__ import annotations

import logging
import os
import time

from nfvcert.nfvi.agent.containers import Containers
from nfvcert.nfvi.agent.faults import Faults
from nfvcert.nfvi.agent.images import ImageStore
from nfvcert.nfvi.agent.models import (
    AgentConfig,
    Fault,
    FaultRecord,
    Freeze,
    Health,
    HoldStop,
    Inventory,
    Kill,
    PortSwitch,
    RefuseCreate,
)
from nfvcert.nfvi.agent.networking import HostNetworking
from nfvcert.nfvi.agent.observer import Observer
from nfvcert.nfvi.rundir import HostDirectory

_log = logging.getLogger(__name__)


class Host:
    """One compute host. The process has to be in the host's network namespace already."""

    def __init__(self, config: AgentConfig) -> None:
        self.config = config
        self.places = HostDirectory(config.directory)
        for place in (self.places.images, self.places.bundles, self.places.logs, config.runc_root):
            place.mkdir(parents=True, exist_ok=True)
        self.observer = Observer(config.observer, self.places.logs / "observer.log")
        if self.observer.status == "absent":
            _log.warning("no port observer on this host: %s", config.observer or "none configured")
        self.faults = Faults()
        self.networking = HostNetworking(config, self.observer, self.places.state)
        self.images = ImageStore(self.places.images)
        self.containers = Containers(config, self.networking, self.images, self.faults)
        self._restore()

    def close(self) -> None:
        """Let go of the observer and the kernel's sockets; containers run on."""
        self.observer.close()
        self.networking.close()

    def health(self) -> Health:
        """That the agent answers, and what the host offers."""
        return Health(
            host=self.config.name,
            rid=self.config.rid,
            pid=os.getpid(),
            netns=self.config.netns,
            t=time.monotonic_ns(),
            vcpus=self.config.vcpus,
            ram_mb=self.config.ram_mb,
            observer=self.observer.status,
            limits=self.containers.controllers,
        )

    def inventory(self) -> Inventory:
        """What is on this host at this moment."""
        now = time.monotonic_ns()
        return Inventory(
            host=self.config.name,
            t=now,
            containers=self.containers.list(),
            ports=self.networking.ports(),
            networks=self.networking.networks(),
            endpoints=self.networking.endpoints(),
        )

    def put_fault(self, fault: Fault) -> FaultRecord:
        """Let a fault happen, or hold from now on."""
        match fault:
            case Kill():
                self.containers.kill(fault.container, fault.signal)
            case Freeze():
                self.containers.freeze(fault.container, fault.kind == "freeze")
            case PortSwitch():
                self.networking.switch_port(fault.port, fault.kind == "port_up")
        record = self.faults.add(fault, lasting=isinstance(fault, HoldStop | RefuseCreate))
        _log.info("fault %s", record.model_dump_json())
        return record

    def _restore(self) -> None:
        """Take over what an earlier agent of this host left."""
        self.networking.adopt()
        self.containers.adopt()
