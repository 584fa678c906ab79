"""Where the command line finds the project's own files."""

from __future__ import annotations

from pathlib import Path

from nfvcert.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
"""Root of the project: the folder that holds suites, keywords, fixtures and testbeds."""

SAMPLE = ROOT / "fixtures" / "drops" / "edge-gateway"
BUILT = ROOT / "build" / "drops"
TESTBEDS = ROOT / "testbeds"
NONCONFORMITIES = ROOT / "fixtures" / "nonconformities"
OUTPUT = Path("reports/output")


def find_testbed(name: str) -> Path:
    """A testbed by the path of its file or the name of one that ships with the project.

    Raises:
        UsageError: there is none.
    """
    for candidate in (Path(name), TESTBEDS / name, TESTBEDS / f"{name}.yaml"):
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(path.stem for path in TESTBEDS.glob("*.yaml")))
    raise UsageError(f"there is no testbed '{name}'", hint=f"name a file, or one of {known}")
