"""What is wrong with a drop: one finding for each fault, with the rule it breaks and the place where it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from nfvcert.errors import DropError

SHOWN = 160
"""Longest piece of foreign text that a finding repeats."""


class Severity(StrEnum):
    """How much a finding weighs: with an error a package must not be used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a drop.

    ``rule`` is a dotted id that stays the same between versions of nfvcert, ``clause`` the source of the rule,
    ``where`` the archive member with its line if it has one (``member:line``).
    """

    severity: Severity
    rule: str
    clause: str
    where: str
    message: str
    found: str = ""
    expected: str = ""

    def error(self) -> FindingError:
        """The finding as an exception."""
        return FindingError(self)

    @property
    def text(self) -> str:
        """The finding on one line."""
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.found:
            parts.append(f"found {self.found}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        return "; ".join(parts)


class FindingError(DropError):
    """A drop cannot be read further because of one finding."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(
            finding.message,
            where=finding.where,
            found=finding.found,
            hint=f"expected {finding.expected}" if finding.expected else "",
        )


def fault(rule: str, clause: str, where: str, message: str, found: object = "", expected: object = "") -> Finding:
    """A finding of severity error; foreign text is made printable and cut."""
    return Finding(Severity.ERROR, rule, clause, shown(where), message, shown(found), shown(expected))


def remark(rule: str, clause: str, where: str, message: str, found: object = "", expected: object = "") -> Finding:
    """A finding of severity warning; foreign text is made printable and cut."""
    return Finding(Severity.WARNING, rule, clause, shown(where), message, shown(found), shown(expected))


def shown(value: object) -> str:
    """Foreign text fit for a terminal: control characters escaped, long text cut."""
    text = str(value)
    cut = text[: SHOWN + 1]
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return printable[:SHOWN] + "..." if len(printable) > SHOWN or len(text) > SHOWN else printable


def finding_of(error: DropError) -> Finding:
    """The finding behind an exception of this room."""
    if isinstance(error, FindingError):
        return error.finding
    return fault("drop.unreadable", "", error.where, error.what, error.found, error.hint)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those findings that forbid the use of the package."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def render_findings(findings: Iterable[Finding], *, title: str = "") -> str:
    """Findings as text for people: errors first, each with its rule and clause, and a count at the end."""
    ordered = sorted(findings, key=lambda f: (f.severity is not Severity.ERROR, f.where, f.rule))
    lines = [title] if title else []
    for finding in ordered:
        lines.append(f"{finding.severity.value:<8}{finding.where or '-'}: {finding.message}")
        if finding.found:
            lines.append(f"        found     {finding.found}")
        if finding.expected:
            lines.append(f"        expected  {finding.expected}")
        lines.append(f"        rule      {finding.rule}" + (f" ({finding.clause})" if finding.clause else ""))
    wrong = len(errors(ordered))
    remarks = len(ordered) - wrong
    if not ordered:
        lines.append("nothing wrong found")
    else:
        lines.append(f"{_count(wrong, 'error')}, {_count(remarks, 'warning')}")
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
