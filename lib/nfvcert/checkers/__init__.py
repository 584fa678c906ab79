"""Checkers: pure judgements of test purposes over recorded histories. No I/O, no clock, no random numbers."""

from nfvcert.checkers import rel002, rel006
from nfvcert.checkers.case import Case, Judgement, Missing, NotApplicable
from nfvcert.checkers.declared import Declared, Version
from nfvcert.checkers.registry import checker, history_of, judge, registered

__all__ = [
    "Case",
    "Declared",
    "Judgement",
    "Missing",
    "NotApplicable",
    "Version",
    "checker",
    "history_of",
    "judge",
    "registered",
    "rel002",
    "rel006",
]
