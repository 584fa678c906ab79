"""nfvcert tried by nfvcert: the command line, real processes, real packets, on the embedded testbed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import DROP, ROOT, Nfvcert, left_behind

from nfvcert.nfvi.sweep import sweep


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need the privileges of the embedded testbed; they share one worker so that they do not compete."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.privileged)
            item.add_marker(pytest.mark.xdist_group("acceptance"))


@pytest.fixture(scope="session", autouse=True)
def usable() -> None:
    """Root and a built sample drop."""
    if os.geteuid() != 0:
        pytest.skip("needs root: network namespaces and containers")
    if not (DROP / "drop.yaml").exists():
        pytest.skip("the sample drop is not built: make drop")


@pytest.fixture(scope="session")
def nfvcert() -> Nfvcert:
    """Run the command line to its end."""

    def run(*arguments: str | Path, timeout: float = 240, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "nfvcert", *(str(argument) for argument in arguments)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False)

    return run


@pytest.fixture
def clean_machine() -> Iterator[None]:
    """Nothing of a dead run is there before and after."""
    sweep()
    yield
    assert left_behind() == []
