"""Courses of scalings taken from histories: complete for the report, left out where too little was recorded."""

from __future__ import annotations

import logging

import pytest
from scaling_histories import told

from nfvcert.history import History, marks
from nfvcert.history import migration as m
from nfvcert.report.scaling import Course
from nfvcert.report.scaling_plots import scaling_svg
from nfvcert.runner.known import SCENARIOS
from nfvcert.runner.scaling_series import COMPARED, DRAWN, scaling_course


@pytest.fixture(scope="module")
def plain() -> History:
    return told("ma-plain")


def altered(history: History, name: str, **changes: object) -> History:
    """The history with other data in the mark of that name, or without the mark."""
    events = []
    for event in history:
        if event.data.get("name") == name:
            if not changes:
                continue
            event = type(event)(
                event.t, event.kind, event.source, event.scenario, {**event.data, **changes}, event.wall, event.seq
            )
        events.append(event)
    return History(history.scenario, events, history.tables)


@pytest.mark.parametrize("scenario", DRAWN)
def test_a_recorded_scaling_can_be_drawn(scenario: str) -> None:
    course = Course.model_validate(scaling_course(told(scenario)))
    assert course.scenario == scenario
    assert course.drawn
    assert course.trigger == pytest.approx(2.0)
    assert course.instances == ["s1/v1", "s2/v1"]
    assert len(course.t) > 50
    scaling_svg([course])


def test_what_is_drawn_of_several_repeats_is_the_first(plain: History) -> None:
    once, often = scaling_course(plain), scaling_course(plain, repeats=20)
    assert once is not None
    assert often is not None
    assert often == {**once, "title": f"{once['title']} (first of 20 repeats)"}


def test_rates_are_those_on_the_wire(plain: History) -> None:
    course = Course.model_validate(scaling_course(plain))
    assert course.offered_bps == pytest.approx(149_000 * 84 * 8, rel=0.01)
    both = [sum(values) for values in zip(*course.load.values(), strict=True)]
    assert both[10] == pytest.approx(course.offered_bps, rel=0.05)
    assert max(v or 0.0 for v in course.detour) == pytest.approx(course.figures.detour_peak_bps or 0.0, rel=0.15)


def test_figures_are_those_that_are_judged(plain: History) -> None:
    figures = Course.model_validate(scaling_course(plain)).figures
    assert (figures.affinity_violations, figures.lost) == (0, 0)
    assert figures.added_latency_median_us == 4.0


def test_methods_flows_and_switches_are_told_apart(plain: History) -> None:
    def title(**changes: object) -> str:
        course = scaling_course(altered(plain, m.WORKLOAD, **changes))
        assert course is not None
        return str(course["title"])

    assert title(method="plain") == "Steps of clause 6.2"
    assert title(method="sub-ranges", lifetime={"model": "agh-2015"}) == "Sub-ranges, heavy-tailed flows"
    assert title(driver="openvswitch") == "Steps of clause 6.2, Open vSwitch"
    assert title(method="unheard-of") == "unheard-of"


@pytest.mark.parametrize("name", [m.WORKLOAD, m.TRAFFIC, m.SPLIT, marks.TRIAL])
def test_too_little_recorded_is_no_course(name: str, plain: History, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert scaling_course(altered(plain, name)) is None
    assert "ma-plain is not compared" in caplog.text


def test_a_trial_that_fell_short_says_so(plain: History) -> None:
    course = scaling_course(altered(plain, marks.TRIAL, intended=1))
    assert course is not None
    assert course["invalid"].startswith("ma-plain: the traffic trial is invalid")
    whole = scaling_course(plain)
    assert whole is not None
    assert whole["invalid"] == ""


def test_damaged_data_are_no_course(plain: History) -> None:
    assert scaling_course(altered(plain, m.WORKLOAD, instances={"one": "s1/v1"})) is None


def test_what_is_compared_is_known() -> None:
    assert set(DRAWN) <= set(COMPARED) <= set(SCENARIOS)
