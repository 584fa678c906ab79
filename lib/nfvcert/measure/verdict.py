"""The five verdicts and their order."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """Verdict of a test purpose; ERROR is a broken tester, N/A an excluded case with its declared reason."""

    NOT_APPLICABLE = "N/A"
    PASS = "PASS"
    INCONC = "INCONC"
    FAIL = "FAIL"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """Place in the order in which verdicts may only worsen: N/A < PASS < INCONC < FAIL < ERROR."""
        return _ORDER.index(self)

    def worse_of(self, other: Verdict) -> Verdict:
        """The worse of two verdicts."""
        return self if self.rank >= other.rank else other


_ORDER = [Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.INCONC, Verdict.FAIL, Verdict.ERROR]
