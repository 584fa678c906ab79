"""Deciding whether a run passes the gate. Pure.

A FAIL that no waiver excuses, a waiver that has to go, and a regression that the profile names close the gate with exit
code 1; what is undecided or missing closes it with 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from nfvcert.catalogue.selection import is_prefix
from nfvcert.errors import ExitCode
from nfvcert.gate.comparison import Comparison, compare
from nfvcert.gate.profile import Effect, Profile
from nfvcert.gate.rundata import PurposeData, RunData
from nfvcert.gate.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that closes the gate (``fails``) or is only noted."""

    effect: Effect
    code: ExitCode
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The gate's decision: violations, excused purposes with their waivers, and the comparison if there was one."""

    run: str
    profile: str
    violations: tuple[Violation, ...]
    notes: tuple[Violation, ...]
    waived: tuple[tuple[PurposeData, Waiver], ...]
    comparison: Comparison | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0, 1 or 2; a certain failure goes before something undecided."""
        codes = {violation.code for violation in self.violations}
        return next((code for code in (ExitCode.FAIL, ExitCode.INCONCLUSIVE) if code in codes), ExitCode.PASS)


def evaluate(
    run: RunData,
    profile: Profile,
    waivers: Sequence[Waiver] = (),
    *,
    today: date,
    against: RunData | None = None,
) -> Outcome:
    """Decide a run.

    Args:
        today: the day on which waivers must hold.
        against: an earlier run; regressions are judged by the profile.
    """
    valid = [waiver for waiver in waivers if waiver.expires >= today]
    comparison = compare(against, run) if against is not None else None
    excused: list[tuple[PurposeData, Waiver]] = []
    found: list[Violation] = [*_run(run), *_waivers(run, waivers, valid, today)]
    for purpose in run.purposes.values():
        violation = _purpose(run, purpose, profile)
        if violation is None:
            continue
        waiver = _excuse(purpose, valid)
        if waiver is not None:
            excused.append((purpose, waiver))
        else:
            found.append(violation)
    found += _requirements(run, profile, valid)
    if comparison is not None:
        found += _regressions(comparison, profile, {purpose.id for purpose, _ in excused})
    return Outcome(
        run=run.run,
        profile=profile.name,
        violations=tuple(violation for violation in found if violation.effect == "fails"),
        notes=tuple(violation for violation in found if violation.effect == "noted"),
        waived=tuple(excused),
        comparison=comparison,
    )


def _run(run: RunData) -> Iterator[Violation]:
    if run.interrupted:
        yield Violation("fails", ExitCode.INCONCLUSIVE, run.run, f"the run ended early: {run.interrupted}")
    for id in run.planned:
        if id not in run.purposes or run.purposes[id].verdict == "not tested":
            yield Violation("fails", ExitCode.INCONCLUSIVE, id, "it was planned, but has no verdict")


def _purpose(run: RunData, purpose: PurposeData, profile: Profile) -> Violation | None:
    mandatory = profile.demands(purpose.requirement)
    text = f"{purpose.verdict}: {purpose.reason}"
    if purpose.verdict == "FAIL":
        return Violation("fails", ExitCode.FAIL, purpose.id, text)
    if purpose.verdict == "ERROR":
        return Violation("fails", ExitCode.INCONCLUSIVE, purpose.id, text)
    if purpose.verdict == "INCONC":
        return Violation(profile.inconclusive, ExitCode.INCONCLUSIVE, purpose.id, text)
    if purpose.verdict == "not tested" and mandatory and _judged(run, purpose.requirement):
        return Violation(profile.purpose_not_tested, ExitCode.INCONCLUSIVE, purpose.id, text)
    if purpose.weaker_bound and mandatory:
        what = f"weaker bound: {purpose.weaker_bound}"
        return Violation(profile.weaker_bounds, ExitCode.INCONCLUSIVE, purpose.id, what)
    return None


def _requirements(run: RunData, profile: Profile, waivers: Sequence[Waiver]) -> Iterator[Violation]:
    """Mandatory requirements about which the run says nothing."""
    for prefix in profile.mandatory:
        if not any(is_prefix(prefix, requirement) for requirement in run.levels):
            yield Violation(profile.requirement_not_tested, ExitCode.INCONCLUSIVE, prefix, "it is not in the results")
    for requirement, level in run.levels.items():
        if not profile.demands(requirement):
            continue
        verdicts = {purpose.verdict for purpose in run.of(requirement)}
        silent = verdicts <= {"not tested"}
        excluded = not silent and verdicts <= {"not tested", "N/A"}
        waived = {verdict for waiver in waivers if waiver.id == requirement for verdict in waiver.verdicts}
        if silent and "not tested" not in waived:
            what = "not tested: none of its purposes was judged"
            yield Violation(profile.requirement_not_tested, ExitCode.INCONCLUSIVE, requirement, what)
        elif excluded and level == "shall" and "N/A" not in waived:
            what = "not certified: all its judged purposes are N/A"
            yield Violation(profile.not_applicable, ExitCode.INCONCLUSIVE, requirement, what)


def _waivers(run: RunData, waivers: Sequence[Waiver], valid: Sequence[Waiver], today: date) -> Iterator[Violation]:
    """Waivers that have to go: expired, doubled, passing or about nothing in the run."""
    for waiver in waivers:
        if waiver not in valid:
            what = f"the waiver expired on {waiver.expires} ({waiver.ticket}, {waiver.owner})"
            yield Violation("fails", ExitCode.FAIL, waiver.id, what)
    for id, count in Counter(waiver.id for waiver in waivers).items():
        if count > 1:
            yield Violation("fails", ExitCode.FAIL, id, f"{count} waivers are about it")
    for waiver in valid:
        covered = [p for p in run.purposes.values() if waiver.covers(p.id, p.requirement)]
        if any(purpose.verdict in waiver.verdicts for purpose in covered):
            continue
        passing = [purpose for purpose in covered if purpose.verdict == "PASS"]
        state = "it passes, the waiver has to go" if passing else "the waiver excuses nothing in this run"
        yield Violation("fails", ExitCode.FAIL, waiver.id, f"{state} ({waiver.ticket}, {waiver.owner})")


def _regressions(comparison: Comparison, profile: Profile, excused: set[str]) -> Iterator[Violation]:
    for change in comparison.regressions:
        if change.purpose not in excused and change.new != "FAIL":
            code = ExitCode.INCONCLUSIVE
            yield Violation("fails", code, change.purpose, f"regression: {change.old} -> {change.new}")
    for id in comparison.removed:
        what = f"it was judged in {comparison.old} and is not any more"
        yield Violation(profile.removed_purposes, ExitCode.INCONCLUSIVE, id, what)
    for moved in comparison.worsened:
        yield Violation(profile.worsened_measures, ExitCode.FAIL, moved.purpose, f"worse than before: {moved}")


def _excuse(purpose: PurposeData, valid: Sequence[Waiver]) -> Waiver | None:
    covering = (w for w in valid if w.covers(purpose.id, purpose.requirement) and purpose.verdict in w.verdicts)
    return next(covering, None)


def _judged(run: RunData, requirement: str) -> bool:
    return any(purpose.verdict != "not tested" for purpose in run.of(requirement))
