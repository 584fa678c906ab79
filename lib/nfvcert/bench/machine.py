"""What a run stood on: processor, kernel, versions of everything that was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.native import binary

PACKAGES = ("dpdk-dev", "libdpdk-dev", "librte-net-memif23", "netsniff-ng", "openvswitch-switch-dpdk")
DISTANCE = "nfvcert-core-distance"
DISTRIBUTIONS = ("nfvcert", "scapy", "numpy")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory (MiB), kernel."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": os.cpu_count(),
        "hypervisor": "hypervisor" in _field(Path("/proc/cpuinfo"), "flags").split(),
        "memory_mib": int(_field(Path("/proc/meminfo"), "MemTotal").split()[0] or 0) // 1024,
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
    }


def core_distance(first: int, second: int) -> float | None:
    """Nanoseconds that a cache line takes from one core to another and back; None where that cannot be found out.

    Rates over shared memory depend on it, and the host of a virtual machine changes it at any time.
    """
    try:
        command = [str(binary(DISTANCE)), str(first), str(second)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return float(json.loads(answer.stdout)["round_trip_ns"])
    except (OSError, ValueError, KeyError, subprocess.SubprocessError, TestbedError):
        return None


def versions(packages: Iterable[str] = PACKAGES, distributions: Iterable[str] = DISTRIBUTIONS) -> dict[str, str]:
    """Versions of Debian packages and Python distributions; "missing" where one is not installed."""
    found = {name: _debian(name) for name in packages}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    found["python"] = platform.python_version()
    return found


def _debian(package: str) -> str:
    try:
        answer = subprocess.run(
            ["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return "unknown"
    return answer.stdout.strip() or "missing"


def _field(path: Path, name: str) -> str:
    try:
        for line in path.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    except OSError:
        pass
    return "0"
