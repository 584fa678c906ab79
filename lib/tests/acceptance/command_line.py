"""What a test of the command line needs: where the drop is, how nfvcert is run, what dead runs left."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from nfvcert.nfvi.sweep import dead_runs

ROOT = Path(__file__).resolve().parents[3]
DROP = ROOT / "build" / "drops" / "edge-gateway"

Nfvcert = Callable[..., subprocess.CompletedProcess[str]]


def left_behind() -> list[str]:
    """What is left of runs whose holder is dead: run directories with everything named after them."""
    return [str(rid) for rid in dead_runs()]
