"""Where seeded defects are put in: those of migration avoidance into the dataplane, all others into stack and drop."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.catalogue import Catalogue, Nonconformity, load
from nfvcert.catalogue.model import TestReference
from nfvcert.errors import StackError
from nfvcert.runner import nonconformity
from nfvcert.runner.certify import Order
from nfvcert.runner.known import DATAPLANE_SUITES
from nfvcert.runner.nonconformity import Campaign, run_defect
from nfvcert.traffic.native import VARIABLE

PURPOSE = "TP.MA.03.4"


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(
        root=tmp_path,
        folder=tmp_path,
        source=tmp_path / "source",
        drop=tmp_path / "drop",
        testbed=tmp_path / "embedded.yaml",
        dataplane=tmp_path / "dataplane.yaml",
        profile="light",
        output=tmp_path / "output",
    )


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Order]:
    """What is ordered; every run ends without results."""
    orders: list[Order] = []

    def refuse(order: Order, work: Path) -> Path:
        orders.append(order)
        raise StackError("the run ended without results")

    monkeypatch.setattr(nonconformity, "load", bound)
    monkeypatch.setattr(nonconformity, "prepare", lambda order: None)
    monkeypatch.setattr(nonconformity, "certify_isolated", refuse)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "native"))
    return orders


def bound() -> Catalogue:
    catalogue = load()
    update = {"test": TestReference(backend="pytest", suite=f"{DATAPLANE_SUITES}/test_six_steps.py", name="test_x")}
    requirements = [
        r.model_copy(update={"purposes": [p.model_copy(update=update) if p.id == PURPOSE else p for p in r.purposes]})
        for r in catalogue.requirements
    ]
    fields = {name: getattr(catalogue, name) for name in ("rules", "workloads", "conventions", "bindings")}
    return Catalogue(requirements=requirements, **fields)


def defect(id: str, component: str, purpose: str, tmp_path: Path) -> Nonconformity:
    return Nonconformity(id, tmp_path / f"{id}.py", component, (purpose,), "because")


def test_a_controller_is_extended_on_the_dataplane(campaign: Campaign, ordered: list[Order], tmp_path: Path) -> None:
    outcome = run_defect(campaign, defect("DEF.MA.03.c", "controller", PURPOSE, tmp_path))
    assert outcome.verdict == "ERROR"
    assert "could not be run: the run ended without results" in outcome.reason
    order = ordered[0]
    assert (order.testbed, order.drop, order.selected) == (campaign.dataplane, campaign.drop, [PURPOSE])
    assert order.extensions == {"controller": tmp_path / "DEF.MA.03.c.py"}
    assert order.programs == {}


@pytest.mark.parametrize("component", ["switch", "server-switch", "vnf"])
def test_a_native_program_is_replaced(component: str, campaign: Campaign, ordered: list[Order], tmp_path: Path) -> None:
    program = tmp_path / "native" / "lib" / "nfvcert-server-switch+DEF.MA.03.b"
    program.parent.mkdir(parents=True)
    program.touch()
    program.chmod(0o755)
    run_defect(campaign, defect("DEF.MA.03.b", component, PURPOSE, tmp_path))
    assert ordered[0].programs == {"nfvcert-server-switch": program}
    assert (ordered[0].extensions, ordered[0].drop) == ({}, campaign.drop)


def test_a_native_program_that_was_not_built_is_named(campaign: Campaign, ordered: list[Order], tmp_path: Path) -> None:
    outcome = run_defect(campaign, defect("DEF.MA.03.b", "switch", PURPOSE, tmp_path))
    assert "the native program of DEF.MA.03.b is missing" in outcome.reason
    assert ordered == []


def test_defects_of_the_stack_stay_there(campaign: Campaign, ordered: list[Order], tmp_path: Path) -> None:
    run_defect(campaign, defect("DEF.VNF.01.a", "vnfm", "TP.VNF.01.2", tmp_path))
    assert ordered[0].testbed == campaign.testbed
    assert ordered[0].extensions == {"vnfm": tmp_path / "DEF.VNF.01.a.py"}
