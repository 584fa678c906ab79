"""The processes of a dataplane: starting, killing and starting again by name."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nfvcert.errors import TestbedError
from nfvcert.nfvi.polling import SHORTEST_TURN_NS, PollingGroup, ask_for_turns
from nfvcert.testbed.dataplane.layout import CONTROLLER, FRONT_END, GENERATOR, SWITCH, Layout
from nfvcert.testbed.dataplane.openvswitch import BridgedSwitch
from nfvcert.traffic.native import NativeProcess, binary

READY_S = 60.0
"""Beside a dataplane under load the controller has a small part of a core for starting again."""
GRACE_S = 2.0
TURN_NS, SWITCH_TURN_NS = 2_000_000, 1_000_000
"""The hardware switch comes round twice as often as those with whom it shares a core: a detour passes it twice."""


class Processes:
    """Everything that runs, by name.

    Args:
        layout: who is linked with whom.
        programs: other native programs to run in the place of those that ship.
        extension: file with another behaviour of the controller.
        log_dir: a log for each process.
        polling: control group of the processes that poll; None: they weigh as everybody does.
        netns: network namespace of those that have links; default: the caller's.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        programs: Mapping[str, str],
        extension: str | None,
        log_dir: Path,
        polling: PollingGroup | None,
        netns: str | None = None,
    ) -> None:
        self._layout = layout
        self._programs = programs
        self._extension = extension
        self._log_dir = log_dir
        self._polling = polling
        self._netns = netns
        self._running: dict[str, NativeProcess | BridgedSwitch] = {}
        self._controller_port = 0
        self.generator_ports = (0, 0)
        """Where the generator's front end takes requests and tells events, once it runs."""

    @property
    def controller_url(self) -> str:
        """Where the controller listens; the same after it was started again.

        Raises:
            TestbedError: it has not been started.
        """
        if not self._controller_port:
            raise TestbedError("the controller has not been started", where=CONTROLLER, hint="start('controller')")
        return f"http://127.0.0.1:{self._controller_port}"

    def start(self, name: str) -> None:
        """Start a process, or start it again with the same configuration, and wait until it says that it is ready.

        Raises:
            TestbedError: it runs already, cannot be started, or is not ready in time.
        """
        before = self._running.get(name)
        if before is not None and before.running:
            raise TestbedError("the process runs already", where=name, found=f"pid {before.pid}")
        if name == SWITCH and self._layout.bridged:
            self._start_bridge(before)
            return
        log = self._log_dir / f"{name.replace('/', '-')}.log"
        netns = self._netns if name in self._layout.polling else None
        process = NativeProcess(self._command(name), log=log, netns=netns)
        self._running[name] = process
        if name in self._layout.polling:
            if self._polling is not None:
                self._polling.add(process.pid)
                ask_for_turns(SWITCH_TURN_NS if name == SWITCH else TURN_NS, process.pid)
        else:
            ask_for_turns(SHORTEST_TURN_NS, process.pid)
        ready = process.await_event("ready", READY_S)
        if name == CONTROLLER:
            self._controller_port = int(ready["port"])
        elif name == FRONT_END:
            self.generator_ports = (int(ready["rpc"]), int(ready["publisher"]))

    def start_all(self) -> None:
        """Start everything but the controller; those that serve links come before those that connect."""
        for name in self._layout.names:
            if name != CONTROLLER:
                self.start(name)

    def weigh(self, times: int) -> None:
        """Let what polls weigh so many times as much as one other process, where it has a control group."""
        if self._polling is not None:
            self._polling.weigh(times)

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self._of(name)
        os.kill(process.pid, signal.SIGKILL)
        process.close(GRACE_S)

    def stop(self, name: str) -> None:
        """SIGSTOP: it keeps everything and does nothing."""
        os.kill(self._of(name).pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """SIGCONT."""
        os.kill(self._of(name).pid, signal.SIGCONT)

    def states(self) -> list[dict[str, Any]]:
        """name, pid and whether it runs, of every process that was ever started."""
        return [{"name": n, "pid": p.pid, "running": p.running} for n, p in self._running.items()]

    def check(self) -> None:
        """Nothing has ended that was not told to.

        Raises:
            TestbedError: a process has ended.
        """
        for name, process in self._running.items():
            if not process.running:
                raise TestbedError("a process of the dataplane has ended", where=name, hint=f"see {self._log_dir}")

    def close(self) -> None:
        """End everything; what does not end at SIGTERM is killed."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
                os.kill(process.pid, signal.SIGTERM)
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda process: process.close(GRACE_S), self._running.values()))
        self._running.clear()

    def _start_bridge(self, before: NativeProcess | BridgedSwitch | None) -> None:
        bridge = before
        if not isinstance(bridge, BridgedSwitch):
            assert self._netns is not None
            bridge = BridgedSwitch(self._layout, log_dir=self._log_dir, netns=self._netns)
            self._running[SWITCH] = bridge
        bridge.start()

    def _of(self, name: str) -> NativeProcess | BridgedSwitch:
        process = self._running.get(name)
        if process is None or not process.running:
            known = ", ".join(n for n, p in self._running.items() if p.running)
            raise TestbedError("no such process runs", where=name, found=f"running: {known or 'none'}")
        return process

    def _command(self, name: str) -> list[str | Path]:
        file = self._layout.folder / f"{name.replace('/', '-')}.json"
        if name == FRONT_END:
            ports: list[str | Path] = ["--rpc", "0", "--publisher", "0"]
            engine = self._layout.control(GENERATOR)
            return [sys.executable, "-m", "nfvcert.traffic.trex.server", "--engine", engine, *ports]
        if name == CONTROLLER:
            journal = self._layout.folder / "controller.journal"
            document = self._layout.controller_configuration(journal, self._controller_port, self._extension)
            command: list[str | Path] = [sys.executable, "-m", "nfvcert.dataplane.controller", "--config", file]
        else:
            document = self._layout.configuration(name)
            program = self._layout.program(name)
            command = [self._programs.get(program) or binary(program), "--config", file]
        file.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return command
