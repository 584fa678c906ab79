"""Ports: taking and giving them up, and what they are."""

from __future__ import annotations

import socket
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.methods.captures import queued_packets
from nfvcert.traffic.trex.server.methods.common import Handler, owned_port, port_of
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import Owner, Port
from nfvcert.traffic.trex.server.sessions import EventType


def acquire(context: Context, parameters: Parameters) -> str:
    """Take a port; by force from another session, which is told. Answers the handler."""
    port = port_of(context, parameters)
    force = parameters.flag("force", False)
    owner = port.acquire(parameters.text("user"), parameters.session(), force=force)
    context.log.say("acquired", port=port.index, user=owner.user, session=owner.session, force=force)
    told = {"port_id": port.index, "who": owner.user, "session_id": owner.session, "force": force}
    context.sessions.publish(EventType.PORT_ACQUIRED, told)
    return owner.handler


def release(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Give a port up; what it sends goes on."""
    port = owned_port(context, parameters)
    owner = port.release("released")
    assert owner is not None
    tell_released(context, port, owner)
    return {}


def tell_released(context: Context, port: Port, owner: Owner) -> None:
    """Tell all that a port is free."""
    context.log.say("released", port=port.index, user=owner.user, session=owner.session, how=port.former)
    told = {"port_id": port.index, "who": owner.user, "session_id": owner.session}
    context.sessions.publish(EventType.PORT_RELEASED, told)


def get_owner(context: Context, parameters: Parameters) -> dict[str, str]:
    """Who holds a port; empty: nobody."""
    owner = port_of(context, parameters).owner
    return {"owner": owner.user if owner else ""}


def get_port_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """State and attributes of a port."""
    port = port_of(context, parameters)
    context.look_at_links()
    return {
        "owner": port.owner.user if port.owner else "",
        "state": port.state.value,
        "state_profile": {name: profile.state.value for name, profile in port.profiles.items()},
        "max_stream_id": port.highest_stream,
        "profile_count": len(port.profiles),
        "service": port.service,
        "service_filtered": port.service_filtered,
        "rx_info": {
            "queue": {"is_active": port.rx_queue > 0, "size": port.rx_queue, "count": queued_packets(context, port)},
            "grat_arp": {"is_active": False},
            "latency": {"is_active": True},
        },
        "attr": port.attributes(),
    }


def get_system_info(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The machine and its ports."""
    return {
        "hostname": socket.gethostname(),
        "uptime": f"{context.clock() - context.started:.0f} s",
        "dp_core_count": 1,
        "dp_core_count_per_port": 1,
        "core_type": "software",
        "is_multiqueue_mode": False,
        "advanced_per_stream_stats": False,
        "port_count": len(context.ports),
        "ports": [_described(port) for port in context.ports.values()],
    }


def _described(port: Port) -> dict[str, Any]:
    return {
        "index": port.index,
        "driver": f"net_{port.kind}",
        "pci_addr": "N/A",
        "numa": -1,
        "hw_mac": port.mac,
        "description": f"{port.name} ({port.kind})",
        "rx": {"caps": ["flow_stats", "latency", "rx_bytes"], "counters": 1023},
        "is_fc_supported": False,
        "is_led_supported": False,
        "is_link_supported": False,
        "is_prom_supported": True,
        "is_vxlan_supported": False,
        "is_ieee1588_supported": False,
        "is_virtual": True,
        "supp_speeds": [],
        "cores": [0],
    }


METHODS: dict[str, Handler] = {
    "acquire": acquire,
    "release": release,
    "get_owner": get_owner,
    "get_port_status": get_port_status,
    "get_system_info": get_system_info,
}
