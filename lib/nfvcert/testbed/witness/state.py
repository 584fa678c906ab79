"""What the witness knows at run time: where it records, which rules hold, what its sinks have seen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from nfvcert.history import EventKind, Recorder
from nfvcert.testbed.witness.models import Rule, ScenarioOrder, Sink


class WitnessState:
    """Recorder, rules and sinks of one witness process."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.rules: dict[str, Rule] = {}
        self.sinks: dict[str, Sink] = {}
        self._released: dict[str, asyncio.Event] = {}
        self._refused: set[tuple[str, str]] = set()

    def record(self, kind: EventKind, source: str, data: dict[str, Any], *, t: int | None = None) -> None:
        """Record an event of the running scenario; outside of scenarios nothing is kept."""
        if self.recorder is not None:
            self.recorder.record(kind, source, data, t=t)

    def begin(self, order: ScenarioOrder) -> None:
        """Record into the segment of that scenario from now on."""
        self.end()
        self.recorder = Recorder(Path(order.folder), order.scenario, "witness")

    def end(self) -> None:
        """Stop recording, forget all faults."""
        for rule_id in list(self.rules):
            self.remove_rule(rule_id)
        self._refused.clear()
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None

    def add_rule(self, rule: Rule) -> None:
        """Put a fault in force."""
        self.rules[rule.id] = rule
        self._released[rule.id] = asyncio.Event()
        self.record(EventKind.FAULT, "witness", {"name": "rule", **rule.model_dump()})

    def remove_rule(self, rule_id: str) -> bool:
        """Lift a fault; requests that it holds go on at once."""
        released = self._released.pop(rule_id, None)
        if released is not None:
            released.set()
        return self.rules.pop(rule_id, None) is not None

    def rule_for(self, listener: str, method: str, path: str) -> Rule | None:
        """The first rule that applies to a request; its count goes down."""
        for rule in self.rules.values():
            if rule.matches(listener, method, path):
                if rule.count is not None:
                    rule.count -= 1
                return rule
        return None

    async def hold(self, rule: Rule) -> None:
        """Wait until the rule's time is over or the rule is lifted."""
        released = self._released.get(rule.id)
        if released is None:
            return
        try:
            await asyncio.wait_for(released.wait(), rule.seconds)
        except TimeoutError:
            return

    def refuses(self, sink: str, notification_type: str) -> bool:
        """Whether this POST is to be answered 503: the first of its type at a sink that was told so."""
        known = self.sinks.get(sink)
        if known is None or not known.refuse_first or (sink, notification_type) in self._refused:
            return False
        self._refused.add((sink, notification_type))
        return True
