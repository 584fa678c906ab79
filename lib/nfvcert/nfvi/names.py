"""Run ids and every name derived from them: namespaces, interfaces, control groups. Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Self

from nfvcert.errors import UsageError

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
"""The digits of base32 in lower case."""

INTERFACE_LIMIT = 15
"""Longest interface name the kernel takes (IFNAMSIZ less the closing zero)."""

CGROUP_ROOT = "nfvcert"
"""Directory under control group hierarchies in which runs have theirs, for containers."""

POLLING_CGROUP_PREFIX = "nfvcert-polling-"
"""What the name of a run's group for processes that poll begins with."""

_RID = re.compile(r"[a-z2-7]{6}")
_NETNS = re.compile(r"nfv-([a-z2-7]{6})-([a-z0-9][a-z0-9.-]*)")
_ROOT_INTERFACE = re.compile(r"nv([a-z2-7]{6})[a-z0-9]*")
_WHAT = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


class RunId(str):
    """Six characters of lower-case base32 that name one run on one machine.

    Raises:
        UsageError: the text is not a run id.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _RID.fullmatch(text):
            raise UsageError("this is not a run id", found=repr(text), hint="six characters of a-z and 2-7")
        return super().__new__(cls, text)

    @classmethod
    def new(cls) -> Self:
        """A fresh random run id (30 bits)."""
        return cls("".join(secrets.choice(ALPHABET) for _ in range(6)))

    def netns(self, what: str) -> str:
        """Name of the run's network namespace for `what` (host1, c4f2a, fabric, gen ..)."""
        if not _WHAT.fullmatch(what):
            raise UsageError("this cannot be part of a namespace name", found=repr(what))
        return f"nfv-{self}-{what}"

    def container_netns(self, container: str) -> str:
        """Name of the network namespace of one container."""
        return self.netns("c" + short(container))

    def cgroup(self, container: str | None = None) -> str:
        """Control group of the run or of one of its containers, relative to the root of a hierarchy."""
        return f"{CGROUP_ROOT}/{self}" + (f"/{container}" if container else "")

    def polling_cgroup(self) -> str:
        """Control group of the run's processes that poll, relative to the root of a hierarchy.

        Below no other group, since a group weighs only as much as those above it, and those are shared by runs.
        """
        return f"{POLLING_CGROUP_PREFIX}{self}"

    def root_interface(self, what: str) -> str:
        """Name of an interface that has to live in the machine's own namespace."""
        return _limited(f"nv{self}{what}")


def is_run_id(text: str) -> bool:
    """Whether the text has the form of a run id."""
    return _RID.fullmatch(text) is not None


def parse_netns(name: str) -> tuple[RunId, str] | None:
    """Run id and purpose told by a namespace name, or None for a namespace that is not ours."""
    found = _NETNS.fullmatch(name)
    return (RunId(found[1]), found[2]) if found else None


def parse_root_interface(name: str) -> RunId | None:
    """Run id told by an interface name of :meth:`RunId.root_interface`, or None."""
    found = _ROOT_INTERFACE.fullmatch(name)
    return RunId(found[1]) if found else None


def short(key: str, digits: int = 10) -> str:
    """Hexadecimal digits that stand for a longer identifier; the same for the same identifier."""
    return hashlib.sha256(key.encode()).hexdigest()[:digits]


def port_interface(port: str) -> str:
    """Host side interface of a virtual port."""
    return _limited("vp" + short(port))


def endpoint_interface(endpoint: str) -> str:
    """Host side interface of an outside endpoint."""
    return _limited("ep" + short(endpoint))


def bridge_interface(network: str) -> str:
    """Bridge of a virtual network on a host."""
    return _limited("br" + short(network))


def vxlan_interface(vni: int) -> str:
    """VXLAN device of a virtual network on a host."""
    return _limited(f"vx{vni}")


def _limited(name: str) -> str:
    if len(name) > INTERFACE_LIMIT:
        raise UsageError(f"an interface name has at most {INTERFACE_LIMIT} characters", found=repr(name))
    return name
