"""The policies of a VNF descriptor: levels, scaling, affinity, package changes, coordination (SOL001 6.10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from nfvcert.drop.findings import Finding
from nfvcert.drop.properties import Properties
from nfvcert.drop.template import Template
from nfvcert.drop.vnfd import (
    AffinityRule,
    ComponentMapping,
    CoordinationAction,
    PackageChange,
    ScalingAspect,
    Selector,
)

CLAUSE = "SOL001 6.10"
PREFIX = "tosca.policies.nfv."
COMPONENTS = (
    "vdu", "cp", "virtual_link", "virtual_storage", "deployment_flavour", "instantiation_level", "scaling_aspect",
)  # fmt: skip
OPERATIONS = (
    "instantiate", "scale", "scale_to_level", "change_flavour", "terminate", "query", "operate", "heal",
    "change_external_connectivity", "modify_information", "create_snapshot", "revert_to_snapshot",
    "change_current_package",
)  # fmt: skip


@dataclass
class Policies:
    """What the policies say; ``initial`` maps a VDU to its instances at the default instantiation level."""

    scaling_aspects: list[ScalingAspect] = field(default_factory=list)
    affinity_rules: list[AffinityRule] = field(default_factory=list)
    package_changes: list[PackageChange] = field(default_factory=list)
    coordination_actions: list[CoordinationAction] = field(default_factory=list)
    initial: dict[str, int] = field(default_factory=dict)


@dataclass
class _Policy:
    name: str
    targets: list[str]
    metadata: dict[str, str]
    properties: Properties


def read_policies(
    template: Template, vdus: set[str], groups: dict[str, list[str]], findings: list[Finding]
) -> Policies:
    """All policies; targets that are neither VDUs nor groups of them are findings."""
    reader = _PolicyReader(template, vdus, groups, findings)
    policies = Policies()
    level = reader.default_level()
    policies.initial = reader.initial_instances(level)
    policies.scaling_aspects = reader.scaling_aspects(level)
    policies.affinity_rules = reader.affinity_rules()
    policies.package_changes = reader.package_changes()
    policies.coordination_actions = reader.coordination_actions()
    return policies


class _PolicyReader:
    def __init__(
        self, template: Template, vdus: set[str], groups: dict[str, list[str]], findings: list[Finding]
    ) -> None:
        self._template = template
        self._vdus = vdus
        self._groups = groups
        self._findings = findings
        self._levels: Properties | None = next((p.properties for p in self._of("InstantiationLevels")), None)

    def default_level(self) -> str:
        """Id of the default instantiation level, or empty."""
        if self._levels is None:
            return ""
        levels = self._levels.child("levels", required=True).names()
        default = self._levels.text("default_level", levels[0] if len(levels) == 1 else None)
        if levels and default not in levels:
            self._levels.fault(
                "vnfd.reference", "the default level is not among the levels", default, ", ".join(levels)
            )
        return default

    def initial_instances(self, level: str) -> dict[str, int]:
        """Instances of each VDU at a level, else those at scale level 0."""
        initial: dict[str, int] = {}
        for policy in self._of("VduInitialDelta"):
            number = policy.properties.child("initial_delta", required=True).integer("number_of_instances")
            initial.update(dict.fromkeys(self._targets(policy), number))
        for policy in self._of("VduInstantiationLevels"):
            levels = policy.properties.child("levels", required=True)
            if level not in levels.names():
                policy.properties.fault("vnfd.reference", f"{policy.name} does not know the default level", level)
                continue
            number = levels.child(level).integer("number_of_instances")
            initial.update(dict.fromkeys(self._targets(policy), number))
        return initial

    def scaling_aspects(self, level: str) -> list[ScalingAspect]:
        deltas: dict[str, dict[str, int]] = {}
        known: dict[str, Properties] = {}
        for policy in self._of("ScalingAspects"):
            aspects = policy.properties.child("aspects", required=True)
            known.update({name: aspects.child(name) for name in aspects.names()})
        for policy in self._of("VduScalingAspectDeltas"):
            aspect = policy.properties.text("aspect")
            if aspect not in known:
                policy.properties.fault("vnfd.reference", f"{policy.name} is for an unknown aspect", aspect)
                continue
            steps = policy.properties.child("deltas", required=True)
            wanted = known[aspect].texts("step_deltas")
            missing = [name for name in wanted if name not in steps.names()]
            for name in missing:
                policy.properties.fault("vnfd.reference", f"{policy.name} lacks a step delta of {aspect}", name)
            first = next((name for name in wanted if name not in missing), next(iter(steps.names()), ""))
            number = steps.child(first).integer("number_of_instances", least=1) if first else 1
            deltas.setdefault(aspect, {}).update(dict.fromkeys(self._targets(policy), number))
        return [
            ScalingAspect(
                name=name,
                description=properties.text("description", ""),
                max_scale_level=properties.integer("max_scale_level", least=1),
                initial_level=self._scale_level(level, name),
                deltas=deltas.get(name, {}),
            )
            for name, properties in known.items()
        ]

    def affinity_rules(self) -> list[AffinityRule]:
        found: list[AffinityRule] = []
        for kind, type_name in (("affinity", "AffinityRule"), ("anti_affinity", "AntiAffinityRule")):
            for policy in self._of(type_name):
                scope = policy.properties.text("scope")
                soft = policy.metadata.get("enforcement", "required") == "preferred"
                targets = tuple(self._targets(policy))
                found.append(AffinityRule(name=policy.name, kind=kind, scope=scope, targets=targets, soft=soft))  # type: ignore[arg-type]
        return found

    def package_changes(self) -> list[PackageChange]:
        return [self._package_change(policy) for policy in self._of("VnfPackageChange")]

    def coordination_actions(self) -> list[CoordinationAction]:
        names = self._actions
        operations: dict[str, list[str]] = {name: [] for name in names.values()}
        for policy in self._of("LcmCoordinationsForLcmOperation"):
            operation = policy.properties.text("vnf_lcm_operation", choice=OPERATIONS)
            for action in policy.properties.texts("actions"):
                action = names.get(action, action)
                if action not in operations:
                    policy.properties.fault("vnfd.reference", f"{policy.name} names an unknown action", action)
                    continue
                operations[action].append(operation)
            for action in policy.properties.texts("referenced_coordination_actions"):
                operations.setdefault(action, []).append(operation)
        return [CoordinationAction(name=name, operations=tuple(used)) for name, used in operations.items()]

    @cached_property
    def _actions(self) -> dict[str, str]:
        """Name of each coordination policy to that of its action."""
        return {policy.name: policy.properties.text("action_name") for policy in self._of("LcmCoordinationAction")}

    def _package_change(self, policy: _Policy) -> PackageChange:
        properties = policy.properties
        selector_node = properties.node.get("selector") if properties.node is not None else None
        if selector_node is not None and isinstance(selector_node.value, dict):
            selectors = [properties.child("selector")]
        else:
            selectors = properties.elements("selector", required=True)
        return PackageChange(
            name=policy.name,
            selectors=tuple(
                Selector(
                    source_descriptor_id=selector.text("source_descriptor_id"),
                    destination_descriptor_id=selector.text("destination_descriptor_id"),
                    source_flavour_id=selector.text("source_flavour_id"),
                )
                for selector in selectors
            ),
            modification_qualifier=properties.text("modification_qualifier", choice=("up", "down")),  # type: ignore[arg-type]
            description=properties.text("additional_modification_description", ""),
            component_mappings=tuple(
                ComponentMapping(
                    component_type=mapping.text("component_type", choice=COMPONENTS),
                    source_id=mapping.text("source_id"),
                    destination_id=mapping.text("destination_id"),
                    description=mapping.text("description", ""),
                )
                for mapping in properties.elements("component_mappings")
            ),
            destination_flavour_id=properties.text("destination_flavour_id"),
            actions=tuple(self._actions.get(action, action) for action in properties.texts("actions")),
        )

    def _scale_level(self, level: str, aspect: str) -> int:
        if self._levels is None or not level:
            return 0
        info = self._levels.child("levels").child(level).child("scale_info")
        return info.child(aspect).integer("scale_level", 0) if aspect in info.names() else 0

    def _targets(self, policy: _Policy) -> list[str]:
        targets: dict[str, None] = {}
        for target in dict.fromkeys(policy.targets):
            if target in self._vdus:
                targets[target] = None
            elif target in self._groups:
                targets.update(dict.fromkeys(self._groups[target]))
            else:
                policy.properties.fault("vnfd.reference", f"{policy.name}: the target is no VDU", target)
        return list(targets)

    def _of(self, type_name: str) -> Iterator[_Policy]:
        """The policies of a type or of a type derived from it."""
        for file, name, node in self._template.topology("policies"):
            type_node = node.get("type")
            if type_node is None or not self._template.is_a(type_node.text, PREFIX + type_name):
                continue
            whole = Properties(node, file, name, node.line, CLAUSE, self._findings)
            properties = Properties(node.get("properties"), file, name, node.line, CLAUSE, self._findings)
            yield _Policy(name, whole.texts("targets"), whole.text_map("metadata"), properties)
