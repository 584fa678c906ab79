"""A realistic run folder for the tests of the report."""

from __future__ import annotations

import hashlib
import json
import math
import random
from pathlib import Path
from typing import Any

from nfvcert.catalogue import load
from nfvcert.report import results_model as model
from nfvcert.report.summary import requirement_results, summarise

RUN = "20261121-101512-k3v7qa"
REASONS = {
    "TP.VNF.01.2": "all old VNFCs were gone 0.41 s before the first COMPLETED",
    "TP.VNF.01.6": "1,204,331 packets of 48,210 flows and 24 TCP sessions crossed the modification unharmed",
    "TP.VNF.08.1": "each of 11,204 flows kept to one instance and the shares followed the steps",
    "TP.VNF.08.2": "412 users kept to one instance; 96 were moved once, with their state",
    "TP.VNF.12.2": "1,118 reads were answered and the states only went forwards",
    "TP.GEN.02.1": "rollback was accepted in 4 of 4 phases and restored the snapshot",
}
TESTED = """01.2 01.3 01.4 01.6 03.1 03.3 03.4 05.1 05.2 05.3 06.1 06.2 06.3 06.4 08.1 08.2 08.3 09.1 09.2
12.1 12.2 12.3 12.4 13.1 13.2 13.3 13.4""".split()  # noqa: SIM905
PLANNED = [f"TP.VNF.{id}" for id in TESTED] + ["TP.GEN.02.1", "TP.GEN.02.3", "TP.GEN.02.4"]


SCENARIOS = {
    "upgrade": "Upgrade under load, 10, 30, 100 percent",
    "rollback": "Upgrade turned back at 30 percent",
    "lifecycle": "Instantiate, query, terminate",
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def measure(name: str, value: float, unit: str, limit: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "value": value, "unit": unit, "limit": limit, "interval": None, "rule": "exact count",
        "source": "default of nfvcert", "verdict": "PASS", **more,
    }  # fmt: skip


MEASURES: dict[str, list[dict[str, Any]]] = {
    "TP.VNF.01.6": [
        measure("lost_packets", 0, "packets", "<= 0", source="declared by the drop", declared="<= 0", ceiling="<= 0"),
        measure("duplicated_packets", 0, "packets", "= 0"),
        measure("lost_sessions", 0, "sessions", "<= 0"),
        measure("longest_gap_per_flow", 31.2, "ms", "<= 96.4", interval=[30.9, 31.5], rule="clock resolution, k = 2"),
    ],
    "TP.VNF.08.1": [
        measure("flows_that_changed_instance", 0, "flows", "= 0"),
        measure("share_error", 0.84, "percentage points", "<= 2", interval=[0.11, 1.57], rule="Wilson score, k = 2"),
        measure("reordered", 0, "packets per flow", "<= 0"),
    ],
    "TP.VNF.12.2": [measure("read_time_max", 43.7, "ms", "<= 1000", interval=[43.2, 44.2], rule="clock, k = 2")],
}
MARKS = [
    (4.0, "request"), (5.2, "grant"), (7.6, "10 %"), (12.1, "30 %"), (16.8, "100 %"), (24.0, "old retired"),
    (25.1, "completed"),
]  # fmt: skip


def series(seconds: float = 30.0) -> dict[str, Any]:
    """20,000 packets/s moving from the old to the new version in three steps."""
    rng = random.Random(7)
    t = [round(i / 10, 1) for i in range(int(seconds * 10))]
    new, p50, p99 = [], [], []
    for x in t:
        target = 0.0 if x < 7.6 else 0.1 if x < 12.1 else 0.3 if x < 16.8 else 1.0
        since = x - max([m for m in (7.6, 12.1, 16.8) if m <= x], default=x)
        before = 0.0 if x < 12.1 else 0.1 if x < 16.8 else 0.3
        share = before + (target - before) * (1 - math.exp(-since / 1.3)) if target else 0.0
        new.append(0.0 if x < 7.6 else 1.0 if x > 24.0 else share)
        p50.append(88 + rng.gauss(0, 2) + (6 if 7.6 < x < 24 else 0))
        p99.append(210 + abs(rng.gauss(0, 18)) + (90 if any(abs(x - m) < 0.3 for m, _ in MARKS[2:5]) else 0))
    total = [20000 + rng.gauss(0, 90) for _ in t]
    return {
        "t": t,
        "old": [round(a * (1 - b), 1) for a, b in zip(total, new, strict=True)],
        "new": [round(a * b, 1) for a, b in zip(total, new, strict=True)],
        "lost": [0] * len(t),
        "p50_us": [round(x, 1) for x in p50],
        "p99_us": [round(x, 1) for x in p99],
        "marks": [{"t": at, "name": name} for at, name in MARKS],
    }


def judgements(worse: dict[str, tuple[str, str]] | None = None) -> dict[str, dict[str, Any]]:
    judged = {}
    for id in PLANNED:
        judged[id] = {
            "verdict": "PASS",
            "reason": REASONS.get(id, "every condition of the purpose was seen"),
            "test": "suites/rel006/vnf/upgrade.robot::Upgrade Under Load",
            "scenarios": ["upgrade"],
            "scenario": "upgrade",
            "evidence": [{"scenario": "upgrade", "seq": [14, 88, 90, 131, 402, 1207]}],
            "measures": MEASURES.get(id, []),
            "observations": [],
        }
    judged["TP.VNF.01.4"]["weaker_bound"] = "the grant was held back for 2 s instead of 10 s"
    judged["TP.VNF.03.1"]["observations"] = ["the NFVO polls the operation twice a second although it is subscribed"]
    for id, (verdict, reason) in (worse or {}).items():
        judged[id] |= {"verdict": verdict, "reason": reason}
    return judged


def build(run: Path, worse: dict[str, tuple[str, str]] | None = None) -> model.Results:
    """Write a run folder without reports; the results."""
    (run / "history").mkdir(parents=True)
    (run / "plots").mkdir()
    scenarios = []
    for id, title in SCENARIOS.items():
        path = run / "history" / f"{id}.jsonl"
        path.write_text(f'{{"t": 1, "seq": 0, "source": "{id}", "kind": "mark", "scenario": "{id}", "data": {{}}}}\n')
        scenarios.append(
            model.ScenarioResult(
                id=id, title=title, started="2026-11-21T10:15:14+00:00", finished="2026-11-21T10:15:46+00:00",
                history=f"history/{id}.jsonl", sha256=hashlib.sha256(path.read_bytes()).hexdigest(), events=2317,
                clock_error_ns=180, profile="ci",
            )
        )  # fmt: skip
    data = run / "plots" / "upgrade.json"
    data.write_text(json.dumps(series()))
    requirements = requirement_results(load(), judgements(worse), PLANNED)
    summary = summarise(requirements)
    results = model.Results(
        run=RUN, verdict=summary.verdict, headline=summary.headline, counts=summary.counts,
        drop=model.Drop(
            id="edge-gateway", vendor="Meridian Networks", product="Edge Gateway",
            in_service=model.PackageVersion(
                vnfd_id="4f2c7f0e-0d8e-4a61-9c1b-6a4f2f9be100", version="1.0.0", csar="edge-gateway-1.0.0.csar",
                sha256=digest("old"), signature="signed by CN=Meridian Networks Release, verified",
            ),
            candidate=model.PackageVersion(
                vnfd_id="9d5e9f4c-3a37-4c56-8f6e-0c2a1d7be200", version="2.0.0", csar="edge-gateway-2.0.0.csar",
                sha256=digest("new"), signature="signed by CN=Meridian Networks Release, verified",
            ),
        ),
        testbed=model.Testbed(
            name="embedded", file="testbeds/embedded.yaml", sha256=digest("testbed"), driver="embedded",
            hosts=["host1", "host2", "host3"],
            features=["change_vnfpkg", "lcm_coordination", "port_observer", "restart_vnfm", "sol002", "sol003"],
            limits="software dataplane in network namespaces of one machine: speeds and latencies are indicative",
        ),
        tool=model.Tool(
            version="0.1.0", commit="b404d0c5e1f2a3948576aa01c0ffee1234567890",
            packages={"fastapi": "0.165.0", "openstacksdk": "4.22.0", "pyroute2": "0.9.7", "runc": "1.1.5"},
        ),
        started="2026-11-21T10:15:12+00:00", finished="2026-11-21T10:16:31+00:00", profile="default", planned=PLANNED,
        requirements=requirements, scenarios=scenarios,
        series=[
            model.Series(
                scenario="upgrade", title="Upgrade under load", path="plots/upgrade.json",
                sha256=hashlib.sha256(data.read_bytes()).hexdigest(),
            )
        ],
        machine=model.Machine(
            cpu="AMD EPYC 7763", cores=2, kernel="6.1.0-28-amd64", memory_mib=7964,
            noise="steal below 0.1 %, longest scheduling gap 1.8 ms in 10 s",
        ),
        limits_of_testbed=[
            "Speeds and latencies come from a software dataplane on shared cores; they are indicative.",
            "All hosts are network namespaces of one machine; failures of real hosts and cables are not represented.",
            "The MANO stack is the reference stack that ships with nfvcert.",
        ],
    )  # fmt: skip
    (run / "results.json").write_text(results.to_json())
    return results
