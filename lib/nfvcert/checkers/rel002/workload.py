"""What a scenario of dynamic scaling offered and asked for: workload, requests to the controller and its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nfvcert.checkers.case import Missing
from nfvcert.history import Event, EventKind, History
from nfvcert.history import migration as m


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload of a scenario; ``scale`` is its share of the full one of the annex, all ratios kept."""

    name: str
    scale: float
    frame: int
    packets_per_second: float
    concurrent_flows: int
    new_flows_per_second: float
    duration_s: float
    trigger_s: float
    identity: str
    table_capacity: int
    quota: int | None
    state_timeout_ns: int
    method: str
    driver: str
    initial: str
    instances: dict[int, str]
    event: Event

    @property
    def text(self) -> str:
        """In words, for observations."""
        return (
            f"{self.packets_per_second:,.0f} packets/s of {self.frame} octets, {self.concurrent_flows:,} flows alive, "
            f"{self.new_flows_per_second:,.0f} new flows/s, table of {self.table_capacity:,} entries"
        )

    def number(self, instance: str) -> int:
        """The number that an instance writes into packets.

        Raises:
            Missing: the workload does not name the instance.
        """
        for number, name in self.instances.items():
            if name == instance:
                return number
        raise Missing(f"the workload names no instance '{instance}'")

    def server(self, number: int) -> str:
        """The server on which the instance of that number runs; empty if there is none of that number."""
        return self.instances.get(number, "").partition("/")[0]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the controller (ns)."""

    label: str
    t: int
    kind: str
    method: str
    source: str
    target: str
    share: float
    status: int | None
    id: str | None
    answer: dict[str, Any]
    event: Event


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the controller says that it did at ``t`` (ns)."""

    t: int
    label: str
    step: str
    text: str
    final: bool
    event: Event


def workload(history: History) -> Workload:
    """The workload of a scenario.

    Raises:
        Missing: it was not recorded.
    """
    event = history.mark(m.WORKLOAD)
    if event is None:
        raise Missing(f"the workload of {history.scenario} was not recorded")
    data = event.data
    return Workload(
        name=str(data["workload"]),
        scale=float(data["scale"]),
        frame=int(data["frame"]),
        packets_per_second=float(data["packets_per_second"]),
        concurrent_flows=int(data["concurrent_flows"]),
        new_flows_per_second=float(data["new_flows_per_second"]),
        duration_s=float(data["duration_s"]),
        trigger_s=float(data["trigger_s"]),
        identity=str(data["identity"]),
        table_capacity=int(data["table_capacity"]),
        quota=None if data.get("quota") is None else int(data["quota"]),
        state_timeout_ns=int(float(data["state_timeout_s"]) * 1e9),
        method=str(data["method"]),
        driver=str(data.get("driver", "core")),
        initial=str(data["initial"]),
        instances={int(number): str(name) for number, name in data["instances"].items()},
        event=event,
    )


def traffic_begin(history: History) -> int:
    """When the generator sent its first packet (ns).

    Raises:
        Missing: the traffic was never started.
    """
    event = history.mark(m.TRAFFIC)
    if event is None:
        raise Missing("the traffic was never started")
    return int(event.data["t_ns"])


def requests(history: History) -> list[Request]:
    """All requests to the controller, in order."""
    return [
        Request(
            label=str(event.data["label"]),
            t=int(event.data["t_ns"]),
            kind=str(event.data["kind"]),
            method=str(event.data.get("method", "")),
            source=str(event.data["from"]),
            target=str(event.data["to"]),
            share=float(event.data.get("share") or 0),
            status=event.data.get("status"),
            id=event.data.get("id"),
            answer=dict(event.data.get("answer") or {}),
            event=event,
        )
        for event in history.marks(m.SPLIT)
    ]


def trigger(history: History) -> Request:
    """The request from which on times are counted: the one labelled so, else the first.

    Raises:
        Missing: there was none.
    """
    found = requests(history)
    if not found:
        raise Missing(f"nothing was asked of the controller in {history.scenario}")
    return next((request for request in found if request.label == m.FIRST_SPLIT), found[0])


def the_request(history: History, label: str = m.FIRST_SPLIT) -> Request:
    """The request with that label.

    Raises:
        Missing: it was not made.
    """
    for request in requests(history):
        if request.label == label:
            return request
    raise Missing(f"the request '{label}' to the controller was not made")


def steps(history: History, *names: str, label: str | None = None) -> list[Step]:
    """Steps that the controller reports, in order of their times.

    Args:
        names: only steps of these names; all, when none is given.
        label: only those of the request with that label.
    """
    found = [
        Step(
            t=int(event.data["t_ns"]),
            label=str(event.data["label"]),
            step=str(event.data["step"]),
            text=str(event.data.get("text", "")),
            final=bool(event.data.get("final")),
            event=event,
        )
        for event in history.marks(m.CONTROLLER_STEP)
        if (not names or event.data["step"] in names) and label in (None, event.data["label"])
    ]
    return sorted(found, key=lambda step: step.t)


def last_push(history: History, label: str = m.FIRST_SPLIT) -> Step | None:
    """The push from which on new flows take the direct way: the one marked as final, else the last; None before any."""
    pushes = steps(history, m.PUSH, label=label)
    final = [step for step in pushes if step.final]
    chosen = final or pushes
    return chosen[-1] if chosen else None


def scaling_end(history: History, label: str = m.FIRST_SPLIT) -> Event:
    """The last state that the controller gave of a scaling.

    Raises:
        Missing: it was never read.
    """
    for event in reversed(history.marks(m.SCALING_END)):
        if event.data.get("label") == label:
            return event
    raise Missing(f"the state of the scaling '{label}' was never read")


def orders(history: History, component: str, *operations: str) -> list[Event]:
    """Orders of the controller to a switch or instance as recorded between the two, in order of their answers."""
    return history.of(
        EventKind.API_CALL,
        where=lambda event: (
            event.source == m.CONTROL + component and (not operations or event.data.get("op") in operations)
        ),
    )


def faults(history: History, *kinds: str) -> list[Event]:
    """Faults that the scenario put in, in order."""
    return history.of(EventKind.FAULT, where=lambda event: not kinds or event.data.get("kind") in kinds)
