"""Templates and descriptors: imports, types, references, values, each fault with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from drop_support import SMALL, rules

from nfvcert.drop import edits
from nfvcert.drop.derive import derive
from nfvcert.drop.findings import Finding, Severity
from nfvcert.drop.nsd import single_vnf_nsd
from nfvcert.drop.package import open_package
from nfvcert.drop.template import read_template
from nfvcert.drop.vnfd import Vnfd
from nfvcert.drop.vnfd_archive import pack_vnfd, unpack_vnfd
from nfvcert.drop.vnfd_read import read_vnfd
from nfvcert.drop.yamltree import parse_yaml
from nfvcert.errors import DropError

VERSION = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
MAIN = "Definitions/edge-gateway.yaml"
TYPES = "Definitions/edge-gateway-types.yaml"
COMPONENTS = "Definitions/components.yaml"


def imported(files: Mapping[str, str], entry: str = "Definitions/a.yaml") -> list[Finding]:
    def read(name: str) -> bytes:
        return files[name].encode()

    return read_template(read, files.__contains__, entry, SMALL).findings


def test_imports_of_the_standard_types_are_never_fetched() -> None:
    base = "https://forge.etsi.org/rep/nfv/SOL001/raw/v3.6.1/"
    text = VERSION + f"imports: [{base}etsi_nfv_sol001_vnfd_types.yaml, etsi_nfv_sol001_common_types.yaml]\n"
    assert imported({"Definitions/a.yaml": text}) == []


@pytest.mark.parametrize(
    ("import_", "rule"),
    [
        ("missing.yaml", "tosca.import.missing"),
        ("../../outside.yaml", "tosca.import.path"),
        ("/etc/passwd", "tosca.import.path"),
        ("https://example.com/types.yaml", "tosca.import.external"),
        ("file:///etc/passwd", "tosca.import.external"),
        ("[]", "tosca.import.form"),
    ],
)
def test_imports_that_lead_nowhere_are_told(import_: str, rule: str) -> None:
    findings = imported({"Definitions/a.yaml": VERSION + f"imports:\n  - {import_}\n"})
    assert rules(findings) == [rule]
    assert findings[0].where == "Definitions/a.yaml:3"


def test_a_cycle_of_imports_is_told_with_its_path() -> None:
    files = {
        "Definitions/a.yaml": VERSION + "imports: [b.yaml]\n",
        "Definitions/b.yaml": VERSION + "imports: [{file: c.yaml}]\n",
        "Definitions/c.yaml": VERSION + "imports: [{again: a.yaml}]\n",
    }
    findings = imported(files)
    assert rules(findings) == ["tosca.import.cycle"]
    assert findings[0].found == "Definitions/a.yaml -> Definitions/b.yaml -> Definitions/c.yaml -> Definitions/a.yaml"


def test_a_file_that_imports_itself_is_a_cycle() -> None:
    assert rules(imported({"Definitions/a.yaml": VERSION + "imports: [a.yaml]\n"})) == ["tosca.import.cycle"]


def test_a_diamond_of_imports_is_no_cycle() -> None:
    files = {
        "Definitions/a.yaml": VERSION + "imports: [b.yaml, c.yaml]\n",
        "Definitions/b.yaml": VERSION + "imports: [d.yaml]\n",
        "Definitions/c.yaml": VERSION + "imports: [d.yaml]\n",
        "Definitions/d.yaml": VERSION,
    }
    assert imported(files) == []


def test_a_chain_of_imports_ends_at_the_limit() -> None:
    files = {f"Definitions/{i}.yaml": VERSION + f"imports: [{i + 1}.yaml]\n" for i in range(100)}
    assert rules(imported(files, "Definitions/0.yaml")) == ["tosca.import.many"]


def test_types_that_derive_in_a_circle_are_told() -> None:
    text = VERSION + "node_types: {A: {derived_from: B}, B: {derived_from: A}}\n"
    assert rules(imported({"Definitions/a.yaml": text})) == ["tosca.type"]


def test_an_unknown_tosca_version_is_told() -> None:
    text = "tosca_definitions_version: tosca_2_0\n"
    assert rules(imported({"Definitions/a.yaml": text})) == ["tosca.version"]


def test_the_sample_says_what_it_is(candidate: Path) -> None:
    vnfd = open_package(candidate).vnfd
    assert [vdu.name for vdu in vnfd.vdus] == ["lb", "worker"]
    assert [port.network for port in vnfd.vdu("worker").ports] == ["internal", "external", "mgmt"]
    assert [port.network for port in vnfd.vdu("lb").ports] == ["access", "internal", "mgmt"]
    worker = vnfd.vdu("worker")
    assert (worker.min_instances, worker.initial_instances, worker.max_instances) == (1, 2, 4)
    assert vnfd.vdu("lb").ports[0].fixed_ip == "198.18.0.1"
    assert worker.ports[2].management and not worker.ports[0].management
    assert {link.name: link.external for link in vnfd.virtual_links} == {
        "access": True, "internal": False, "external": True, "mgmt": True,
    }  # fmt: skip
    aspect = vnfd.scaling_aspects[0]
    assert (aspect.name, aspect.max_scale_level, aspect.initial_level, aspect.deltas) == (
        "workers",
        3,
        1,
        {"worker": 1},
    )
    assert vnfd.affinity_rules[0].kind == "anti_affinity" and vnfd.affinity_rules[0].soft
    assert vnfd.coordinations_for("change_current_package") == ["traffic-migration", "retirement", "completion"]
    assert vnfd.package_changes[0].actions == ("traffic-migration", "retirement", "completion")
    assert worker.nfvi_maintenance is not None
    assert worker.nfvi_maintenance.max_undetectable_interruption_time_s == pytest.approx(0.1)
    assert worker.nfvi_maintenance.min_number_of_preserved_instances == 1


def test_a_descriptor_survives_being_handed_out_alone(candidate: Path) -> None:
    package = open_package(candidate)
    archive = pack_vnfd(package)
    assert unpack_vnfd(archive) == package.vnfd
    assert archive == pack_vnfd(package)


def test_a_model_survives_json(candidate: Path) -> None:
    vnfd = open_package(candidate).vnfd
    assert Vnfd.model_validate_json(vnfd.model_dump_json()) == vnfd


@pytest.mark.parametrize(
    ("name", "old", "new", "rule", "part"),
    [
        (COMPONENTS, "num_virtual_cpu: 1", "num_virtual_cpu: many", "vnfd.type", "num_virtual_cpu"),
        (COMPONENTS, "virtual_mem_size: 64 MiB", "virtual_mem_size: 64", "vnfd.type", "virtual_mem_size"),
        (COMPONENTS, "max_number_of_instances: 4", "maximum: 4", "vnfd.missing", "max_number_of_instances"),
        (COMPONENTS, "max_number_of_instances: 4", "max_number_of_instances: 1", "vnfd.reference", "beyond its bounds"),
        (COMPONENTS, "{virtual_link: internal}", "{virtual_link: nowhere}", "vnfd.reference", "no virtual link"),
        (COMPONENTS, "{virtual_binding: worker}", "{virtual_binding: x}", "vnfd.reference", "no VDU"),
        (COMPONENTS, "targets: [worker]", "targets: [x]", "vnfd.reference", "target is no VDU"),
        (COMPONENTS, "cidr: 10.80.0.0/16", "cidr: 10.80.0.1/16", "vnfd.type", "cidr"),
        (COMPONENTS, "[198.18.0.1]", "[198.18.0.300]", "vnfd.type", "IP address"),
        (COMPONENTS, "algorithm: sha-256", "algorithm: md5", "vnfd.type", "checksum algorithm"),
        (COMPONENTS, "file: ../Files/Images/lb-1.0.0.tar", "file: ../nothing", "vnfd.reference", "not in the package"),
        (COMPONENTS, "default_level: default", "default_level: other", "vnfd.reference", "default level"),
        (COMPONENTS, "actions: [activate]", "actions: [other]", "vnfd.reference", "unknown action"),
        (COMPONENTS, "[no_migration]", "[teleport]", "vnfd.type", "migration"),
        (COMPONENTS, "step_deltas: [one_worker]", "step_deltas: [two]", "vnfd.reference", "step delta"),
        (COMPONENTS, "aspect: workers", "aspect: others", "vnfd.reference", "unknown aspect"),
        (MAIN, "modification_qualifier: up", "modification_qualifier: sideways", "vnfd.type", "modification_qualifier"),
        (MAIN, "component_type: vdu", "component_type: engine", "vnfd.type", "component_type"),
        (MAIN, "software_version: 2.0.0", "software_release: 2.0.0", "vnfd.missing", "software_version"),
        (MAIN, "descriptor_id: 0d6a", "descriptor_id: zd6a", "vnfd.id", "UUID"),
        (TYPES, "tosca.nodes.nfv.VNF\n", "tosca.nodes.Root\n", "vnfd.missing", "no VNF node"),
    ],
)  # fmt: skip
def test_faults_of_a_descriptor_have_lines(
    candidate: Path, tmp_path: Path, name: str, old: str, new: str, rule: str, part: str
) -> None:
    package = open_package(derive(candidate, tmp_path / "x.csar", edits.replace_text(name, old, new)))
    found = [f for f in package.vnfd_findings if f.severity is Severity.ERROR]
    assert any(f.rule == rule and part in f.message for f in found), found
    with pytest.raises(DropError):
        _ = package.vnfd


def test_several_faults_are_told_together(candidate: Path, tmp_path: Path) -> None:
    changes = [
        edits.replace_text(COMPONENTS, "num_virtual_cpu: 1", "num_virtual_cpu: 0"),
        edits.replace_text(COMPONENTS, "{virtual_link: mgmt}", "{virtual_link: none}"),
        edits.replace_text(MAIN, "flavour_id: default", "flavour: default"),
    ]
    found = open_package(derive(candidate, tmp_path / "x.csar", *changes)).vnfd_findings
    assert len(found) >= 5


def test_a_version_that_looks_like_a_number_keeps_its_text(candidate: Path, tmp_path: Path) -> None:
    edit = edits.replace_text(MAIN, "descriptor_version: 2.0.0", "descriptor_version: 1.10")
    assert open_package(derive(candidate, tmp_path / "x.csar", edit)).vnfd.descriptor_version == "1.10"


@pytest.mark.parametrize("text", ["[]", "a", "{}", "topology_template: 3", "topology_template: {node_templates: []}"])
def test_odd_shapes_are_findings_not_crashes(text: str) -> None:
    vnfd, findings = read_vnfd(lambda _: text.encode(), lambda _: False, "a.yaml")
    assert vnfd is None and findings


def test_the_service_of_one_vnf_names_it_and_its_networks(in_service: Path) -> None:
    vnfd = open_package(in_service).vnfd
    data = single_vnf_nsd(vnfd)
    assert data == single_vnf_nsd(vnfd)
    nodes = parse_yaml(data, "nsd.yaml").get("topology_template", "node_templates")
    assert nodes is not None
    links = {name for name, node in nodes.entries() if node.get("type").text == "tosca.nodes.nfv.NsVirtualLink"}  # type: ignore[union-attr]
    assert links == {"access", "external", "mgmt"}
    assert nodes.get("vnf", "properties", "descriptor_id").text == vnfd.vnfd_id  # type: ignore[union-attr]
