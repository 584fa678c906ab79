"""Reading the catalogue from its YAML files.

``data/*.yaml`` hold requirements, one file a source clause; ``data/rules.yaml`` what holds for all of them;
``data/bindings.yaml`` says where purposes are tested, and why the others are not.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nfvcert.catalogue.model import Binding, Catalogue
from nfvcert.errors import UsageError

DATA = Path(__file__).parent / "data"
NO_REASON = "no test in this edition"

#: Order in which the sources appear in lists, matrices and certificates.
SOURCES = (
    "rel006-vnf",
    "rel006-mano",
    "rel006-nfvi",
    "rel006-general",
    "tst001",
    "rel002-migration-avoidance",
    "rel002-rollback-recovery",
    "policies",
    "elasticity",
)


@lru_cache(maxsize=4)
def load(folder: Path = DATA) -> Catalogue:
    """The catalogue of a data folder; read once per process.

    Raises:
        UsageError: a file is missing, no YAML, or does not fit the schema; the first place that does not fit is named.
    """
    bindings_raw = _read(folder / "bindings.yaml")
    bindings = {id: _binding(folder, id, raw) for id, raw in (bindings_raw.get("purposes") or {}).items()}
    reasons: dict[str, str] = bindings_raw.get("not_tested") or {}
    requirements: list[dict[str, Any]] = []
    workloads: dict[str, str] = {}
    conventions: dict[str, list[str]] = {}
    for source in SOURCES:
        raw = _read(folder / f"{source}.yaml")
        for requirement in raw["requirements"]:
            for purpose in requirement["purposes"]:
                _bind(purpose, requirement["id"], bindings.get(purpose["id"]), reasons)
            requirements.append(requirement)
        conventions[source] = raw.get("conventions") or []
        for name, text in (raw.get("workloads") or {}).items():
            workloads[name] = text if isinstance(text, str) else text["description"]
    try:
        return Catalogue.model_validate(
            {
                "requirements": requirements,
                "rules": _read(folder / "rules.yaml"),
                "workloads": workloads,
                "conventions": conventions,
                "bindings": bindings,
            }
        )
    except ValidationError as invalid:
        raise UsageError(
            "the catalogue does not fit its schema", where=str(folder), found=_first(invalid, requirements)
        ) from invalid


def reason_for(purpose: str, reasons: dict[str, str]) -> str:
    """Why a purpose is not tested: the entry whose id is the longest dotted prefix of the purpose's id."""
    parts = purpose.split(".")
    for length in range(len(parts), 0, -1):
        if reason := reasons.get(".".join(parts[:length])):
            return reason
    return NO_REASON


def _bind(purpose: dict[str, Any], requirement: str, binding: Binding | None, reasons: dict[str, str]) -> None:
    purpose["requirement"] = requirement
    if binding:
        checker = binding.checker or (purpose["id"] if binding.test else None)
        purpose.update(test=binding.test, scenarios=binding.scenarios, repeated=binding.repeated, checker=checker)
    if binding is None or binding.test is None:
        stated = binding.not_tested_reason if binding else None
        purpose["not_tested_reason"] = stated or reason_for(purpose["id"], reasons)


def _binding(folder: Path, id: str, raw: Any) -> Binding:
    try:
        return Binding.model_validate(raw or {})
    except ValidationError as invalid:
        place = f"{folder / 'bindings.yaml'}: purposes.{id}"
        raise UsageError("a binding does not fit its schema", where=place, found=_message(invalid)) from invalid


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as text:
            raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as failure:
        raise UsageError("a file of the catalogue cannot be read", where=str(path), found=str(failure)) from failure
    except yaml.YAMLError as failure:
        raise UsageError("a file of the catalogue is not valid YAML", where=str(path), found=str(failure)) from failure
    if not isinstance(raw, dict):
        raise UsageError("a file of the catalogue is no mapping", where=str(path), found=type(raw).__name__)
    return raw


def _first(invalid: ValidationError, requirements: list[dict[str, Any]]) -> str:
    location = invalid.errors()[0]["loc"]
    if len(location) > 1 and location[0] == "requirements" and isinstance(location[1], int):
        requirement = requirements[location[1]]
        return f"{requirement.get('id', '?')}: {_message(invalid)}"
    return _message(invalid)


def _message(invalid: ValidationError) -> str:
    error = invalid.errors()[0]
    return f"{'.'.join(str(step) for step in error['loc'])}: {error['msg'].lower()}"
