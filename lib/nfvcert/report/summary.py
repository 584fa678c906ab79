"""From verdicts of purposes to verdicts of requirements, the verdict of the run and its headline. Pure.

The headline never claims more than was judged: it counts against all numbered requirements of the source document and
says how many were not tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from nfvcert.catalogue import Catalogue, Purpose, Requirement
from nfvcert.measure import Verdict as Judged
from nfvcert.measure import worst
from nfvcert.report.results_model import Counts, PurposeResult, RequirementResult, Verdict, VerdictOrNone

NOT_TESTED = "not tested"
NOT_SELECTED = "not selected for this run"


@dataclass(frozen=True, slots=True)
class Summary:
    """Verdict, headline and counts of a run."""

    verdict: Verdict
    headline: str
    counts: Counts


def requirement_results(
    catalogue: Catalogue, judged: Mapping[str, Mapping[str, Any]], planned: Collection[str]
) -> list[RequirementResult]:
    """The ``requirements`` of results.json: all numbered requirements, and others as far as they were planned.

    Args:
        judged: judgements by id of the purpose, as ``Judgement.to_dict()`` gives them (``id`` may be left out).
        planned: ids of the purposes that the run set out to judge; one without a judgement becomes INCONC.
    """
    results = []
    for requirement in catalogue.requirements:
        ids = {purpose.id for purpose in requirement.purposes}
        if requirement.counted or ids & (set(planned) | set(judged)):
            results.append(_requirement(requirement, judged, planned))
    return results


def requirement_verdict(verdicts: Iterable[VerdictOrNone]) -> VerdictOrNone:
    """The worst of the judged purposes; ``not tested`` if none of them was judged."""
    judged = [Judged(verdict) for verdict in verdicts if verdict != NOT_TESTED]
    return _plain(worst(judged)) if judged else "not tested"


def summarise(requirements: Sequence[RequirementResult]) -> Summary:
    """Verdict, headline and counts of a run; a run in which nothing was judged is INCONC."""
    counted = [requirement for requirement in requirements if requirement.id.startswith("REQ.")]
    further = [requirement for requirement in requirements if not requirement.id.startswith("REQ.")]
    verdict = requirement_verdict(requirement.verdict for requirement in requirements)
    final: Verdict = "INCONC" if verdict == "not tested" or verdict == "N/A" else verdict
    by_requirement = Counter(requirement.verdict for requirement in counted)
    by_purpose = Counter(purpose.verdict for requirement in requirements for purpose in requirement.purposes)
    judged = Counter(requirement.verdict for requirement in further if requirement.verdict != NOT_TESTED)
    if judged and set(by_requirement) <= {NOT_TESTED}:
        headline = _headline_of_further(final, judged, len(counted))
    else:
        headline = _headline(final, by_requirement, len(counted))
        if set(judged) - {"N/A"}:
            headline += f"; of further requirements {_list(judged)}"
    return Summary(final, headline, Counts(requirements=dict(by_requirement), purposes=dict(by_purpose)))


def _headline(verdict: Verdict, count: Mapping[VerdictOrNone, int], total: int) -> str:
    n: dict[str, int] = {verdict: count.get(verdict, 0) for verdict in get_args(VerdictOrNone)}
    rest = {"INCONC": "undecided", "ERROR": "with tester errors", "N/A": "not applicable", "not tested": "not tested"}
    tail = [f"{n[key]} {word}" for key, word in rest.items() if n[key] and key != verdict]
    if verdict == "PASS":
        head = f"PASS for {n['PASS']} of {total} requirements"
    elif verdict == "FAIL":
        head = f"FAIL: {n['FAIL']} of {total} requirements not met, {n['PASS']} passed"
    elif verdict == "INCONC":
        head = f"INCONC: {n['INCONC']} of {total} requirements undecided, {n['PASS']} passed"
    else:
        head = f"ERROR: the tester failed on {n['ERROR']} of {total} requirements, {n['PASS']} passed"
        tail = [f"{n['FAIL']} not met", *tail] if n["FAIL"] else tail
    return ", ".join([head, *tail])


def _headline_of_further(verdict: Verdict, count: Mapping[VerdictOrNone, int], total: int) -> str:
    """Of a run that judged no numbered requirement at all."""
    passed, judged = count.get("PASS", 0), sum(count.values())
    head = f"PASS for {passed} of {judged}" if verdict == "PASS" else f"{verdict}: {_list(count)} of {judged}"
    return f"{head} further requirements, {total} numbered ones not tested"


def _list(count: Mapping[VerdictOrNone, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in count.items())


def _requirement(
    requirement: Requirement, judged: Mapping[str, Mapping[str, Any]], planned: Collection[str]
) -> RequirementResult:
    purposes = [_purpose(purpose, judged.get(purpose.id), purpose.id in planned) for purpose in requirement.purposes]
    return RequirementResult(
        id=requirement.id,
        document=requirement.document,
        clause=requirement.clause,
        level=requirement.level,
        statement=requirement.statement,
        verdict=requirement_verdict(purpose.verdict for purpose in purposes),
        purposes=purposes,
    )


def _purpose(purpose: Purpose, judgement: Mapping[str, Any] | None, planned: bool) -> PurposeResult:
    scenarios = list(purpose.scenarios)
    known: dict[str, Any] = {"id": purpose.id, "title": purpose.title, "test": str(purpose.test or "") or None}
    if judgement is not None:
        known |= {"scenarios": scenarios, "scenario": scenarios[0] if scenarios else None}
        return PurposeResult.model_validate({**known, **judgement})
    if planned:
        known |= {"scenarios": scenarios, "verdict": "INCONC", "reason": "planned, but no verdict was given"}
        return PurposeResult.model_validate(known)
    reason = purpose.not_tested_reason or NOT_SELECTED
    return PurposeResult.model_validate({**known, "verdict": NOT_TESTED, "reason": reason})


def _plain(verdict: Judged) -> Verdict:
    return verdict.value
