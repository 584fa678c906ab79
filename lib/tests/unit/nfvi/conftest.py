"""What the tests of the embedded NFVI share: a scratch image, a private run root, a run id that is removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import scratchimage
from scratchimage import ScratchImage

from nfvcert.nfvi import requirements, rundir, sweep
from nfvcert.nfvi.names import RunId


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip privileged tests of this directory where the machine cannot do what they need."""
    mine = [
        item
        for item in items
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("privileged") is not None
    ]
    if not mine:
        return
    missing = [finding.what for finding in requirements.check() if finding.severity == "missing"]
    for item in mine if missing else []:
        item.add_marker(pytest.mark.skip(reason="; ".join(missing)))


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> ScratchImage:
    directory = tmp_path_factory.mktemp("scratch")
    program = scratchimage.compile_program(directory)
    layout = directory / "layout"
    return ScratchImage(layout, scratchimage.make_layout(layout, program.read_bytes()), program)


@pytest.fixture
def private_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run root of the test's own."""
    root = tmp_path / "runs"
    monkeypatch.setenv(rundir.ROOT_VARIABLE, str(root))
    return root


@pytest.fixture
def rid() -> Iterator[RunId]:
    """A run id of which nothing is left after the test."""
    made = RunId.new()
    yield made
    sweep.destroy(made)
