"""``python -m nfvcert.reference.em --config FILE.json [--extension FILE.py]``."""

from __future__ import annotations

import sys

from nfvcert.reference.common.main import run
from nfvcert.reference.em.app import build_app
from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.settings import EmConfig

if __name__ == "__main__":
    sys.exit(run(EmConfig, EmBehaviour, build_app))
