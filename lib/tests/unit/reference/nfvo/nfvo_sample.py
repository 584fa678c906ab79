"""The sample drop's packages as an NFVO under test gets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nfvo_bench import Bench

from nfvcert.drop.signature import Signing


@dataclass(frozen=True)
class Sample:
    """Paths, bytes and vnfdIds of both packages, and the descriptor of a service of the old one."""

    old_path: Path
    new_path: Path
    old: bytes
    new: bytes
    old_id: str
    new_id: str
    nsd: bytes
    certificate: Path
    key: Signing
    stranger: Signing


def onboard(nfvo: Bench, sample: Sample) -> None:
    """Both packages and the descriptor, on a running NFVO."""
    for content in (sample.old, sample.new):
        assert nfvo.upload(content)["onboardingState"] == "ONBOARDED"
    assert nfvo.upload_nsd(sample.nsd)["nsdOnboardingState"] == "ONBOARDED"
