"""Courses of scalings as the workload of annex A.1 gives them, from a small model of the steps of the clause."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from report_sample import build, judgements, measure

from nfvcert.catalogue import load
from nfvcert.report import results_model as model
from nfvcert.report.summary import requirement_results, summarise

STEP_S, TRIGGER_S = 0.1, 2.0
OFFERED_BPS = 1_488_095 * 84 * 8.0
FLOWS, NEW_FLOWS = 10_000, 2_000
TITLES = {
    "ma-plain": ("plain", "exponential", "Steps of clause 6.2"),
    "ma-sub-ranges": ("sub-ranges", "exponential", "Sub-ranges"),
    "ma-heavy-tailed": ("sub-ranges", "agh-2015", "Sub-ranges, heavy-tailed flows"),
    "ma-openvswitch": ("plain", "exponential", "Steps of clause 6.2, Open vSwitch"),
    "ma-always-migrate": ("always-migrate", "exponential", "Always migrate"),
}
PURPOSES = ("TP.MA.03.1", "TP.MA.05.1")


def course(scenario: str, *, seconds: float = 20.0, scale: float = 1.0) -> dict[str, Any]:
    """One scaling: half of the new flows go to the new instance from the trigger on, by the detour until the push."""
    method, lifetime, title = TITLES[scenario]
    rng = random.Random(scenario)
    offered = OFFERED_BPS * scale
    tail = lifetime != "exponential"
    detour_share = {"plain": 1.0, "sub-ranges": 0.35}.get(method, 0.0)
    mean_s = 5.0 if not tail else 3.2
    pushed = TRIGGER_S + {"plain": 4.7, "sub-ranges": 2.6}.get(method, 0.05) * (1.5 if tail else 1.0)
    boost = {"plain": 0.5, "sub-ranges": 0.82}.get(method, 0.5)
    new, rows = 0.0, []
    for i in range(int(seconds / STEP_S)):
        t = round(i * STEP_S, 3)
        if t >= TRIGGER_S:
            share = boost if new < 0.495 else 0.5
            new = 0.5 if method == "always-migrate" else new + STEP_S / mean_s * (share - new)
        detoured = new * detour_share * (1.0 if t < pushed else max(0.0, 1 - (t - pushed) / 0.3))
        load = offered * (1 + rng.gauss(0, 0.004))
        added = 6.4 + rng.gauss(0, 0.5) + (38 if rng.random() < 0.01 else 0)
        wander = rng.gauss(0, 0.003) + (0.02 * (rng.random() - 0.5) if tail else 0.0)
        rows.append(
            (t, load * (1 - new - wander * (new > 0)), load * (new + wander * (new > 0)), detoured * load, added)
        )
    t, old, young, detour, added_us = (list(column) for column in zip(*rows, strict=True))
    converged = next((at for at, a, b in zip(t, old, young, strict=True) if at > TRIGGER_S and a - b < 0.05 * a), None)
    return {
        "scenario": scenario, "title": title, "method": method, "lifetime": lifetime,
        "driver": "openvswitch" if "Open" in title else "core",
        "drawn": scenario in ("ma-plain", "ma-sub-ranges", "ma-heavy-tailed"),
        "offered_bps": offered, "flows": FLOWS * scale, "new_flows": NEW_FLOWS * scale, "trigger": TRIGGER_S,
        "converged": converged, "pushed": pushed, "instances": ["s1/v1", "s2/v1"], "t": t,
        "load": {"s1/v1": old, "s2/v1": young}, "detour": detour,
        "added_us": [None if d < 1e6 else round(a, 2) for a, d in zip(added_us, detour, strict=True)],
        "figures": {
            "scenario": scenario, "affinity_violations": 0, "lost": 0, "imbalance_percent": 3.4 + tail,
            "imbalance_limit": 5.0, "convergence_s": None if converged is None else converged - TRIGGER_S,
            "added_latency_median_us": 6.4 if detour_share else None,
            "detoured_bytes": int(sum(detour) * STEP_S / 8 * 64 / 84), "detour_peak_bps": max(detour),
            "detour_peak_percent": 100 * max(detour) / offered, "table_max": 1893 if detour_share else 2,
            "table_capacity": 2048,
        },
    }  # fmt: skip


def build_scaled(run: Path, *, with_drop: bool = False, scenarios: tuple[str, ...] = tuple(TITLES)) -> model.Results:
    """A run folder in which migration avoidance was judged, alone or beside the modification of the drop."""
    results = build(run)
    series, ran = [], []
    for scenario in scenarios:
        path = run / "plots" / f"{scenario}.json"
        path.write_text(json.dumps(course(scenario, scale=0.1 if scenario == "ma-openvswitch" else 1.0)))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        series.append(model.Series(kind="scaling", scenario=scenario, path=f"plots/{scenario}.json", sha256=sha256))
        history = run / "history" / f"{scenario}.jsonl"
        history.write_text("{}\n")
        ran.append(
            results.scenarios[0].model_copy(
                update={
                    "id": scenario, "title": TITLES[scenario][2], "history": f"history/{scenario}.jsonl",
                    "sha256": hashlib.sha256(history.read_bytes()).hexdigest(),
                }
            )
        )  # fmt: skip
    mine: dict[str, Any] = {
        id: {
            "verdict": "PASS", "reason": "loads converged 4.1 s after the trigger and stayed", "evidence": [],
            "scenarios": ["ma-sub-ranges"], "scenario": "ma-sub-ranges", "observations": [],
            "measures": [
                measure("affinity_violations", 0, "count", "= 0"),
                measure("convergence", 4.1, "s", "<= 5.6", interval=[4.0, 4.2], rule="width of an interval, k = 2"),
            ],
        }
        for id in PURPOSES
    }  # fmt: skip
    judged = (judgements() if with_drop else {}) | mine
    requirements = requirement_results(load(), judged, list(judged))
    summary = summarise(requirements)
    testbed = results.testbed.model_copy(
        update={
            "name": "dataplane",
            "features": ["migration_avoidance"],
            "dataplane": "nfvcert's dataplane core with a table of 2,048 rules, 2 servers, flows told apart by five "
            "tuple, network function monitor",
        }
    )
    changed = results.model_copy(
        update={
            "verdict": summary.verdict, "headline": summary.headline, "counts": summary.counts,
            "requirements": requirements, "testbed": testbed, "planned": list(judged),
            "series": [*results.series, *series] if with_drop else series,
            "scenarios": [*results.scenarios, *ran] if with_drop else ran,
        }
    )  # fmt: skip
    (run / "results.json").write_text(changed.to_json())
    return changed
