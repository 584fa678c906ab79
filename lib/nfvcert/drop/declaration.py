"""``drop.yaml``: what a vendor declares about a drop, in its built form and as the source of a sample."""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.networks import IPvAnyAddress

from nfvcert.drop.findings import Finding, FindingError, fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.names import name_problem
from nfvcert.drop.yamltree import Node, parse_yaml

FILE = "drop.yaml"
ROOT = "drop"
CLAUSE = "nfvcert drop.yaml"
FEATURES = (
    "active_standby", "coexistence", "coordination", "downgrade", "em_decision", "graceful_termination", "load_sharing",
    "policies", "readiness", "rollback", "scaling", "state_conversion", "stateful", "stateless", "traffic_decider",
    "user_affinity", "wire_marker",
)  # fmt: skip


def _inside(path: str) -> str:
    problem = name_problem(path, 512)
    if problem is not None:
        raise ValueError(problem)
    return path


Inside = Annotated[str, AfterValidator(_inside)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gateway(_Strict):
    """The connection point and address that clients of the service send to."""

    vdu: str
    network: str
    address: IPvAnyAddress


class Traffic(_Strict):
    """Where traffic enters and leaves: networks are virtual links of the VNFD."""

    client_network: str
    server_network: str
    gateway: Gateway


class _Description(_Strict):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    vendor: str = Field(min_length=1)
    product: str = Field(min_length=1)
    description: str = ""
    workload: Literal["pool", "pair", "decider", "sharing", "mixed", "patch", "service"]
    features: tuple[str, ...] = ()
    policy_parameters: dict[str, Any] = Field(default_factory=dict)
    traffic: Traffic | None = None


class Declaration(_Description):
    """A built drop; paths are relative to the file and stay below its folder."""

    in_service: Inside
    candidate: Inside
    trusted: tuple[Inside, ...] = ()
    nsd: Inside | None = None


class SourceVersion(_Strict):
    """One package of a sample: folders laid over each other, and values put into its templates.

    ``images`` maps a role used in templates to the name of an image; ``values`` are free.
    """

    layers: tuple[Inside, ...] = Field(min_length=1)
    vnfd_id: str
    software_version: str
    descriptor_version: str = ""
    definitions: Inside
    change_log: Inside = "Artifacts/ChangeLog.txt"
    licenses: Inside | None = None
    metadata: Inside | None = None
    images: dict[str, str] = Field(default_factory=dict)
    values: dict[str, str | int | float] = Field(default_factory=dict)


class Source(_Description):
    """A sample drop before it is built; ``key`` and ``certificate`` sign the packages and are for tests only.

    Paths of images, keys and certificates may leave the folder: they are the author's own files.
    """

    trusted: tuple[str, ...] = ()
    provider: str
    images: str
    key: str
    certificate: str
    released: str = "2024-01-01T00:00:00Z"
    in_service: SourceVersion
    candidate: SourceVersion


def read_declaration(data: bytes, where: str, limits: Limits = DEFAULT) -> Declaration:
    """The declaration of a built drop.

    Raises:
        FindingError: no YAML, or the first of what :func:`declaration_findings` would say.
    """
    model, findings = parse_declaration(data, where, Declaration, limits)
    if model is None:
        raise findings[0].error()
    assert isinstance(model, Declaration)
    return model


def read_source(data: bytes, where: str, limits: Limits = DEFAULT) -> Source:
    """The description from which a sample is built.

    Raises:
        FindingError: no YAML, or fields that are missing or wrong; the first of them.
    """
    model, findings = parse_declaration(data, where, Source, limits)
    if model is None:
        raise findings[0].error()
    assert isinstance(model, Source)
    return model


def parse_declaration(
    data: bytes, where: str, model: type[_Description], limits: Limits = DEFAULT
) -> tuple[_Description | None, list[Finding]]:
    """The model and everything that does not fit it, with lines."""
    try:
        tree = parse_yaml(data, where, limits)
    except FindingError as error:
        return None, [error.finding]
    node = tree.get(ROOT)
    if node is None or not isinstance(node.value, dict):
        return None, [fault("drop.form", CLAUSE, f"{where}:1", f"the document has no mapping '{ROOT}'")]
    if model is Declaration and node.get("candidate", "layers") is not None:
        message = "this is the source of a sample drop, not a built one; do: nfvcert drop build"
        return None, [fault("drop.source", CLAUSE, where, message)]
    features = node.get("features")
    findings = [
        fault("drop.feature", CLAUSE, f"{where}:{element.line}", "unknown feature", element.text, _near(element.text))
        for element in (features.elements() if features is not None else [])
        if element.text not in FEATURES
    ]
    try:
        result = model.model_validate(node.plain())
    except ValidationError as invalid:
        problems = invalid.errors(include_url=False)
        return None, [*(_explain(problem, node, where, model) for problem in problems), *findings]
    return (None if findings else result), findings


def dump_declaration(declaration: Declaration) -> bytes:
    """The file of a built drop."""
    document = json.loads(declaration.model_dump_json(exclude_none=True))
    return yaml.safe_dump({ROOT: document}, sort_keys=False, allow_unicode=True, width=110).encode()


def package_file(source: Source, version: SourceVersion) -> str:
    """File name of a built package."""
    return f"{source.id}-{version.software_version}.csar"


def _near(name: str) -> str:
    close = difflib.get_close_matches(name, FEATURES, n=1)
    return close[0] if close else ", ".join(FEATURES)


def _explain(problem: Any, node: Node, where: str, model: type[BaseModel]) -> Finding:
    location = tuple(problem["loc"])
    name = ".".join(str(step) for step in location)
    place = f"{where}:{node.line_at(location)}"
    if problem["type"] == "missing":
        return fault("drop.form", CLAUSE, place, f"{name} is missing")
    if problem["type"] == "extra_forbidden":
        valid = list(model.model_fields) if len(location) == 1 else []
        close = difflib.get_close_matches(str(location[-1]), valid, n=1)
        return fault("drop.form", CLAUSE, place, "unknown key", name, close[0] if close else "")
    found = problem.get("input")
    shown = found if isinstance(found, str | int | float | bool) else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    return fault("drop.form", CLAUSE, place, f"{name}: {message[:1].lower()}{message[1:]}", shown)
