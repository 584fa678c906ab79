"""Where results come from: versions and digests of tool, drop, testbed and machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from nfvcert.drop.package import Package
from nfvcert.drop.read import Drop
from nfvcert.drop.signature import SignatureProblem
from nfvcert.errors import DropError
from nfvcert.history.reader import file_sha256
from nfvcert.report.results_model import Drop as DropPart
from nfvcert.report.results_model import Machine, PackageVersion, Tool
from nfvcert.report.results_model import Testbed as TestbedPart
from nfvcert.testbed.model import Testbed

PACKAGES = (
    "robotframework",
    "pytest",
    "allure-pytest",
    "lbr-trex-client",
    "scapy",
    "paramiko",
    "PyYAML",
    "openstacksdk",
    "pydantic",
    "fastapi",
)
JUDGING_ROOMS = ("lib", "suites", "keywords")


def tool(root: Path) -> Tool:
    """nfvcert itself, its commit when it runs from a checkout, and the packages that it is built on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return Tool(version=importlib.metadata.version("nfvcert"), commit=_commit(root), packages=versions)


def drop_part(drop: Drop) -> DropPart:
    """Identification of the drop."""
    return DropPart(
        id=drop.id,
        vendor=drop.vendor,
        product=drop.product,
        in_service=_version(drop.in_service),
        candidate=_version(drop.candidate),
    )


def testbed_part(testbed: Testbed, file: Path) -> TestbedPart:
    """Identification of the testbed."""
    return TestbedPart(
        name=testbed.name,
        file=file.name,
        sha256=file_sha256(file),
        driver=testbed.driver,
        hosts=[host.name for host in testbed.hosts],
        features=list(testbed.features),
        dataplane=testbed.dataplane.text if testbed.dataplane else "",
        limits=testbed.description,
    )


def machine() -> Machine:
    """The machine on which nfvcert runs."""
    cpu = platform.processor() or platform.machine()
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    total = next((line for line in _lines(Path("/proc/meminfo")) if line.startswith("MemTotal")), "MemTotal: 0 kB")
    load = os.getloadavg()
    return Machine(
        cpu=cpu,
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        memory_mib=int(total.split()[1]) // 1024,
        noise=f"load average at the start {load[0]:.2f} over one minute",
    )


def _version(package: Package) -> PackageVersion:
    return PackageVersion(
        vnfd_id=package.vnfd.vnfd_id,
        version=package.vnfd.software_version,
        csar=package.name,
        sha256=package.sha256,
        signature=_signature(package),
    )


def _signature(package: Package) -> str:
    try:
        signature = package.signature
    except (SignatureProblem, DropError) as problem:
        return f"not valid: {problem}"
    return "unsigned" if signature is None else f"valid, by {signature.signer.subject.rfc4514_string()}"


def _commit(root: Path) -> str:
    """The commit of the checkout at ``root``, "+modified" behind it when what judges is not what was committed."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top, commit = git("rev-parse", "--show-toplevel"), git("rev-parse", "--short=12", "HEAD")
    if not top or not commit or Path(top).resolve() != root.resolve():
        return ""
    return commit if git("status", "--porcelain", "--", *JUDGING_ROOMS) == "" else f"{commit}+modified"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
