"""From TOSCA templates to the model of a VNF descriptor (SOL001 6.8)."""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass

from nfvcert.drop.findings import Finding, errors, fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.names import resolve
from nfvcert.drop.properties import GIB, MIB, Properties
from nfvcert.drop.template import Exists, Read, Template, read_template
from nfvcert.drop.vnfd import (
    ExtCp,
    Flavour,
    Port,
    SoftwareImage,
    Vdu,
    VirtualLink,
    Vnfd,
)
from nfvcert.drop.vnfd_maintenance import read_maintenance
from nfvcert.drop.vnfd_policies import read_policies
from nfvcert.drop.yamltree import Node

CLAUSE = "SOL001 6.8"
ALGORITHMS = {"sha-256": "sha256", "sha256": "sha256", "sha-512": "sha512", "sha512": "sha512"}
METADATA_KEY = "software_modification"
"""Key of the VNF node's metadata that names the file with the software modification metadata."""


def read_vnfd(read: Read, exists: Exists, entry: str, limits: Limits = DEFAULT) -> tuple[Vnfd | None, list[Finding]]:
    """The descriptor that begins in member ``entry``, and everything wrong with it; None when errors forbid its use."""
    template = read_template(read, exists, entry, limits)
    findings = list(template.findings)
    if entry not in template.files:
        return None, findings
    vnfd = _Reader(template, exists, findings).vnfd()
    return (None if errors(findings) else vnfd), findings


@dataclass
class _Node:
    """A node template."""

    file: str
    name: str
    type: str
    properties: Properties
    whole: Properties

    def requirement(self, name: str) -> str:
        """The target of a requirement, or empty."""
        node = self.whole.node.get("requirements") if self.whole.node is not None else None
        for element in node.elements() if node is not None else []:
            target = element.get(name)
            if target is not None:
                inner = target.get("node")
                return inner.text if inner is not None else target.text
        return ""


class _Reader:
    def __init__(self, template: Template, exists: Exists, findings: list[Finding]) -> None:
        self._template = template
        self._exists = exists
        self._findings = findings
        self._nodes = [self._node(file, name, node) for file, name, node in template.topology("node_templates")]
        self._images: dict[str, SoftwareImage] = {}

    def vnfd(self) -> Vnfd | None:
        vnf_nodes = self._of("tosca.nodes.nfv.VNF")
        if not vnf_nodes:
            self._findings.append(fault("vnfd.missing", CLAUSE, self._template.entry, "there is no VNF node"))
            return None
        vnf = next((node for node in vnf_nodes if node.properties.node is not None), vnf_nodes[0])
        properties = vnf.properties
        links = self._virtual_links()
        vdu_nodes = self._of("tosca.nodes.nfv.Vdu.Compute")
        if not vdu_nodes:
            properties.fault("vnfd.missing", "the VNF has no Vdu.Compute")
        vdu_names = {node.name for node in vdu_nodes}
        groups = {
            name: self._members(Properties(node, file, name, node.line, CLAUSE, self._findings), vdu_names)
            for file, name, node in self._template.topology("groups")
        }
        policies = read_policies(self._template, vdu_names, groups, self._findings)
        ports = self._ports(vdu_names, {link.name for link in links})
        ext_cps = self._ext_cps({link.name for link in links})
        exposed = {cp.network for cp in ext_cps}
        links = [link.model_copy(update={"external": link.name in exposed}) for link in links]
        vdus = [self._vdu(node, ports.get(node.name, []), policies.initial) for node in vdu_nodes]
        identifier = properties.text("descriptor_id")
        try:
            uuid.UUID(identifier)
        except ValueError:
            if identifier:
                properties.fault("vnfd.id", "the descriptor_id is no UUID", identifier)
        result = Vnfd(
            vnfd_id=identifier,
            descriptor_version=properties.text("descriptor_version"),
            provider=properties.text("provider"),
            product_name=properties.text("product_name"),
            software_version=properties.text("software_version"),
            product_info_name=properties.text("product_info_name", ""),
            vnfm_info=tuple(properties.texts("vnfm_info", required=True)),
            flavours=tuple(self._flavours(vnf_nodes)),
            vdus=tuple(vdus),
            images=self._images,
            ext_cps=tuple(ext_cps),
            virtual_links=tuple(links),
            scaling_aspects=tuple(policies.scaling_aspects),
            affinity_rules=tuple(policies.affinity_rules),
            package_changes=tuple(policies.package_changes),
            coordination_actions=tuple(policies.coordination_actions),
            modification_metadata=vnf.whole.text_map("metadata").get(METADATA_KEY),
        )
        self._check_changes(result, properties)
        return result

    def _members(self, group: Properties, vdus: set[str]) -> list[str]:
        """The VDUs of a group."""
        members = list(dict.fromkeys(group.texts("members")))
        return [member for member in members if member in vdus]

    def _flavours(self, vnf_nodes: list[_Node]) -> list[Flavour]:
        found: dict[str, Flavour] = {}
        for node in vnf_nodes:
            flavour = node.properties.text("flavour_id")
            if flavour:
                found[flavour] = Flavour(id=flavour, description=node.properties.text("flavour_description", ""))
        return list(found.values())

    def _virtual_links(self) -> list[VirtualLink]:
        links: list[VirtualLink] = []
        for node in self._of("tosca.nodes.nfv.VnfVirtualLink"):
            cidr = None
            profile = node.properties.child("vl_profile")
            for data in profile.elements("virtual_link_protocol_data"):
                cidr = data.child("l3_protocol_data").text("cidr", "") or cidr
            if cidr is not None:
                try:
                    ipaddress.ip_network(cidr)
                except ValueError:
                    node.properties.fault("vnfd.type", f"{node.name}: the cidr is no network", cidr)
                    cidr = None
            links.append(VirtualLink(name=node.name, cidr=cidr, description=node.properties.text("description", "")))
        return links

    def _ext_cps(self, links: set[str]) -> list[ExtCp]:
        found: list[ExtCp] = []
        for node in self._of("tosca.nodes.nfv.VnfExtCp"):
            network = node.requirement("internal_virtual_link")
            if network not in links:
                node.whole.fault("vnfd.reference", f"{node.name} exposes no virtual link of the VNF", network or "none")
                continue
            found.append(ExtCp(name=node.name, network=network, description=node.properties.text("description", "")))
        return found

    def _ports(self, vdus: set[str], links: set[str]) -> dict[str, list[Port]]:
        """Ports of each VDU in order."""
        found: dict[str, list[Port]] = {}
        for node in self._of("tosca.nodes.nfv.VduCp"):
            vdu, network = node.requirement("virtual_binding"), node.requirement("virtual_link")
            if vdu not in vdus:
                node.whole.fault("vnfd.reference", f"{node.name} is bound to no VDU", vdu or "none")
                continue
            if network not in links:
                node.whole.fault("vnfd.reference", f"{node.name} is on no virtual link", network or "none")
                continue
            metadata = node.whole.text_map("metadata")
            port = Port(
                name=node.name,
                network=network,
                order=node.properties.integer("order", len(found.get(vdu, [])), most=255),
                management=metadata.get("purpose") == "management",
                address_role=metadata.get("address_role", ""),
                fixed_ip=self._fixed_ip(node),
            )
            if any(other.order == port.order for other in found.get(vdu, [])):
                node.whole.fault("vnfd.reference", f"two connection points of {vdu} have the same order", port.order)
            found.setdefault(vdu, []).append(port)
        return {vdu: sorted(ports, key=lambda port: port.order) for vdu, ports in found.items()}

    def _fixed_ip(self, node: _Node) -> str | None:
        for protocol in node.properties.elements("protocol"):
            for data in protocol.elements("address_data"):
                for address in data.child("l3_address_data").texts("fixed_ip_address"):
                    try:
                        return str(ipaddress.ip_address(address))
                    except ValueError:
                        node.properties.fault("vnfd.type", f"{node.name}: no IP address", address)
        return None

    def _vdu(self, node: _Node, ports: list[Port], initial: dict[str, int]) -> Vdu:
        properties = node.properties
        profile = properties.child("vdu_profile", required=True)
        least = profile.integer("min_number_of_instances")
        most = profile.integer("max_number_of_instances")
        number = initial.get(node.name, max(least, 1))
        if not least <= number <= most:
            profile.fault(
                "vnfd.reference", f"{node.name} starts with instances beyond its bounds", number, f"{least}..{most}"
            )
        compute = node.whole.child("capabilities").child("virtual_compute").child("properties", required=True)
        maintenance = profile.child("nfvi_maintenance_info")
        boot = properties.child("boot_data").child("content_or_file_data")
        return Vdu(
            name=node.name,
            description=properties.text("description", ""),
            image=self._image(node),
            vcpus=compute.child("virtual_cpu", required=True).integer("num_virtual_cpu", least=1, most=1024),
            memory_mib=compute.child("virtual_memory", required=True).size("virtual_mem_size") / MIB,
            ports=tuple(ports),
            min_instances=least,
            max_instances=most,
            initial_instances=number,
            boot_data=boot.text_map("data"),
            nfvi_maintenance=read_maintenance(maintenance) if maintenance else None,
        )

    def _image(self, node: _Node) -> str:
        data = node.properties.child("sw_image_data")
        artifacts = node.whole.child("artifacts")
        path = ""
        for name in artifacts.names():
            artifact = artifacts.child(name)
            if self._template.is_a(artifact.text("type", ""), "tosca.artifacts.nfv.SwImage"):
                reference = artifact.text("file")
                path = self._member(node, artifact, reference)
        if not data and not path:
            return ""
        data = node.properties.child("sw_image_data", required=True)
        if not path:
            node.whole.fault("vnfd.missing", f"{node.name} has no artifact of type tosca.artifacts.nfv.SwImage")
        checksum = data.child("checksum", required=True)
        algorithm = checksum.text("algorithm").lower()
        if algorithm and algorithm not in ALGORITHMS:
            checksum.fault("vnfd.type", f"{node.name}: unknown checksum algorithm", algorithm, "sha-256, sha-512")
        digest = checksum.text("hash").lower()
        length = 128 if "512" in algorithm else 64
        if digest and not re.fullmatch(rf"[0-9a-f]{{{length}}}", digest):
            checksum.fault("vnfd.type", f"{node.name}: the checksum is no {algorithm} digest in hex", digest)
            digest = ""
        image = SoftwareImage(
            name=data.text("name"),
            version=data.text("version"),
            path=path,
            algorithm=ALGORITHMS.get(algorithm, ""),
            checksum=digest,
            size=data.size("size"),
            container_format=data.text("container_format"),
            disk_format=data.text("disk_format", ""),
            min_disk_gib=data.size("min_disk", 0) / GIB,
            min_ram_mib=data.size("min_ram", 0) / MIB,
        )
        known = self._images.setdefault(image.name, image)
        if known != image:
            data.fault("vnfd.reference", "two images share a name and differ", image.name)
        return image.name

    def _member(self, node: _Node, artifact: Properties, reference: str) -> str:
        """The archive member of an artifact, relative to the template or to the root of the package."""
        for candidate in (resolve(node.file, reference), resolve("root", reference)):
            if candidate is not None and self._exists(candidate):
                return candidate
        if reference:
            artifact.fault("vnfd.reference", f"{node.name}: the image is not in the package", reference)
        return ""

    def _check_changes(self, vnfd: Vnfd, properties: Properties) -> None:
        vdus = {vdu.name for vdu in vnfd.vdus}
        for change in vnfd.package_changes:
            for selector in change.selectors:
                if vnfd.vnfd_id not in (selector.source_descriptor_id, selector.destination_descriptor_id):
                    properties.fault(
                        "vnfd.package_change",
                        f"{change.name} concerns neither side",
                        selector.destination_descriptor_id,
                    )
            for mapping in change.component_mappings:
                if mapping.component_type == "vdu" and mapping.destination_id not in vdus:
                    properties.fault("vnfd.reference", f"{change.name} maps to no VDU", mapping.destination_id)

    def _of(self, type_name: str) -> list[_Node]:
        return [node for node in self._nodes if self._template.is_a(node.type, type_name)]

    def _node(self, file: str, name: str, node: Node) -> _Node:
        type_node = node.get("type")
        properties = Properties(node.get("properties"), file, name, node.line, CLAUSE, self._findings)
        whole = Properties(node, file, name, node.line, CLAUSE, self._findings)
        if type_node is None:
            whole.fault("vnfd.missing", f"the node {name} has no type")
        return _Node(file, name, type_node.text if type_node is not None else "", properties, whole)
