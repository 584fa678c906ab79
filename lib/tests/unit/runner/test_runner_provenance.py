"""A certificate names the tester's commit, and says when the tester was not what was committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nfvcert.runner import provenance


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=lab", "-c", "user.email=lab@example.invalid"]
    return subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one committed checker and one committed note."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "checker.py").write_text("LIMIT = 5\n")
    (tmp_path / "notes.md").write_text("nothing that judges\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "a tester")
    return tmp_path


def commit_of(root: Path) -> str:
    return provenance.tool(root).commit


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    assert commit_of(checkout) == git(checkout, "rev-parse", "--short=12", "HEAD").strip()


@pytest.mark.parametrize("file", ["lib/checker.py", "lib/another.py"])
def test_a_changed_or_added_checker_is_said(checkout: Path, file: str) -> None:
    (checkout / file).write_text("LIMIT = 50\n")
    assert commit_of(checkout).endswith("+modified")


def test_what_does_not_judge_is_not_said(checkout: Path) -> None:
    (checkout / "notes.md").write_text("something else\n")
    (checkout / "drop.csar").write_text("a drop beside the tester\n")
    assert "+" not in commit_of(checkout)


def test_an_installed_tester_has_no_commit_even_inside_somebody_elses_checkout(checkout: Path) -> None:
    inside = checkout / "lib" / "site-packages"
    inside.mkdir()
    assert commit_of(inside) == ""


def test_no_checkout_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
