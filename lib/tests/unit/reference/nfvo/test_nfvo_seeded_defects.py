"""Each seeded defect of the NFVO does what it says, seen from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from nfvo_bench import PACKAGES, SERVICES, Bench, bench

from nfvcert.catalogue.nonconformities import discover
from nfvcert.drop.derive import derive
from nfvcert.drop.edits import flip_digit, stale_manifest
from nfvcert.drop.package import open_package
from nfvcert.extension import load_behaviour
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from waiting import eventually

FOLDER = Path(__file__).parents[5] / "fixtures" / "nonconformities"
FOUND = {entry.id: entry for entry in discover(FOLDER) if entry.component == "nfvo"}
MakeDefective = Callable[[str], Bench]


@pytest.fixture
def defective(tmp_path: Path, sample: Any) -> Iterator[MakeDefective]:
    with ExitStack() as stack:

        def make(defect: str) -> Bench:
            """An NFVO with that defect, the old package and the descriptor."""
            behaviour = load_behaviour(FOUND[defect].file, NfvoBehaviour)()
            found = stack.enter_context(
                bench(tmp_path, behaviour, require_signature=True, trusted_certificates=[str(sample.certificate)])
            )
            assert found.upload(sample.old)["onboardingState"] == "ONBOARDED"
            assert found.upload_nsd(sample.nsd)["nsdOnboardingState"] == "ONBOARDED"
            return found

        yield make


def service_of(nfvo: Bench) -> str:
    return nfvo.service(str(nfvo.get("/nsd/v2/ns_descriptors")[-1]["nsdId"]))


def test_every_file_declares_itself() -> None:
    wanted = {"DEF.VNF.03.a", "DEF.VNF.03.d", "DEF.VNF.03.e", "DEF.VNF.05.b", "DEF.VNF.05.c"}
    wanted |= {"DEF.VNF.13.c", "DEF.VNF.13.d", "DEF.VNF.13.g"}
    assert wanted <= set(FOUND)
    assert not [problem for entry in FOUND.values() for problem in entry.problems]


def test_03_a_the_service_result_precedes_the_vnf_result(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.03.a")
    nfvo.upload(sample.new)
    service = service_of(nfvo)
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
    nfvo.ended(nfvo.change(service, sample.new_id))
    assert nfvo.vnfm.operations[nfvo.vnfm.last()]["operationState"] == "PROCESSING"


def test_03_d_parameters_are_lost(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.03.d")
    nfvo.upload(sample.new)
    nfvo.ended(nfvo.change(service_of(nfvo), sample.new_id, policy="frugal"))
    assert nfvo.vnfm.requests("/change_vnfpkg") == [{"vnfdId": sample.new_id}]


def test_03_e_the_vnfm_is_asked_about_an_unknown_package(defective: MakeDefective) -> None:
    nfvo = defective("DEF.VNF.03.e")
    service = service_of(nfvo)
    data = {"vnfInstanceId": nfvo.vnf(service)["id"], "vnfdId": "unknown"}
    body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [data]}
    nfvo.vnfm.refuse["change_vnfpkg"] = (400, "there is no such package")
    nfvo.http.post(f"{SERVICES}/{service}/update", json=body)
    assert eventually(lambda: nfvo.vnfm.requests("/change_vnfpkg"))[0]["vnfdId"] == "unknown"


def test_05_b_an_artifact_comes_back_different(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.05.b")
    package = nfvo.upload(sample.new)
    assert package["onboardingState"] == "ONBOARDED"
    delivered = open_package(sample.new)
    path = delivered.metadata_path
    assert path is not None
    fetched = nfvo.http.get(f"{PACKAGES}/{package['id']}/artifacts/{path}")
    assert fetched.status_code == 200
    assert fetched.content != delivered.artifact_bytes(path)


def test_05_c_an_altered_package_becomes_usable(defective: MakeDefective, sample: Any, tmp_path: Path) -> None:
    nfvo = defective("DEF.VNF.05.c")
    assert nfvo.upload(sample.new)["onboardingState"] == "ONBOARDED"
    altered = derive(sample.new_path, tmp_path / "altered.csar", stale_manifest(), flip_digit())
    package = nfvo.upload(altered.read_bytes())
    assert (package["onboardingState"], package["operationalState"]) == ("ONBOARDED", "ENABLED")


def test_13_c_the_service_record_stays_behind(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.13.c")
    nfvo.upload(sample.new)
    service = service_of(nfvo)
    nfvo.ended(nfvo.change(service, sample.new_id))
    assert nfvo.vnf(service)["vnfdId"] == sample.old_id


def test_13_d_the_old_package_is_free_too_early(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.13.d")
    nfvo.upload(sample.new)
    service_of(nfvo)
    nfvo.ended(nfvo.change(service_of(nfvo), sample.new_id))
    assert nfvo.usage(sample.old_id) == "NOT_IN_USE"


def test_13_g_the_old_package_is_never_free(defective: MakeDefective, sample: Any) -> None:
    nfvo = defective("DEF.VNF.13.g")
    nfvo.upload(sample.new)
    nfvo.ended(nfvo.change(service_of(nfvo), sample.new_id))
    assert nfvo.usage(sample.old_id) == "IN_USE"
