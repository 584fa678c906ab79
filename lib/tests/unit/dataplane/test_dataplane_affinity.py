"""Planners against a model of the dataplane: whatever is born and ends whenever, no flow changes its instance."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataplane_model import Model
from dataplane_stand import Stand, annex_a1, places
from hypothesis import given, settings
from hypothesis import strategies as st

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.methods import SCALE_OUT, scale_in, version
from nfvcert.dataplane.orders import Refused
from nfvcert.dataplane.ranges import prefix_entries

IDLE_S = 0.05
QUIET = settings(max_examples=10)
_runs = itertools.count()


@st.composite
def workloads(draw: st.DrawFn) -> Model:
    """Some dozen flows, many with the same ids, born and ended at any time, some without an end."""
    seed = draw(st.integers(0, 2**32 - 1))
    old, later = draw(st.integers(0, 60)), draw(st.integers(0, 120))
    crowd = draw(st.sampled_from([4, 40, IDS]))
    mean = draw(st.sampled_from([0.05, 0.5, 2.0]))
    random = np.random.default_rng(seed)
    birth = np.concatenate((np.zeros(old), np.sort(random.random(later) * 3)))
    death = birth + random.exponential(mean, old + later)
    death[random.random(old + later) < draw(st.sampled_from([0.0, 0.1]))] = 1e9
    spread = np.linspace(0, IDS - 1, crowd).astype(np.int64)
    return Model(birth, death, random.choice(spread, old + later), places(4), IDLE_S)


def stand(model: Model, folder: Path, seed: int = 0, **more: Any) -> Stand:
    random = np.random.default_rng(seed)
    return Stand(
        model, folder / f"{next(_runs)}.journal", delay=lambda: float(random.random() * 0.004), tick=0.01, **more
    )


def refused(run: Any) -> bool:
    try:
        run()
    except Refused:
        return True
    return False


def sound(here: Stand, quota: int) -> None:
    assert not here.model.violations
    assert not here.model.lost
    assert here.switch.most_used <= quota


@pytest.mark.parametrize("method", list(SCALE_OUT))
@given(model=workloads(), seed=st.integers(0, 1000), capacity=st.sampled_from([4, 12, 80, 2048]))
@QUIET
def test_scale_out_keeps_every_flow_at_its_instance(
    tmp_path: Path, method: str, model: Model, seed: int, capacity: int
) -> None:
    here = stand(model, tmp_path, seed, capacity=capacity)
    here.pass_time(0.1)
    refused(lambda: here.run(SCALE_OUT[method](here.fabric, here.task(), here.behaviour), 4.0))
    here.pass_time(1.0)
    sound(here, capacity)


@pytest.mark.parametrize("method", list(SCALE_OUT))
@given(model=workloads(), seed=st.integers(0, 1000))
@QUIET
def test_scale_out_ends_when_flows_end(tmp_path: Path, method: str, model: Model, seed: int) -> None:
    model.death = np.minimum(model.death, 3.5)
    here = stand(model, tmp_path, seed, capacity=80)
    outcome: list[str | None] = []
    refusal = refused(
        lambda: outcome.append(here.run(SCALE_OUT[method](here.fabric, here.task(), here.behaviour), 20.0))
    )
    if method in ("plain", "alternative", "always-migrate"):
        assert not refusal
    assert refusal or outcome[0] is not None
    sound(here, 80)


@pytest.mark.parametrize("method", list(SCALE_OUT))
@given(model=workloads(), seed=st.integers(0, 1000), share=st.sampled_from([0.5, 0.3]))
@QUIET
def test_no_plan_is_too_much_for_a_switch_that_matches_masks(
    tmp_path: Path, method: str, model: Model, seed: int, share: float
) -> None:
    here = stand(model, tmp_path, seed, capacity=80, cost=prefix_entries)
    task = here.task(share=share, cost=prefix_entries)
    refused(lambda: here.run(SCALE_OUT[method](here.fabric, task, here.behaviour), 4.0))
    here.pass_time(1.0)
    sound(here, 80)
    assert not here.switch.overflows


def test_sub_ranges_of_annex_a1_fit_in_a_table_of_masks(tmp_path: Path) -> None:
    model = annex_a1(1, seconds=4.0)
    here = Stand(model, tmp_path / "journal", tick=0.05, cost=prefix_entries)
    here.pass_time(0.5)
    here.run(SCALE_OUT["sub-ranges"](here.fabric, here.task(cost=prefix_entries), here.behaviour), 4.0)
    assert not here.model.violations
    assert not here.switch.overflows
    assert 1500 < here.switch.most_used <= 2048
    assert (here.fabric.ports == 1).mean() > 0.2, "so much is handed over in aligned blocks"


@given(model=workloads(), seed=st.integers(0, 1000), refuse=st.sampled_from([0, 7, 50]))
@QUIET
def test_plain_at_a_switch_that_refuses_and_whose_table_others_use(
    tmp_path: Path, model: Model, seed: int, refuse: int
) -> None:
    here = stand(model, tmp_path, seed, capacity=60, foreign=30, quota=20, refuse_every=refuse)
    here.run(SCALE_OUT["plain"](here.fabric, here.task(), here.behaviour), 4.0)
    here.pass_time(0.5)
    sound(here, 20)


@pytest.mark.parametrize("method", ["plain", "sub-ranges", "alternative"])
@given(model=workloads(), seed=st.integers(0, 1000))
@QUIET
def test_out_in_and_out_again(tmp_path: Path, method: str, model: Model, seed: int) -> None:
    here = stand(model, tmp_path, seed, capacity=80)
    here.run(SCALE_OUT[method](here.fabric, here.task(), here.behaviour), 1.0)
    here.run(scale_in(here.fabric, here.task(1, 0), here.behaviour), 1.5)
    if not here.parties.terminated:
        here.run(SCALE_OUT[method](here.fabric, here.task(), here.behaviour), 2.5)
    here.pass_time(0.5)
    sound(here, 80)


@given(model=workloads(), seed=st.integers(0, 1000))
@QUIET
def test_one_to_two_to_four(tmp_path: Path, model: Model, seed: int) -> None:
    here = stand(model, tmp_path, seed, capacity=80)
    for source, target, until in ((0, 1, 1.0), (0, 2, 1.7), (1, 3, 2.5)):
        here.run(SCALE_OUT["plain"](here.fabric, here.task(source, target), here.behaviour), until)
    here.pass_time(0.5)
    sound(here, 80)


@given(model=workloads(), seed=st.integers(0, 1000), shares=st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.0]), max_size=4))
@QUIET
def test_versions_in_stages_and_back(tmp_path: Path, model: Model, seed: int, shares: list[float]) -> None:
    here = stand(model, tmp_path, seed, capacity=80)
    domain = here.fabric.domain(0)
    for number, share in enumerate(shares):
        task = here.task(share=share)
        task = type(task)(**{**task.__dict__, "domain": domain})
        here.run(version(here.fabric, task, here.behaviour), 0.5 * (number + 1))
        assert abs((here.fabric.owners == 1).mean() - share) < 0.001
    here.pass_time(0.5)
    sound(here, 80)


def crowded(seed: int = 5) -> Model:
    random = np.random.default_rng(seed)
    birth = np.concatenate((np.zeros(200), np.sort(random.random(600) * 4)))
    death = birth + random.exponential(1.0, 800)
    return Model(birth, death, random.integers(0, IDS, 800), places(4), IDLE_S)


def test_scale_in_ends_an_instance_only_when_it_is_empty(tmp_path: Path) -> None:
    here = stand(crowded(), tmp_path, capacity=400)
    here.run(SCALE_OUT["plain"](here.fabric, here.task(), here.behaviour), 1.5)
    assert here.run(scale_in(here.fabric, here.task(1, 0), here.behaviour), 30.0) is not None
    alive = here.model.living[here.model.owner[here.model.living] == 1]
    assert here.parties.terminated == [1]
    assert not len(alive)
    assert len(here.model.rules) == 1
    sound(here, 400)


def test_longest_wait_names_every_flow_that_is_cut(tmp_path: Path) -> None:
    model = crowded()
    model.death[:20] = 1e9
    here = stand(model, tmp_path, capacity=400)
    here.run(SCALE_OUT["plain"](here.fabric, here.task(), here.behaviour), 3.0)
    mine = model.living[model.owner[model.living] == 1]
    model.death[mine[:3]] = 1e9
    task = here.task(1, 0, longest_wait_s=4.0)
    assert "cut" in (here.run(scale_in(here.fabric, task, here.behaviour), 30.0) or "")
    endless = {model.flow(int(index)).src for index in mine[:3]}
    assert {key[0] for key in here.reported["cut_flows"]} == endless


def test_threshold_waits_and_the_push_comes_once(tmp_path: Path) -> None:
    here = stand(crowded(), tmp_path)
    here.pass_time(0.3)
    before = len(here.switch.applied)
    here.run(SCALE_OUT["plain"](here.fabric, here.task(threshold=20), here.behaviour), 30.0)
    assert len(here.switch.applied) == before + 1
    _, change = here.switch.applied[-1]
    assert len(change.exceptions) < 20
    assert [tell.step for _, tell in here.told if tell.final] == ["push"]
    sound(here, 2048)


class _ForgetsExceptions(ControllerBehaviour):
    def exceptions(self, flows: Any) -> Any:
        return flows[1:]


class _TooEarly(ControllerBehaviour):
    def lists_after_turn(self) -> bool:
        return False


class _Ignores(ControllerBehaviour):
    def accepts_refusal(self, code: str) -> bool:
        return True


@pytest.mark.parametrize("behaviour", [_ForgetsExceptions, _TooEarly])
def test_the_model_sees_what_is_wrong(tmp_path: Path, behaviour: type[ControllerBehaviour]) -> None:
    random = np.random.default_rng(3)
    birth = np.concatenate((np.zeros(300), np.sort(random.random(3000) * 3)))
    model = Model(birth, birth + 2.0, random.integers(0, IDS, 3300), places(2), IDLE_S)
    here = stand(model, tmp_path, behaviour=behaviour())
    here.pass_time(0.5)
    here.run(SCALE_OUT["never-migrate"](here.fabric, here.task(), here.behaviour), 2.0)
    here.pass_time(0.5)
    assert model.violations
