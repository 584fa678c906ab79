"""``python -m nfvcert.reference.vim --config FILE.json [--extension FILE.py]``."""

from __future__ import annotations

import sys

from nfvcert.reference.common.main import run
from nfvcert.reference.vim.app import build_app
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.settings import VimConfig

if __name__ == "__main__":
    sys.exit(run(VimConfig, VimBehaviour, build_app))
