"""SOL003 resources made of the VNFM's documents: pure rendering of VNF instances and affected VNFCs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nfvcert.reference.vnfm.descriptor import Descriptor
from nfvcert.reference.vnfm.instances import Instance, Vnfc
from nfvcert.sol.vnflcm import API_PATH

INSTANCES = f"{API_PATH}/vnf_instances"
OCCURRENCES = f"{API_PATH}/vnf_lcm_op_occs"
SUBSCRIPTIONS = f"{API_PATH}/subscriptions"

ShownVersion = Callable[[Vnfc], str]


def made_from(vnfc: Vnfc) -> str:
    """The descriptor a VNFC was made from."""
    return str(vnfc["vnfdId"])


def instance_view(
    instance: Instance, url: str, descriptor: Descriptor | None = None, shown: ShownVersion = made_from
) -> dict[str, Any]:
    """A VnfInstance (SOL003 5.5.2.2).

    Args:
        instance: internal document.
        url: the VNFM's public URL.
        descriptor: adds the largest scale levels if known.
        shown: which vnfdId to show for a VNFC.
    """
    body = {"id": instance["id"]} | instance["info"] | instance["identity"]
    body["instantiationState"] = "INSTANTIATED" if instance["instantiated"] else "NOT_INSTANTIATED"
    if instance["instantiated"] or instance["vnfcs"]:
        body["instantiatedVnfInfo"] = _instantiated(instance, descriptor, shown)
    body["_links"] = _links(f"{url}{INSTANCES}/{instance['id']}", bool(instance["instantiated"]))
    return body


def affected_vnfc(vnfc: Vnfc, change: str) -> dict[str, Any]:
    """An AffectedVnfc (SOL003 5.5.3.13)."""
    return {
        "id": vnfc["id"],
        "vduId": vnfc["vdu"],
        "vnfdId": vnfc["vnfdId"],
        "changeType": change,
        "computeResource": _server(vnfc),
        "affectedVnfcCpIds": [port["id"] for port in vnfc["ports"]],
    }


def affected_link(link: str, network: dict[str, Any], change: str) -> dict[str, Any]:
    """An AffectedVirtualLink (SOL003 5.5.3.14)."""
    return {
        "id": network["network"],
        "vnfVirtualLinkDescId": link,
        "changeType": change,
        "networkResource": _network(network["network"]),
    }


def _instantiated(instance: Instance, descriptor: Descriptor | None, shown: ShownVersion) -> dict[str, Any]:
    ports = [(vnfc, port) for vnfc in instance["vnfcs"] for port in vnfc["ports"]]
    info: dict[str, Any] = {
        "flavourId": instance["flavour"],
        "vnfState": "STOPPED" if instance["stopped"] else "STARTED",
        "scaleStatus": [{"aspectId": name, "scaleLevel": level} for name, level in instance["levels"].items()],
    }
    if descriptor:
        info["maxScaleLevels"] = [
            {"aspectId": aspect.id, "scaleLevel": aspect.max_level} for aspect in descriptor.aspects.values()
        ]
    info["extCpInfo"] = [_external_cp(port, shown(vnfc)) for vnfc, port in ports if port["external"]]
    info["extVirtualLinkInfo"] = [
        {
            "id": link["id"],
            "resourceHandle": _network(link["resourceId"]),
            "extLinkPorts": [
                _link_port(port, "EXT_CP")
                for _, port in ports
                if port["external"] and port["network"] == link["resourceId"]
            ],
            "currentVnfExtCpData": link.get("extCps") or [],
        }
        for link in instance["ext"]
    ]
    info["vnfcResourceInfo"] = [_resource(vnfc, shown(vnfc)) for vnfc in instance["vnfcs"]]
    info["vnfVirtualLinkResourceInfo"] = [
        {
            "id": network["network"],
            "vnfVirtualLinkDescId": link,
            "networkResource": _network(network["network"]),
            "vnfLinkPorts": [_link_port(port, "VNFC_CP") for _, port in ports if port["network"] == network["network"]],
        }
        for link, network in instance["networks"].items()
    ]
    info["vnfcInfo"] = [
        {
            "id": vnfc["id"],
            "vduId": vnfc["vdu"],
            "vnfcResourceInfoId": vnfc["id"],
            "vnfcState": "STOPPED" if vnfc.get("stopped") else "STARTED",
        }
        for vnfc in instance["vnfcs"]
    ]
    return info


def _resource(vnfc: Vnfc, version: str) -> dict[str, Any]:
    return {
        "id": vnfc["id"],
        "vduId": vnfc["vdu"],
        "vnfdId": version,
        "computeResource": _server(vnfc),
        "vnfcCpInfo": [
            {"id": port["id"], "cpdId": port["cp"]}
            | ({"vnfExtCpId": f"ext-{port['id']}"} if port["external"] else {"vnfLinkPortId": port["id"]})
            | {"cpProtocolInfo": _protocol(port)}
            for port in vnfc["ports"]
        ],
        "metadata": {"image": vnfc["image"]},
    }


def _external_cp(port: dict[str, Any], version: str) -> dict[str, Any]:
    return {
        "id": f"ext-{port['id']}",
        "cpdId": port["external"],
        "cpConfigId": "1",
        "vnfdId": version,
        "cpProtocolInfo": _protocol(port),
        "extLinkPortId": port["id"],
        "associatedVnfcCpId": port["id"],
    }


def _protocol(port: dict[str, Any]) -> list[dict[str, Any]]:
    addresses = [{"type": "IPV4", "addresses": [port["ip"]]}]
    return [
        {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"macAddress": port["mac"], "ipAddresses": addresses}}
    ]


def _link_port(port: dict[str, Any], kind: str) -> dict[str, Any]:
    handle = {"resourceId": port["id"], "vimLevelResourceType": "OS::Neutron::Port"}
    instance = f"ext-{port['id']}" if kind == "EXT_CP" else port["id"]
    return {"id": port["id"], "resourceHandle": handle, "cpInstanceId": instance, "cpInstanceType": kind}


def _server(vnfc: Vnfc) -> dict[str, Any]:
    return {"resourceId": vnfc["server"], "vimLevelResourceType": "OS::Nova::Server"}


def _network(identifier: str) -> dict[str, Any]:
    return {"resourceId": identifier, "vimLevelResourceType": "OS::Neutron::Net"}


def _links(own: str, instantiated: bool) -> dict[str, Any]:
    tasks = ("terminate", "scale", "heal", "operate", "change_vnfpkg") if instantiated else ("instantiate",)
    names = {"change_vnfpkg": "changeVnfPkg"}
    return {"self": {"href": own}} | {names.get(task, task): {"href": f"{own}/{task}"} for task in tasks}
