"""What a machine lacks for the dataplane: named with its package, and missing only where it is needed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError
from nfvcert.nfvi.requirements import Finding
from nfvcert.testbed import requirements
from nfvcert.testbed.model import Dataplane, DataplaneCores
from nfvcert.testbed.requirements import check, free_hugepages

HERE = sorted(os.sched_getaffinity(0))
HAVE = Dataplane(cores=DataplaneCores(generator=HERE[0], device=HERE[-1]))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is installed."""

    def unbuilt(name: str) -> Path:
        raise TestbedError(f"the native program {name} is missing", hint="build it: make native")

    monkeypatch.setattr(requirements, "LIBRARIES", tmp_path)
    monkeypatch.setattr(requirements, "OPEN_VSWITCH_DPDK", tmp_path / "ovs-vswitchd-dpdk")
    monkeypatch.setattr(requirements, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(requirements, "binary", unbuilt)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    return tmp_path


@pytest.fixture
def full(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has everything."""
    libraries = bare / "x86_64-linux-gnu"
    libraries.mkdir()
    for name in ("librte_eal.so.23", "librte_net_memif.so.23"):
        (libraries / name).touch()
    (bare / "ovs-vswitchd-dpdk").touch()
    (bare / "meminfo").write_text("MemTotal: 1 kB\nHugePages_Total: 64\nHugePages_Free:   64\n")
    monkeypatch.setattr(requirements, "binary", lambda name: Path("/bin") / name)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return bare


def missing(findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if finding.severity == "missing"]


def test_a_machine_with_everything_lacks_nothing(full: Path) -> None:
    assert check(HAVE) == []
    assert check(None) == []


def test_the_package_that_brings_it_is_named(bare: Path) -> None:
    hints = {finding.hint for finding in check(HAVE)}
    for package in ("librte-eal23", "librte-net-memif23", "openvswitch-switch-dpdk", "dpdk-dev", "netsniff-ng"):
        assert f"apt install {package}" in hints
    assert "build it: make native" in hints
    assert "sysctl vm.nr_hugepages=512" in hints


def test_without_a_dataplane_nothing_is_missing(bare: Path) -> None:
    assert check(None)
    assert missing(check(None)) == []


def test_what_the_dataplane_stands_on_is_missing_and_what_benchmarks_compare_with_is_not(bare: Path) -> None:
    found = missing(check(HAVE))
    assert "DPDK is not installed" in found
    assert "DPDK's driver of shared-memory ports (memif) is not installed" in found
    assert "the native program nfvcert-vnf is missing" in found
    assert not [what for what in found if "Open vSwitch" in what or "testpmd" in what or "huge page" in what]


def test_open_vswitch_and_huge_pages_are_missing_where_the_testbed_asks_for_them(bare: Path) -> None:
    asked = HAVE.model_copy(update={"driver": "openvswitch", "hugepages": True})
    found = missing(check(asked))
    assert "Open vSwitch with DPDK is not installed" in found
    assert "Open vSwitch's ovs-vsctl is not installed" in found
    assert "no huge page is free" in found


def test_a_core_that_there_is_not_is_named(full: Path) -> None:
    cores = DataplaneCores(generator=HERE[0], device=4095)
    assert missing(check(HAVE.model_copy(update={"cores": cores}))) == [
        "processor core 4095 cannot be used for the device"
    ]


@pytest.mark.parametrize(("text", "pages"), [("HugePages_Free:  12\n", 12), ("MemFree: 1 kB\n", 0), ("", 0)])
def test_free_huge_pages(text: str, pages: int) -> None:
    assert free_hugepages(text) == pages
