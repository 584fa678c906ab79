"""Which function judges which purpose, and the frame in which it runs."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace

from nfvcert.checkers.case import Judgement, Missing, NotApplicable
from nfvcert.checkers.declared import Declared
from nfvcert.history import History, marks
from nfvcert.measure import Verdict

Histories = Mapping[str, History]
Checker = Callable[[str, Histories, Declared], Judgement]

_CHECKERS: dict[str, Checker] = {}


def checker(purpose: str) -> Callable[[Checker], Checker]:
    """Register the function as the checker of ``purpose``."""

    def register(function: Checker) -> Checker:
        if purpose in _CHECKERS:
            raise ValueError(f"{purpose} has a checker already")
        _CHECKERS[purpose] = function
        return function

    return register


def registered() -> frozenset[str]:
    """Ids of all purposes that have a checker."""
    return frozenset(_CHECKERS)


def judge(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Judge one purpose; never raises.

    Missing evidence is INCONC, an excluded case N/A, an exception in a checker ERROR: none of them passes.
    """
    function = _CHECKERS.get(purpose)
    if function is None:
        return Judgement(purpose, Verdict.ERROR, "there is no checker for this purpose")
    try:
        judgement = function(purpose, histories, declared)
    except Missing as missing:
        return Judgement(purpose, Verdict.INCONC, str(missing))
    except NotApplicable as excluded:
        return Judgement(purpose, Verdict.NOT_APPLICABLE, str(excluded))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Judgement(
            purpose,
            Verdict.ERROR,
            f"the checker failed: {type(error).__name__}: {error} ({where.name}, line {where.lineno})",
        )
    if judgement.verdict is Verdict.PASS and not judgement.evidence:
        return Judgement(purpose, Verdict.ERROR, "the checker passed without naming evidence")
    broken = [scenario for scenario in judgement.evidence if _broken_off(histories[scenario])]
    if judgement.verdict is Verdict.PASS and broken:
        reason = f"scenario '{broken[0]}' was not carried through to its end"
        return replace(judgement, verdict=Verdict.INCONC, reason=reason)
    return judgement


def history_of(histories: Histories, scenario: str) -> History:
    """The history of a scenario.

    Raises:
        Missing: the scenario was not run or not recorded.
    """
    history = histories.get(scenario)
    if history is None or not len(history):
        raise Missing(f"scenario '{scenario}' was not recorded")
    return history


def _broken_off(history: History) -> bool:
    """Whether the procedure of a scenario ended by an error, or did not come to its end."""
    end = history.mark(marks.END)
    return end is None or not end.data.get("complete")
