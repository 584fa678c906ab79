"""Configuring ports: attributes, addresses, service mode."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.methods.common import Handler, owned_port
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import Port, State
from nfvcert.traffic.trex.server.sessions import EventType

_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def set_port_attr(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Promiscuous and multicast reception; what a software port cannot do is refused."""
    port = owned_port(context, parameters)
    wanted = parameters.mapping("attr")
    for name, value in wanted.items():
        if name not in ("promiscuous", "multicast"):
            raise RpcError("the port has no such attribute that can be set", where=f"port {port.index}", found=name)
        if not isinstance(value, dict) or not isinstance(value.get("enabled"), bool):
            raise invalid(f"'{name}' is to be an object with 'enabled'", where=parameters.method, found=str(value)[:80])
    for name, value in wanted.items():
        setattr(port, name, value["enabled"])
    return _changed(context, port)


def service(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Service mode on or off."""
    port = owned_port(context, parameters)
    enabled, filtered = parameters.flag("enabled"), parameters.flag("filtered", False)
    if enabled and port.state is State.TX:
        raise RpcError("no service mode while packets are sent", where=f"port {port.index}", hint="stop first")
    port.service, port.service_filtered = enabled, enabled and filtered
    return {}


def set_l2(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Destination MAC address of packets that leave it to the port."""
    port = owned_port(context, parameters)
    port.destination_mac = _mac(parameters, "dst_mac")
    port.source_ip = port.destination_ip = None
    _be_host(context, port)
    return _changed(context, port)


def set_l3(context: Context, parameters: Parameters) -> dict[str, Any]:
    """IPv4 addresses; unresolved until a MAC address is given with them. The port answers ARP and echo requests."""
    port = owned_port(context, parameters)
    source, destination = (_address(parameters, name, 4) for name in ("src_addr", "dst_addr"))
    resolved = _mac(parameters, "resolved_mac") if parameters.values.get("resolved_mac") else None
    port.source_ip, port.destination_ip, port.destination_mac = source, destination, resolved
    _be_host(context, port)
    return _changed(context, port)


def conf_ipv6(context: Context, parameters: Parameters) -> dict[str, Any]:
    """IPv6 address of the port, only kept and shown."""
    port = owned_port(context, parameters)
    enabled = parameters.flag("enabled")
    source = _address(parameters, "src_ipv6", 6) if enabled and parameters.text("src_ipv6", "") else ""
    port.ipv6 = {"enabled": enabled, "src": source} if enabled else {"enabled": False}
    return _changed(context, port)


def set_vlan(context: Context, parameters: Parameters) -> dict[str, Any]:
    """VLAN tags of packets that the port itself makes: its answers to ARP and echo requests."""
    port = owned_port(context, parameters)
    port.vlan = parameters.integers("vlan", most=2, high=4095)
    _be_host(context, port)
    return _changed(context, port)


def _be_host(context: Context, port: Port) -> None:
    context.order("host", port=port.index, address=port.source_ip, vlan=port.vlan)


def _changed(context: Context, port: Port) -> dict[str, Any]:
    context.sessions.publish(EventType.PORT_ATTRIBUTES, {"port_id": port.index, "attr": port.attributes()})
    return {}


def _mac(parameters: Parameters, name: str) -> str:
    text = parameters.text(name)
    if not _MAC.fullmatch(text):
        raise invalid(f"'{name}' is to be a MAC address", where=parameters.method, found=text)
    return text.lower()


def _address(parameters: Parameters, name: str, version: int) -> str:
    text = parameters.text(name)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise invalid(f"'{name}' is to be an IPv{version} address", where=parameters.method, found=text)
    return str(address)


METHODS: dict[str, Handler] = {
    "set_port_attr": set_port_attr,
    "service": service,
    "set_l2": set_l2,
    "set_l3": set_l3,
    "conf_ipv6": conf_ipv6,
    "set_vlan": set_vlan,
}
