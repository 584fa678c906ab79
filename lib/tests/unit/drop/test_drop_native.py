"""The sample drop with its real programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from drop_support import SAMPLE

from nfvcert.drop.build import build_drop
from nfvcert.drop.inspect import inspect
from nfvcert.drop.read import read_drop
from nfvcert.traffic.native import binary

pytestmark = pytest.mark.native


def test_the_sample_with_its_programs_is_sound_and_reproducible(tmp_path: Path) -> None:
    first = build_drop(SAMPLE, tmp_path / "first", binaries=binary)
    second = build_drop(SAMPLE, tmp_path / "second", binaries=binary)
    assert inspect(first) == []
    assert read_drop(first).sha256 == read_drop(second).sha256
    digests = [image.executables()["/worker"] for d in (read_drop(first),) for p in (d.in_service, d.candidate)
               for image in p.images if image.name.startswith("worker")]  # fmt: skip
    assert len(set(digests)) == 2
