"""What this machine lacks for the embedded NFVI, each finding with what to do about it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nfvcert.errors import NfvcertError
from nfvcert.nfvi import cgroups, namespaces, sweep
from nfvcert.nfvi.names import RunId

CAPABILITIES = {
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
}
PROGRAMS = {"runc": "runc", "umoci": "umoci", "cp": "coreutils"}
"""Program -> Debian package."""


@dataclass(frozen=True)
class Finding:
    """One thing that is missing.

    Attributes:
        severity: `missing`: the NFVI cannot run; `reduced`: it runs with less.
    """

    severity: Literal["missing", "reduced"]
    what: str
    hint: str


def parse_capabilities(status: str) -> int:
    """Effective capabilities as a bit mask, from the text of /proc/self/status."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def missing_capabilities(mask: int) -> list[str]:
    """Names of the capabilities the mask lacks."""
    return [name for name, bit in CAPABILITIES.items() if not mask >> bit & 1]


def check() -> list[Finding]:
    """All findings; empty on a machine that has everything. Kernel features are tried, not guessed."""
    findings = [
        Finding("missing", f"the program {program} is not installed", f"apt install {package}")
        for program, package in PROGRAMS.items()
        if shutil.which(program) is None
    ]
    lacking = missing_capabilities(parse_capabilities(Path("/proc/self/status").read_text()))
    if lacking:
        who = "run as root or with sudo" if os.geteuid() != 0 else "give the container or service these capabilities"
        findings += [Finding("missing", f"the capability {name} is missing", who) for name in lacking]
        return findings
    usable = cgroups.hierarchies().usable()
    findings += [
        Finding("reduced", f"the control group controller {name} cannot be used: no such limit", "mount it writable")
        for name in cgroups.WANTED
        if name not in usable
    ]
    findings += _kernel_findings()
    return findings


def _kernel_findings() -> Iterator[Finding]:
    """Make one of everything in two scratch namespaces."""
    from nfvcert.nfvi.links import Address, Netlink

    rid = RunId.new()
    one, two = rid.netns("check1"), rid.netns("check2")

    def attempt(what: str, module: str, work: Callable[[], object]) -> Iterator[Finding]:
        try:
            work()
        except (NfvcertError, OSError) as error:
            yield Finding("missing", f"the kernel cannot make {what}: {error}", f"load or enable {module}")

    try:
        findings = list(attempt("network namespaces", "CONFIG_NET_NS", lambda: namespaces.create(one)))
        if findings:
            yield from findings
            return
        namespaces.create(two)
        with Netlink(one) as netlink:
            yield from attempt(
                "bridges", "bridge", lambda: netlink.create_bridge("br0", mtu=1500, mac="02:00:00:00:00:01")
            )
            yield from attempt(
                "veth pairs",
                "veth",
                lambda: netlink.create_veth("v0", mtu=1600, peer_netns=two, peer_ifname="v1", peer=Address()),
            )
            yield from attempt(
                "VXLAN devices",
                "vxlan",
                lambda: netlink.create_vxlan("vx1", vni=1, local="127.0.0.1", bridge="br0", mtu=1500),
            )
        yield from attempt("packet sockets", "af_packet", lambda: namespaces.run_in(two, _packet_socket))
    finally:
        with contextlib.suppress(NfvcertError):
            sweep.destroy(rid)


def _packet_socket() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
