"""The decision of the gate and the comparison of two runs in plain lines."""

from __future__ import annotations

from collections.abc import Sequence

from nfvcert.errors import ExitCode
from nfvcert.gate.comparison import Comparison
from nfvcert.gate.evaluation import Outcome

WORDS = {ExitCode.PASS: "open", ExitCode.FAIL: "closed", ExitCode.INCONCLUSIVE: "closed, undecided"}


def outcome_text(outcome: Outcome) -> str:
    """What closed the gate, what was excused, what is only noted, and the decision as the last line."""
    lines = _section("closes the gate", outcome.violations)
    waived = [
        f"{purpose.id}: {purpose.verdict}, until {waiver.expires} by {waiver.owner} ({waiver.ticket}): {waiver.reason}"
        for purpose, waiver in outcome.waived
    ]
    lines += _section("waived", waived)
    lines += _section("noted", outcome.notes)
    if outcome.comparison is not None:
        lines += [comparison_text(outcome.comparison)]
    decision = WORDS[outcome.exit_code]
    return "\n".join([*lines, f"gate {decision} for {outcome.run} by profile {outcome.profile}", ""])


def comparison_text(comparison: Comparison) -> str:
    """What changed between two runs; one line if nothing did."""
    sections = {
        "regressions": comparison.regressions,
        "measures that worsened": comparison.worsened,
        "no longer judged": comparison.removed,
        "improvements": comparison.improvements,
        "measures that improved": comparison.bettered,
        "newly judged": comparison.added,
        "other surroundings": comparison.surroundings,
    }
    lines = [f"{comparison.old} -> {comparison.new}"]
    for title, entries in sections.items():
        lines += _section(title, entries)
    if len(lines) == 1:
        lines.append("nothing changed\n")
    return "\n".join(lines)


def _section(title: str, entries: Sequence[object]) -> list[str]:
    return [f"{title}:", *(f"  {entry}" for entry in entries), ""] if entries else []
