"""Finding the files of seeded defects and reading what they say about themselves, without running them.

A defect is one small file under ``fixtures/nonconformities``: a Python file with the constants ``COMPONENT``,
``PURPOSE`` (one id or several) and ``REASON``, or, where the defect is a native program or a change of a package, any
file with a sidecar that has them (``.py``, or ``.yaml`` with the keys in lower case). Its id is the constant ``DEFECT``
if there is one, else the name of the file (``DEF.VNF.01.a.py``, ``def_vnf_01_a.py`` and ``vnf_01_a.py`` all mean
DEF.VNF.01.a), else the first id that its text names.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ID = re.compile(r"\bDEF\.[A-Z]+[A-Z0-9]*(?:\.\d+)+\.[a-z]\b")

COMPONENTS = ("nfvo", "vnfm", "em", "vim", "vnf", "package", "controller", "switch", "server-switch")


@dataclass(frozen=True, slots=True)
class Nonconformity:
    """One seeded defect as its file declares it; ``problems`` says what is wrong with the declaration."""

    id: str
    file: Path
    component: str
    purposes: tuple[str, ...]
    reason: str
    problems: tuple[str, ...] = ()


def discover(folder: Path) -> list[Nonconformity]:
    """All seeded defects below a folder, in the order of their ids; none if the folder does not exist."""
    if not folder.is_dir():
        return []
    declarations = [path for path in sorted(folder.rglob("*")) if _is_declaration(path)]
    return sorted((_read(path) for path in declarations), key=lambda found: found.id)


def undeclared(folder: Path) -> list[Path]:
    """Sources of native defects (C and C++) that no sidecar declares, by the id in their text or by the same stem."""
    sources = [path for path in sorted(folder.rglob("*")) if path.suffix in (".c", ".cc", ".cpp")]
    declared = {entry.id for entry in discover(folder)} if sources else set()
    return [path for path in sources if _named_id(path) not in declared and not _has_sidecar(path)]


def canonical(name: str) -> str:
    """``DEF.VNF.01.a`` from the stem of a file name in any of its spellings; the name itself if it is none of them."""
    parts = [part for part in re.split(r"[._\-]+", name) if part]
    if parts and parts[0].upper() == "DEF":
        parts = parts[1:]
    if len(parts) < 3:
        return name
    return ".".join(["DEF", *(part.upper() for part in parts[:-1]), parts[-1].lower()])


def _has_sidecar(path: Path) -> bool:
    return any(path.with_suffix(suffix).exists() for suffix in (".py", ".yaml", ".yml"))


def _named_id(path: Path) -> str:
    """The first id of a defect in the text of a file; empty if it names none."""
    found = _ID.search(path.read_text(encoding="utf-8", errors="replace"))
    return found.group() if found else ""


def _id_of(path: Path, raw: dict[str, Any]) -> str:
    if "DEFECT" in raw:
        return canonical(str(raw["DEFECT"]))
    by_name = canonical(path.stem)
    return by_name if _ID.fullmatch(by_name) else _named_id(path) or path.stem


def _is_declaration(path: Path) -> bool:
    if path.name.startswith(("_", ".", "conftest")) or not path.is_file() or "__pycache__" in path.parts:
        return False
    if path.suffix == ".py":
        return bool({"COMPONENT", "PURPOSE", "REASON", "DEFECT"} & set(_constants(path)))
    if path.suffix in (".yaml", ".yml"):
        return {"component", "purpose"} <= {str(key).lower() for key in _mapping(path)}
    return False


def _read(path: Path) -> Nonconformity:
    raw = _constants(path) if path.suffix == ".py" else {str(k).upper(): v for k, v in _mapping(path).items()}
    purposes = raw.get("PURPOSE", ())
    component = str(raw.get("COMPONENT", ""))
    problems = [f"{key} is missing" for key in ("COMPONENT", "PURPOSE", "REASON") if not raw.get(key)]
    if component and component not in COMPONENTS:
        problems.append(f"COMPONENT is '{component}', not one of {', '.join(COMPONENTS)}")
    return Nonconformity(
        id=_id_of(path, raw),
        file=path,
        component=component,
        purposes=(purposes,) if isinstance(purposes, str) else tuple(str(purpose) for purpose in purposes),
        reason=str(raw.get("REASON", "")),
        problems=tuple(problems),
    )


def _constants(path: Path) -> dict[str, Any]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return {}
    found: dict[str, Any] = {}
    for node in tree.body:
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.AnnAssign):
            targets, value = [node.target], node.value
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and value is not None:
                try:
                    found[target.id] = ast.literal_eval(value)
                except ValueError:
                    continue
    return found


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return {}
    return raw if isinstance(raw, dict) else {}
