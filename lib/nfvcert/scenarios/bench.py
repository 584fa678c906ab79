"""The bench: everything a scenario works with, put together from attachment, drop and profile."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any

from nfvcert.drop.declaration import Traffic
from nfvcert.drop.nsd import single_vnf_nsd
from nfvcert.drop.package import open_package
from nfvcert.drop.read import Drop
from nfvcert.errors import DropError, TestbedError
from nfvcert.history import EventKind
from nfvcert.scenarios.load import Load
from nfvcert.scenarios.modification import Modification
from nfvcert.scenarios.profile import RunProfile
from nfvcert.scenarios.recording import Recording
from nfvcert.scenarios.service import Service
from nfvcert.sol.http import SolClient
from nfvcert.testbed.attachment import Attachment
from nfvcert.testbed.drivers.em import ReferenceEm
from nfvcert.testbed.drivers.hosts import Hosts
from nfvcert.testbed.drivers.nfvo import Nfvo
from nfvcert.testbed.drivers.recording import recording_observer
from nfvcert.testbed.drivers.vim import OpenStackVim
from nfvcert.testbed.drivers.vnfm import Vnfm
from nfvcert.testbed.embedded.supervisor import ask_restart
from nfvcert.testbed.witness.client import WitnessClient

SYNC_TIME_S = 10.0
"""When the drop does not declare it."""


class Bench:
    """One scenario's view of the testbed. Use as the context in which the scenario runs."""

    def __init__(
        self, scenario: str, *, attachment: Attachment, drop: Drop, profile: RunProfile, run_folder: Path
    ) -> None:
        self.attachment = attachment
        self.drop = drop
        self.profile = profile
        self.run_folder = run_folder
        self.witness = WitnessClient(attachment.witness.control_url, attachment.witness.sink_url)
        about = {"run": run_folder.name, "testbed": attachment.testbed, "profile": profile.name}
        self.recording = Recording(run_folder, scenario, self.witness, about)
        self.service = Service(self)
        self.load = Load(self)
        self.modifications: dict[str, Modification] = {}
        self._vnfd_ids: dict[Path, str] = {}

    def open(self) -> None:
        """Begin to record; the hosts are sampled from now on."""
        self.recording.__enter__()
        if self.hosts is not None:
            self.recording.every(self.profile.inventory_every_s, "inventory", self.take_inventory)
            self.recording.at_end(self.hosts.clear_faults)

    def close(self, error: BaseException | None = None) -> None:
        """End the scenario: traffic, readers, service, records."""
        self.recording.end(error)

    # ways into the stack

    @cached_property
    def nfvo(self) -> Nfvo:
        """The NFVO as the OSS sees it."""
        return Nfvo(self._client(self.attachment.nfvo.url, "oss", "os-ma-nfvo"))

    @cached_property
    def vnfm(self) -> Vnfm:
        """The VNFM as an NFVO sees it (SOL003)."""
        return Vnfm(self._client(self.attachment.vnfm.url, "nfvo", "or-vnfm"))

    @cached_property
    def vnfm_as_em(self) -> Vnfm:
        """The VNFM as an EM sees it (SOL002)."""
        return Vnfm(self._client(self.attachment.vnfm.url, "em", "ve-vnfm-vnfm"))

    @cached_property
    def em(self) -> ReferenceEm | None:
        """The administrator's view of the EM, where the testbed offers one."""
        if self.attachment.em is None or "em_migrations" not in self.attachment.features:
            return None
        return ReferenceEm(self.attachment.em.url)

    @cached_property
    def vim(self) -> OpenStackVim:
        """The VIM."""
        return OpenStackVim(self.attachment.vim)

    @cached_property
    def hosts(self) -> Hosts | None:
        """The compute hosts, where their agents can be asked."""
        return Hosts(self.attachment.hosts) if "hosts" in self.attachment.features else None

    def require_em(self) -> ReferenceEm:
        """The EM's view for the administrator.

        Raises:
            TestbedError: the testbed has none; the scenario cannot be driven then.
        """
        if self.em is None:
            raise TestbedError(
                "the scenario needs the decisions of the EM", hint="feature 'em_migrations' of the testbed"
            )
        return self.em

    def package_reader(self, role: str) -> SolClient:
        """A client of the NFVO's package interface in a role."""
        reference_point = "os-ma-nfvo" if role == "oss" else "or-vnfm-nfvo"
        return self._client(self.attachment.nfvo.url, role, reference_point)

    def reader(self, number: int) -> tuple[Nfvo, Vnfm]:
        """Clients of an observer that only reads."""
        role = f"reader{number}"
        return (
            Nfvo(self._client(self.attachment.nfvo.url, role, "os-ma-nfvo")),
            Vnfm(self._client(self.attachment.vnfm.url, role, "or-vnfm" if number == 1 else "ve-vnfm-vnfm")),
        )

    # what scenarios do

    def modification(self, label: str) -> Modification:
        """The modification with that label."""
        return self.modifications.setdefault(label, Modification(self, label))

    def take_inventory(self) -> None:
        """Look at the hosts now."""
        if self.hosts is not None:
            self.recording.sample_inventory(self.hosts.inventory)

    def watch(self, label: str) -> None:
        """Have two readers poll the operation and the instance twice a second each until the service is ended."""
        modification = self.modification(label)
        for number in (1, 2):
            _, vnfm = self.reader(number)

            def read(vnfm: Vnfm = vnfm, modification: Modification = modification) -> None:
                if modification.vnf_operation:
                    vnfm.operation(modification.vnf_operation)
                vnfm.instance(self.service.vnf_instance)

            reader = self.recording.every(0.5, f"reader-{number}", read)
            self.recording.at_end(reader.stop)

    def subscribe(self) -> None:
        """Subscribe to the operations of NFVO and VNFM; the second subscriber refuses its first notification."""
        subscriptions = [
            (self.nfvo.unsubscribe, self.nfvo.subscribe(self.witness.sink("oss"))),
            (self.vnfm.unsubscribe, self.vnfm.subscribe(self.witness.sink("full"), verbosity="FULL")),
            (
                self.vnfm.unsubscribe,
                self.vnfm.subscribe(self.witness.sink("short", refuse_first=True), verbosity="SHORT"),
            ),
        ]
        for unsubscribe, path in subscriptions:
            self.recording.at_end(partial(unsubscribe, path))

    def hold_stops(self, seconds: float) -> None:
        """Have the hosts hold back the stop of VNFCs, where they can."""
        if self.hosts is not None and "hold_stop" in self.attachment.features and seconds > 0:
            self.hosts.hold_stops(seconds)
            self.recording.recorder.record(EventKind.FAULT, "hosts", {"kind": "hold_stop", "seconds": seconds})

    def release_stops(self) -> None:
        """Lift the faults of the hosts."""
        if self.hosts is not None:
            self.hosts.clear_faults()

    def kill_vnfc(self, vnfc: str) -> None:
        """Kill a VNFC on its host."""
        if self.hosts is None or "kill_vnfc" not in self.attachment.features:
            raise TestbedError("the testbed cannot kill a VNFC", hint="feature 'kill_vnfc' of the testbed")
        self.recording.recorder.record(EventKind.FAULT, "hosts", {"kind": "kill", "vnfc": vnfc})
        self.hosts.kill(vnfc)

    def restart(self, component: str, down_s: float) -> tuple[int, int]:
        """Kill a component of the stack and have it started again; times of down and up (ns)."""
        return ask_restart(Path(self.attachment.supervisor_socket), component, down_s)

    def vnfd_id_of(self, csar: Path) -> str:
        """The vnfdId that a package brings; read once."""
        if csar not in self._vnfd_ids:
            self._vnfd_ids[csar] = open_package(csar).vnfd.vnfd_id
        return self._vnfd_ids[csar]

    def single_vnf_nsd(self) -> bytes:
        """A network service descriptor that holds the VNF of the drop alone."""
        return single_vnf_nsd(self.drop.in_service.vnfd)

    @property
    def sync_time(self) -> float:
        """How long records may take to agree (s), as the drop declares it."""
        declared = self.drop.policy_parameters.get("sync_time", SYNC_TIME_S)
        return float(declared) if isinstance(declared, int | float) else SYNC_TIME_S

    @property
    def gateway_ip(self) -> str:
        """Where clients send their packets first: declared by the drop."""
        return str(self._traffic.gateway.address)

    @property
    def _traffic(self) -> Traffic:
        traffic = self.drop.traffic
        if traffic is None:
            raise DropError("the drop does not say where traffic enters and leaves", hint="add 'traffic' to drop.yaml")
        return traffic

    def instantiation_request(self, *, gateway: bool) -> dict[str, Any]:
        """InstantiateNsRequest: the VNF's external links on the networks of the testbed.

        Args:
            gateway: whether this service is the one that gets the gateway's address and with it the traffic.
        """
        vnfd = self.drop.in_service.vnfd
        entry = self._traffic.gateway
        links: dict[str, dict[str, Any]] = {}
        for cp in vnfd.ext_cps:
            network = self.attachment.networks.get(cp.network)
            if network is None:
                raise TestbedError(
                    f"the drop needs a network '{cp.network}'",
                    found=", ".join(self.attachment.networks),
                    hint="declare it under 'networks' of the testbed",
                )
            link = links.setdefault(cp.network, {"id": f"ext-{cp.network}", "resourceId": network.id, "extCps": []})
            address = {"type": "IPV4", "numDynamicAddresses": 1}
            if cp.network == entry.network:
                fixed = entry.address if gateway else entry.address + 1
                address = {"type": "IPV4", "fixedAddresses": [str(fixed)]}
            protocol = {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": [address]}}
            link["extCps"].append({"cpdId": cp.name, "cpConfig": {"default": {"cpProtocolData": [protocol]}}})
        parameters = {"extVirtualLinks": list(links.values())}
        return {
            "nsFlavourId": "default",
            "additionalParamsForVnf": [{"vnfProfileId": "vnf", "additionalParams": parameters}],
        }

    def _client(self, url: str, role: str, reference_point: str) -> SolClient:
        observer = recording_observer(self.recording.recorder, role, reference_point)
        return SolClient(url, version="2.0.0", observer=observer)
