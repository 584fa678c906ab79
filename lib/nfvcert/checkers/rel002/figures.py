"""The figures of one scenario of dynamic scaling; judgements and reports take them from here alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nfvcert.checkers.case import Missing
from nfvcert.checkers.rel002.loads import converged_at, loads
from nfvcert.checkers.rel002.split import best_split_percent
from nfvcert.checkers.rel002.table import dumps
from nfvcert.checkers.rel002.truth import truth
from nfvcert.checkers.rel002.workload import (
    Workload,
    last_push,
    requests,
    traffic_begin,
    trigger,
    workload,
)
from nfvcert.history import EventKind, History, marks
from nfvcert.history.migration import SWITCH

IMBALANCE_PERCENT = 5.0
ANNEX_FLOWS = 10_000
RANGE_QUANTILE = {
    2: 3.643, 3: 4.120, 4: 4.403, 5: 4.603, 6: 4.757, 7: 4.882, 8: 4.987, 9: 5.078,
    10: 5.157, 11: 5.227, 12: 5.290, 13: 5.348, 14: 5.400, 15: 5.448, 16: 5.493,
}  # fmt: skip
"""99 % quantiles of the range of so many normal variables, in their standard deviation."""
WIRE_OVERHEAD = 20
"""Octets of a frame on the wire beside its own."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scenario measured; times of events in ns (CLOCK_MONOTONIC), None where something did not happen."""

    scenario: str
    method: str
    driver: str
    scale: float
    affinity_violations: int
    packets_at_other_instances: int
    lost: int
    duplicates: int
    reordered: int
    imbalance_percent: float
    imbalance_limit: float
    convergence_s: float | None
    converged_ns: int | None
    added_latency_median_us: float | None
    added_latency_interval_us: tuple[float, float] | None
    detoured_packets: int
    detoured_bytes: int
    detoured_share_percent: float
    detour_peak_percent: float
    detour_peak_bps: float
    table_max: int
    table_capacity: int
    trigger_ns: int
    push_ns: int | None
    begin_ns: int
    end_ns: int

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return asdict(self)


def figures(history: History) -> Figures:
    """The figures of a scenario.

    Raises:
        Missing: something that all figures rest on was not recorded.
    """
    return history.derived("rel002.figures", lambda: _figures(history))


def _figures(history: History) -> Figures:
    offered, flows, over_time = workload(history), truth(history), loads(history)
    begin, asked = traffic_begin(history), trigger(history)
    end = int(over_time.end[-1])
    trial = history.mark(marks.TRIAL)
    if trial is None:
        raise Missing("the traffic trial was not recorded to its end")
    stop = begin + int(float(trial.data["duration"]) * 1e9)
    instances = serving(offered, history)
    limit = imbalance_limit(history, offered, instances, asked.t, stop)
    percents = over_time.imbalances(asked.t, stop, instances)
    converged = converged_at(percents, limit)
    judged = [percent for t, percent in percents if t >= (stop - 5_000_000_000 if converged is None else converged)]
    push = last_push(history, asked.label)
    latency = over_time.added_latency_us(asked.t, end)
    detoured = int(over_time.detoured.sum())
    sent = max(1, int(over_time.sent[over_time.begin >= asked.t].sum()))
    peak = over_time.detour_share(asked.t, end)
    bits = (offered.frame + WIRE_OVERHEAD) * 8
    return Figures(
        scenario=history.scenario,
        method=offered.method,
        driver=offered.driver,
        scale=offered.scale,
        affinity_violations=int(flows.violated.sum()),
        packets_at_other_instances=int(flows["other_packets"][flows.violated].sum()),
        lost=int(flows.lost.sum()),
        duplicates=int(flows["duplicates"].sum()),
        reordered=int(flows["reordered"].sum()),
        imbalance_percent=max(judged, default=200.0),
        imbalance_limit=limit,
        convergence_s=None if converged is None else (converged - asked.t) / 1e9,
        converged_ns=converged,
        added_latency_median_us=None if latency is None else latency[0],
        added_latency_interval_us=None if latency is None else (latency[1], latency[2]),
        detoured_packets=detoured,
        detoured_bytes=detoured * offered.frame,
        detoured_share_percent=100.0 * detoured / sent,
        detour_peak_percent=peak,
        detour_peak_bps=peak / 100.0 * offered.packets_per_second * bits,
        table_max=table_max(history),
        table_capacity=offered.table_capacity,
        trigger_ns=asked.t,
        push_ns=None if push is None else push.t,
        begin_ns=begin,
        end_ns=stop,
    )


def serving(offered: Workload, history: History) -> list[int]:
    """Numbers of the instances between which the load is to be balanced: those that a request names."""
    named = {offered.initial}
    for request in requests(history):
        if request.status is not None and request.status < 300:
            named |= {request.source, request.target}
    return sorted(offered.number(name) for name in named if name)


def imbalance_limit(history: History, offered: Workload, instances: Sequence[int], first: int, last: int) -> float:
    """The limit of the imbalance in percent.

    5 % for two instances and 10,000 flows of the annex; where single flows make that impossible, one point above the
    best split of whole flows. New flows choose their instance by their id, so that the numbers of flows vary by chance,
    relatively the more the fewer there are for each instance; the bound is weaker by as much as the 99 % quantile of
    their range is larger. (For two instances and all flows that quantile is 5.2 %.)
    """
    best = best_split_percent(truth(history), instances, first, last)
    limit = IMBALANCE_PERCENT if best + 1 <= IMBALANCE_PERCENT else best + 1
    count = min(max(2, len(instances)), max(RANGE_QUANTILE))
    fewer = max(1.0, ANNEX_FLOWS / max(1, offered.concurrent_flows))
    return round(limit * RANGE_QUANTILE[count] / RANGE_QUANTILE[2] * (count / 2 * fewer) ** 0.5, 2)


def table_max(history: History) -> int:
    """Most entries that the hardware table held, by dumps and by answers of the switch."""
    most = max(dump.used for dump in dumps(history))
    for event in history.of(EventKind.API_CALL, where=lambda event: event.source == f"control:{SWITCH}"):
        answer = event.data.get("answer") or {}
        most = max(most, int(answer.get("used") or 0))
    return most


def curves(history: History) -> list[dict[str, Any]]:
    """One row per interval: t_s since the traffic began, load by instance (packets/s), detours, latency, table used."""
    offered, over_time = workload(history), loads(history)
    begin = traffic_begin(history)
    try:
        used = [(dump.t, dump.used) for dump in dumps(history)]
    except Missing:
        used = []
    rows, place = [], 0
    for i, (start, end) in enumerate(zip(over_time.begin.tolist(), over_time.end.tolist(), strict=True)):
        seconds = (end - start) / 1e9
        while place + 1 < len(used) and used[place + 1][0] <= end:
            place += 1
        rows.append(
            {
                "t_s": round((start - begin) / 1e9, 3),
                "load": {
                    offered.instances.get(n, str(n)): round(int(column[i]) / seconds, 1)
                    for n, column in over_time.handled.items()
                    if n in offered.instances
                },
                "sent_pps": round(int(over_time.sent[i]) / seconds, 1),
                "detoured_pps": round(int(over_time.detoured[i]) / seconds, 1),
                "latency_direct_us": _us(over_time.direct_p50[i]),
                "latency_detoured_us": _us(over_time.detoured_p50[i]),
                "table_used": used[place][1] if used else None,
            }
        )
    return rows


def _us(nanoseconds: float) -> float | None:
    return round(float(nanoseconds) / 1000.0, 2) if nanoseconds else None
