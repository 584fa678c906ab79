"""ovsdb-server and ovs-vswitchd with DPDK in a folder of their own: no service of the system is touched or needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nfvcert.errors import TestbedError
from nfvcert.traffic.native import NativeProcess
from nfvcert.traffic.programs import require

PACKAGE = "openvswitch-switch-dpdk"
DAEMON = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
COMMAND_S = 20
GRACE_S = 3.0
BASE_MIB, PORT_MIB = 16, 72
"""Memory of the whole and of a port: 16,608 packet buffers, of which none goes over the end of a page. A pool that all
ports share takes 262,144. Where that is too much Open vSwitch is content with half, but not always: by how the memory
happens to be divided it has no buffers at all instead (ENOBUFS, not ENOMEM)."""
DESCRIPTORS = 64
"""What a port is told of its rings only adds to its buffers: a link holds what its other end says."""
QUEUES = 2
"""Its polling thread sends by the second queue, for the first is kept for its main thread; the other end has to receive
from both."""
_OPENFLOW = "OpenFlow14"


@dataclass(frozen=True)
class MemifPort:
    """A port of a bridge on a memif socket, which Open vSwitch serves; its other end says how long its rings are."""

    name: str
    socket: Path


def memory_mib(ports: int) -> int:
    """Memory, MiB, in which so many ports find their packet buffers."""
    return BASE_MIB + PORT_MIB * ports


class OpenVSwitchDaemons:
    """The two daemons; they end with this process, whatever happens to it.

    Args:
        folder: of database and sockets; logs go to ``log_dir``, default: the same.
        polling_core: processor core of the thread that switches packets.
        main_core: of everything else; default: any.
        most_ports: for so many ports there is memory.
        hugepages: whether that memory is in huge pages, which have to be free then.
        longest_sleep_us: for how long the polling thread may sleep when little comes; 0: it never does.
        idle_ms: after so long without a packet the datapath forgets what it has decided on a flow.
        netns: network namespace in which they run; they make some interfaces there that carry nothing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        polling_core: int,
        main_core: int | None = None,
        most_ports: int,
        hugepages: bool = False,
        longest_sleep_us: int = 0,
        idle_ms: int | None = None,
        netns: str | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self._folder = folder
        self._log_dir = log_dir or folder
        self._netns = netns
        self._environment = {f"OVS_{name}DIR": str(folder) for name in ("RUN", "DB", "LOG", "SYSCONF")}
        memory = [] if hugepages else ["--no-huge", "--legacy-mem", "--no-shconf"]
        self._settings = {
            "dpdk-init": "true",
            "pmd-cpu-mask": hex(1 << polling_core),
            "pmd-maxsleep": str(longest_sleep_us),
            "per-port-memory": "true",
            "dpdk-socket-mem" if hugepages else "dpdk-alloc-mem": str(memory_mib(most_ports)),
            "dpdk-extra": " ".join([*memory, "--no-pci", "--no-telemetry"]),
            "n-handler-threads": "1",
            "n-revalidator-threads": "1",
        }
        if main_core is not None:
            self._settings["dpdk-lcore-mask"] = hex(1 << main_core)
        if idle_ms is not None:
            self._settings["max-idle"] = str(idle_ms)
        self._ports: list[MemifPort] = []
        self._database: NativeProcess | None = None
        self._switch: NativeProcess | None = None

    @property
    def pid(self) -> int:
        """Process id of ovs-vswitchd; 0 before it was started."""
        return self._switch.pid if self._switch else 0

    @property
    def running(self) -> bool:
        """Whether ovs-vswitchd runs."""
        return self._switch is not None and self._switch.running

    def start(self) -> None:
        """Start what does not run; bridges and ports are those of the database, flow tables are empty.

        Raises:
            ProgramMissing: it is not installed.
            TestbedError: it, or a port of it, does not come up.
        """
        server, daemon = require("ovsdb-server", "openvswitch-switch"), require(DAEMON, PACKAGE)
        folder, database = self._folder, self._folder / "conf.db"
        if not database.exists():
            self._run("ovsdb-tool", "create", str(database), SCHEMA)
        if self._database is None or not self._database.running:
            remote = f"--remote=punix:{folder / 'db.sock'}"
            argv = [server, remote, f"--unixctl={folder / 'db.ctl'}", str(database)]
            self._database = self._process(argv, "switch-database")
            self.configure("--no-wait", "--retry", "init")
        pairs = [f"other_config:{key}={value}" for key, value in self._settings.items()]
        self.configure("--no-wait", "set", "Open_vSwitch", ".", *pairs)
        self._remove_sockets(self._ports)
        argv = [daemon, f"unix:{folder / 'db.sock'}", f"--unixctl={folder / 'vswitchd.ctl'}"]
        self._switch = self._process(argv, "switch")
        self._await_configured()
        if self.configure("get", "Open_vSwitch", ".", "dpdk_initialized").strip() != "true":
            raise self._not_up("DPDK does not start")
        self._check(self._ports)

    def add_bridge(self, name: str, ports: Sequence[MemifPort]) -> None:
        """Add a bridge that does nothing of its own accord; its ports have the OpenFlow numbers 1, 2, ... in order.

        Raises:
            TestbedError: a port does not come up.
        """
        self._remove_sockets(ports)
        settings = ["datapath_type=netdev", "fail_mode=secure", f"protocols={_OPENFLOW}"]
        words = ["add-br", name, "--", "set", "bridge", name, *settings]
        for number, port in enumerate(ports, 1):
            device = f"net_memif{number},role=server,socket={port.socket},socket-abstract=no"
            options = [f"options:dpdk-devargs={device}", f"ofport_request={number}"]
            options += [f"options:n_{queue}_desc={DESCRIPTORS}" for queue in ("rxq", "txq")]
            words += ["--", "add-port", name, port.name]
            words += ["--", "set", "Interface", port.name, "type=dpdk", *options]
        self.configure(*words)
        self._check(ports)
        self._ports += ports

    def limit_table(self, bridge: str, table: int, entries: int) -> None:
        """Let a table of a bridge take so many entries and refuse more."""
        record = ["create", "Flow_Table", f"flow_limit={entries}", "overflow_policy=refuse"]
        self.configure("--id=@limited", *record, "--", "set", "bridge", bridge, f"flow_tables:{table}=@limited")

    def replace_flows(self, bridge: str, lines: Sequence[str]) -> None:
        """Give a bridge these entries in the place of all that it has, in the syntax of ovs-ofctl."""
        file = self._folder / f"{bridge}.flows"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._run("ovs-ofctl", "-O", _OPENFLOW, "--bundle", "replace-flows", f"unix:{self.socket(bridge)}", str(file))

    def socket(self, bridge: str) -> Path:
        """Where a bridge takes OpenFlow connections."""
        return self._folder / f"{bridge}.mgmt"

    def configure(self, *words: str, timeout_s: int = COMMAND_S) -> str:
        """An order to the database, answered when the switch has followed it; as ovs-vsctl takes it.

        Raises:
            TestbedError: it is refused, or the switch does not follow in time.
        """
        return self._run("ovs-vsctl", f"--db=unix:{self._folder / 'db.sock'}", f"--timeout={timeout_s}", *words)

    def ask(self, *words: str) -> str:
        """A question to ovs-vswitchd, as ovs-appctl takes it."""
        return self._run("ovs-appctl", "-t", str(self._folder / "vswitchd.ctl"), *words)

    def version(self) -> str:
        """Its version and that of its DPDK."""
        dpdk = self.configure("get", "Open_vSwitch", ".", "dpdk_version").strip().strip('"')
        return f"{self._run(DAEMON, '--version').splitlines()[0]}, {dpdk}"

    def close(self, grace_s: float = GRACE_S) -> None:
        """End both."""
        for process in (self._switch, self._database):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)
        for process in (self._switch, self._database):
            if process is not None:
                process.close(grace_s)
        self._switch = self._database = None

    def _process(self, argv: Sequence[str], name: str) -> NativeProcess:
        log = self._log_dir / f"{name}.log"
        return NativeProcess(argv, log=log, netns=self._netns, environment=self._environment)

    @staticmethod
    def _remove_sockets(ports: Sequence[MemifPort]) -> None:
        """Left by one that was killed; a socket is not made over it."""
        for port in ports:
            port.socket.unlink(missing_ok=True)

    def _check(self, ports: Sequence[MemifPort]) -> None:
        """Without a bridge the database knows of no error of its ports: they do not listen then."""
        for port in ports:
            error = self.configure("get", "Interface", port.name, "error").strip()
            if error == "[]" and not port.socket.exists():
                error = "nothing listens at its socket"
            if error != "[]":
                where = f"Open vSwitch, {port.name}"
                raise TestbedError("a port does not come up", where=where, found=error, hint=self._hint)

    def _await_configured(self) -> None:
        """Wait until the switch has followed an order; only one that changes something is waited for."""
        deadline = time.monotonic() + COMMAND_S
        while True:
            mark = f"external_ids:started={time.monotonic_ns()}"
            try:
                self.configure("set", "Open_vSwitch", ".", mark, timeout_s=2)
                return
            except TestbedError as error:
                if not self.running or time.monotonic() > deadline:
                    raise self._not_up(error.found) from error

    @property
    def _hint(self) -> str:
        return f"see {self._log_dir / 'switch.log'}; memory for packet buffers has to be free"

    def _not_up(self, found: str) -> TestbedError:
        state = found if self.running else "it has ended"
        return TestbedError("ovs-vswitchd does not come up", where="Open vSwitch", found=state, hint=self._hint)

    def _run(self, program: str, *words: str) -> str:
        argv = [require(program, PACKAGE), *words]
        environment = {**os.environ, **self._environment}
        limit = COMMAND_S + 5
        try:
            answer = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            raise TestbedError(f"no answer within {limit:g} s", where=program, found=" ".join(words)) from None
        if answer.returncode:
            raise TestbedError("an order was refused", where=program, found=answer.stderr.strip()[-300:])
        return answer.stdout
