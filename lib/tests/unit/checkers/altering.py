"""Small changes of stories and of events that several tests make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from history_builder import Change, Story
from synthetic_traffic import Flow
from synthetic_world import Operation, ns

from nfvcert.history import Event, EventKind, History, marks

Wanted = Callable[[Event], bool]


def is_mark(name: str, label: str | None = None, **data: Any) -> Wanted:
    """A mark by name, label and further data."""

    def wanted(event: Event) -> bool:
        return (
            event.kind is EventKind.MARK
            and event.data.get("name") == name
            and (label is None or event.data.get("label") == label)
            and all(event.data.get(key) == value for key, value in data.items())
        )

    return wanted


def is_call(method: str, part: str, point: str | None = None, source: str = "") -> Wanted:
    """A call by method, a part of its path, and the reference point."""

    def wanted(event: Event) -> bool:
        return (
            event.kind is EventKind.API_CALL
            and event.data["method"] == method
            and part in event.data["path"]
            and (point is None or event.data["reference_point"] == point)
            and event.source.startswith(source)
        )

    return wanted


def is_coordination(operation: str, stage: str, share: float | None = None) -> Wanted:
    """The request of a coordination."""

    def wanted(event: Event) -> bool:
        body = event.data.get("request") or {}
        inputs = body.get("inputParams") or {}
        named = body.get("vnfLcmOpOccId") == operation and inputs.get("stage") == stage
        return event.kind is EventKind.API_CALL and named and (share is None or inputs.get("share") == share)

    return wanted


def is_told(sink: str, state: str, status: str | None = None, operation: str | None = None) -> Wanted:
    """A notification by sink and state."""

    def wanted(event: Event) -> bool:
        body = event.data.get("notification") or {}
        occurrence = body.get("vnfLcmOpOccId") or body.get("nsLcmOpOccId")
        return (
            event.data.get("sink") == sink
            and body.get("operationState") == state
            and (status is None or body.get("notificationStatus") == status)
            and (operation is None or occurrence == operation)
        )

    return wanted


def setting(wanted: Wanted, **data: Any) -> Change:
    """Set keys of the data of events."""

    def change(story: Story) -> None:
        def edit(events: list[Event]) -> None:
            for event in found(events, wanted):
                event.data.update(data)

        story.edit(edit)

    return change


def doing(wanted: Wanted, action: Callable[[dict[str, Any]], None]) -> Change:
    """Do something to the data of events."""

    def change(story: Story) -> None:
        def edit(events: list[Event]) -> None:
            for event in found(events, wanted):
                action(event.data)

        story.edit(edit)

    return change


def moving(wanted: Wanted, to: float) -> Change:
    """Have events happen at another time (s)."""

    def change(story: Story) -> None:
        def edit(events: list[Event]) -> None:
            for event in found(events, wanted):
                events[events.index(event)] = replace(event, t=ns(to))

        story.edit(edit)

    return change


def leaving_out(wanted: Wanted) -> Change:
    """Take events out of the story."""

    def change(story: Story) -> None:
        def edit(events: list[Event]) -> None:
            events[:] = [event for event in events if not wanted(event)]

        story.edit(edit)

    return change


def found(events: Iterable[Event], wanted: Wanted) -> list[Event]:
    """The wanted events; a change that changes nothing would be a test of nothing."""
    chosen = [event for event in events if wanted(event)]
    assert chosen, "no event of the story is concerned"
    return chosen


def vnfc(name: str, **fields: Any) -> Change:
    """Change fields of a VNFC."""

    def change(story: Story) -> None:
        for field, value in fields.items():
            setattr(story.vnfc(name), field, value)

    return change


def flows(action: Callable[[list[Flow]], None]) -> Change:
    """Change the flows before they are written down."""

    def change(story: Story) -> None:
        assert story.traffic is not None
        story.traffic.alter.append(action)

    return change


def accepted(label: str, at: float) -> Change:
    """A request that should be refused is taken and completes."""

    def change(story: Story) -> None:
        story.operations[label] = Operation(label, "vnfd-new", [(at, "STARTING"), (at + 0.01, "COMPLETED")])
        story.mark(at, marks.OPERATION, label=label, level="vnf", id=f"vnf-op-{label}")
        story.poll(at + 0.05, label)
        story.mark(at + 0.05, marks.REACHED, label=label, level="vnf", operation=f"vnf-op-{label}", state="COMPLETED")
        wanted = is_mark(marks.REQUEST, label)
        setting(wanted, status=202, operation=f"vnf-op-{label}", problem=None)(story)

    return change


def with_data(history: History, wanted: Wanted, **data: Any) -> History:
    """A history in which some events have other data; cheaper than telling it anew."""
    chosen = {id(event) for event in found(history, wanted)}
    events = [replace(e, data={**e.data, **data}) if id(e) in chosen else e for e in history]
    return History(history.scenario, events, history.tables)


def without(history: History, wanted: Wanted, *, tables: bool = True) -> History:
    """A history with less in it."""
    kept = [event for event in history if not wanted(event)]
    return History(history.scenario, kept, history.tables if tables else {})
