"""Where the native programs are."""

from __future__ import annotations

import os
from pathlib import Path

from nfvcert.errors import TestbedError

VARIABLE = "NFVCERT_NATIVE"
"""Environment variable that names another folder with native programs."""

REPOSITORY = Path(__file__).resolve().parents[3]


def native_folder() -> Path:
    """The folder below which native programs are looked for."""
    return Path(os.environ.get(VARIABLE) or REPOSITORY / "build" / "native")


def binary(name: str) -> Path:
    """A native program by its name.

    Raises:
        TestbedError: it has not been built.
    """
    folder = native_folder()
    found = [path for path in folder.rglob(name) if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise TestbedError(f"the native program {name} is missing", where=str(folder), hint="build it: make native")
    return found[0]
