"""The traceability matrix: requirement, purpose, test, scenarios, checker and the defects that prove the test."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Literal

from nfvcert.catalogue.model import Catalogue
from nfvcert.catalogue.nonconformities import Nonconformity

Format = Literal["text", "csv", "markdown"]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One purpose in its context; lists are joined by spaces, what does not exist is empty."""

    document: str
    clause: str
    requirement: str
    level: str
    purpose: str
    title: str
    status: str
    test: str
    scenarios: str
    checker: str
    defects: str
    seeded: str


def matrix(catalogue: Catalogue, seeded: Sequence[Nonconformity] = ()) -> list[MatrixRow]:
    """One row per purpose in the order of the catalogue.

    Args:
        seeded: the defects that have a file (:func:`nfvcert.catalogue.discover`); column ``seeded`` lists them.
    """
    catching: dict[str, list[str]] = {}
    for defect in catalogue.defects:
        for purpose in defect.caught_by:
            catching.setdefault(purpose, []).append(defect.id)
    files: dict[str, list[str]] = {}
    for entry in seeded:
        for name in entry.purposes:
            files.setdefault(name, []).append(entry.id)
    return [
        MatrixRow(
            document=requirement.document,
            clause=requirement.clause,
            requirement=requirement.id,
            level=requirement.level,
            purpose=purpose.id,
            title=purpose.title,
            status=purpose.status,
            test=str(purpose.test or ""),
            scenarios=" ".join(purpose.scenarios),
            checker=purpose.checker or "",
            defects=" ".join(catching.get(purpose.id, ())),
            seeded=" ".join(files.get(purpose.id, ())),
        )
        for requirement in catalogue.requirements
        for purpose in requirement.purposes
    ]


def render(rows: Sequence[MatrixRow], format: Format = "text") -> str:
    """The matrix as aligned text (without documents and titles), CSV (all columns) or a Markdown table."""
    if format == "csv":
        return _csv(rows)
    names = ["requirement", "purpose", "status", "test", "checker", "seeded"]
    table = [[str(getattr(row, name)) for name in names] for row in rows]
    if format == "markdown":
        names.insert(2, "title")
        table = [[str(getattr(row, name)).replace("|", "\\|") for name in names] for row in rows]
        lines = [names, ["---"] * len(names), *table]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
    widths = [max(len(name), *(len(line[i]) for line in table), 0) for i, name in enumerate(names)]
    lines = [names, *table]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines) + "\n"


def _csv(rows: Sequence[MatrixRow]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(MatrixRow)])
    writer.writerows(astuple(row) for row in rows)
    return out.getvalue()
