"""Open vSwitch with DPDK in the place of switch and NAT: rules on source ports, connection tracking, memif ports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nfvcert.bench.peers.hugepages import hugepages
from nfvcert.dataplane.openvswitch import MemifPort, OpenVSwitchDaemons
from nfvcert.errors import TestbedError

BRIDGE = "br0"
RESERVED_MIB = 512
PORT_VALUES = 65536


def ports_in(folder: Path) -> tuple[Path, Path]:
    """Sockets of the two memif links, left and right, which Open vSwitch serves."""
    return folder / "left.sock", folder / "right.sock"


def rules(count: int, nat: bool) -> list[str]:
    """OpenFlow rules that spread the source ports evenly over ``count`` entries (a power of two up to 65,536).

    One pass through connection tracking for a packet, which is its fastest way to translate.

    Raises:
        ValueError: ``count`` is no power of two.
    """
    if count < 1 or count & (count - 1) or count > PORT_VALUES:
        raise ValueError(f"{count} rules cannot share the source ports evenly")
    width = PORT_VALUES // count
    mask = (PORT_VALUES - 1) & ~(width - 1)
    act = "ct(commit,zone=1,nat(src=203.0.113.1-203.0.113.4:1024-65535))," if nat else ""
    lines = [
        f"priority=10,udp,in_port=1,udp_src=0x{entry * width:x}/0x{mask:x},actions={act}output:2"
        for entry in range(count)
    ]
    return [*lines, "priority=0,actions=drop"]


@contextlib.contextmanager
def open_vswitch(
    folder: Path, *, main_core: int, polling_core: int, rule_count: int, nat: bool = True
) -> Iterator[OpenVSwitchDaemons]:
    """Open vSwitch with DPDK while the context lasts, its ports those of :func:`ports_in`; its hugepages are reserved
    for as long.

    Raises:
        ProgramMissing: it is not installed.
        TestbedError: no hugepages, or it does not come up.
    """
    with hugepages(RESERVED_MIB) as reserved:
        if not reserved:
            raise TestbedError(
                f"{RESERVED_MIB} MiB of hugepages cannot be reserved",
                where="Open vSwitch with DPDK",
                hint="free memory, or run as root: /proc/sys/vm/nr_hugepages has to be writable",
            )
        ports = [MemifPort(socket.stem, socket) for socket in ports_in(folder)]
        switch = OpenVSwitchDaemons(
            folder, main_core=main_core, polling_core=polling_core, most_ports=len(ports), hugepages=True
        )
        try:
            switch.start()
            switch.add_bridge(BRIDGE, ports)
            switch.replace_flows(BRIDGE, rules(rule_count, nat))
            yield switch
        finally:
            switch.close()
