"""Seeded defects of every place: each is caught by the purpose and for the reason that its file names.

The whole campaign is 'nfvcert nonconformity run'; here stands one defect of each kind of place.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Nfvcert

ONE_OF_EACH = {
    "package": "DEF.VNF.06.d",
    "nfvo": "DEF.VNF.03.e",
    "vnfm": "DEF.VNF.06.c",
    "em": "DEF.VNF.08.k",
    "decider": "DEF.VNF.08.d",
}


@pytest.mark.parametrize("place", sorted(ONE_OF_EACH))
def test_seeded_defect_is_caught(nfvcert: Nfvcert, tmp_path: Path, place: str) -> None:
    """The expected purpose fails for the expected reason."""
    done = nfvcert("nonconformity", "run", ONE_OF_EACH[place], "--output", tmp_path, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 seeded defects caught" in done.stdout
