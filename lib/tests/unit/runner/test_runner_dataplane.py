"""A run on the dataplane from the order to the certificate, with a suite that stands in for the one that measures.

The stand-in writes the checkers' good histories; planning, reserving, running, judging and reporting are the real ones.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from nfvcert.catalogue import Catalogue, load
from nfvcert.catalogue.model import TestReference
from nfvcert.errors import TestbedError
from nfvcert.nfvi.rundir import ROOT_VARIABLE
from nfvcert.report.results_model import Results
from nfvcert.report.verification import sound, verify
from nfvcert.runner import certify as certifying
from nfvcert.runner import staging
from nfvcert.runner.certify import Order, certify, prepare
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.known import DATAPLANE_SUITES
from nfvcert.runner.plan import read_plan
from nfvcert.runner.reconcile import final_judgements
from nfvcert.runner.reported import read_reported
from nfvcert.runner.session import read_declared, recorded

ROOT = Path(__file__).resolve().parents[4]
DROP = ROOT / "build" / "drops" / "edge-gateway"
PURPOSE, SCENARIOS = "TP.MA.05.1", ["ma-plain", "ma-sub-ranges"]
SUITE = f"{DATAPLANE_SUITES}/test_annex_a1.py"
STAND_IN = f'''
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import pytest
from scaling_histories import saved, told

@pytest.mark.purpose("{PURPOSE}")
def test_stand_in(session, judge):
    assert session.dataplane.settings.table_capacity == 2048
    assert session.profile.scaling.load == 0.1
    assert "controller" in session.dataplane.extensions
    with session.recording("ma-idle") as recording:
        recording.step("nothing")
    for scenario in {SCENARIOS!r}:
        saved(told(scenario), session.folder.history)
    judge(*{SCENARIOS!r})
'''

pytestmark = [
    pytest.mark.privileged,
    pytest.mark.skipif(not (DROP / "drop.yaml").exists(), reason="the sample drop is not built: make drop"),
]


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order over one purpose, bound to the stand-in; the MANO stack must not be brought up for it."""
    root = tmp_path / "root"
    (root / SUITE).parent.mkdir(parents=True)
    (root / SUITE).write_text(STAND_IN, encoding="utf-8")
    shutil.copy(ROOT / "suites" / "conftest.py", root / "suites" / "conftest.py")
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setattr(certifying, "load", bound)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the MANO stack was brought up")

    monkeypatch.setattr(staging.EmbeddedTestbed, "up", refuse)
    return Order(
        drop=DROP,
        testbed=ROOT / "testbeds" / "dataplane.yaml",
        output=tmp_path / "output",
        root=root,
        profile="light",
        selected=[PURPOSE],
        extensions={"controller": tmp_path / "DEF.py"},
        formats=("html", "junit", "attestation"),
    )


def bound() -> Catalogue:
    """The catalogue with the purpose bound to the stand-in."""
    catalogue = load()
    update = {
        "test": TestReference(backend="pytest", suite=SUITE, name="test_stand_in"),
        "scenarios": SCENARIOS,
        "checker": PURPOSE,
    }
    requirements = [
        r.model_copy(update={"purposes": [p.model_copy(update=update) if p.id == PURPOSE else p for p in r.purposes]})
        for r in catalogue.requirements
    ]
    fields = {name: getattr(catalogue, name) for name in ("rules", "workloads", "conventions", "bindings")}
    return Catalogue(requirements=requirements, **fields)


def verdict_of(results: Results, id: str) -> tuple[str, str]:
    purpose = next(p for p in results.purposes if p.id == id)
    return purpose.verdict, purpose.reason


def test_a_run_on_the_dataplane_needs_nothing_else(order: Order) -> None:
    folder, results = certify(prepare(order), Console(quiet=True))
    verdict, reason = verdict_of(results, PURPOSE)
    assert verdict == "PASS", reason
    assert results.headline == "PASS for 1 of 1 further requirements, 29 numbered ones not tested"
    assert [series.kind for series in results.series] == ["scaling", "scaling"]
    assert {scenario.id for scenario in results.scenarios} >= set(SCENARIOS)
    assert (folder.path / "plots" / "scaling.svg").exists()
    html = (folder.path / "certificate.html").read_text(encoding="utf-8")
    assert "Judged on the dataplane of the testbed, not on the software of the drop" in html
    assert sound(verify(folder.path))
    assert not folder.attachment.exists()
    assert not (folder.logs / "pytest.log").exists()
    assert (folder.logs / "pytest-dataplane.log").exists()


def test_it_is_judged_again_from_what_is_stored(order: Order) -> None:
    folder, results = certify(prepare(order), Console(quiet=True))
    stored = RunFolder(folder.path)
    plan = read_plan(stored.plan)
    again = final_judgements(plan, read_reported(stored.reported), recorded(stored, SCENARIOS), read_declared(stored))
    assert {id: str(j.verdict) for id, j in again.items()} == {PURPOSE: verdict_of(results, PURPOSE)[0]}


def test_a_testbed_without_the_feature_loses_no_time_on_it(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging.DataplaneReservation, "take", staging.EmbeddedTestbed.up)
    embedded = Order(**{**vars(order), "testbed": ROOT / "testbeds" / "embedded.yaml"})
    folder, results = certify(prepare(embedded), Console(quiet=True))
    assert verdict_of(results, PURPOSE) == ("N/A", "the testbed does not declare migration_avoidance")
    assert (results.verdict, results.scenarios) == ("INCONC", [])
    assert json.loads(folder.plan.read_text(encoding="utf-8"))["excluded"][0]["id"] == PURPOSE
    assert sound(verify(folder.path))


def test_what_needs_the_stack_is_refused_before_anything_is_started(order: Order) -> None:
    with pytest.raises(TestbedError, match="the testbed has a dataplane only") as raised:
        prepare(Order(**{**vars(order), "selected": ["TP.VNF.05.1"]}))
    assert "--requirement REL002.MA" in raised.value.hint
