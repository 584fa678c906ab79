"""The check that holds the catalogue together, both ways: nothing promised without proof, nothing there unpromised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nfvcert.catalogue.model import Catalogue, Purpose
from nfvcert.catalogue.nonconformities import Nonconformity, discover, undeclared
from nfvcert.catalogue.suites import all_tests, tests_in

#: How many numbered requirements each part of ETSI GS NFV-REL 006 has.
NUMBERED = {"REQ.VNF": 14, "REQ.MANO": 3, "REQ.NFVLM": 7, "REQ.GEN": 5}


@dataclass(frozen=True, slots=True)
class Problem:
    """One loose end: what it concerns (an id or a path) and what is wrong."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check(catalogue: Catalogue, root: Path, checkers: Collection[str]) -> list[Problem]:
    """Everything in the catalogue that is not covered, and everything in the repository that the catalogue lacks.

    Args:
        root: the repository, with ``suites`` and ``fixtures/nonconformities``.
        checkers: ids of all registered checkers.
    """
    defects = root / "fixtures" / "nonconformities"
    found = discover(defects)
    return [
        *_structure(catalogue),
        *_bindings(catalogue, root, checkers),
        *_unbound(catalogue, root, checkers),
        *_defect_files(catalogue, found),
        *(Problem(str(path.relative_to(root)), "no sidecar declares this defect") for path in undeclared(defects)),
        *_proofs(catalogue, found),
    ]


def _structure(catalogue: Catalogue) -> Iterator[Problem]:
    ids = Counter(
        id
        for requirement in catalogue.requirements
        for id in (
            requirement.id,
            *(purpose.id for purpose in requirement.purposes),
            *(defect.id for defect in requirement.defects),
        )
    )
    yield from (Problem(id, f"the id is used {count} times") for id, count in ids.items() if count > 1)
    for prefix, expected in NUMBERED.items():
        count = sum(r.id.startswith(prefix + ".") for r in catalogue.requirements)
        if count != expected:
            yield Problem(prefix, f"{count} requirements where the source numbers {expected}")
    for requirement in catalogue.requirements:
        if not requirement.purposes:
            yield Problem(requirement.id, "the requirement has no test purpose")
        for purpose in requirement.purposes:
            for workload in purpose.workloads:
                if workload != "package" and workload not in catalogue.workloads:
                    yield Problem(purpose.id, f"workload '{workload}' is not described")
    for defect in catalogue.defects:
        yield from (
            Problem(defect.id, f"caught_by names {id}, which does not exist")
            for id in defect.caught_by
            if id not in ids
        )
    for topic, purposes in catalogue.rules.coverage.items():
        yield from (Problem(topic, f"coverage names {id}, which does not exist") for id in purposes if id not in ids)


def _bindings(catalogue: Catalogue, root: Path, checkers: Collection[str]) -> Iterator[Problem]:
    known = {purpose.id for purpose in catalogue.purposes}
    yield from (Problem(id, "bindings name a purpose that does not exist") for id in catalogue.bindings.keys() - known)
    for purpose in catalogue.purposes:
        if purpose.test is None:
            continue
        where = root / purpose.test.suite
        if not where.is_file():
            yield Problem(purpose.id, f"its suite {purpose.test.suite} does not exist")
        elif purpose.test.name.split("[")[0] not in tests_in(where):
            yield Problem(purpose.id, f"its suite {purpose.test.suite} has no test '{purpose.test.name}'")
        if purpose.checker is None:
            yield Problem(purpose.id, "it has a test but no checker")
        elif purpose.checker not in checkers:
            yield Problem(purpose.id, f"its checker '{purpose.checker}' is not registered")


def _unbound(catalogue: Catalogue, root: Path, checkers: Collection[str]) -> Iterator[Problem]:
    tests: dict[tuple[str, str], list[str]] = defaultdict(list)
    for purpose in _tested(catalogue):
        assert purpose.test is not None
        tests[purpose.test.suite, purpose.test.name.split("[")[0]].append(purpose.id)
    for (suite, name), purposes in tests.items():
        if len(purposes) > 1:
            yield Problem(f"{suite}::{name}", f"one test for several purposes: {', '.join(purposes)}")
    for suite, name in sorted(all_tests(root / "suites") - tests.keys()):
        yield Problem(f"{suite}::{name}", "no purpose names this test")
    for checker in sorted(set(checkers) - {purpose.checker for purpose in _tested(catalogue)}):
        yield Problem(str(checker), "no purpose names this checker")


def _defect_files(catalogue: Catalogue, found: list[Nonconformity]) -> Iterator[Problem]:
    known = {defect.id: defect for defect in catalogue.defects}
    for id, count in Counter(entry.id for entry in found).items():
        if count > 1:
            yield Problem(id, f"{count} files seed this defect")
    for entry in found:
        yield from (Problem(entry.file.name, problem) for problem in entry.problems)
        defect = known.get(entry.id)
        if defect is None:
            yield Problem(entry.file.name, f"the catalogue has no defect {entry.id}")
            continue
        for purpose in entry.purposes:
            if purpose not in defect.caught_by:
                yield Problem(entry.file.name, f"PURPOSE {purpose} is not among {', '.join(defect.caught_by)}")


def _proofs(catalogue: Catalogue, found: list[Nonconformity]) -> Iterator[Problem]:
    proven = {purpose for entry in found for purpose in entry.purposes}
    for purpose in _tested(catalogue):
        if purpose.id not in proven:
            yield Problem(purpose.id, "it is tested, but no seeded defect has shown that it can fail")


def _tested(catalogue: Catalogue) -> Iterator[Purpose]:
    return (purpose for purpose in catalogue.purposes if purpose.test is not None)
