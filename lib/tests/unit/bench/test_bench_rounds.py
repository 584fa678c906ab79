"""Turns, comparisons, reports, noise."""

from __future__ import annotations

import json
import signal
import time

import pytest

from nfvcert.bench.chain import switch_rules
from nfvcert.bench.machine import describe_machine
from nfvcert.bench.migration import detour_ratio, summarise
from nfvcert.bench.native import FlowLoad, missing_programs, outcome_of
from nfvcert.bench.noise import Noise, doubtful_spread, processor_ticks
from nfvcert.bench.printing import lines_of
from nfvcert.bench.results import Reading, Report, Series
from nfvcert.bench.room import _unwinding
from nfvcert.bench.rounds import Contender, take_turns
from nfvcert.errors import TestbedError
from nfvcert.traffic.programs import ProgramMissing


def quiet(_line: str) -> None:
    """Say nothing."""


def test_contenders_are_measured_in_turn_and_in_alternating_order() -> None:
    order: list[str] = []

    def measure(name: str) -> Reading:
        order.append(name)
        return Reading(float(len(order)))

    contenders = [Contender(name, "memif", lambda name=name: measure(name)) for name in "ab"]  # type: ignore[misc]
    series = take_turns(contenders, 3, quiet)
    assert "".join(order) == "abbaab"
    assert [s.rates for s in series] == [[1.0, 4.0, 5.0], [2.0, 3.0, 6.0]]


def test_a_missing_peer_is_asked_once_and_the_others_go_on() -> None:
    calls: list[str] = []

    def missing() -> Reading:
        calls.append("x")
        raise ProgramMissing("x is not installed", hint="apt-get install x")

    series = take_turns([Contender("x", "memif", missing), Contender("y", "memif", lambda: Reading(1.0))], 3, quiet)
    assert calls == ["x"]
    assert series[0].estimate is None
    assert "apt-get install x" in series[0].failures[0]
    assert series[1].rates == [1.0, 1.0, 1.0]


def test_one_failure_costs_one_reading() -> None:
    answers = iter([1.0, None, 3.0])

    def measure() -> Reading:
        value = next(answers)
        if value is None:
            raise TestbedError("lost")
        return Reading(value)

    (series,) = take_turns([Contender("x", "memif", measure)], 3, quiet)
    assert series.rates == [1.0, 3.0]
    assert series.failures == ["lost"]


def a_report(ours: list[float], theirs: list[float]) -> Report:
    report = Report("generator", {}, describe_machine(), {"x": "1"})
    for name, rates in (("ours", ours), ("theirs", theirs)):
        report.series.append(
            Series(name, "memif", {}, [Reading(rate, {}, repeat) for repeat, rate in enumerate(rates)])
        )
    return report


def test_only_repeats_under_like_conditions_are_compared() -> None:
    distances = iter([90.0, 90.0, 95.0, 96.0, 480.0, 490.0, 485.0])
    rates = iter([20.0, 10.0, 20.0, 12.0, 10.0, 10.0])
    contenders = [Contender(name, "memif", lambda: Reading(next(rates))) for name in ("ours", "theirs")]
    told: list[str] = []
    report = Report("generator", {}, describe_machine(), {"x": "1"})
    report.series += take_turns(contenders, 3, told.append, lambda: next(distances))
    report.compare("ours", "theirs")
    (comparison,) = report.comparisons
    assert comparison.left_out == 1
    assert (comparison.ratio.low, comparison.ratio.high, comparison.ratio.count) == (1.0, 2.0, 2)
    assert told[0] == "1/3 ours: 0.000 Mpps (cores 90 ns apart)"
    lines = list(lines_of(report))
    assert any("1 pairs left out" in line for line in lines)
    assert any("the host moved the cores" in line for line in lines)


def test_a_repeat_that_failed_is_no_pair() -> None:
    report = a_report([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])
    del report.series[0].readings[1]
    report.compare("ours", "theirs")
    assert (report.comparisons[0].ratio.low, report.comparisons[0].ratio.high) == (1.0, 3.0)


def test_targets_are_judged_by_the_whole_interval() -> None:
    for ours, met in (([2.2, 2.3, 2.4], True), ([1.0, 1.1, 1.2], False), ([1.5, 2.1, 2.5], None)):
        report = a_report(ours, [1.0, 1.0, 1.0])
        report.compare("ours", "theirs", target=2.0)
        assert report.comparisons[0].met is met


def test_what_was_not_measured_is_not_compared() -> None:
    report = a_report([1.0], [])
    report.compare("ours", "theirs", target=2.0)
    report.compare("ours", "nobody", target=2.0)
    assert report.comparisons == []


def test_a_report_is_json_and_text() -> None:
    report = a_report([2.0e6, 2.2e6, 2.1e6], [1.0e6, 1.0e6, 1.0e6])
    report.compare("ours", "theirs", target=2.0)
    report.check("peak", 2.1e6, "packets/s", ">=", 4e6)
    report.check("soak", None, "packets", "<=", 0)
    report.noise = Noise(0.1, 1.0, 2.0, 100.0, 80.0)
    assert json.loads(json.dumps(report.to_dict()))["comparisons"][0]["met"] is True
    text = "\n".join(lines_of(report))
    assert "ours / theirs: 2.10 (2.00 to 2.20), target 2: met" in text
    assert "peak: 2.1e+06 packets/s, target >= 4e+06: MISSED" in text
    assert "soak: not measured" in text
    assert "doubtful: 10.0 % of the processor time went to other guests" in text


def test_noise_doubts_steal_load_and_speed() -> None:
    assert Noise(0.0, 0.1, 2.0, 100.0, 99.0).doubts == []
    assert len(Noise(0.05, 1.5, 2.0, 100.0, 85.0).doubts) == 3


def test_stolen_ticks_are_read() -> None:
    assert processor_ticks("cpu  10 1 5 80 2 0 1 7 0 0\ncpu0 1\n") == (106, 7)


def test_repeats_that_differ_much_are_doubtful() -> None:
    assert not doubtful_spread([1.0, 1.05, 1.1])
    assert doubtful_spread([1.0, 1.5, 2.0])
    assert doubtful_spread([1.0])


def test_ranges_of_the_switch_cover_every_flow_id_once() -> None:
    for count, instances in ((1, 1), (2048, 16), (3, 2)):
        rules = switch_rules(count, instances)
        ids = [i for rule in rules for i in range(rule["range"][0], rule["range"][1] + 1)]
        assert ids == list(range(65536))
        assert {rule["port"] for rule in rules} == {f"s{n + 1}" for n in range(min(instances, count))}


def test_flows_have_five_tuples_of_their_own() -> None:
    for flows, sources in ((1000, 1), (64512, 1), (65536, 2), (1_000_000, 16)):
        addresses = FlowLoad(flows).order()["addresses"]
        assert addresses["sources"] == sources
        assert addresses["sources"] * addresses["source_ports"] >= flows
    assert "frame" not in FlowLoad(1, sizes=((64, 7),)).order()


def test_a_trial_that_fell_short_has_defects() -> None:
    summary = {
        "intended": 1000,
        "sent": 900,
        "intended_duration_s": 1.0,
        "duration_s": 1.0,
        "send_errors": 100,
        "receiver_drops": 0,
        "lost": 5,
    }
    outcome = outcome_of(summary, 1000.0)
    assert outcome.sent - outcome.received == 5
    assert len(outcome.defects) == 2


def test_missing_programs_are_named() -> None:
    def find(name: str) -> None:
        if name == "b":
            raise TestbedError("missing")

    assert missing_programs(["a", "b"], find) == ["b"]  # type: ignore[arg-type]


def a_run(detoured: int, converged: float | None, lost: int = 0) -> dict[str, float | None]:
    measured = {
        "imbalance_percent": 1.0,
        "added_latency_median_us": 4.0,
        "detour_peak_percent": 9.0,
        "imbalance_limit": 5.0,
    }
    counted = {"affinity_violations": 0, "lost": lost, "duplicates": 0, "reordered": 0, "table_max": 2000}
    return {**measured, **counted, "convergence_s": converged, "detoured_bytes": detoured}


def test_counts_of_runs_are_taken_at_their_worst_and_what_did_not_happen_is_counted() -> None:
    found = summarise([a_run(100, 4.0), None, a_run(120, None, lost=3)])
    assert (found["runs"], found["failed"], found["lost"]) == (2, 1, 3)
    assert found["convergence_s"]["median"] == 4.0
    assert found["convergence_s_missing"] == 1


def test_detours_are_compared_within_a_repeat() -> None:
    found = detour_ratio([a_run(10, 4.0), None, a_run(40, 4.0)], [a_run(100, 4.0), a_run(100, 4.0), a_run(100, 4.0)])
    assert found is not None
    assert (found["low"], found["high"], found["count"]) == (0.1, 0.4, 2)
    assert detour_ratio([None], [a_run(1, 1.0)]) is None


def test_sigterm_ends_a_benchmark_in_good_order() -> None:
    with pytest.raises(KeyboardInterrupt), _unwinding():
        signal.raise_signal(signal.SIGTERM)
        time.sleep(1.0)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
