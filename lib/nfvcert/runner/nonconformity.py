"""Campaigns of seeded defects: each is put in, what has to catch it is run, and the outcome is compared with the
purpose and the reason that the defect's file names."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from rich.console import Console

from nfvcert.catalogue import Nonconformity, discover, load
from nfvcert.drop.build import build_drop
from nfvcert.drop.derive import derive_drop
from nfvcert.drop.signature import Signing
from nfvcert.errors import NfvcertError, UsageError
from nfvcert.report.results_model import Results
from nfvcert.report.runfolder import read_results
from nfvcert.runner.certify import Order, prepare
from nfvcert.runner.isolated import certify_isolated
from nfvcert.runner.known import part_of
from nfvcert.traffic.native import binary, native_folder

EXTENDED = ("nfvo", "vnfm", "em", "vim", "controller")
"""Components whose behaviour a file of Python overrides."""

REPLACED = ("switch", "server-switch", "vnf")
"""Components of the dataplane that are native programs."""

VENDOR_KEY = "fixtures/drops/keys/vendor-TEST-ONLY"


@dataclass(frozen=True)
class Campaign:
    """Where everything is. ``drop`` is the built sample, ``source`` its sources.

    Defects of the dataplane are put into ``dataplane``, all others into ``testbed``.
    """

    root: Path
    folder: Path
    source: Path
    drop: Path
    testbed: Path
    dataplane: Path
    profile: str
    output: Path
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one seeded defect; ``caught``: the expected purpose failed for the expected reason."""

    defect: Nonconformity
    caught: bool
    purpose: str
    verdict: str
    reason: str

    @property
    def text(self) -> str:
        """One line."""
        state = "caught " if self.caught else "ESCAPED"
        return f"{state} {self.defect.id:14} {self.purpose:12} {self.verdict:7} {self.reason}"


def run_campaign(campaign: Campaign, ids: Sequence[str], console: Console) -> list[Outcome]:
    """Run the named defects, or all; outcomes are told as they come.

    Raises:
        UsageError: an id names no defect.
    """
    known = {defect.id: defect for defect in discover(campaign.folder)}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise UsageError(f"no seeded defect is called {', '.join(unknown)}", hint="see 'nfvcert nonconformity list'")
    tested = {purpose.id for purpose in load().purposes if purpose.test is not None}
    chosen = [known[name] for name in ids] if ids else list(known.values())
    for defect in [defect for defect in chosen if not tested & set(defect.purposes)]:
        chosen.remove(defect)
        missing = ", ".join(defect.purposes)
        console.print(
            f"not run {defect.id:14} {missing:12} this purpose has no test yet", markup=False, highlight=False
        )
    if not (campaign.drop / "drop.yaml").exists():
        build_drop(campaign.source, campaign.drop, binaries=binary)

    def one(defect: Nonconformity) -> Outcome:
        outcome = run_defect(campaign, defect)
        console.print(outcome.text, markup=False, highlight=False, soft_wrap=True)
        return outcome

    with ThreadPoolExecutor(max_workers=max(1, campaign.jobs)) as pool:
        outcomes = list(pool.map(one, chosen))
    caught = sum(outcome.caught for outcome in outcomes)
    console.print(f"{caught} of {len(outcomes)} seeded defects caught by the expected purpose for the expected reason")
    return outcomes


def run_defect(campaign: Campaign, defect: Nonconformity) -> Outcome:
    """Put one defect in and run the purposes that have to catch it."""
    tested = {purpose.id: part_of(purpose.test.suite) for purpose in load().purposes if purpose.test is not None}
    purposes = [purpose for purpose in defect.purposes if purpose in tested]
    if not purposes:
        return Outcome(defect, False, ", ".join(defect.purposes), "", "no tested purpose has to catch it")
    on_dataplane = tested[purposes[0]] == "dataplane"
    work = campaign.output / defect.id
    work.mkdir(parents=True, exist_ok=True)
    try:
        order = Order(
            drop=campaign.drop if on_dataplane else _altered_drop(campaign, defect, work),
            testbed=campaign.dataplane if on_dataplane else campaign.testbed,
            output=work,
            root=campaign.root,
            profile=campaign.profile,
            selected=purposes,
            extensions={defect.component: defect.file} if defect.component in EXTENDED else {},
            programs=_defective(defect.id) if on_dataplane and defect.component in REPLACED else {},
            formats=(),
            link_latest=False,
        )
        prepare(order)
        results = read_results(certify_isolated(order, work))
    except NfvcertError as error:
        return Outcome(defect, False, ", ".join(purposes), "ERROR", f"could not be run: {error.message}")
    return _compare(defect, purposes, results)


def _compare(defect: Nonconformity, purposes: Sequence[str], results: Results) -> Outcome:
    found = [result for result in results.purposes if result.id in purposes]
    for result in found:
        if result.verdict == "FAIL" and _names(result.reason, result.observations, defect.reason):
            return Outcome(defect, True, result.id, result.verdict, result.reason)
    first = found[0] if found else None
    return Outcome(
        defect,
        False,
        first.id if first else ", ".join(purposes),
        first.verdict if first else "",
        f"{first.reason if first else 'no verdict'} (expected: {defect.reason})",
    )


def _names(reason: str, observations: Sequence[str], expected: str) -> bool:
    """Whether a verdict gives the expected reason, in its reason or in what it names beside it."""
    return any(expected.lower() in text.lower() for text in (reason, *observations))


def _altered_drop(campaign: Campaign, defect: Nonconformity, work: Path) -> Path:
    if defect.component == "package":
        module = _load(defect.file)
        key = campaign.root / f"{VENDOR_KEY}.key.pem"
        certificate = campaign.root / f"{VENDOR_KEY}.cert.pem"
        return derive_drop(campaign.drop, work / "drop", *module.edits(), signing=Signing.of(key, certificate))
    if defect.component == "vnf":
        return build_drop(campaign.source, work / "drop", binaries=_with_defect(defect.id))
    return campaign.drop


def _with_defect(identifier: str) -> Callable[[str], Path]:
    """Finds native programs, the one that the defect replaces in its defective build."""
    defective = _defective(identifier)

    def find(name: str) -> Path:
        return defective.get(name) or binary(name)

    return find


def _defective(identifier: str) -> dict[str, Path]:
    """Native programs with the defect, by the name of the program that each replaces."""
    found = {path.name.split("+", 1)[0]: path for path in native_folder().rglob(f"*+{identifier}") if path.is_file()}
    if not found:
        raise UsageError(f"the native program of {identifier} is missing", hint="build it: make native")
    return found


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem.replace(".", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
