"""Reading and writing the files of a run folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nfvcert.errors import UsageError
from nfvcert.report.results_model import Results

RESULTS = "results.json"


def results_document(run: Path) -> tuple[Path, Any]:
    """``results.json`` of a run folder (or that file itself) and what it holds.

    Raises:
        UsageError: it is missing, or no JSON.
    """
    path = run / RESULTS if run.is_dir() else run
    try:
        return path, json.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        hint = "name a run folder, for example reports/output/latest"
        raise UsageError("there are no results", where=str(path), found=failure.strerror or "", hint=hint) from failure
    except ValueError as failure:
        raise UsageError("the results are not JSON", where=str(path), found=str(failure)) from failure


def read_results(run: Path) -> Results:
    """``results.json`` of a run folder (or of that file itself).

    Raises:
        UsageError: it is missing, no JSON, or does not fit the schema.
    """
    path, raw = results_document(run)
    try:
        return Results.model_validate(raw)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise UsageError(
            "the results do not fit their schema", where=str(path), found=f"{place}: {first['msg'].lower()}"
        ) from invalid


def write_results(run: Path, results: Results) -> Path:
    """Write ``results.json`` whole or not at all; the path of it."""
    return write_text(run / RESULTS, results.to_json())


def write_text(path: Path, text: str) -> Path:
    """Write a file whole or not at all, with its folder; the path of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
