"""Synthetic histories in memory: what the recorders of a scenario would have written of a small world.

A :class:`Story` says what was so and when; :meth:`Story.finish` derives from it samples of the hosts, reads of two
observers, notifications at two sinks, snapshots of records, flows. A defect is put into the world before that (a VNFC
that lives too long), or into the events afterwards (a record that lies), so that everything else stays consistent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from synthetic_traffic import Traffic
from synthetic_world import INSTANCE, Operation, World, ns, wall

from nfvcert.history import Event, EventKind, History, marks

SAMPLE_EVERY_S = 0.2
READ_EVERY_S = 0.5

Change = Callable[["Story"], None]


class Story(World):
    """What happens in one scenario."""

    def __init__(self, scenario: str, end: float) -> None:
        super().__init__()
        self.scenario = scenario
        self.end = end
        self.traffic: Traffic | None = None
        self.watched: list[tuple[float, float, str]] = []
        self.down: tuple[float, float] | None = None
        self._drafts: list[Event] = []
        self._looks: set[float] = set()
        self._later: list[Callable[[], None]] = []
        self._edits: list[Callable[[list[Event]], None]] = []

    # what the scenario writes

    def add(self, t: float, kind: EventKind, source: str, data: dict[str, Any]) -> None:
        """An event as it is."""
        self._drafts.append(Event(ns(t), kind, source, self.scenario, data, wall(t)))

    def mark(self, t: float, name: str, **data: Any) -> None:
        """A mark of the procedure."""
        self.add(t, EventKind.MARK, "scenario", {"name": name, **data})

    def call(
        self,
        t: float,
        reference_point: str,
        method: str,
        path: str,
        status: int | None,
        *,
        role: str = "",
        took: float = 0.004,
        request: Any = None,
        answer: Any = None,
        location: str = "",
        fault: str | None = None,
    ) -> None:
        """An exchange whose answer was complete at ``t``; of the witness, or of the tester in a role."""
        data = {
            "reference_point": reference_point,
            "method": method,
            "path": path,
            "query": "",
            "t_request": ns(t - took),
            "request": request,
            "status": status,
            "headers": {"location": f"http://127.0.0.1:4000{location}"} if location else {},
            "answer": answer,
        }
        data |= {"role": role, "error": None} if role else {"fault": fault}
        self.add(t, EventKind.API_CALL, f"tester:{role}" if role else f"witness:{reference_point}", data)

    def notify(self, t: float, sink: str, kind: str, body: dict[str, Any], status: int = 204) -> None:
        """A notification that arrived at a sink."""
        data = {"sink": sink, "type": kind, "notification": {"notificationType": kind, **body}, "status": status}
        self.add(t, EventKind.API_NOTIFICATION, f"sink:{sink}", data)

    def later(self, action: Callable[[], None]) -> None:
        """Write something that depends on the finished world."""
        self._later.append(action)

    def snapshot(self, t: float, label: str) -> None:
        """All records read together."""
        self._looks.add(t - 0.005)
        self.later(
            lambda: self.mark(t, marks.SNAPSHOT, label=label, vnf_instance_id=INSTANCE, records=self.records(t - 0.02))
        )

    def look(self, t: float) -> None:
        """An extra sample of the hosts."""
        self._looks.add(t)

    # deriving the events

    def edit(self, change: Callable[[list[Event]], None]) -> None:
        """Change the events after they were derived; they are the recorder's own from then on."""
        self._edits.append(change)

    def finish(self) -> History:
        """The history with its tables."""
        self.mark(0.0, marks.BEGIN, clock={"source": "CLOCK_MONOTONIC", "error_ns": 1_000_000}, testbed="embedded")
        self.mark(self.end, marks.END, complete=True, error=None)
        for action in self._later:
            action()
        self._sample()
        self._read()
        self._tell()
        tables = {}
        if self.traffic is not None:
            seen = self.traffic.run(self.vnfcs, self.shares, ns)
            tables = seen.tables
            for t, data in seen.intervals:
                self.add(t, EventKind.PACKET_INTERVAL, "generator", data)
            for name in tables:
                self.add(self.traffic.end + 0.7, EventKind.FLOW_RECORD, "generator", {"table": name})
            self.mark(self.traffic.end + 0.8, marks.TRIAL, label="traffic", **seen.trial)
        events = sorted(self._drafts, key=lambda event: event.t)
        for change in self._edits:
            change(events)
        events.sort(key=lambda event: event.t)
        return History(self.scenario, renumbered(events), tables)

    def _sample(self) -> None:
        times = self._looks | {round(i * SAMPLE_EVERY_S + 0.06, 3) for i in range(int(self.end / SAMPLE_EVERY_S))}
        for t in sorted(times):
            hosts: dict[str, list[dict[str, Any]]] = {"host1": [], "host2": [], "host3": []}
            for number, vnfc in enumerate(self.vnfcs):
                if vnfc.alive(t):
                    hosts[f"host{number % 3 + 1}"].append(vnfc.container(t))
            listed = [{"host": host, "containers": containers} for host, containers in hosts.items()]
            self.add(t, EventKind.INVENTORY, "hosts", {"hosts": listed})

    def _read(self) -> None:
        for since, until, label in self.watched:
            operation = self.operations[label]
            for reader, point in ((1, "or-vnfm"), (2, "ve-vnfm-vnfm")):
                t = since + 0.05 * reader
                while t < until:
                    self._read_once(t, f"reader{reader}", point, operation)
                    t += READ_EVERY_S

    def _read_once(self, t: float, role: str, point: str, operation: Operation) -> None:
        down = self.down is not None and self.down[0] <= t <= self.down[1]
        path = f"/vnflcm/v2/vnf_lcm_op_occs/{operation.id}"
        record = self.operation_record(operation, t)
        if down:
            self.call(t, point, "GET", path, None, role=role)
            return
        if record is not None:
            self.call(t, point, "GET", path, 200, role=role, answer=record)
        instance = f"/vnflcm/v2/vnf_instances/{INSTANCE}"
        self.call(t + 0.01, point, "GET", instance, 200, role=role, answer=self.instance(t))

    def poll(self, t: float, label: str) -> None:
        """One read of an operation by the procedure itself."""
        operation = self.operations[label]
        path = f"/vnflcm/v2/vnf_lcm_op_occs/{operation.id}"
        self.later(
            lambda: self.call(
                t, "or-vnfm", "GET", path, 200, role="nfvo", answer=self.operation_record(operation, t - 0.002)
            )
        )

    def _tell(self) -> None:
        """Notifications of every state entered; the second subscriber refuses the first of all."""
        kind = "VnfLcmOperationOccurrenceNotification"
        refused = False
        for operation in self.operations.values():
            for number, (entered, state) in enumerate(operation.states if operation.subscribed else []):
                body: dict[str, Any] = {
                    "id": f"{operation.id}-told-{number}",
                    "notificationStatus": "START" if number == 0 else "RESULT",
                    "operationState": state,
                    "vnfInstanceId": INSTANCE,
                    "operation": "CHANGE_VNFPKG",
                    "vnfLcmOpOccId": operation.id,
                }
                if state in ("FAILED_TEMP", "FAILED", "ROLLED_BACK"):
                    body["error"] = {"title": "stopped", "status": 409}
                full = dict(body)
                if state == "COMPLETED":
                    changed = {"vnfdId": operation.target, "vnfSoftwareVersion": "2.0.0"}
                    full["modificationsTriggeredByVnfPkgChange"] = changed
                    full["affectedVnfcs"] = self.affected(operation, entered)
                self.notify(entered + 0.006, "full", kind, full)
                late = 0.0
                if not refused:
                    self.notify(entered + 0.007, "short", kind, body, status=503)
                    refused, late = True, 0.1
                elif number == 1:
                    late = 0.1
                self.notify(entered + 0.008 + late, "short", kind, body)


def renumbered(events: Iterable[Event]) -> list[Event]:
    """The events with their numbers in order, as merging the segments leaves them."""
    return [Event(e.t, e.kind, e.source, e.scenario, e.data, e.wall, seq) for seq, e in enumerate(events)]
