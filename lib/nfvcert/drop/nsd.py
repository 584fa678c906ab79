"""A network service descriptor for a service of one VNF (SOL001 7)."""

from __future__ import annotations

import uuid
from typing import Any

import yaml

from nfvcert.drop.vnfd import Vnfd

NSD_TYPES = "https://forge.etsi.org/rep/nfv/SOL001/raw/v3.6.1/etsi_nfv_sol001_nsd_types.yaml"
_NAMESPACE = uuid.UUID("6f1c3c39-5d0f-5a7e-9c6e-8a1f2d3b4c5d")
FLAVOUR = "default"


def single_vnf_nsd(vnfd: Vnfd) -> bytes:
    """The descriptor of a service with one instance of the VNF and a virtual link for each of its external networks.

    Its id is derived from the vnfdId, so the same VNFD gives the same bytes.
    """
    flavour = vnfd.flavours[0].id
    links = [link for link in vnfd.virtual_links if link.external]
    identifier = str(uuid.uuid5(_NAMESPACE, vnfd.vnfd_id))
    requirements = [
        {f"{cp.name}_link": cp.network} for cp in vnfd.ext_cps if cp.network in {link.name for link in links}
    ]
    nodes: dict[str, Any] = {
        "ns": {
            "type": "tosca.nodes.nfv.NS",
            "properties": {
                "descriptor_id": identifier,
                "designer": vnfd.provider,
                "version": vnfd.descriptor_version,
                "name": f"{vnfd.product_name}-service",
                "invariant_id": str(uuid.uuid5(_NAMESPACE, f"{vnfd.provider}/{vnfd.product_name}")),
                "flavour_id": FLAVOUR,
            },
        },
        "vnf": {
            "type": "tosca.nodes.nfv.VNF",
            "properties": {
                "descriptor_id": vnfd.vnfd_id,
                "descriptor_version": vnfd.descriptor_version,
                "provider": vnfd.provider,
                "product_name": vnfd.product_name,
                "software_version": vnfd.software_version,
                "vnfm_info": list(vnfd.vnfm_info),
                "flavour_id": flavour,
                "flavour_description": vnfd.flavours[0].description or flavour,
                "vnf_profile": {
                    "instantiation_level": "default",
                    "min_number_of_instances": 1,
                    "max_number_of_instances": 1,
                },
            },
            "requirements": requirements,
        },
    }
    for link in links:
        nodes[link.name] = {"type": "tosca.nodes.nfv.NsVirtualLink", "properties": _link(link.name, link.cidr)}
    document = {
        "tosca_definitions_version": "tosca_simple_yaml_1_3",
        "description": f"{vnfd.product_name} as a service of one VNF",
        "imports": [NSD_TYPES],
        "topology_template": {
            "substitution_mappings": {"node_type": "tosca.nodes.nfv.NS", "properties": {"flavour_id": FLAVOUR}},
            "node_templates": nodes,
        },
    }
    return yaml.safe_dump(document, sort_keys=False, width=110).encode()


def _link(name: str, cidr: str | None) -> dict[str, Any]:
    protocol: dict[str, Any] = {"associated_layer_protocol": "ipv4"}
    if cidr is not None:
        protocol["l3_protocol_data"] = {
            "name": name,
            "ip_version": "ipv4",
            "cidr": cidr,
            "dhcp_enabled": False,
        }
    return {
        "description": f"network {name}",
        "connectivity_type": {"layer_protocols": ["ethernet", "ipv4"]},
        "vl_profile": {
            "min_bitrate_requirements": {"root": 0},
            "max_bitrate_requirements": {"root": 0},
            "virtual_link_protocol_data": [protocol],
        },
    }
