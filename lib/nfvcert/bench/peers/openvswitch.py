"""Open vSwitch with DPDK in the place of switch and NAT: rules on source ports, connection tracking, memif ports."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from nfvcert.bench.child import Child, require
from nfvcert.bench.peers.hugepages import hugepages
from nfvcert.errors import TestbedError

PACKAGE = "openvswitch-switch-dpdk"
DAEMON = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
MEMORY_MIB = 512
RESERVED_MIB = 1024
COMMAND_S = 30.0
PORT_VALUES = 65536
QUEUES = 2
"""Its polling thread sends by the second queue, for the first is kept for its main thread; the other end has to receive
from both."""


@dataclass(frozen=True)
class OvsPorts:
    """Sockets of the two memif links, which Open vSwitch serves."""

    left: Path
    right: Path


def rules(count: int, nat: bool) -> str:
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
    return "\n".join([*lines, "priority=0,actions=drop"]) + "\n"


class OpenvSwitch:
    """ovsdb-server and ovs-vswitchd in a folder of their own; no system service is touched."""

    def __init__(self, folder: Path, *, main_core: int, polling_core: int) -> None:
        self._folder = folder
        self._environment = {f"OVS_{name}DIR": str(folder) for name in ("RUN", "DB", "LOG", "SYSCONF")}
        self._database = f"--db=unix:{folder / 'db.sock'}"
        self._cores = (main_core, polling_core)
        self._stack = ExitStack()
        self.ports = OvsPorts(folder / "left.sock", folder / "right.sock")

    def start(self, *, rule_count: int, nat: bool, ring: int) -> None:
        """Bring it up with its ports and rules.

        Raises:
            PeerMissing: it is not installed.
            TestbedError: it does not come up.
        """
        server = require("ovsdb-server", PACKAGE)
        daemon = require(DAEMON, PACKAGE)
        folder = self._folder
        self._run("ovsdb-tool", "create", str(folder / "conf.db"), SCHEMA)
        socket = f"--remote=punix:{folder / 'db.sock'}"
        argv = [
            server,
            socket,
            f"--unixctl={folder / 'db.ctl'}",
            str(folder / "conf.db"),
        ]
        self._stack.enter_context(Child(argv, log=folder / "ovsdb.log", environment=self._environment))
        settings = {
            "dpdk-init": "true",
            "dpdk-lcore-mask": hex(1 << self._cores[0]),
            "pmd-cpu-mask": hex(1 << self._cores[1]),
            "dpdk-socket-mem": str(MEMORY_MIB),
            "dpdk-extra": "--no-pci --no-telemetry",
        }
        self._configure("--no-wait", "--retry", "init")
        pairs = [f"other_config:{key}={value}" for key, value in settings.items()]
        self._configure("--no-wait", "set", "Open_vSwitch", ".", *pairs)
        argv = [daemon, f"unix:{folder / 'db.sock'}", f"--unixctl={folder / 'vswitchd.ctl'}"]
        self._stack.enter_context(Child(argv, log=folder / "vswitchd.log", environment=self._environment))
        self._configure("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")
        for number, socket_path in enumerate((self.ports.left, self.ports.right)):
            self._add_port(number, socket_path, ring)
        if self._configure("get", "Open_vSwitch", ".", "dpdk_initialized").strip() != "true":
            raise TestbedError("DPDK does not start", where="Open vSwitch", hint=f"see {folder / 'vswitchd.log'}")
        file = folder / "rules.txt"
        file.write_text(rules(rule_count, nat), encoding="utf-8")
        bridge = f"unix:{folder / 'br0.mgmt'}"
        self._run("ovs-ofctl", "del-flows", bridge)
        self._run("ovs-ofctl", "add-flows", bridge, str(file))

    def version(self) -> str:
        """Its version and that of its DPDK."""
        dpdk = self._configure("get", "Open_vSwitch", ".", "dpdk_version").strip().strip('"')
        first = self._run("ovs-vswitchd", "--version").splitlines()[0]
        return f"{first}, {dpdk}"

    def polling_statistics(self) -> str:
        """What its polling thread says about its caches."""
        return self._run("ovs-appctl", "-t", str(self._folder / "vswitchd.ctl"), "dpif-netdev/pmd-stats-show")

    def close(self) -> None:
        """End it."""
        self._stack.close()

    def _add_port(self, number: int, socket: Path, ring: int) -> None:
        name = ("left", "right")[number]
        device = f"net_memif{number},role=server,socket={socket},socket-abstract=no,rsize={ring.bit_length() - 1}"
        options = [f"options:dpdk-devargs={device}", f"options:n_rxq_desc={ring}", f"options:n_txq_desc={ring}"]
        wanted = ["set", "Interface", name, "type=dpdk", *options, f"ofport_request={number + 1}"]
        self._configure("add-port", "br0", name, "--", *wanted)
        error = self._configure("get", "Interface", name, "error").strip()
        if error != "[]":
            raise TestbedError("a port does not come up", where=f"Open vSwitch, {name}", found=error)

    def _configure(self, *words: str) -> str:
        return self._run("ovs-vsctl", self._database, f"--timeout={COMMAND_S:.0f}", *words)

    def _run(self, program: str, *words: str) -> str:
        argv = [require(program, PACKAGE), *words]
        try:
            answer = subprocess.run(
                argv,
                env={**os.environ, **self._environment},
                capture_output=True,
                text=True,
                timeout=COMMAND_S + 5,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TestbedError(f"no answer within {COMMAND_S + 5:g} s", where=program, found=" ".join(words)) from None
        if answer.returncode:
            raise TestbedError("an order was refused", where=program, found=answer.stderr.strip()[-300:])
        return answer.stdout


@contextlib.contextmanager
def open_vswitch(
    folder: Path, *, main_core: int, polling_core: int, rule_count: int, nat: bool = True, ring: int = 2048
) -> Iterator[OpenvSwitch]:
    """Open vSwitch with DPDK while the context lasts; its hugepages are reserved for as long.

    Raises:
        PeerMissing: it is not installed.
        TestbedError: no hugepages, or it does not come up.
    """
    with hugepages(RESERVED_MIB) as reserved:
        if not reserved:
            raise TestbedError(
                f"{RESERVED_MIB} MiB of hugepages cannot be reserved",
                where="Open vSwitch with DPDK",
                hint="free memory, or run as root: /proc/sys/vm/nr_hugepages has to be writable",
            )
        switch = OpenvSwitch(folder, main_core=main_core, polling_core=polling_core)
        try:
            switch.start(rule_count=rule_count, nat=nat, ring=ring)
            yield switch
        finally:
            switch.close()
