"""The sample VNF in containers: real agents, VIM, traffic decider and workers, and UDP users through them."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openstack
import uvicorn

from nfvcert.drop.oci import ImageSpec, build_image, stripped
from nfvcert.nfvi import namespaces
from nfvcert.nfvi.agent.models import EndpointSpec
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.embedded import EmbeddedNfvi, NfviSpec
from nfvcert.nfvi.names import RunId
from nfvcert.reference.vim.app import build_app
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.settings import VimConfig
from nfvcert.traffic.native import binary

CIDRS = {"access": "198.18.0.0/16", "internal": "10.80.0.0/16", "external": "198.19.0.0/16", "mgmt": "10.64.0.0/16"}
CLIENT, SERVER, MANAGER = "198.18.16.1", "198.19.200.1", "10.64.200.1"
PORT = 7000
SO_RCVBUFFORCE = 33


class Gateway:
    """The VNF and what the VNFM would say of it."""

    id = "vnf-1"

    def __init__(self, cloud: Any, networks: dict[str, str]) -> None:
        self.cloud = cloud
        self.networks = networks
        self.images: dict[str, str] = {}
        self.flavor = cloud.compute.create_flavor(name="small", vcpus=1, ram=64, disk=0).id
        self.vnfcs: dict[str, dict[str, Any]] = {}

    def image(self, program: str) -> str:
        if program not in self.images:
            path = f"/{program}"
            content = build_image(ImageSpec(program, {path: stripped(binary(program))}, [path]))
            made = self.cloud.image.create_image(program, data=content, container_format="docker", disk_format="raw")
            self.images[program] = made.id
        return self.images[program]

    def add(self, id: str, vdu: str, group: str, program: str, **addresses: str) -> None:
        """Create a VNFC and wait until its server is active."""
        cps = {"lb": ["access", "internal", "mgmt"], "worker": ["internal", "external", "mgmt"]}[vdu]
        ports = {}
        for cp in cps:
            wanted = {"fixed_ips": [{"ip_address": addresses[cp]}]} if cp in addresses else {}
            ports[cp] = self.cloud.network.create_port(network_id=self.networks[cp], name=f"{id}-{cp}", **wanted)
        user_data = {
            "vnfcId": id,
            "ports": [
                {
                    "cp": cp,
                    "ifname": f"eth{n}",
                    "mac": port.mac_address,
                    "ip": port.fixed_ips[0]["ip_address"],
                    "prefix": 16,
                }
                for n, (cp, port) in enumerate(ports.items())
            ],
            "config": {"user_idle_s": 2},
        }
        server = self.cloud.compute.create_server(
            name=id,
            image_id=self.image(program),
            flavor_id=self.flavor,
            networks=[{"port": port.id} for port in ports.values()],
            user_data=base64.b64encode(json.dumps(user_data).encode()).decode(),
        )
        server = self.cloud.compute.wait_for_server(server, interval=0.05, wait=30)
        self.vnfcs[id] = {"vdu": vdu, "group": group, "ports": ports, "server": server}

    def remove(self, id: str) -> None:
        vnfc = self.vnfcs.pop(id)
        self.cloud.compute.delete_server(vnfc["server"])
        self.cloud.compute.wait_for_delete(vnfc["server"], interval=0.05, wait=30)
        for port in vnfc["ports"].values():
            self.cloud.network.delete_port(port)

    def address(self, id: str, cp: str) -> str:
        return str(self.vnfcs[id]["ports"][cp].fixed_ips[0]["ip_address"])

    async def record(self, _: str) -> dict[str, Any]:
        """The VnfInstance."""
        resources = [
            {
                "id": id,
                "vduId": vnfc["vdu"],
                "vnfdId": vnfc["group"],
                "vnfcCpInfo": [
                    {
                        "id": f"{id}-{cp}",
                        "cpdId": f"{vnfc['vdu']}_{cp}",
                        "cpProtocolInfo": [
                            {
                                "ipOverEthernet": {
                                    "macAddress": port.mac_address,
                                    "ipAddresses": [{"type": "IPV4", "addresses": [port.fixed_ips[0]["ip_address"]]}],
                                }
                            }
                        ],
                    }
                    for cp, port in vnfc["ports"].items()
                ],
            }
            for id, vnfc in self.vnfcs.items()
        ]
        return {"id": self.id, "vnfdId": "v1", "instantiatedVnfInfo": {"vnfcResourceInfo": resources}}


class Users:
    """UDP users who send numbered packets through the gateway and count the echoes.

    Attributes:
        sent, received: number of packets by user.
        seen_as: the translated endpoints under which the server saw each user.
        doubles: echoes that came more than once.
    """

    def __init__(self, client_netns: str, server_netns: str, count: int) -> None:
        self.sent: dict[int, int] = defaultdict(int)
        self.received: dict[int, int] = defaultdict(int)
        self.seen_as: dict[int, set[tuple[str, int]]] = defaultdict(set)
        self.doubles = 0
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._server = namespaces.run_in(server_netns, lambda: _bound(SERVER))
        addresses = [f"198.18.16.{n + 1}" for n in range(count)]
        self._clients = [namespaces.run_in(client_netns, lambda a=a: _bound(a)) for a in addresses]
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._echo, self._send, self._receive)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more, wait for the last echoes."""
        self._pause.set()
        deadline = time.monotonic() + 10
        while dict(self.sent) != dict(self.received) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for used in (self._server, *self._clients):
            used.close()

    def lost(self) -> int:
        return sum(self.sent.values()) - sum(self.received.values())

    def _send(self) -> None:
        while not self._pause.is_set():
            for user, client in enumerate(self._clients):
                client.sendto(struct.pack("!II", user, self.sent[user]), (SERVER, PORT))
                self.sent[user] += 1
            time.sleep(0.01)

    def _echo(self) -> None:
        while not self._stop.is_set():
            try:
                data, source = self._server.recvfrom(64)
            except TimeoutError:
                continue
            self.seen_as[struct.unpack("!II", data)[0]].add(source)
            self._server.sendto(data, source)

    def _receive(self) -> None:
        import select

        seen: dict[int, set[int]] = defaultdict(set)
        while not self._stop.is_set():
            for client in select.select(self._clients, [], [], 0.1)[0]:
                user, number = struct.unpack("!II", client.recv(64))
                self.doubles += number in seen[user]
                seen[user].add(number)
                self.received[user] = len(seen[user])


def _bound(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0.1)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)  # what arrives while this process has no core is kept
    made.bind((address, PORT))
    return made


@contextmanager
def gateway(rid: RunId, path: Path, users: int) -> Iterator[tuple[Gateway, str, Users]]:
    """The VNF with lb and two workers o1, o2 of version v1; the EM's namespace; users who do not send yet."""
    with EmbeddedNfvi.up(rid, NfviSpec([HostSpec("host1"), HostSpec("host2")])) as nfvi, _vim(nfvi, path) as cloud:
        networks = {}
        for name, cidr in CIDRS.items():
            networks[name] = cloud.network.create_network(name=name).id
            pools = [{"start": cidr.replace("0.0/16", "1.1"), "end": cidr.replace("0.0/16", "1.250")}]
            cloud.network.create_subnet(
                network_id=networks[name],
                cidr=cidr,
                ip_version=4,
                gateway_ip=None,
                enable_dhcp=False,
                allocation_pools=pools,
            )
        spaces = {
            "access": _attach(nfvi, "gen", networks["access"], CLIENT),
            "external": _attach(nfvi, "tcps", networks["external"], SERVER),
            "mgmt": _attach(nfvi, "mgmt", networks["mgmt"], MANAGER),
        }
        for n in range(1, users):
            _ip(spaces["access"], "addr", "add", f"198.18.16.{n + 1}/16", "dev", "eth0")
        _ip(spaces["access"], "route", "add", CIDRS["external"], "via", "198.18.0.1")
        vnf = Gateway(cloud, networks)
        vnf.add("lb", "lb", "v1", "edge-gateway-lb-1.0.0", access="198.18.0.1")
        for id in ("o1", "o2"):
            vnf.add(id, "worker", "v1", "edge-gateway-worker-1.0.0")
        yield vnf, spaces["mgmt"], Users(spaces["access"], spaces["external"], users)


@contextmanager
def _vim(nfvi: EmbeddedNfvi, path: Path) -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    hosts = [
        {
            "name": place.spec.name,
            "agent_socket": nfvi.agent_socket(place.spec.name),
            "vcpus": place.spec.vcpus,
            "ram_mb": place.spec.ram_mb,
            "underlay_ip": place.underlay_ip,
        }
        for place in nfvi.fabric.hosts
    ]
    config = VimConfig.model_validate({"name": "vim", "port": port, "state_dir": path / "vim", "hosts": hosts})
    server = uvicorn.Server(uvicorn.Config(build_app(config, VimBehaviour()), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    warnings.filterwarnings("ignore", module="openstack")
    connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=f"{config.url}/identity",
        username="admin",
        password="admin",
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    )
    try:
        yield connection
    finally:
        connection.close()
        server.should_exit = True
        thread.join()


def _attach(nfvi: EmbeddedNfvi, what: str, network: str, address: str) -> str:
    netns = nfvi.create_netns(what)
    mac = "02:aa:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    nfvi.hosts["host1"].put_endpoint(
        what, EndpointSpec(network_id=network, netns=netns, ifname="eth0", mac=mac, ip=address, prefix=16)
    )
    return netns


def _ip(netns: str, *arguments: str) -> None:
    subprocess.run(["ip", "-n", netns, *arguments], check=True, capture_output=True)
