"""The package of the candidate: what it says of its modification, and whether onboarding keeps it.

[Top] none but the package interfaces of the NFVO
[Cfg] the candidate as delivered, onboarded once
[Ver] digests of what was delivered and of what OSS and VNFM get
[Ref] ETSI GS NFV-REL 006 V3.1.1 6.3.1.2 REQ.VNF.M.05 and M.06
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nfvcert.runner.session import Session
from nfvcert.scenarios.packages import record_packages


@pytest.fixture(scope="module", autouse=True)
def packages(session: Session) -> None:
    """Record the scenario once for all tests of the module."""
    bench = session.bench("packages")
    bench.open()
    try:
        record_packages(bench)
    except BaseException as error:
        bench.close(error)
        raise
    bench.close()


@pytest.mark.purpose("TP.VNF.05.1")
def test_metadata_survive_onboarding(judge: Callable[..., None]) -> None:
    """The metadata are inside the signed package and survive onboarding byte by byte."""
    judge("packages")


@pytest.mark.purpose("TP.VNF.06.1")
def test_fields_are_present_and_resolve(judge: Callable[..., None]) -> None:
    """All fields that the declared type needs are present, typed and resolvable."""
    judge("packages")
