"""What an NS descriptor says, as far as instantiation uses it (SOL001 7): pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nfvcert.drop.findings import FindingError, fault
from nfvcert.drop.yamltree import Node, parse_yaml

CLAUSE = "SOL001 7.8"
NS_TYPE = "tosca.nodes.nfv.NS"
VNF_TYPE = "tosca.nodes.nfv.VNF"
MOST_INSTANCES = 64


@dataclass(frozen=True)
class VnfProfile:
    """A VNF of the service: name of the node, VNFD, flavour, and how many instances there are."""

    id: str
    vnfd_id: str
    flavour_id: str
    instances: int


@dataclass(frozen=True)
class Nsd:
    """A descriptor."""

    nsd_id: str
    name: str
    version: str
    designer: str
    invariant_id: str
    flavour_id: str
    profiles: tuple[VnfProfile, ...]


def read_nsd(data: bytes, where: str) -> Nsd:
    """The descriptor in a TOSCA file.

    Raises:
        FindingError: it is no descriptor, or an attribute that is needed is missing; the first fault.
    """
    tree = parse_yaml(data, where)
    nodes = list(_nodes(tree))
    services = [node for _, node in nodes if _text(node, "type") == NS_TYPE]
    if len(services) != 1:
        message = f"the descriptor has {len(services)} nodes of type {NS_TYPE}, expected one"
        raise fault("nsd.service", CLAUSE, where, message).error()
    service = services[0]
    profiles = tuple(_profile(name, node, where) for name, node in nodes if _text(node, "type") == VNF_TYPE)
    if not profiles:
        raise fault("nsd.vnf", CLAUSE, where, f"the service has no node of type {VNF_TYPE}").error()
    return Nsd(
        nsd_id=_needed(service, "descriptor_id", where),
        name=_needed(service, "name", where),
        version=_needed(service, "version", where),
        designer=_needed(service, "designer", where),
        invariant_id=_text(service, "properties", "invariant_id"),
        flavour_id=_text(service, "properties", "flavour_id") or "default",
        profiles=profiles,
    )


def _nodes(tree: Node) -> Iterator[tuple[str, Node]]:
    templates = tree.get("topology_template", "node_templates")
    if templates is None:
        return
    for part in templates.elements() or [templates]:
        yield from part.entries()


def _profile(name: str, node: Node, where: str) -> VnfProfile:
    wanted = _text(node, "properties", "vnf_profile", "min_number_of_instances") or "1"
    if not wanted.isdecimal() or not 1 <= int(wanted[:9]) <= MOST_INSTANCES:
        place = f"{where}:{node.line}"
        raise fault("nsd.instances", CLAUSE, place, "min_number_of_instances", wanted, f"1 to {MOST_INSTANCES}").error()
    return VnfProfile(
        id=name,
        vnfd_id=_needed(node, "descriptor_id", where),
        flavour_id=_text(node, "properties", "flavour_id") or "default",
        instances=int(wanted),
    )


def _needed(node: Node, name: str, where: str) -> str:
    text = _text(node, "properties", name)
    if not text:
        raise fault("nsd.property", CLAUSE, f"{where}:{node.line}", f"the property {name} is missing").error()
    return text


def _text(node: Node, *path: str) -> str:
    found = node.get(*path)
    return found.text if found is not None and found.is_scalar else ""


__all__ = ["FindingError", "Nsd", "VnfProfile", "read_nsd"]
