"""Which tests a suite file holds, read from its text: Robot cases by name, pytest functions by node name.

Robot cases with the tag ``procedure`` record a scenario and show no purpose by themselves; they are no tests here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

_TABLE = re.compile(r"^\*+\s*(?P<name>[^*]+?)\s*\**\s*$")
_PROCEDURE = re.compile(r"\s+\[Tags\]\s.*\bprocedure\b", re.IGNORECASE)
_CASES = {"test cases", "test case", "tasks", "task"}


def tests_in(path: Path) -> set[str]:
    """Names of the tests in a ``.robot`` or ``.py`` file; empty for a file that does not exist or cannot be parsed."""
    if not path.is_file():
        return set()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".robot":
        return _robot_cases(text)
    return _pytest_functions(text)


def all_tests(folder: Path) -> set[tuple[str, str]]:
    """Every test below a folder as (path from the folder's parent, name)."""
    files = [*folder.rglob("*.robot"), *folder.rglob("test_*.py")] if folder.is_dir() else []
    return {(str(path.relative_to(folder.parent)), name) for path in files for name in tests_in(path)}


def _robot_cases(text: str) -> set[str]:
    cases: set[str] = set()
    current = ""
    inside = False
    for line in text.splitlines():
        if table := _TABLE.match(line):
            inside = table["name"].lower() in _CASES
        elif inside and line[:1] not in ("", " ", "\t", "#", "|"):
            current = re.split(r"\s{2,}|\t", line.rstrip())[0]
            cases.add(current)
        elif inside and _PROCEDURE.match(line):
            cases.discard(current)
    return cases


def _pytest_functions(text: str) -> set[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            functions = (f for f in node.body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}::{f.name}" for f in functions if f.name.startswith("test")}
    return names
