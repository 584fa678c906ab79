"""``python -m nfvcert.reference.nfvo --config FILE.json [--extension FILE.py]``."""

from __future__ import annotations

import sys

from nfvcert.reference.common.main import run
from nfvcert.reference.nfvo.app import build_app
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.config import NfvoConfig

if __name__ == "__main__":
    sys.exit(run(NfvoConfig, NfvoBehaviour, build_app))
