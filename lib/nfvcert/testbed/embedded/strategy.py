"""Bringing the embedded testbed to the state in which scenarios can run, and taking it down again."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from nfvcert.errors import NfvcertError, TestbedError
from nfvcert.nfvi.agent.models import EndpointSpec
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.embedded import EmbeddedNfvi, NfviSpec
from nfvcert.nfvi.links import local_mac
from nfvcert.nfvi.names import RunId
from nfvcert.testbed.attachment import (
    Attachment,
    Component,
    HostAccess,
    NetworkAccess,
    SignerAccess,
    TrafficAccess,
    VimAccess,
    WitnessAccess,
)
from nfvcert.testbed.drivers.vim import OpenStackVim
from nfvcert.testbed.embedded.addresses import (
    CLIENT_NETWORK,
    MANAGEMENT_NETWORK,
    SERVER_NETWORK,
    NetworkPlan,
)
from nfvcert.testbed.embedded.layout import PASSWORD_FILE, choose_ports, component_specs, witness_spec
from nfvcert.testbed.embedded.processes import Processes
from nfvcert.testbed.embedded.signers import make_signer
from nfvcert.testbed.embedded.supervisor import Supervisor
from nfvcert.testbed.model import Testbed
from nfvcert.traffic.native import binary

GATEWAY = (0, 1)
CLIENT = (1, 10)
SERVER = (1, 10)
SINKS = ((1, 20), (1, 21), (1, 22), (1, 23))
MANAGER = (1, 2)
GENERATOR_ACCESS, GENERATOR_EXTERNAL = "acc0", "ext0"

Say = Callable[[str], None]


class EmbeddedTestbed:
    """A running embedded testbed; made by :meth:`up`, a context manager, gone after :meth:`down`."""

    def __init__(self, testbed: Testbed, rid: RunId, log_dir: Path) -> None:
        self.testbed = testbed
        self.rid = rid
        self._log_dir = log_dir
        self._nfvi: EmbeddedNfvi | None = None
        self._processes: Processes | None = None
        self._supervisor: Supervisor | None = None
        self.attachment: Attachment | None = None

    @classmethod
    def up(
        cls,
        testbed: Testbed,
        *,
        log_dir: Path,
        trusted_certificates: list[Path],
        extensions: Mapping[str, Path] | None = None,
        say: Say = lambda _: None,
    ) -> Self:
        """Bring it up: hosts, stack, witness, networks, endpoints.

        Args:
            log_dir: where the processes log.
            trusted_certificates: certificates whose signatures on packages the NFVO accepts.
            extensions: component -> file with a behaviour to use instead of its own.
            say: told what is being done.

        Raises:
            TestbedError: it does not come up; nothing is left of it then.
        """
        self = cls(testbed, RunId.new(), log_dir)
        try:
            self._bring_up(trusted_certificates, extensions or {}, say)
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """End everything; harmless when it is down already."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        if self._processes is not None:
            self._processes.stop()
            self._processes = None
        if self._nfvi is not None:
            self._nfvi.down()
            self._nfvi = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def check(self) -> None:
        """Raise when the lease is lost or a process of the testbed died."""
        if self._nfvi is not None:
            self._nfvi.check()
        if self._processes is not None:
            self._processes.check_all()

    def _bring_up(self, certificates: list[Path], extensions: Mapping[str, Path], say: Say) -> None:
        testbed = self.testbed
        say("compute hosts and stack")
        hosts = [HostSpec(host.name, host.vcpus, host.ram_mb) for host in testbed.hosts]
        nfvi = self._nfvi = EmbeddedNfvi.up(
            self.rid, NfviSpec(hosts, observer=binary("nfvcert-observer"), testbed=testbed.name)
        )
        state_dir = nfvi.directory.path
        southbound = nfvi.create_netns("mgmt")
        password = secrets.token_urlsafe(18)
        password_file = state_dir / PASSWORD_FILE
        password_file.write_text(password, encoding="utf-8")
        password_file.chmod(0o600)
        ports = choose_ports()
        signers = {name: make_signer(state_dir, name) for name in ("signer", "stranger")}
        processes = self._processes = Processes(state_dir, self._log_dir)
        processes.start(witness_spec(ports, state_dir))
        places = {place.spec.name: place for place in nfvi.fabric.hosts}
        for spec in component_specs(
            ports,
            state_dir=state_dir,
            settings=testbed.embedded,
            hosts=[(h, nfvi.agent_socket(h.name), places[h.name].underlay_ip) for h in testbed.hosts],
            password=password,
            southbound_netns=southbound,
            trusted_certificates=[*certificates, signers["signer"].certificate],
            extensions=extensions,
        ):
            processes.start(spec)
        processes.await_ready()
        say("networks and endpoints")
        access = VimAccess(
            auth_url=f"{ports.url('vim')}/identity/v3",
            username="nfvcert",
            project_name="nfvcert",
            password_reference=f"file:{password_file}",
        )
        plans = {name: NetworkPlan(name, network.cidr) for name, network in testbed.networks.items()}
        networks = _create_networks(OpenStackVim(access), plans)
        traffic = self._attach_endpoints(nfvi, plans, networks)
        supervisor_socket = state_dir / "supervisor.sock"
        self._supervisor = Supervisor(supervisor_socket, processes.restart)
        self.attachment = Attachment(
            run=str(self.rid),
            testbed=testbed.name,
            state_dir=str(state_dir),
            features=list(testbed.features),
            nfvo=Component(url=ports.url("nfvo")),
            vnfm=Component(url=ports.url("vnfm")),
            em=Component(url=ports.url("em")),
            vim=access,
            witness=WitnessAccess(control_url=ports.control_url, sink_url=ports.sink_url),
            hosts=[HostAccess(name=h.name, socket=str(nfvi.agent_socket(h.name))) for h in testbed.hosts],
            networks=networks,
            traffic=traffic,
            signers={
                name: SignerAccess(key=str(files.key), certificate=str(files.certificate))
                for name, files in signers.items()
            },
            supervisor_socket=str(supervisor_socket),
        )

    def _attach_endpoints(
        self, nfvi: EmbeddedNfvi, plans: Mapping[str, NetworkPlan], networks: Mapping[str, NetworkAccess]
    ) -> TrafficAccess:
        client, server = plans[CLIENT_NETWORK], plans[SERVER_NETWORK]
        generator, sessions, peers = (nfvi.create_netns(what) for what in ("gen", "tcpc", "tcps"))
        gateway = client.address(*GATEWAY)
        wanted = [
            ("mgmt", MANAGEMENT_NETWORK, self.rid.netns("mgmt"), "eth0", plans[MANAGEMENT_NETWORK].address(*MANAGER)),
            ("gen-access", CLIENT_NETWORK, generator, GENERATOR_ACCESS, None),
            ("gen-external", SERVER_NETWORK, generator, GENERATOR_EXTERNAL, None),
            ("client", CLIENT_NETWORK, sessions, "eth0", client.address(*CLIENT)),
            ("server", SERVER_NETWORK, peers, "eth0", server.address(*SERVER)),
        ]
        agent = nfvi.hosts[self.testbed.hosts[0].name]
        for name, network, netns, ifname, address in wanted:
            spec = EndpointSpec(
                network_id=networks[network].id,
                netns=netns,
                ifname=ifname,
                mac=local_mac(f"{self.rid}-{name}"),
                ip=address,
                prefix=plans[network].network.prefixlen if address else 24,
            )
            agent.put_endpoint(name, spec)
        _add_route(sessions, str(server.network), gateway)
        return TrafficAccess(
            driver=self.testbed.traffic.driver,
            profile=self.testbed.traffic.profile,
            generator_netns=generator,
            client_netns=sessions,
            server_netns=peers,
            client_ip=client.address(*CLIENT),
            server_ip=server.address(*SERVER),
            sink_ips=[server.address(*sink) for sink in SINKS],
        )


def _create_networks(vim: OpenStackVim, plans: Mapping[str, NetworkPlan]) -> dict[str, NetworkAccess]:
    connection = vim.connection
    created = {}
    try:
        for name, plan in plans.items():
            network = connection.network.create_network(name=name)
            first, last = plan.pool
            connection.network.create_subnet(
                name=name,
                network_id=network.id,
                ip_version=4,
                cidr=str(plan.network),
                gateway_ip=None,
                enable_dhcp=False,
                allocation_pools=[{"start": first, "end": last}],
            )
            created[name] = NetworkAccess(id=network.id, cidr=str(plan.network))
    except NfvcertError:
        raise
    except Exception as error:
        raise TestbedError("the networks of the testbed could not be created", found=str(error)) from error
    return created


def _add_route(netns: str, destination: str, gateway: str) -> None:
    argv = ["ip", "-n", netns, "route", "add", destination, "via", gateway]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError("a route could not be set", where=netns, found=done.stderr.strip())
