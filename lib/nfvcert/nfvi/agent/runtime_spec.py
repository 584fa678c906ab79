"""The config.json that runc runs a container by (OCI runtime specification 1.0.2). Pure."""

from __future__ import annotations

from typing import Any

from nfvcert.nfvi.agent.models import ContainerSpec, Limits
from nfvcert.nfvi.cgroups import CPU_PERIOD_US, MIB

MASKED = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/scsi",
    "/sys/firmware",
]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def runtime_spec(
    spec: ContainerSpec,
    *,
    process: dict[str, Any],
    netns_path: str,
    cgroup: str,
    controllers: list[str],
    hostname: str,
) -> dict[str, Any]:
    """The runtime configuration of a container.

    Args:
        process: the process of the image (args, env, cwd, user), as umoci derives it from the image configuration.
        netns_path: network namespace it joins.
        cgroup: its control group, relative to the root of the hierarchies.
        controllers: those the machine can apply; limits of others are left out.
    """
    capabilities = sorted(set(spec.capabilities))
    environment = {entry.partition("=")[0]: entry for entry in process.get("env", [])}
    environment |= {key: f"{key}={value}" for key, value in spec.env.items()}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {key: value for key, value in process.get("user", {}).items() if key != "umask"}
            or {"uid": 0, "gid": 0},
            "args": spec.args or process.get("args"),
            "env": list(environment.values()),
            "cwd": process.get("cwd") or "/",
            "capabilities": dict.fromkeys(
                ("bounding", "effective", "permitted", "inheritable", "ambient"), capabilities
            ),
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": spec.readonly},
        "hostname": hostname,
        "mounts": _mounts(spec.readonly),
        "linux": {
            "cgroupsPath": f"/{cgroup}",
            "resources": resources(spec.limits, controllers),
            "namespaces": [
                {"type": "pid"},
                {"type": "ipc"},
                {"type": "uts"},
                {"type": "mount"},
                {"type": "network", "path": netns_path},
            ],
            "maskedPaths": MASKED,
            "readonlyPaths": READONLY,
        },
    }


def resources(limits: Limits, controllers: list[str]) -> dict[str, Any]:
    """Limits in the terms of the runtime specification, as far as the controllers go."""
    found: dict[str, Any] = {"devices": [{"allow": False, "access": "rwm"}]}
    if limits.vcpus is not None and "cpu" in controllers:
        found["cpu"] = {"period": CPU_PERIOD_US, "quota": max(1000, round(limits.vcpus * CPU_PERIOD_US))}
    if limits.memory_mib is not None and "memory" in controllers:
        found["memory"] = {"limit": limits.memory_mib * MIB}
    if limits.pids is not None and "pids" in controllers:
        found["pids"] = {"limit": limits.pids}
    return found


def _mounts(readonly: bool) -> list[dict[str, Any]]:
    tight = ["nosuid", "noexec", "nodev"]
    mounts: list[dict[str, Any]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=64k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*tight, "mode=1777", "size=16m"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*tight, "ro"]},
    ]
    if readonly:
        for place in ("/run", "/tmp"):
            options = ["nosuid", "nodev", "mode=1777", "size=16m"]
            mounts.append({"destination": place, "type": "tmpfs", "source": "tmpfs", "options": options})
    return mounts
