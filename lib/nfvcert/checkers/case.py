"""Building a judgement: guards, expectations and measures of one test purpose over recorded histories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nfvcert.history import Event, History
from nfvcert.measure import Measure, Verdict, worst


class Missing(Exception):
    """Evidence that the judgement needs was not recorded: INCONC, with the text as its reason."""


class NotApplicable(Exception):
    """The drop or the testbed declares what excludes the purpose: N/A, with the text as its reason."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict of one test purpose with its reason and the events that it rests on.

    ``evidence`` maps a scenario to the numbers (``seq``) of its events.
    """

    purpose: str
    verdict: Verdict
    reason: str
    evidence: dict[str, list[int]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    observations: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The judgement as results.json has it."""
        return {
            "id": self.purpose,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "evidence": [{"scenario": scenario, "seq": seqs} for scenario, seqs in sorted(self.evidence.items())],
            "measures": [measure.to_dict() for measure in self.measures],
            "observations": list(self.observations),
        }


class Case:
    """Collects what speaks for and against one purpose; the verdict only worsens.

    The first reason of the worst verdict is the reason given; further ones become observations.
    """

    MOST_EVIDENCE = 24

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self._verdict = Verdict.NOT_APPLICABLE
        self._reasons: dict[Verdict, list[str]] = {}
        self._evidence: dict[str, list[int]] = {}
        self._measures: list[Measure] = []
        self._observations: list[str] = []

    def rests_on(self, history: History, events: Iterable[Event]) -> None:
        """Name events as evidence."""
        seqs = self._evidence.setdefault(history.scenario, [])
        for event in events:
            if event.seq not in seqs and len(seqs) < self.MOST_EVIDENCE:
                seqs.append(event.seq)

    def guard(self, held: bool, reason: str) -> bool:
        """A condition without which nothing can be said: INCONC when it does not hold."""
        self._note(Verdict.PASS if held else Verdict.INCONC, reason)
        return held

    def expect(self, held: bool, reason: str) -> bool:
        """What the requirement asks: FAIL with this reason when it does not hold."""
        self._note(Verdict.PASS if held else Verdict.FAIL, reason)
        return held

    def measure(self, measure: Measure, reason: str) -> bool:
        """Decide a measure; ``reason`` is given if it does not pass."""
        self._measures.append(measure)
        verdict = measure.verdict
        text = f"{reason}: {measure.value:g} {measure.unit}"
        if measure.limit is not None:
            text += f", limit {measure.operator} {measure.limit:g}"
        self._note(verdict, text if verdict is not Verdict.INCONC else f"{text} lies inside the uncertainty interval")
        return verdict is Verdict.PASS

    def observe(self, text: str) -> None:
        """Say something that does not touch the verdict."""
        if text not in self._observations:
            self._observations.append(text)

    def judge(self, summary: str) -> Judgement:
        """The judgement; ``summary`` is the reason of a PASS.

        A case without any expectation, measure or guard is INCONC: a check that looked at nothing must not pass.
        """
        verdict = self._verdict
        if verdict is Verdict.NOT_APPLICABLE:
            return self._done(Verdict.INCONC, "nothing was judged")
        if verdict is Verdict.PASS:
            return self._done(verdict, summary)
        first, *more = self._reasons[verdict]
        for other in [*more, *(r for v, rs in self._reasons.items() if v not in (verdict, Verdict.PASS) for r in rs)]:
            self.observe(other)
        return self._done(verdict, first)

    def _done(self, verdict: Verdict, reason: str) -> Judgement:
        evidence = {scenario: sorted(seqs) for scenario, seqs in self._evidence.items() if seqs}
        return Judgement(self.purpose, verdict, reason, evidence, tuple(self._measures), tuple(self._observations))

    def _note(self, verdict: Verdict, reason: str) -> None:
        self._verdict = worst([self._verdict, verdict])
        if verdict is not Verdict.PASS and reason not in self._reasons.setdefault(verdict, []):
            self._reasons[verdict].append(reason)
