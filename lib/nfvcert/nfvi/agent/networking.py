"""The networks, ports and endpoints of one host."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from nfvcert.nfvi.agent.models import (
    AgentConfig,
    Endpoint,
    EndpointSpec,
    Network,
    NetworkSpec,
    Port,
    PortCounters,
    PortSpec,
)
from nfvcert.nfvi.agent.observer import Observer
from nfvcert.nfvi.agent.refusal import Conflict, NotFound, Refusal
from nfvcert.nfvi.fabric import VXLAN_OVERHEAD
from nfvcert.nfvi.links import Address, Netlink, counters, local_mac
from nfvcert.nfvi.names import bridge_interface, endpoint_interface, parse_netns, port_interface, vxlan_interface

_log = logging.getLogger(__name__)


@dataclass
class _Attachment:
    """Which container has a port, and whether its host side is switched on."""

    container: str
    up: bool = True


class HostNetworking:
    """What the agent was asked to have on the network, and the kernel brought to have it."""

    def __init__(self, config: AgentConfig, observer: Observer, state: Path) -> None:
        self.config = config
        self.state = state
        self.observer = observer
        self.netlink = Netlink()
        self._lock = threading.RLock()
        self._networks: dict[str, NetworkSpec] = {}
        self._ports: dict[str, PortSpec] = {}
        self._endpoints: dict[str, EndpointSpec] = {}
        self._attached: dict[str, _Attachment] = {}

    def close(self) -> None:
        """Give the netlink socket back; the kernel keeps what was made."""
        self.netlink.close()

    def put_network(self, identifier: str, spec: NetworkSpec) -> Network:
        """Make a network, or change which hosts are its peers."""
        peers = [peer for peer in dict.fromkeys(spec.peers) if peer != self.config.underlay_ip]
        spec = spec.model_copy(update={"peers": peers})
        with self._lock:
            known = self._networks.get(identifier)
            device = vxlan_interface(spec.vni)
            if known is None:
                self._make_network(identifier, spec)
                known = spec.model_copy(update={"peers": []})
            elif (known.vni, known.mtu) != (spec.vni, spec.mtu):
                raise Conflict(
                    "a network keeps its VNI and MTU", where=identifier, found=f"VNI {known.vni}, MTU {known.mtu}"
                )
            old, new = set(known.peers), set(peers)
            self.netlink.set_flood_list(device, add=sorted(new - old), remove=sorted(old - new))
            self._networks[identifier] = spec
            self._save()
            return self._network(identifier)

    def delete_network(self, identifier: str) -> None:
        """Remove a network nobody uses any more."""
        with self._lock:
            spec = self._spec_of_network(identifier)
            users = [key for key, port in self._ports.items() if port.network_id == identifier]
            users += [key for key, endpoint in self._endpoints.items() if endpoint.network_id == identifier]
            if users:
                raise Conflict("the network is in use", where=identifier, found=", ".join(users))
            self.netlink.delete(vxlan_interface(spec.vni))
            self.netlink.delete(bridge_interface(identifier))
            del self._networks[identifier]
            self._save()

    def put_port(self, identifier: str, spec: PortSpec) -> Port:
        """Define a port; it may be defined again only as it is."""
        with self._lock:
            self._spec_of_network(spec.network_id)
            known = self._ports.setdefault(identifier, spec)
            if known != spec:
                raise Conflict("the port exists and is another one", where=identifier, found=known.model_dump_json())
            self._save()
            return self._port(identifier, {})

    def delete_port(self, identifier: str) -> None:
        """Forget a port; its interface goes even if a container still has it."""
        with self._lock:
            if identifier not in self._ports:
                raise NotFound("there is no such port on this host", where=identifier)
            self.detach(identifier)
            del self._ports[identifier]
            self._save()

    def put_endpoint(self, name: str, spec: EndpointSpec) -> Endpoint:
        """Attach a namespace outside of the VNF to a network; attached again if its namespace was made anew."""
        with self._lock:
            network = self._spec_of_network(spec.network_id)
            parsed = parse_netns(spec.netns)
            if parsed is None or parsed[0] != self.config.rid:
                raise Refusal("an endpoint's namespace has to be one of this run", where=name, found=spec.netns)
            ifname = endpoint_interface(name)
            if self._endpoints.get(name) != spec or ifname not in self.netlink.interfaces():
                self.netlink.delete(ifname)
                self.netlink.create_veth(
                    ifname,
                    mtu=network.mtu,
                    bridge=bridge_interface(spec.network_id),
                    address=Address(mac=local_mac(f"{self.config.rid}/{ifname}")),
                    peer_netns=spec.netns,
                    peer_ifname=spec.ifname,
                    peer=Address(spec.mac, spec.ip, spec.prefix),
                )
            self._endpoints[name] = spec
            self._save()
            return self._endpoint(name)

    def delete_endpoint(self, name: str) -> None:
        """Take an endpoint off its network."""
        with self._lock:
            if name not in self._endpoints:
                raise NotFound("there is no such endpoint on this host", where=name)
            self.netlink.delete(endpoint_interface(name))
            del self._endpoints[name]
            self._save()

    def attach(self, identifier: str, container: str, netns: str, ifname: str) -> None:
        """Make the interface of a port between the bridge and a container's namespace, observed from the start."""
        with self._lock:
            spec = self._spec_of_port(identifier)
            if identifier in self._attached:
                raise Conflict("the port is in use", where=identifier, found=self._attached[identifier].container)
            device = port_interface(identifier)
            self.netlink.delete(device)
            self.netlink.create_veth(
                device,
                mtu=self._spec_of_network(spec.network_id).mtu,
                bridge=bridge_interface(spec.network_id),
                address=Address(mac=local_mac(f"{self.config.rid}/{device}")),
                peer_netns=netns,
                peer_ifname=ifname,
                peer=Address(spec.mac, spec.ip if spec.kernel_address else None, spec.prefix),
            )
            try:
                self.observer.add(device, identifier, spec.mac)
            except BaseException:
                self.netlink.delete(device)
                raise
            self._attached[identifier] = _Attachment(container)
            self._save()

    def detach(self, identifier: str) -> None:
        """Remove the interface of a port; harmless when it has none."""
        with self._lock:
            if self._attached.pop(identifier, None) is None:
                return
            try:
                self.observer.remove(identifier)
            except Refusal as error:
                _log.warning("port %s: %s", identifier, error)
            self.netlink.delete(port_interface(identifier))
            self._save()

    def detach_all(self, container: str) -> None:
        """Remove the interfaces of all ports that a container has."""
        with self._lock:
            for identifier in [key for key, found in self._attached.items() if found.container == container]:
                self.detach(identifier)

    def switch_port(self, identifier: str, up: bool) -> None:
        """Switch the host side of an attached port on or off."""
        with self._lock:
            self._spec_of_port(identifier)
            attachment = self._attached.get(identifier)
            if attachment is None:
                raise Conflict("no container has the port", where=identifier)
            self.netlink.set_up(port_interface(identifier), up)
            attachment.up = up

    def networks(self) -> list[Network]:
        """All networks of this host."""
        with self._lock:
            return [self._network(identifier) for identifier in self._networks]

    def ports(self) -> list[Port]:
        """All ports of this host with the counters of their interfaces."""
        with self._lock:
            counted = counters()
            return [self._port(identifier, counted) for identifier in self._ports]

    def endpoints(self) -> list[Endpoint]:
        """All endpoints attached at this host."""
        with self._lock:
            return [self._endpoint(name) for name in self._endpoints]

    def adopt(self) -> None:
        """Take over what an earlier agent of this host made and the kernel still has."""
        try:
            state = json.loads(self.state.read_text())
        except (OSError, ValueError):
            return
        present = set(self.netlink.interfaces())
        for key, value in state["networks"].items():
            if bridge_interface(key) in present:
                self._networks[key] = NetworkSpec.model_validate(value)
        self._ports |= {key: PortSpec.model_validate(value) for key, value in state["ports"].items()}
        self._endpoints |= {key: EndpointSpec.model_validate(value) for key, value in state["endpoints"].items()}
        for key, container in state["attached"].items():
            if port_interface(key) in present:
                self._attached[key] = _Attachment(container)
                self.observer.add(port_interface(key), key, self._ports[key].mac)

    def keep_attached(self, containers: set[str]) -> None:
        """Remove the interfaces of ports whose containers are not among these."""
        with self._lock:
            for identifier in [key for key, found in self._attached.items() if found.container not in containers]:
                self.detach(identifier)

    def _save(self) -> None:
        """Write down what an agent started later has to know, before the change is answered."""
        state = {
            "networks": {key: spec.model_dump() for key, spec in self._networks.items()},
            "ports": {key: spec.model_dump() for key, spec in self._ports.items()},
            "endpoints": {key: spec.model_dump() for key, spec in self._endpoints.items()},
            "attached": {key: found.container for key, found in self._attached.items()},
        }
        fresh = self.state.with_suffix(".tmp")
        fresh.write_text(json.dumps(state))
        fresh.replace(self.state)

    def _make_network(self, identifier: str, spec: NetworkSpec) -> None:
        if spec.mtu + VXLAN_OVERHEAD > self.config.underlay_mtu:
            raise Refusal(
                "the MTU of the network does not fit into the underlay's",
                where=identifier,
                found=f"{spec.mtu}",
                hint=f"at most {self.config.underlay_mtu - VXLAN_OVERHEAD}",
            )
        twins = [key for key, known in self._networks.items() if known.vni == spec.vni]
        if twins:
            raise Conflict("the VNI is in use", where=identifier, found=f"VNI {spec.vni}: network {twins[0]}")
        bridge, device = bridge_interface(identifier), vxlan_interface(spec.vni)
        try:
            self.netlink.create_bridge(bridge, mtu=spec.mtu, mac=local_mac(f"{self.config.netns}/{bridge}"))
            self.netlink.create_vxlan(device, vni=spec.vni, local=self.config.underlay_ip, bridge=bridge, mtu=spec.mtu)
        except BaseException:
            self.netlink.delete(device)
            self.netlink.delete(bridge)
            raise

    def _spec_of_network(self, identifier: str) -> NetworkSpec:
        found = self._networks.get(identifier)
        if found is None:
            raise NotFound("there is no such network on this host", where=identifier)
        return found

    def _spec_of_port(self, identifier: str) -> PortSpec:
        found = self._ports.get(identifier)
        if found is None:
            raise NotFound("there is no such port on this host", where=identifier)
        return found

    def _network(self, identifier: str) -> Network:
        spec = self._networks[identifier]
        return Network(id=identifier, vni=spec.vni, mtu=spec.mtu, peers=spec.peers, bridge=bridge_interface(identifier))

    def _port(self, identifier: str, counted: dict[str, dict[str, int]]) -> Port:
        spec, attachment = self._ports[identifier], self._attached.get(identifier)
        device = port_interface(identifier) if attachment else None
        found = counted.get(device or "")
        return Port(
            id=identifier,
            network_id=spec.network_id,
            mac=spec.mac,
            ip=spec.ip,
            ifname=device,
            container=attachment.container if attachment else None,
            up=attachment.up if attachment else False,
            counters=PortCounters(
                sent_packets=found["rx_packets"],
                sent_bytes=found["rx_bytes"],
                received_packets=found["tx_packets"],
                received_bytes=found["tx_bytes"],
                dropped=found["rx_dropped"] + found["tx_dropped"],
            )
            if found
            else None,
        )

    def _endpoint(self, name: str) -> Endpoint:
        spec = self._endpoints[name]
        return Endpoint(name=name, network_id=spec.network_id, netns=spec.netns, ifname=endpoint_interface(name))
