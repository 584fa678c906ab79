"""What this machine lacks for the dataplane and for measuring it against its peers, each with what to do about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from nfvcert.dataplane.openvswitch.daemons import DAEMON
from nfvcert.dataplane.openvswitch.daemons import PACKAGE as OPEN_VSWITCH_PACKAGE
from nfvcert.errors import NfvcertError
from nfvcert.nfvi.requirements import Finding
from nfvcert.testbed.model import Dataplane
from nfvcert.traffic.native import binary

Severity = Literal["missing", "reduced"]

LIBRARIES = Path("/usr/lib")
"""Where the libraries of Debian are, below a folder for the architecture."""

DPDK = {"librte_eal.so.*": "librte-eal23", "librte_net_memif.so.*": "librte-net-memif23"}
"""Library of DPDK, the environment and the driver of shared-memory ports -> Debian package."""

NATIVE = ("nfvcert-packet-engine", "nfvcert-switch", "nfvcert-server-switch", "nfvcert-vnf")
OPEN_VSWITCH = {
    "ovsdb-server": "openvswitch-common",
    "ovs-ofctl": "openvswitch-common",
    "ovs-vsctl": "openvswitch-switch",
}
OPEN_VSWITCH_DPDK = Path(DAEMON)
PEERS = {"dpdk-testpmd": "dpdk-dev", "trafgen": "netsniff-ng"}
"""Programs that benchmarks compare with -> Debian package."""

MEMINFO = Path("/proc/meminfo")


def check(dataplane: Dataplane | None) -> list[Finding]:
    """What is missing; empty on a machine that has everything.

    Args:
        dataplane: what the testbed asks for. Without it nothing is ``missing``: all that is lacking only means that
            migration avoidance cannot be judged and some benchmarks cannot be run.
    """
    asked: Severity = "missing" if dataplane is not None else "reduced"
    switch: Severity = "missing" if dataplane is not None and dataplane.driver == "openvswitch" else "reduced"
    pages: Severity = "missing" if dataplane is not None and dataplane.hugepages else "reduced"
    findings = [*_libraries(asked), *_native(asked), *_cores(dataplane), *_open_vswitch(switch), *_hugepages(pages)]
    return findings + [
        Finding("reduced", f"the program {program} is not installed: no benchmark against it", f"apt install {package}")
        for program, package in PEERS.items()
        if shutil.which(program) is None
    ]


def free_hugepages(meminfo: str) -> int:
    """Huge pages that are free, from the text of /proc/meminfo."""
    for line in meminfo.splitlines():
        if line.startswith("HugePages_Free:"):
            return int(line.split()[1])
    return 0


def _libraries(severity: Severity) -> Iterator[Finding]:
    for pattern, package in DPDK.items():
        if not _exists(LIBRARIES.glob(f"*-linux-gnu*/{pattern}")):
            what = "DPDK" if "eal" in pattern else "DPDK's driver of shared-memory ports (memif)"
            yield Finding(severity, f"{what} is not installed", f"apt install {package}")


def _native(severity: Severity) -> Iterator[Finding]:
    for program in NATIVE:
        try:
            binary(program)
        except NfvcertError as error:
            yield Finding(severity, error.what, error.hint)


def _cores(dataplane: Dataplane | None) -> Iterator[Finding]:
    if dataplane is None:
        return
    here = os.sched_getaffinity(0)
    for use, core in (("generator", dataplane.cores.generator), ("device", dataplane.cores.device)):
        if core not in here:
            found = ", ".join(map(str, sorted(here)))
            yield Finding(
                "missing",
                f"processor core {core} cannot be used for the {use}",
                f"set dataplane.cores to some of {found}",
            )


def _open_vswitch(severity: Severity) -> Iterator[Finding]:
    for program, package in OPEN_VSWITCH.items():
        if shutil.which(program) is None:
            yield Finding(severity, f"Open vSwitch's {program} is not installed", f"apt install {package}")
    if not OPEN_VSWITCH_DPDK.exists():
        why = "" if severity == "missing" else ": no scenario with it as hardware switch, no benchmark against it"
        yield Finding(severity, f"Open vSwitch with DPDK is not installed{why}", f"apt install {OPEN_VSWITCH_PACKAGE}")


def _hugepages(severity: Severity) -> Iterator[Finding]:
    try:
        free = free_hugepages(MEMINFO.read_text())
    except OSError:
        free = 0
    if free == 0:
        why = "" if severity == "missing" else ": no benchmark against Open vSwitch with DPDK"
        yield Finding(severity, f"no huge page is free{why}", "sysctl vm.nr_hugepages=512")


def _exists(paths: Iterable[Path]) -> bool:
    return next(iter(paths), None) is not None
