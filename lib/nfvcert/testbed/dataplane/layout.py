"""Who is linked with whom: the configuration of every process of a dataplane, as data.

::

    generator 0 (source) ── source ┐                  ┌ s1 ── uplink  server switch s1  v1 ── left  instance s1/v1
    generator 1 (sink)   ── sink   ┴ hardware switch  ┴ s2 ── uplink  server switch s2  v1 ── left  instance s2/v1

Every link is a memif socket. The end nearer to the generator serves, so that whatever is killed further down comes back
by connecting again; where the hardware switch is Open vSwitch, that serves all of its links.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nfvcert.dataplane.openvswitch import QUEUES
from nfvcert.dataplane.switch.access import Driver, SwitchAccess
from nfvcert.errors import UsageError
from nfvcert.testbed.dataplane.setup import Setup
from nfvcert.testbed.model import Dataplane

SOURCE_MAC = "02:4e:46:00:00:01"
SINK_MAC = "02:4e:46:00:00:02"
OWNER = "nfvcert"
"""Tag of the controller's rules in the table of the hardware switch."""
MOST_SERVERS = 16
BRIDGED_RING = 16384
"""Packets that a link of Open vSwitch holds: what does not fit it drops at once, where ours wait for their turn."""
LONGEST_SOCKET = 100
"""Octets of a path that a Unix socket surely takes."""

GENERATOR, FRONT_END, SWITCH, CONTROLLER = "generator", "generator-rpc", "switch", "controller"
"""The front end speaks the TRex protocol and drives the generator."""
SOURCE, SINK = "source", "sink"
"""Ports of the hardware switch towards the generator; those towards servers have the servers' names."""
PROGRAMS = {GENERATOR: "nfvcert-packet-engine", SWITCH: "nfvcert-switch"}
SERVER_SWITCH, INSTANCE = "nfvcert-server-switch", "nfvcert-vnf"

Document = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """The processes of one dataplane: the folder of their sockets, and the settings that hold."""

    folder: Path
    settings: Dataplane
    setup: Setup

    def __post_init__(self) -> None:
        if not 1 <= self.servers <= MOST_SERVERS:
            raise UsageError(f"a dataplane has 1 to {MOST_SERVERS} servers", found=str(self.servers))
        if self.bridged and self.identity != "source-port":
            raise UsageError(
                "Open vSwitch as hardware switch takes the source port for the id of a flow",
                found=f"identity {self.identity}",
                hint="set 'identity: source-port'",
            )
        if self.bridged and self.setup.switch:
            raise UsageError("Open vSwitch does not do this", found=", ".join(self.setup.switch))
        longest = max(len(str(self.control(name)).encode()) for name in self.names)
        if longest > LONGEST_SOCKET:
            raise UsageError(
                "the path of the state folder is too long for sockets",
                where=str(self.folder),
                found=f"{longest} octets",
                hint=f"set NFVCERT_RUN_ROOT to a folder that leaves sockets within {LONGEST_SOCKET} octets",
            )

    @property
    def servers(self) -> int:
        """How many servers there are."""
        return self.setup.servers or self.settings.servers

    @property
    def identity(self) -> str:
        """How flow ids are computed."""
        return self.setup.identity or self.settings.identity

    @property
    def driver(self) -> Driver:
        """Which hardware switch it is: core or openvswitch."""
        return self.setup.driver or self.settings.driver

    @property
    def bridged(self) -> bool:
        """Whether the hardware switch is a bridge of Open vSwitch, no program of this project."""
        return self.driver == "openvswitch"

    @property
    def table_capacity(self) -> int:
        """Entries that the table of the hardware switch takes."""
        return self.setup.table_capacity or self.settings.table_capacity

    @property
    def switch_ports(self) -> dict[str, int]:
        """Ports of the hardware switch and their numbers in OpenFlow."""
        return {name: number for number, name in enumerate((SOURCE, SINK, *self.server_names), 1)}

    @property
    def state_timeout_ms(self) -> int:
        """Silence after which a flow has ended."""
        return self.setup.state_timeout_ms or self.settings.state_timeout_ms

    @property
    def server_names(self) -> list[str]:
        """Server switches: s1, s2, ..."""
        return [f"s{number}" for number in range(1, self.servers + 1)]

    @property
    def instances(self) -> dict[str, int]:
        """Instances of the network function, ``s1/v1``, and the number that each writes into its packets."""
        places = [(s, v) for v in range(1, self.setup.instances_per_server + 1) for s in range(1, self.servers + 1)]
        return {f"s{server}/v{place}": number for number, (server, place) in enumerate(places, 1)}

    @property
    def names(self) -> list[str]:
        """Every process, in the order in which they start; the controller comes last."""
        before = [SWITCH] if self.bridged else []
        return [*before, *self.polling, FRONT_END, CONTROLLER]

    @property
    def polling(self) -> list[str]:
        """The native processes: all that tell of their links."""
        switch = [] if self.bridged else [SWITCH]
        return [GENERATOR, *switch, *self.server_names, *self.instances]

    def control(self, name: str) -> Path:
        """Control socket of a process; where Open vSwitch takes OpenFlow connections, if that is the switch."""
        kind = "mgmt" if name == SWITCH and self.bridged else "ctl"
        return self.folder / f"{name.replace('/', '-')}.{kind}"

    def socket(self, link: str) -> Path:
        """Socket of a link."""
        return self.folder / f"{link}.mif"

    def switch_access(self, control: Path | None = None) -> SwitchAccess:
        """How the hardware switch is reached, if not otherwise then at its own control socket."""
        ports = self.switch_ports if self.bridged else {}
        return SwitchAccess(driver=self.driver, control=control or self.control(SWITCH), ports=ports)

    def program(self, name: str) -> str:
        """The native program that runs under a name."""
        if name in PROGRAMS:
            return PROGRAMS[name]
        return INSTANCE if "/" in name else SERVER_SWITCH

    def configuration(self, name: str) -> Document:
        """The configuration of a native process."""
        if name == GENERATOR:
            return self._generator()
        if name == SWITCH:
            return self._switch()
        return self._instance(name) if "/" in name else self._server_switch(name)

    def controller_configuration(self, journal: Path, port: int, extension: str | None) -> Document:
        """The configuration of the controller."""
        switch = self.switch_access(Path(self._told(SWITCH))).model_dump(mode="json")
        return {
            "listen": port,
            "journal": str(journal),
            "identity": self.identity,
            "owner": OWNER,
            "extension": extension,
            "switch": switch,
            "servers": {
                server: {
                    "control": self._told(server),
                    "mac": self.server_mac(server),
                    "switch_port": server,
                    "instances": {
                        name.split("/")[1]: {"control": self._told(name), "number": number}
                        for name, number in self.instances.items()
                        if name.startswith(f"{server}/")
                    },
                }
                for server in self.server_names
            },
            **self.setup.controller,
        }

    @staticmethod
    def server_mac(server: str) -> str:
        """MAC of a server."""
        return f"02:4e:46:01:00:{int(server[1:]):02x}"

    def _told(self, name: str) -> str:
        return self.setup.relays.get(name, str(self.control(name)))

    def _link(self, name: str, role: str) -> str:
        return f"memif:socket={self.socket(name)},role={role},ring={self.setup.ring}"

    def _switch_link(self, name: str, role: str) -> str:
        """The end of a link of the hardware switch that is not the switch's own."""
        if not self.bridged:
            return self._link(name, role)
        return f"memif:socket={self.socket(name)},role=client,ring={BRIDGED_RING},rx_queues={QUEUES}"

    def _common(self, name: str, core: int, ports: Document) -> Document:
        return {
            "core": core,
            "memory_mib": 512 if name == GENERATOR else 256,
            "packets": 65535 if name == GENERATOR else 32767,
            "hugepages": self.settings.hugepages,
            "control": str(self.control(name)),
            "ports": ports,
        }

    def _generator(self) -> Document:
        ports = {"0": self._switch_link(SOURCE, "server"), "1": self._switch_link(SINK, "server")}
        return self._common(GENERATOR, self.settings.cores.generator, ports)

    def _switch(self) -> Document:
        ports = {port: self._link(port, "client") for port in (SOURCE, SINK)}
        ports |= {server: self._link(server, "server") for server in self.server_names}
        return {
            **self._common(SWITCH, self.settings.cores.device, ports),
            "capacity": self.table_capacity,
            "identity": self.identity,
            "servers": {server: self.server_mac(server) for server in self.server_names},
            "sink_mac": SINK_MAC,
            **self.setup.switch,
        }

    def _server_switch(self, server: str) -> Document:
        places = [name.split("/")[1] for name in self.instances if name.startswith(f"{server}/")]
        ports = {"uplink": self._switch_link(server, "client")}
        ports |= {place: self._link(f"{server}-{place}", "server") for place in places}
        document = {
            **self._common(server, self._core_of(server), ports),
            "server": server,
            "mac": self.server_mac(server),
            "identity": self.identity,
            "peers": {name: self.server_mac(name) for name in self.server_names if name != server},
            "idle_timeout_ms": self.state_timeout_ms,
        }
        own = {place: [self.setup.addresses[f"{server}/{place}"]] for place in places if self.setup.addresses}
        if own:
            document["addresses"] = own
        if self.setup.state_files:
            document["state_file"] = str(self.folder / f"{server}.state")
        return document

    def _instance(self, name: str) -> Document:
        link = self._link(name.replace("/", "-"), "client")
        translates = {"external": self.setup.addresses[name]} if self.setup.addresses else {}
        return {
            **self._common(name, self._core_of(name), {"left": link}),
            "function": self.setup.function or self.settings.function,
            "instance": self.instances[name],
            "sink_mac": SINK_MAC,
            "state_timeout_ms": self.state_timeout_ms,
            "parameters": {**self.setup.parameters, **translates},
        }

    def _core_of(self, name: str) -> int:
        """All switches share a core, so that a detour stays on it; the instances share that of the generator.

        Open vSwitch does not give its turn away: only the first server shares its core, with its instances.
        """
        with_switch = name.split("/")[0] == "s1" if self.bridged else name not in self.instances
        return self.settings.cores.device if with_switch else self.settings.cores.generator
