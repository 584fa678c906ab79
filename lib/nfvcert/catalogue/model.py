"""What a requirement, a test purpose, a seeded defect and the whole catalogue are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["shall", "should"]
Status = Literal["tested", "not tested"]

REL006 = "ETSI GS NFV-REL 006 V3.1.1"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MeasurePlan(_Entry):
    """A figure that a purpose asks for.

    ``limit`` is text: an operator with a number (``<= 200``), with a policy parameter (``<= stateful_loss``), or words.
    ``limit_source`` says who set it, ``source_figure`` what the source document reports on its own testbed.
    """

    name: str
    unit: str
    limit: str
    limit_source: str
    source_figure: str | None = None


class TestReference(_Entry):
    """The one test that shows a purpose: a case of a Robot suite or a function of a pytest module.

    ``suite`` is a path from the root of the repository; ``name`` is the name of the Robot case, or the pytest function
    as ``test_name`` or ``TestClass::test_name``.
    """

    __test__ = False

    backend: Literal["robot", "pytest"]
    suite: str
    name: str

    def __str__(self) -> str:
        return f"{self.suite}::{self.name}"


class Binding(_Entry):
    """Where a purpose is tested: its test, the scenarios that the test needs and the checker that judges them.

    A checker that is not named is the one registered under the id of the purpose.
    """

    test: TestReference | None = None
    scenarios: list[str] = Field(default_factory=list)
    repeated: list[str] = Field(default_factory=list, description="those that a profile may repeat")
    checker: str | None = None
    not_tested_reason: str | None = None

    @model_validator(mode="after")
    def _repeats_what_it_needs(self) -> Self:
        if strange := [name for name in self.repeated if name not in self.scenarios]:
            raise ValueError(f"only scenarios of the purpose can be repeated, found {', '.join(strange)}")
        return self


class Purpose(_Entry):
    """One test purpose: from which state, what stimulus, what must be seen, in which evidence, with which figures."""

    id: str
    requirement: str
    title: str
    workloads: list[str]
    initial: list[str]
    when: str
    then: list[str]
    evidence: list[str]
    measures: list[MeasurePlan]
    applicability: str
    test: TestReference | None = None
    scenarios: list[str] = Field(default_factory=list)
    repeated: list[str] = Field(default_factory=list)
    checker: str | None = None
    not_tested_reason: str = ""

    @property
    def status(self) -> Status:
        """``tested`` if and only if a test is bound to it."""
        return "tested" if self.test else "not tested"

    @property
    def guards(self) -> list[str]:
        """The initial conditions that evidence of the same run must show (INCONC if it does not)."""
        return [line for line in self.initial if line.startswith("Guard")]


class Defect(_Entry):
    """Nonconforming behaviour to seed; ``caught_by`` names the purposes that must fail, ``reason`` what they say."""

    id: str
    place: str
    behaviour: str
    caught_by: list[str] = Field(min_length=1)
    reason: str


class Requirement(_Entry):
    """One requirement, flow or procedure of a source document, restated in our own words."""

    id: str
    family: str
    document: str
    clause: str
    level: Level
    statement: str
    subjects: list[str]
    purposes: list[Purpose] = Field(default_factory=list)
    defects: list[Defect] = Field(default_factory=list)
    state_kinds: dict[str, str] = Field(default_factory=dict)
    hard_because: str = ""

    @property
    def counted(self) -> bool:
        """Whether it is one of the 29 numbered requirements that the headline of a certificate counts."""
        return self.id.startswith("REQ.")

    @property
    def status(self) -> Status:
        """``tested`` as soon as one of its purposes is."""
        return "tested" if any(purpose.test for purpose in self.purposes) else "not tested"


class Rules(_Entry):
    """What holds for every family: judging rules, operations with SOL bindings, policy parameters and vocabularies."""

    rules: list[str]
    operations: dict[str, dict[str, str]]
    policy_parameters: dict[str, dict[str, Any]]
    package_variants: dict[str, str]
    evidence_kinds: dict[str, str]
    coverage: dict[str, list[str]]


class Catalogue(_Entry):
    """Everything that can be tested, in the order of the sources."""

    requirements: list[Requirement]
    rules: Rules
    workloads: dict[str, str]
    conventions: dict[str, list[str]]
    bindings: dict[str, Binding]

    @cached_property
    def _purposes(self) -> dict[str, Purpose]:
        return {purpose.id: purpose for requirement in self.requirements for purpose in requirement.purposes}

    @cached_property
    def _requirements(self) -> dict[str, Requirement]:
        return {requirement.id: requirement for requirement in self.requirements}

    @cached_property
    def _defects(self) -> dict[str, Defect]:
        return {defect.id: defect for requirement in self.requirements for defect in requirement.defects}

    @property
    def purposes(self) -> Iterator[Purpose]:
        """All test purposes."""
        return iter(self._purposes.values())

    @property
    def defects(self) -> Iterator[Defect]:
        """All seeded defects, those without a file too."""
        return iter(self._defects.values())

    def requirement(self, id: str) -> Requirement:
        """The requirement with that id; KeyError if there is none."""
        return self._requirements[id]

    def purpose(self, id: str) -> Purpose:
        """The test purpose with that id; KeyError if there is none."""
        return self._purposes[id]

    def defect(self, id: str) -> Defect:
        """The defect with that id; KeyError if there is none."""
        return self._defects[id]

    def parameter(self, name: str) -> Any:
        """Default value of a policy parameter, used when the drop declares none; KeyError if there is no such name."""
        return self.rules.policy_parameters[name]["default"]
