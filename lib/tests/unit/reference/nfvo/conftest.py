"""Packages of the sample drop with small fake programs, and a running NFVO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nfvo_bench import Bench, bench
from nfvo_sample import Sample, onboard

from nfvcert.drop.build import build_drop
from nfvcert.drop.nsd import single_vnf_nsd
from nfvcert.drop.package import open_package
from nfvcert.drop.signature import Signing

ROOT = Path(__file__).parents[5]
SAMPLE = ROOT / "fixtures" / "drops" / "edge-gateway"
KEYS = ROOT / "fixtures" / "drops" / "keys"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("nfvo-drop")

    def program(name: str) -> Path:
        path = folder / name
        path.write_bytes(f"#! no program: {name}\n".encode())
        return path

    built = build_drop(SAMPLE, folder / "built", binaries=program, architecture="amd64")
    old, new = built / "edge-gateway-1.0.0.csar", built / "edge-gateway-2.0.0.csar"
    vnfd = open_package(old).vnfd
    certificate = KEYS / "vendor-TEST-ONLY.cert.pem"
    return Sample(
        old_path=old,
        new_path=new,
        old=old.read_bytes(),
        new=new.read_bytes(),
        old_id=vnfd.vnfd_id,
        new_id=open_package(new).vnfd_id,
        nsd=single_vnf_nsd(vnfd),
        certificate=certificate,
        key=Signing.of(KEYS / "vendor-TEST-ONLY.key.pem", certificate),
        stranger=Signing.of(KEYS / "stranger-TEST-ONLY.key.pem", KEYS / "stranger-TEST-ONLY.cert.pem"),
    )


@pytest.fixture
def nfvo(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as found:
        yield found


@pytest.fixture
def ready(nfvo: Bench, sample: Sample) -> Bench:
    """An NFVO with both packages and the descriptor."""
    onboard(nfvo, sample)
    return nfvo
