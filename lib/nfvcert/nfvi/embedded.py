"""The embedded NFVI as a whole: up with all its hosts, down without a trace."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nfvcert.errors import TestbedError
from nfvcert.nfvi import fabric, interrupts, namespaces, sweep
from nfvcert.nfvi.agent.models import AgentConfig
from nfvcert.nfvi.calls import HostTrouble
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.client import HostClient
from nfvcert.nfvi.lease import Lease
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.process import Child, spawn
from nfvcert.nfvi.rundir import RunDirectory

READY_TIMEOUT_S = 30.0


def _three_hosts() -> tuple[HostSpec, ...]:
    return tuple(HostSpec(f"host{number}") for number in (1, 2, 3))


@dataclass(frozen=True)
class NfviSpec:
    """What to bring up.

    Attributes:
        hosts: compute hosts, in the order in which they get underlay addresses.
        observer: path of the port observer program; None: ports are not observed.
        testbed, command: written into the lease, for whoever wonders.
    """

    hosts: Sequence[HostSpec] = field(default_factory=_three_hosts)
    observer: Path | None = None
    testbed: str = "embedded"
    command: str = ""


class EmbeddedNfvi:
    """A running NFVI; made by :meth:`up`, used as a context manager, gone after :meth:`down`.

    Attributes:
        rid: the run id.
        lease: held until down.
        fabric: the underlay; its hosts with namespaces and addresses.
        hosts: a client for each host's agent, by name.
        swept: what dead runs had left and was removed on the way up.
    """

    def __init__(self, rid: RunId, spec: NfviSpec) -> None:
        self.rid = rid
        self.spec = spec
        self.directory = RunDirectory(rid)
        self.fabric = fabric.plan(rid, spec.hosts)
        self.hosts: dict[str, HostClient] = {}
        self.swept: list[sweep.Swept] = []
        self.lease: Lease | None = None
        self._agents: dict[str, Child] = {}
        self._sigterm: Any = None

    @classmethod
    def up(cls, rid: RunId, spec: NfviSpec) -> Self:
        """Sweep dead runs, take the lease, build the fabric, start the agents, wait until they answer.

        Raises:
            TestbedError: it does not come up; nothing is left of it then.
        """
        nfvi = cls(rid, spec)
        nfvi._sigterm = interrupts.unwind_on_sigterm()
        try:
            nfvi.swept = sweep.sweep()
            nfvi.lease = Lease.acquire(rid, command=spec.command or " ".join(sys.argv), testbed=spec.testbed)
            atexit.register(nfvi.down)
            nfvi.directory.logs.mkdir()
            fabric.build(rid, spec.hosts)
            for place in nfvi.fabric.hosts:
                nfvi._start_agent(place)
            deadline = time.monotonic() + READY_TIMEOUT_S
            for name in nfvi.hosts:
                nfvi._await_ready(name, deadline)
        except BaseException:
            nfvi.down()
            raise
        return nfvi

    def down(self) -> sweep.Swept:
        """End everything and remove every trace; harmless when it is down already."""
        with interrupts.uninterrupted():
            swept = sweep.Swept(self.rid)
            for client in self.hosts.values():
                client.close()
            if self.lease is not None:
                self.lease.stop_heartbeat()
                swept = sweep.destroy(self.rid)
                for agent in self._agents.values():
                    agent.terminate(0)
                self.lease.release()
                self.lease = None
            atexit.unregister(self.down)
        interrupts.restore_sigterm(self._sigterm)
        return swept

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def agent_socket(self, host: str) -> Path:
        """Socket of a host's agent, for components that drive the hosts themselves."""
        return self.directory.socket(host)

    def agent(self, host: str) -> Child:
        """Process of a host's agent."""
        return self._agents[host]

    def create_netns(self, what: str) -> str:
        """Make a namespace of the run for something outside of the hosts (gen, tcpc, mgmt ..); answers its name."""
        name = self.rid.netns(what)
        namespaces.create(name)
        return name

    def restart_agent(self, host: str) -> None:
        """Kill a host's agent (its containers live on) and start another one, which takes them over."""
        self._agents[host].terminate(0)
        self.hosts[host].close()
        self._start_agent(next(place for place in self.fabric.hosts if place.spec.name == host))
        self._await_ready(host, time.monotonic() + READY_TIMEOUT_S)

    def check(self) -> None:
        """Raise when the lease is lost or an agent has died."""
        if self.lease is not None:
            self.lease.check()
        for name in self._agents:
            self._check_agent(name)

    def _start_agent(self, place: fabric.HostPlace) -> None:
        name = place.spec.name
        config = AgentConfig(
            rid=self.rid,
            name=name,
            netns=place.netns,
            underlay_ip=place.underlay_ip,
            underlay_mtu=fabric.UNDERLAY_MTU,
            socket=self.directory.socket(name),
            directory=self.directory.host(name).path,
            runc_root=self.directory.runc,
            observer=self.spec.observer,
            vcpus=place.spec.vcpus,
            ram_mb=place.spec.ram_mb,
        )
        path = self.directory.agent_config(name)
        path.write_text(config.model_dump_json(indent=1))
        self.directory.socket(name).unlink(missing_ok=True)
        self._agents[name] = spawn(
            [sys.executable, "-m", "nfvcert.nfvi.agent", "--config", path],
            netns=place.netns,
            log=self.directory.logs / f"agent-{name}.log",
        )
        self.hosts[name] = HostClient(self.directory.socket(name), name=name)

    def _await_ready(self, name: str, deadline: float) -> None:
        while True:
            self._check_agent(name)
            if self.directory.socket(name).exists():
                try:
                    self.hosts[name].health()
                    return
                except HostTrouble:
                    pass
            if time.monotonic() > deadline:
                raise TestbedError("the host agent does not get ready", where=name, found=self._agents[name].log_tail())
            time.sleep(0.01)

    def _check_agent(self, name: str) -> None:
        status = self._agents[name].poll()
        if status is not None:
            raise TestbedError(
                "the host agent died", where=name, found=f"status {status}: {self._agents[name].log_tail()}"
            )
