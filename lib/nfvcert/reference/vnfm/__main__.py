"""``python -m nfvcert.reference.vnfm --config FILE.json [--extension FILE.py]``."""

import sys

from nfvcert.reference.common.main import run
from nfvcert.reference.vnfm.app import build
from nfvcert.reference.vnfm.behaviour import VnfmBehaviour
from nfvcert.reference.vnfm.config import VnfmConfig

if __name__ == "__main__":
    sys.exit(run(VnfmConfig, VnfmBehaviour, build))
