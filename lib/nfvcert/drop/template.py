"""TOSCA service templates: the entry file, what it imports, and which types derive from which (TOSCA 1.3, SOL001)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from nfvcert.drop.findings import Finding, FindingError, fault, remark
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.names import resolve
from nfvcert.drop.yamltree import Node, parse_yaml

CLAUSE = "SOL001 A.2, TOSCA 1.3 3.6.8"
VERSIONS = ("tosca_simple_yaml_1_2", "tosca_simple_yaml_1_3")
LONGEST_DERIVATION = 32
_BUILT_IN = re.compile(r"etsi_nfv_sol001_(vnfd|common|nsd|pnfd)_types[A-Za-z0-9_.-]*\.ya?ml")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
Read = Callable[[str], bytes]
Exists = Callable[[str], bool]


@dataclass
class Template:
    """An entry file with everything it imports.

    ``files`` maps the members read, entry first, to their trees; ``parents`` a type to the one it derives from.
    """

    entry: str
    files: dict[str, Node] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def is_a(self, type_name: str, ancestor: str) -> bool:
        """Whether a type is ``ancestor`` or derives from it."""
        for _ in range(LONGEST_DERIVATION):
            if type_name == ancestor:
                return True
            if type_name not in self.parents:
                return False
            type_name = self.parents[type_name]
        return False

    def topology(self, section: str) -> list[tuple[str, str, Node]]:
        """(file, name, node) of each entry of a section of the topology templates; lists of one-key maps count too."""
        found: list[tuple[str, str, Node]] = []
        for name, tree in self.files.items():
            node = tree.get("topology_template", section)
            if node is None:
                continue
            maps = node.elements() if isinstance(node.value, list) else [node]
            found += [(name, key, value) for part in maps for key, value in part.entries()]
        return found


def read_template(read: Read, exists: Exists, entry: str, limits: Limits = DEFAULT) -> Template:
    """Read a service template; what is wrong with single files goes into ``findings``.

    Imports of the SOL001 type definitions, by URL or by file name, count as built in; nothing is ever fetched.
    """
    template = Template(entry)
    _Importer(template, read, exists, limits).take(entry, ())
    for name, tree in template.files.items():
        for section in ("node_types", "policy_types", "artifact_types", "data_types"):
            section_node = tree.get(section)
            for type_name, definition in section_node.entries() if section_node else ():
                parent = definition.get("derived_from")
                if parent is not None and parent.is_scalar:
                    template.parents[type_name] = parent.text
                elif parent is None:
                    where = f"{name}:{definition.line}"
                    template.findings.append(fault("tosca.type", CLAUSE, where, f"{type_name} derives from nothing"))
    _check_derivation(template)
    return template


class _Importer:
    """Follows imports depth first."""

    def __init__(self, template: Template, read: Read, exists: Exists, limits: Limits) -> None:
        self._template = template
        self._read = read
        self._exists = exists
        self._limits = limits
        self._nodes = 0

    def take(self, name: str, path: tuple[str, ...]) -> None:
        if len(self._template.files) >= self._limits.imports or len(path) > self._limits.depth:
            if not any(finding.rule == "tosca.import.many" for finding in self._template.findings):
                self._fault("tosca.import.many", name, "too many imports", "", self._limits.imports)
            return
        try:
            tree = parse_yaml(self._read(name), name, self._limits)
        except FindingError as error:
            self._template.findings.append(error.finding)
            return
        self._template.files[name] = tree
        self._nodes += tree.weight
        if self._nodes > 2 * self._limits.nodes:
            self._fault("tosca.import.many", name, "the imported files are too large together", self._nodes)
            return
        if not isinstance(tree.value, dict):
            self._fault("tosca.form", name, "the template is no mapping", tree.kind)
            return
        version = tree.get("tosca_definitions_version")
        if version is None or version.text not in VERSIONS:
            found = version.text if version else "none"
            self._fault(
                "tosca.version", f"{name}:{version.line if version else 1}", "unknown TOSCA version", found, VERSIONS
            )
        imports = tree.get("imports")
        for element in imports.elements() if imports else []:
            reference = _reference(element)
            where = f"{name}:{element.line}"
            if reference is None:
                self._fault("tosca.import.form", where, "the import names no file", element.kind)
            else:
                self._follow(name, reference, where, (*path, name))

    def _follow(self, base: str, reference: str, where: str, path: tuple[str, ...]) -> None:
        file_name = reference.rsplit("/", 1)[-1]
        if _BUILT_IN.fullmatch(file_name):
            return
        if _URL.match(reference):
            self._fault("tosca.import.external", where, "an import from the network is never fetched", reference)
            return
        target = resolve(base, reference)
        if target is None:
            self._fault("tosca.import.path", where, "the import leaves the package", reference)
        elif target in path:
            cycle = " -> ".join((*path[path.index(target) :], target))
            self._fault("tosca.import.cycle", where, "the imports form a cycle", cycle)
        elif not self._exists(target):
            self._fault("tosca.import.missing", where, "the imported file is not in the package", target)
        elif target not in self._template.files:
            self.take(target, path)

    def _fault(self, rule: str, where: str, message: str, found: object = "", expected: object = "") -> None:
        self._template.findings.append(fault(rule, CLAUSE, where, message, found, expected))


def _reference(element: Node) -> str | None:
    """The file of an import: a string, ``{file: ...}``, or ``{name: file}`` in the older notations."""
    if element.is_scalar:
        return element.text or None
    direct = element.get("file")
    if direct is not None:
        return direct.text or None
    inner = [node for _, node in element.entries()]
    return _reference(inner[0]) if len(inner) == 1 else None


def _check_derivation(template: Template) -> None:
    for name in template.parents:
        seen, current = {name}, template.parents[name]
        while current in template.parents and current not in seen and len(seen) < LONGEST_DERIVATION:
            seen.add(current)
            current = template.parents[current]
        if current in seen:
            template.findings.append(
                fault("tosca.type", CLAUSE, template.entry, "types derive from each other in a circle", name)
            )
        elif not current.startswith("tosca."):
            template.findings.append(
                remark("tosca.type", CLAUSE, template.entry, f"{name} derives from an unknown type", current)
            )
