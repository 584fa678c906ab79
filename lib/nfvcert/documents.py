"""Reading YAML documents into models, with errors that name file, line, what was found and the nearest valid name."""

from __future__ import annotations

import difflib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from nfvcert.errors import NfvcertError, UsageError

Model = TypeVar("Model", bound=BaseModel)

LARGEST_DOCUMENT = 4 * 1024 * 1024
_CONFIDENTIAL = {"secret", "password", "token"}


def read_document(path: Path, model: type[Model], *, error: type[NfvcertError] = UsageError) -> Model:
    """Read a YAML file into ``model``.

    Raises:
        error: the file is missing, no YAML, or does not fit the model; every place that does not fit is named with its
            line, what was found there, and for an unknown key the nearest valid one.
    """
    raw = load_yaml(path, error=error)
    if not isinstance(raw, dict):
        raise error("the document is no mapping", where=str(path), found=type(raw).__name__)
    try:
        return model.model_validate(_plain(raw))
    except ValidationError as invalid:
        problems = [_explain(path, raw, model, problem) for problem in invalid.errors()]
        raise error("\n  ".join(problems) if len(problems) > 1 else problems[0]) from invalid


def read_named(name: str, folder: Path, model: type[Model], *, what: str) -> Model:
    """Read one of the documents that ship in ``folder`` by its name, or one from a file by its path.

    Args:
        what: what such a document is called in messages, for example "run profile".

    Raises:
        UsageError: there is none, or it is not well formed.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(item.stem for item in folder.glob("*.yaml")))
        raise UsageError(f"there is no {what} '{name}'", hint=f"use one of {known}, or the path of a file")
    return read_document(path, model)


def load_yaml(path: Path, *, error: type[NfvcertError] = UsageError) -> Any:
    """Read a YAML file keeping line numbers."""
    try:
        if path.stat().st_size > LARGEST_DOCUMENT:
            raise error("the document is too large", where=str(path), found=f"{path.stat().st_size} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as failure:
        raise error("the document cannot be read", where=str(path), found=failure.strerror or str(failure)) from failure
    except UnicodeDecodeError as failure:
        raise error("the document is not UTF-8 text", where=str(path), found=str(failure)) from failure
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        return yaml.load(text)
    except YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise error("not valid YAML", where=where, found=str(getattr(failure, "problem", failure))) from failure
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as failure:
        # The library lets errors of converting a value through: a date that is none, a tag that does not fit.
        raise error("not valid YAML", where=str(path), found=str(failure)) from failure


def line_of(raw: Any, location: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest part of ``location`` that exists in a document read by :func:`load_yaml`."""
    line = 1
    node = raw
    for step in location:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    return line


def _explain(path: Path, raw: Any, model: type[BaseModel], problem: Any) -> str:
    location = tuple(problem["loc"])
    place = f"{path}:{line_of(raw, location)}"
    name = ".".join(str(step) for step in location)
    if problem["type"] == "extra_forbidden":
        valid = sorted(_fields_at(model, location[:-1]))
        nearest = difflib.get_close_matches(str(location[-1]), valid, n=1)
        hint = f"; did you mean '{nearest[0]}'?" if nearest else f"; valid here: {', '.join(valid)}"
        return f"{place}: unknown key '{name}'{hint}"
    if problem["type"] == "missing":
        return f"{place}: '{name}' is missing"
    found = problem.get("input")
    shown = f"'{found}'" if isinstance(found, str | int | float | bool) else type(found).__name__
    if _CONFIDENTIAL & {str(step) for step in location}:
        shown = "a value that is not shown here"
    nearest_value = ""
    if problem["type"] in ("literal_error", "enum"):
        options = str(problem.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        close = difflib.get_close_matches(str(found), options, n=1)
        nearest_value = f"; did you mean '{close[0]}'?" if close else ""
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: '{name}': {message[:1].lower()}{message[1:]}, found {shown}{nearest_value}"


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    current: Any = model
    for step in location:
        candidates = [current] if not typing.get_args(current) else list(_flatten(current))
        models = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if isinstance(step, str) and models and step in models[0].model_fields:
            current = models[0].model_fields[step].annotation
        elif typing.get_args(current):
            current = typing.get_args(current)[-1]
    for candidate in _flatten(current):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return list(candidate.model_fields)
    return []


def _flatten(annotation: Any) -> typing.Iterator[Any]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        for part in typing.get_args(annotation):
            yield from _flatten(part)
    else:
        yield annotation


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node
