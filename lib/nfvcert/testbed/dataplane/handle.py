"""A dataplane that is up, as scenarios see it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypedDict

from nfvcert.dataplane.control import ControlClient
from nfvcert.dataplane.identity import Identity
from nfvcert.dataplane.switch import Switch
from nfvcert.dataplane.switch.observing import SwitchObserver
from nfvcert.errors import TestbedError
from nfvcert.nfvi import namespaces
from nfvcert.nfvi.cgroups import hierarchies
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.polling import SHORTEST_TURN_NS, PollingGroup, ask_for_turns
from nfvcert.promptness import answer_promptly
from nfvcert.testbed.attachment import DataplaneAccess
from nfvcert.testbed.dataplane.layout import CONTROLLER, OWNER, SWITCH, Layout
from nfvcert.testbed.dataplane.processes import Processes
from nfvcert.testbed.dataplane.setup import Setup
from nfvcert.traffic.trex.client import TrexGenerator

LINKS_S = 10.0
POLL_S = 0.05
POLLING_WEIGHT = 10
"""Of each processor core a dataplane under load gets so many times as much as one process of tester or controller."""
LEFT = ("*.state", "controller.journal*", "conf.db*", ".conf.db*")
"""What an earlier scenario of the run has left that would be taken for the state of this one."""


class ProcessState(TypedDict):
    """A process of the dataplane."""

    name: str
    pid: int
    running: bool


class DataplaneHandle:
    """Controls of a dataplane; processes are named generator, switch, s1, s1/v1, ..., controller."""

    def __init__(self, layout: Layout, processes: Processes) -> None:
        self.layout = layout
        self._processes = processes
        self._clients: dict[str, ControlClient] = {}
        self._switches: dict[str, Switch] = {}
        self._generator: TrexGenerator | None = None

    @property
    def generator(self) -> TrexGenerator:
        """The generator's client, connected."""
        if self._generator is None:
            rpc, publisher = self._processes.generator_ports
            self._generator = TrexGenerator("127.0.0.1", rpc=rpc, publisher=publisher)
            self._generator.connect()
        return self._generator

    @property
    def controller_url(self) -> str:
        """Where the controller listens.

        Raises:
            TestbedError: it has not been started.
        """
        return self._processes.controller_url

    def control_path(self, name: str) -> Path:
        """Control socket of a native process."""
        return self.layout.control(name)

    def control(self, name: str) -> ControlClient:
        """Client of a native process's control socket."""
        if name not in self._clients:
            self._clients[name] = ControlClient(self.layout.control(name))
        return self._clients[name]

    def switch(self, owner: str) -> Switch:
        """The hardware switch, driven for an owner of rules of its own."""
        if owner not in self._switches:
            self._switches[owner] = self.layout.switch_access().drive(owner, Identity(self.layout.identity))
        return self._switches[owner]

    def switch_observer(self) -> SwitchObserver:
        """Dumps and counters of the hardware switch; whoever asks for it closes it."""
        return self.layout.switch_access().observe([OWNER])

    def processes(self) -> list[ProcessState]:
        """Every process that was started, in order."""
        return [ProcessState(name=p["name"], pid=p["pid"], running=p["running"]) for p in self._processes.states()]

    def start(self, name: str) -> None:
        """Start the controller, or a process that was killed; native ones get their links back."""
        self._processes.start(name)
        if name == SWITCH or name in self.layout.polling:
            self.await_links()

    @contextmanager
    def favouring_packets(self) -> Iterator[None]:
        """Packets get most of the cores, and programs take several times as long to start."""
        self._processes.weigh(POLLING_WEIGHT)
        try:
            yield
        finally:
            self._processes.weigh(1)

    def kill(self, name: str) -> None:
        """SIGKILL a process, and wait until it is gone."""
        self._processes.kill(name)

    def stop(self, name: str) -> None:
        """SIGSTOP a process."""
        self._processes.stop(name)

    def go_on(self, name: str) -> None:
        """SIGCONT a process."""
        self._processes.go_on(name)

    def await_links(self) -> None:
        """Wait until every link between running processes is up.

        Raises:
            TestbedError: one does not come up, named.
        """
        running = {state["name"] for state in self.processes() if state["running"]}
        deadline = time.monotonic() + LINKS_S
        for name in self.layout.polling:
            while name in running and (down := self._links_down(name, running)):
                if time.monotonic() > deadline:
                    raise TestbedError(
                        f"the link does not come up within {LINKS_S:g} s", where=f"{name}, port {down[0]}", found="down"
                    )
                time.sleep(POLL_S)

    def close(self) -> None:
        """Let go of clients; the processes are their owner's."""
        if self._generator is not None:
            self._generator.close()
        for client in self._clients.values():
            client.close()
        for switch in self._switches.values():
            switch.close()

    def _links_down(self, name: str, running: set[str]) -> list[str]:
        ports = self.control(name).call("ports")["ports"]
        return [port for port, state in ports.items() if not state["link"] and self._peer(name, port) in running]

    def _peer(self, name: str, port: str) -> str:
        """The process at the other end of a port that looks away from the generator; the process itself otherwise."""
        if name in self.layout.server_names and f"{name}/{port}" in self.layout.instances:
            return f"{name}/{port}"
        return port if port in self.layout.server_names else name


@contextmanager
def open_dataplane(access: DataplaneAccess, setup: Setup | None = None) -> Iterator[DataplaneHandle]:
    """Bring up a dataplane without its controller, wait for its links, take everything down in the end.

    Raises:
        TestbedError: a process does not start, or a link does not come up.
        UsageError: the setup cannot be.
    """
    folder = Path(access.state_dir)
    layout = Layout(folder, access.settings, setup or Setup())
    for pattern in LEFT:
        for left in folder.glob(pattern):
            left.unlink()
    ask_for_turns(SHORTEST_TURN_NS)
    answer_promptly()
    with ExitStack() as stack:
        netns = stack.enter_context(_namespace(access.run)) if layout.bridged else None
        processes = Processes(
            layout,
            programs=access.programs,
            extension=access.extensions.get(CONTROLLER),
            log_dir=Path(access.log_dir),
            polling=None if layout.bridged else _polling_group(access.run),
            netns=netns,
        )
        stack.callback(processes.close)
        processes.start_all()
        handle = DataplaneHandle(layout, processes)
        stack.callback(handle.close)
        handle.await_links()
        yield handle


def _polling_group(run: str) -> PollingGroup:
    """The control group of a dataplane whose processes all give their turns away.

    Open vSwitch does not: in such a group it would leave hardly anything to those outside of it.
    """
    return PollingGroup(hierarchies(), RunId(run).polling_cgroup())


@contextmanager
def _namespace(run: str) -> Iterator[str]:
    """A network namespace for Open vSwitch, which makes interfaces, and for those that look for its sockets."""
    name = RunId(run).netns(SWITCH)
    namespaces.create(name)
    try:
        yield name
    finally:
        namespaces.remove(name)
