"""Software modification metadata: how a package wants its software to be modified (REL 006 6.3.1.2, REQ.VNF.M.06)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nfvcert.drop.findings import Finding, FindingError, fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.yamltree import Node, parse_yaml

CLAUSE = "REL 006 6.3.1.2 REQ.VNF.M.06"
DEFAULT_PATH = "Files/software-modification.yaml"
ROOT = "software_modification"
ModificationType = Literal["update", "component_upgrade", "vnf_upgrade"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdditionalResources(_Strict):
    """What a policy needs on top of the running VNF at its peak. Zero is a value; absence is not."""

    vnfcs: int = Field(ge=0, le=10_000)
    vcpus: float = Field(ge=0, le=100_000)
    memory_mib: float = Field(ge=0, le=1e9)
    ports: int = Field(ge=0, le=100_000)
    storage_gib: float = Field(ge=0, le=1e9)


class Drain(_Strict):
    """How a VNFC is emptied before it is retired: idle for ``idle_s``, at most ``timeout_s``, then what remains."""

    idle_s: float = Field(ge=0, le=86_400)
    timeout_s: float = Field(ge=0, le=86_400)
    remaining: Literal["wait", "move_with_state", "force"]


class Policy(BaseModel):
    """A selectable policy; keys beyond these pass through unread.

    ``steps`` are the cumulative percentages of new service requests that the new version takes.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    method: Literal["coexistence", "replacement", "network_service", "scale_out_and_in"]
    steps: tuple[int, ...] = ()
    observe_s: float = Field(default=30, ge=0, le=86_400)
    decision: Literal["administrator", "automatic"] = "automatic"
    additional_resources: AdditionalResources
    drain: Drain | None = None
    scaling_during_modification: Literal["old", "new", "both", "none"] = "none"
    limits: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ascending(self) -> Policy:
        if self.method == "coexistence" and not self.steps:
            raise ValueError("coexistence needs steps")
        bounds = (0, *self.steps)
        if self.steps and (any(a >= b for a, b in zip(bounds, self.steps, strict=False)) or self.steps[-1] != 100):
            raise ValueError("steps have to rise from above 0 to 100")
        return self


class VnfIdentity(_Strict):
    """The VNF concerned."""

    provider: str
    product: str
    vnfd_id: str


class VersionReference(_Strict):
    """One side of the modification."""

    vnfd_id: str
    software_version: str


class ImagePair(_Strict):
    """An image of the old package and the one that replaces it in a VDU."""

    vdu: str
    source: str
    destination: str


class FileChange(_Strict):
    """A file or script that an update brings; ``path`` is its archive member."""

    path: str
    vdu: str = ""
    target: str = ""


class Rollback(_Strict):
    """Whether the modification can be undone before commit, and whether session state survives the way back."""

    supported: bool
    state_conversion: bool = False


class WireMarker(_Strict):
    """What tells the versions apart on the wire (witness W2)."""

    field: str
    source: int
    destination: int


class SoftwareModification(_Strict):
    """The metadata of one modification, from one version to the version of the package."""

    type: ModificationType
    vnf: VnfIdentity
    source: VersionReference
    destination: VersionReference
    images: tuple[ImagePair, ...] = ()
    files: tuple[FileChange, ...] = ()
    default_policy: str
    policies: dict[str, Policy] = Field(min_length=1)
    rollback: Rollback = Rollback(supported=False)
    wire_marker: WireMarker | None = None

    @model_validator(mode="after")
    def _default_exists(self) -> SoftwareModification:
        if self.default_policy not in self.policies:
            raise ValueError(f"default_policy '{self.default_policy}' is not among the policies")
        return self

    def policy(self, name: str | None = None) -> tuple[str, Policy]:
        """Name and content of a policy, of the default one without a name.

        Raises:
            KeyError: there is no policy of that name; it is never replaced by the default.
        """
        chosen = self.default_policy if name is None else name
        return chosen, self.policies[chosen]


def parse_metadata(
    data: bytes, where: str, limits: Limits = DEFAULT
) -> tuple[SoftwareModification | None, Node | None, list[Finding]]:
    """The model, the document as a tree, and what is wrong; the model is None when a field is missing or wrong."""
    try:
        tree = parse_yaml(data, where, limits)
    except FindingError as error:
        return None, None, [error.finding]
    node = tree.get(ROOT)
    if node is None or not isinstance(node.value, dict):
        return None, None, [fault("metadata.missing", CLAUSE, f"{where}:1", f"{ROOT} is missing")]
    try:
        return SoftwareModification.model_validate(node.plain()), node, []
    except ValidationError as invalid:
        findings = [_explain(problem, node, where) for problem in invalid.errors(include_url=False)]
        return None, node, findings


def _explain(problem: Any, node: Node, where: str) -> Finding:
    location = tuple(problem["loc"])
    name = ".".join(str(step) for step in location) or ROOT
    place = f"{where}:{node.line_at(location)}"
    if problem["type"] == "missing":
        return fault("metadata.missing", CLAUSE, place, f"{name} is missing")
    if problem["type"] == "extra_forbidden":
        return fault("metadata.unknown", CLAUSE, place, f"{name} is no known field")
    found = problem.get("input")
    shown = found if isinstance(found, str | int | float | bool) else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    return fault("metadata.invalid", CLAUSE, place, f"{name}: {message[:1].lower()}{message[1:]}", shown)
