"""``results.json``: everything a run found out, the only input of certificate, exports and gate.

The JSON Schema ``results.schema.json`` beside it is made from these models (run this module to write it anew).
Times are RFC 3339 with an offset, digests SHA-256 in lower-case hexadecimal digits, paths relative to the run folder.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SCHEMA: Literal["nfvcert-results/1"] = "nfvcert-results/1"
SCHEMA_FILE = Path(__file__).with_name("results.schema.json")

Verdict = Literal["PASS", "FAIL", "INCONC", "ERROR", "N/A"]
VerdictOrNone = Literal["PASS", "FAIL", "INCONC", "ERROR", "N/A", "not tested"]
SeriesKind = Literal["modification", "scaling"]
Digest = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$", description="SHA-256; empty if there is none")]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure = Annotated[float | None, BeforeValidator(_finite), Field(description="None: unknown or unbounded")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Evidence(_Part):
    """Events that a verdict rests on: their sequence numbers in the history of a scenario."""

    scenario: str
    seq: list[int]


class MeasureResult(_Part):
    """One decided measure; ``interval`` is None for an exact count, ``rule`` says how the interval was found.

    ``declared``, ``default`` and ``ceiling`` are given where a drop declares a limit of its own.
    """

    name: str
    value: Figure
    unit: str
    interval: tuple[Figure, Figure] | None = None
    limit: str
    rule: str
    source: str
    verdict: Verdict
    declared: str | None = None
    default: str | None = None
    ceiling: str | None = None


class PurposeResult(_Part):
    """Verdict of one test purpose.

    ``test`` is where it was run, ``scenario`` the first of ``scenarios`` it was judged on; ``weaker_bound`` says what a
    shortened run cannot show.
    """

    id: str
    title: str
    verdict: VerdictOrNone
    reason: str = ""
    test: str | None = None
    scenario: str | None = None
    scenarios: list[str] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    measures: list[MeasureResult] = Field(default_factory=list)
    observations: list[str] = Field(default_factory=list)
    weaker_bound: str | None = None


class RequirementResult(_Part):
    """Verdict of one requirement: the worst of its judged purposes."""

    id: str
    document: str = ""
    clause: str
    level: Literal["shall", "should"]
    statement: str
    verdict: VerdictOrNone
    purposes: list[PurposeResult]

    @property
    def judged(self) -> list[PurposeResult]:
        """The purposes that were judged: what was not tested was not, nor what a declaration excludes."""
        return [purpose for purpose in self.purposes if purpose.verdict not in ("not tested", "N/A")]


class PackageVersion(_Part):
    """One package of the drop; ``signature`` in words: who signed it and whether that could be checked."""

    vnfd_id: str
    version: str
    csar: str = Field(description="file name of the package")
    sha256: Digest
    signature: str


class Drop(_Part):
    """The vendor drop that was tested."""

    id: str
    vendor: str
    product: str
    in_service: PackageVersion
    candidate: PackageVersion


class Testbed(_Part):
    """The testbed; ``limits`` says in a sentence what its kind cannot show."""

    __test__ = False

    name: str
    file: str
    sha256: Digest
    driver: str
    hosts: list[str] = Field(default_factory=list)
    features: list[str] = Field(default_factory=list)
    dataplane: str = Field(default="", description="the dataplane on which scaling is judged, in words; empty: none")
    limits: str = ""


class Tool(_Part):
    """The tester: nfvcert itself and the versions of what it is built on."""

    version: str
    commit: str = ""
    packages: dict[str, str] = Field(default_factory=dict)


class Machine(_Part):
    """The machine of an embedded testbed; ``noise`` in words, as the doctor measured it."""

    cpu: str
    cores: int
    kernel: str
    memory_mib: int
    noise: str = ""


class FileRef(_Part):
    """A file of the run folder with its digest."""

    path: str
    sha256: Digest


class ScenarioResult(_Part):
    """One scenario that was run, and where its history is; ``tables`` are the flow records that belong to it."""

    id: str
    title: str = ""
    started: str
    finished: str
    history: str
    sha256: Digest
    events: int | None = None
    clock_error_ns: int | None = None
    profile: str = ""
    tables: list[FileRef] = Field(default_factory=list)


class Series(FileRef):
    """Data of one plot, by kind (see :mod:`nfvcert.report.plots` and :mod:`nfvcert.report.scaling`)."""

    kind: SeriesKind = "modification"
    scenario: str
    title: str = ""


class Laboratory(_Part):
    """Who ran the tests, for whom, and who answers for the report."""

    name: str
    address: str = ""
    customer: str = ""
    responsible: str = ""


class Counts(_Part):
    """How many requirements (the numbered ones) and purposes have which verdict."""

    requirements: dict[VerdictOrNone, int]
    purposes: dict[VerdictOrNone, int]


class Results(_Part):
    """One run."""

    schema_: Literal["nfvcert-results/1"] = Field(default=SCHEMA, alias="schema")
    run: str
    verdict: Verdict
    headline: str
    drop: Drop
    testbed: Testbed
    tool: Tool
    started: str
    finished: str
    profile: str
    planned: list[str] = Field(description="ids of the purposes that this run set out to judge")
    requirements: list[RequirementResult]
    counts: Counts
    scenarios: list[ScenarioResult]
    series: list[Series] = Field(default_factory=list)
    machine: Machine
    limits_of_testbed: list[str] = Field(default_factory=list)
    laboratory: Laboratory | None = None
    interrupted: str | None = Field(default=None, description="why the run ended early")

    @property
    def purposes(self) -> list[PurposeResult]:
        """All purposes in order."""
        return [purpose for requirement in self.requirements for purpose in requirement.purposes]

    def to_json(self) -> str:
        """The text of results.json."""
        return json.dumps(self.model_dump(by_alias=True, mode="json"), indent=1, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of results.json."""
    schema = Results.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA}
    return {**head, **schema, "required": ["schema", *schema["required"]]}


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")
