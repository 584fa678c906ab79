"""Programs of others that are started here: where they are, and which package brings them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nfvcert.errors import TestbedError


class ProgramMissing(TestbedError):
    """A program is not installed."""


def require(program: str, package: str) -> str:
    """Path of a program, given by its name or its path.

    Raises:
        ProgramMissing: it is not installed; names the Debian package that brings it.
    """
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None and Path(program).is_file():
        path = program
    if path is None:
        raise ProgramMissing(f"{program} is not installed", hint=f"apt-get install {package}")
    return path
