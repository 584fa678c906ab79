"""Offloads of an interface off, by the SIOCETHTOOL ioctl (no program, no generic netlink)."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946

_COMMANDS = {
    "tx-checksum": 0x17,
    "scatter-gather": 0x19,
    "tso": 0x1F,
    "gso": 0x24,
    "gro": 0x2C,
}
"""ETHTOOL_S* commands; the ETHTOOL_G* command is one less in each case."""


def disable_offloads(ifname: str) -> None:
    """Send and receive packets as they are: no checksum left to be filled in, nothing merged, nothing split later.

    Works in the calling thread's namespace. Switches the driver does not have are left alone.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        for command in _COMMANDS.values():
            with contextlib.suppress(OSError):
                _call(control, ifname, command, 0)


def offloads(ifname: str) -> dict[str, bool]:
    """Which offloads are on, for those the driver knows."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        for name, command in _COMMANDS.items():
            with contextlib.suppress(OSError):
                found[name] = bool(_call(control, ifname, command - 1, 0))
    return found


def _call(control: socket.socket, ifname: str, command: int, value: int) -> int:
    data = array.array("I", [command, value])
    request = struct.pack("16sP8x", ifname.encode(), data.buffer_info()[0])
    fcntl.ioctl(control.fileno(), SIOCETHTOOL, request)
    return data[1]
