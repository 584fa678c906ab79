"""The verdict table for terminals, and the same in plain lines."""

from __future__ import annotations

import textwrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nfvcert.report.results_model import RequirementResult, Results

STYLES = {
    "PASS": "bold green",
    "FAIL": "bold red",
    "INCONC": "bold yellow",
    "ERROR": "bold magenta",
    "N/A": "dim",
    "not tested": "dim",
}
ALARMING = ("FAIL", "ERROR", "INCONC")


def verdict_table(results: Results, *, all_requirements: bool = False) -> RenderableType:
    """The verdicts as something ``rich`` can print.

    Args:
        all_requirements: with the requirements that were not tested; otherwise one line counts them.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", title_justify="left")
    table.add_column("requirement", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("judged", justify="right", no_wrap=True)
    table.add_column("what is asked, or what went wrong", ratio=1)
    for requirement in _shown(results, all_requirements):
        style = "dim" if requirement.verdict == "not tested" else ""
        table.add_row(
            Text(requirement.id, style),
            Text(requirement.verdict, STYLES[requirement.verdict]),
            Text(_judged(requirement), style),
            Text(requirement.statement, style, no_wrap=True, overflow="ellipsis"),
        )
        for purpose in requirement.purposes:
            if purpose.verdict in ALARMING:
                verdict = Text(f"  {purpose.verdict}", STYLES[purpose.verdict])
                table.add_row(Text(f"  {purpose.id}"), verdict, "", Text(purpose.reason))
    parts: list[RenderableType] = [table]
    parts += [Text(line, "dim") for line in _left_out(results, all_requirements)]
    parts += [Text(""), Text(results.headline, STYLES[results.verdict])]
    return Group(*parts)


def plain_table(results: Results, *, all_requirements: bool = False, width: int = 100) -> str:
    """The verdicts in plain lines, for logs and pipes."""
    lines = []
    for requirement in _shown(results, all_requirements):
        head = f"{requirement.id:<14} {requirement.verdict:<11} {_judged(requirement):>7}  "
        lines.append(head + textwrap.shorten(requirement.statement, max(20, width - len(head)), placeholder=" ..."))
        for purpose in requirement.purposes:
            if purpose.verdict in ALARMING:
                lines.append(f"  {purpose.id:<12} {purpose.verdict:<11} {purpose.reason}")
    lines += _left_out(results, all_requirements)
    return "\n".join([*lines, "", results.headline, ""])


def _shown(results: Results, all_requirements: bool) -> list[RequirementResult]:
    return [r for r in results.requirements if all_requirements or (r.verdict != "not tested" and not _excluded(r))]


def _excluded(requirement: RequirementResult) -> str:
    """The one reason for which none of the purposes applies; empty if there are several, or some apply."""
    reasons = {purpose.reason for purpose in requirement.purposes if purpose.verdict == "N/A"}
    return reasons.pop() if requirement.verdict == "N/A" and len(reasons) == 1 else ""


def _left_out(results: Results, all_requirements: bool) -> list[str]:
    """Lines on the requirements that have none of their own."""
    if all_requirements:
        return []
    by_reason: dict[str, list[str]] = {}
    for requirement in results.requirements:
        if reason := _excluded(requirement):
            by_reason.setdefault(reason, []).append(requirement.id)
    lines = [f"{', '.join(ids)} N/A: {reason}." for reason, ids in by_reason.items()]
    if count := sum(requirement.verdict == "not tested" for requirement in results.requirements):
        lines.append(f"{count} further requirements were not tested; the report says why.")
    return lines


def _judged(requirement: RequirementResult) -> str:
    return f"{len(requirement.judged)} of {len(requirement.purposes)}"
