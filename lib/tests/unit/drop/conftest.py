"""A sample drop built from small fake programs, and ways to damage it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drop_support import KEYS, SAMPLE, fake_binaries

from nfvcert.drop.build import build_drop
from nfvcert.drop.signature import Signing
from nfvcert.drop.trust import Trust


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built sample drop; not to be written to."""
    folder = tmp_path_factory.mktemp("drop")
    return build_drop(SAMPLE, folder / "built", binaries=fake_binaries(folder / "programs"), architecture="amd64")


@pytest.fixture(scope="session")
def candidate(sample: Path) -> Path:
    return sample / "edge-gateway-2.0.0.csar"


@pytest.fixture(scope="session")
def in_service(sample: Path) -> Path:
    return sample / "edge-gateway-1.0.0.csar"


@pytest.fixture(scope="session")
def vendor() -> Signing:
    return Signing.of(KEYS / "vendor-TEST-ONLY.key.pem", KEYS / "vendor-TEST-ONLY.cert.pem")


@pytest.fixture(scope="session")
def stranger() -> Signing:
    return Signing.of(KEYS / "stranger-TEST-ONLY.key.pem", KEYS / "stranger-TEST-ONLY.cert.pem")


@pytest.fixture(scope="session")
def trust(vendor: Signing) -> Trust:
    return Trust((vendor.certificate,))


@pytest.fixture
def binaries(tmp_path: Path) -> Callable[[str], Path]:
    return fake_binaries(tmp_path / "programs")
