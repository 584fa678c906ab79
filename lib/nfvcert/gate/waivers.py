"""Waivers: a deviation that somebody answers for, until a date.

A file holds a list::

    waivers:
    - id: TP.VNF.08.2              # a purpose, or a requirement for all its purposes
      verdicts: [FAIL]             # which verdicts it excuses; ERROR, a broken tester, cannot be excused
      reason: users of the old load balancer lose affinity, accepted for release 2.0
      owner: jane.roe@example.com
      expires: 2027-01-31          # last day on which it holds
      ticket: LAB-1234

A waiver that is expired, that excuses nothing in the run, or whose purpose passes fails the gate: it has to go.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.documents import read_document

Text = Annotated[str, Field(min_length=3)]


class Waiver(BaseModel):
    """One waiver; all its fields are mandatory but ``verdicts``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Text
    reason: Text
    owner: Text
    expires: date
    ticket: Text
    verdicts: list[Literal["FAIL", "INCONC", "N/A", "not tested"]] = Field(default=["FAIL"], min_length=1)

    def covers(self, purpose: str, requirement: str) -> bool:
        """Whether it is about that purpose."""
        return self.id in (purpose, requirement)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    waivers: list[Waiver]


def load_waivers(path: Path) -> list[Waiver]:
    """The waivers of a file.

    Raises:
        UsageError: the file cannot be read or a waiver lacks a field (with file and line).
    """
    return read_document(path, _File).waivers
