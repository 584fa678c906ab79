"""What a run stood on: processor, kernel, versions of everything that was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("dpdk-dev", "libdpdk-dev", "librte-net-memif23", "netsniff-ng", "openvswitch-switch-dpdk")
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
