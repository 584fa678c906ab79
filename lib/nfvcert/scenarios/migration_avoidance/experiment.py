"""One scenario of dynamic scaling from its bring-up to its record: load, observers, controller, faults."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from nfvcert.dataplane.control import ControlClient
from nfvcert.history import EventKind, marks
from nfvcert.history import migration as m
from nfvcert.scenarios.migration_avoidance.asking import Controller
from nfvcert.scenarios.migration_avoidance.load import Load
from nfvcert.scenarios.migration_avoidance.openflow_relay import relay_for
from nfvcert.scenarios.migration_avoidance.relay import ControlRelay
from nfvcert.scenarios.migration_avoidance.rules import RuleDumps
from nfvcert.scenarios.migration_avoidance.trial import record_table, record_trial
from nfvcert.scenarios.migration_avoidance.warming import warm_up, warm_up_flows
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.attachment import DataplaneAccess
from nfvcert.testbed.dataplane import DataplaneHandle, Setup, open_dataplane

SAMPLE_S = 0.1
STATUS_S = 0.5
TABLE_CALM_S = 0.3
STATES = ("src", "dst", "sport", "dport", "proto", "packets", "bytes")


class Experiment:
    """Context of a scenario: entered, the dataplane is up, watched, and carries no traffic yet.

    Args:
        recording: of the scenario, not entered yet.
        access: of the testbed.
        load: what will be offered.
        method: how the controller is asked to split.
        setup: what differs from the testbed's own dataplane.
        about: further data of the workload's mark.
    """

    initial = "s1/v1"

    def __init__(
        self,
        recording: Recording,
        access: DataplaneAccess,
        load: Load,
        *,
        method: str,
        servers: int | None = None,
        setup: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.recording = recording
        self.recorder = recording.recorder
        self.load = load
        self.method = method
        self._access = access
        self._about = dict(about or {})
        count = servers or access.settings.servers
        self.servers = [f"s{number}" for number in range(1, count + 1)]
        self._folder = Path(access.state_dir)
        names = ["switch", *self.servers, *(f"{server}/v1" for server in self.servers)]
        self._relay_paths = {name: self._folder / f"{name.replace('/', '-')}.rly" for name in names}
        self._setup = Setup(
            servers=count,
            table_capacity=load.table_capacity,
            relays={name: str(path) for name, path in self._relay_paths.items()},
            **dict(setup or {}),
        )
        self._stack, self._favouring = ExitStack(), ExitStack()
        self._rules = RuleDumps()
        self._states: list[dict[str, Any]] = []
        self._down: dict[str, int] = {}
        self.relays: dict[str, ControlRelay] = {}
        self.handle: DataplaneHandle
        self.controller: Controller
        self.begin_ns = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self.recording)
        try:
            self._bring_up()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _bring_up(self) -> None:
        self.recording.step("bringing up switches, network functions and generator")
        self.handle = self._stack.enter_context(open_dataplane(self._access, self._setup))
        with self.handle.favouring_packets():
            warm_up(self.handle, self.recording.step)
        for name, path in self._relay_paths.items():
            relay = relay_for(self.handle.layout, name, path, self._ordered)
            self._stack.callback(relay.close)
            self.relays[name] = relay
        self.handle.start("controller")
        self.controller = Controller(self.handle.controller_url, self.recorder)
        self._stack.callback(self.controller.close)
        self._stack.enter_context(self._favouring)
        self._favouring.enter_context(self.handle.favouring_packets())
        # relays would stand still while everything that is there already is looked through for garbage
        gc.freeze()
        self._stack.callback(gc.unfreeze)
        self._describe()
        self._flows = self._folder / "flows.csv"
        if self.handle.layout.bridged:
            warm_up_flows(self.handle, self.load.parameters(), self.load.concurrent, self.recording.step)
        self.handle.generator.flow_prepare(**self.load.parameters(), flows_file=str(self._flows))
        self._watch()

    def _describe(self) -> None:
        """Record the workload with everything that holds for it."""
        load, layout = self.load, self.handle.layout
        about = {
            "workload": load.name,
            "scale": load.scale,
            "frame": load.frame,
            "packets_per_second": load.packets_per_second,
            "concurrent_flows": load.concurrent,
            "new_flows_per_second": load.new_per_second,
            "lifetime": load.lifetime,
            "duration_s": load.duration_s,
            "trigger_s": load.trigger_s,
            "seed": load.seed,
            "identity": layout.identity,
            "table_capacity": load.table_capacity,
            "quota": self._setup.controller.get("quota"),
            "state_timeout_s": layout.state_timeout_ms / 1000,
            "function": self._setup.function or self._access.settings.function,
            "driver": layout.driver,
            "method": self.method,
            "initial": self.initial,
            "move_latency_us": self._access.settings.move_latency_us,
            "instances": {str(number): name for name, number in layout.instances.items()},
        }
        self.recorder.mark(m.WORKLOAD, **{**about, **load.extra, **self._about})

    def _watch(self) -> None:
        """Sample table, ports, processes and the controller's own word until the scenario ends."""
        every = self.recording.every
        self._dumper, self._counter = self.handle.switch_observer(), self.handle.switch_observer()
        self._counters = {name: ControlClient(self.handle.control_path(name)) for name in self.servers}
        for close in (self._dumper.close, self._counter.close, *(client.close for client in self._counters.values())):
            self._stack.callback(close)
        self._count()  # what ports have counted before the traffic
        self._stack.callback(self._stop_watching)
        self._periodic = [
            every(SAMPLE_S, "table", self._dump),
            every(SAMPLE_S, "ports", self._count),
            every(SAMPLE_S, "processes", self._list_processes),
            every(STATUS_S, "controller", self.controller.sample_status),
        ]

    def _stop_watching(self) -> None:
        for periodic in self._periodic:
            periodic.stop()

    def _dump(self) -> None:
        dump = self._dumper.dump(self._rules.generation)
        self.recorder.record(EventKind.INVENTORY, m.SWITCH, self._rules.take(dump), t=int(dump["t_ns"]))

    def _count(self) -> None:
        told = {m.SWITCH: self._counter.counters()}
        told |= {m.SERVER_SWITCH + name: client.call("counters") for name, client in self._counters.items()}
        for source, counters in told.items():
            counters.pop("ok", None)
            at = int(counters.get("t_ns") or time.monotonic_ns())
            self.recorder.record(EventKind.PACKET_INTERVAL, source, counters, t=at)

    def _list_processes(self) -> None:
        self.recorder.record(EventKind.INVENTORY, m.PROCESSES, {"processes": self.handle.processes()})

    def _ordered(self, component: str, exchange: dict[str, Any], t: int) -> None:
        self.recorder.record(EventKind.API_CALL, m.CONTROL + component, exchange, t=t)

    # the procedure

    def start_traffic(self) -> None:
        """The generator begins; times of :meth:`until` count from here."""
        self.recording.step(f"offering {self.load.packets_per_second:,.0f} packets/s of {self.load.concurrent:,} flows")
        self.begin_ns = int(self.handle.generator.flow_start()["t_ns"])
        self.recorder.mark(m.TRAFFIC, t_ns=self.begin_ns)

    @property
    def now_s(self) -> float:
        """Seconds since the traffic began."""
        return (time.monotonic_ns() - self.begin_ns) / 1e9

    def until(self, t_s: float) -> None:
        """Wait until the traffic has gone on for that long."""
        time.sleep(max(0.0, t_s - self.now_s))

    def split(
        self, label: str = m.FIRST_SPLIT, *, source: str = initial, target: str = "s2/v1", share: float = 0.5
    ) -> str | None:
        """Ask for a scale-out by the method of the scenario; returns the id of the scaling."""
        request = {"kind": "scale-out", "method": self.method, "from": source, "to": target, "share": share}
        self.recording.step(f"asking for a split of {source} towards {target}, method {self.method}")
        return self.controller.ask(label, **request)

    def fault(self, kind: str, target: str, **data: Any) -> None:
        """Record a fault that is put in now."""
        self.recorder.record(EventKind.FAULT, "scenario", {"kind": kind, "target": target, **data})

    def kill(self, name: str) -> None:
        """Kill a process."""
        self.recording.step(f"killing {name}")
        self._down[name] = time.monotonic_ns()
        self.fault("kill", name)
        self.handle.kill(name)

    def restart(self, name: str, *, after_s: float = 0.0, kind: str = "restart") -> None:
        """Kill a process and start it again."""
        self.recording.step(f"killing {name} and starting it again")
        self._down[name] = time.monotonic_ns()
        self.fault(kind, name)
        self.handle.kill(name)
        time.sleep(after_s)
        self.revive(name)

    def revive(self, name: str) -> None:
        """Start a process again that was killed."""
        self.handle.start(name)
        down = self._down.pop(name)
        self.recorder.mark(marks.RESTARTED, component=name, down_from=down, up_at=time.monotonic_ns())

    def stand_still(self, name: str, seconds: float) -> None:
        """Stop a process and let it go on after some time."""
        self.recording.step(f"stopping {name} for {seconds:g} s")
        self.fault("stop", name, seconds=seconds)
        self.handle.stop(name)
        time.sleep(seconds)
        self.handle.go_on(name)
        self.fault("continue", name)

    def dump_states(self, label: str) -> None:
        """Read the per-flow state of all instances that answer."""
        for server in self.servers:
            name = f"{server}/v1"
            if not any(process["name"] == name and process["running"] for process in self.handle.processes()):
                continue
            answer = self.handle.control(name).call("dump_flows")
            for flow in answer["flows"]:
                values = dict(zip(STATES, flow[: len(STATES)], strict=True))
                self._states.append({"label": label, "t_ns": int(answer["t_ns"]), "instance": name, **values})

    def finish(self) -> None:
        """Let the traffic end, settle, and record what came of it."""
        self.until(self.load.duration_s)
        self.recording.step("letting the traffic settle and reading what arrived")
        summary = self.handle.generator.flow_stop()["summary"]
        self._favouring.close()
        time.sleep(TABLE_CALM_S)
        self.controller.record_ends()
        self._stop_watching()
        intervals = self.handle.generator.flow_intervals()
        record_trial(self.recorder, summary, intervals, self._flows)
        record_table(self.recorder, m.RULES_TABLE, self._rules.table(), m.SWITCH)

    def record_states(self) -> None:
        """Write the states that were read."""
        if self._states:
            record_table(self.recorder, m.STATES_TABLE, pa.Table.from_pylist(self._states), m.INSTANCE.rstrip(":"))
