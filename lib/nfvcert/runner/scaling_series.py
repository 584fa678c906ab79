"""Data of the section on dynamic scaling: the course of each method, taken from its history. Pure."""

from __future__ import annotations

import logging
from typing import Any

from nfvcert.checkers import Case, Missing
from nfvcert.checkers.rel002.figures import WIRE_OVERHEAD, curves, figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.workload import workload
from nfvcert.history import History

COMPARED = (
    "ma-plain",
    "ma-sub-ranges",
    "ma-heavy-tailed",
    "ma-openvswitch",
    "ma-alternative",
    "ma-never-migrate",
    "ma-always-migrate",
)
"""Scenarios that are compared, in the order of the table."""

DRAWN = ("ma-plain", "ma-sub-ranges", "ma-heavy-tailed")
"""Those whose course is drawn."""

METHODS = {
    "plain": "Steps of clause 6.2",
    "sub-ranges": "Sub-ranges",
    "alternative": "Alternative of step 6",
    "never-migrate": "Never migrate",
    "always-migrate": "Always migrate",
}
UNREADABLE = (Missing, LookupError, ValueError, TypeError, ArithmeticError)


def scaling_course(history: History, repeats: int = 1) -> dict[str, Any] | None:
    """The course of one scaling as :mod:`nfvcert.report.scaling` reads it; None if too little of it was recorded.

    Args:
        repeats: how often it was recorded; ``history`` is the first time.
    """
    try:
        course = _course(history)
    except UNREADABLE as error:
        logging.getLogger(__name__).warning("%s is not compared: %s", history.scenario, error)
        return None
    if repeats > 1:
        course["title"] += f" (first of {repeats} repeats)"
    return course


def _course(history: History) -> dict[str, Any]:
    offered, found, rows = workload(history), figures(history), curves(history)
    bits = (offered.frame + WIRE_OVERHEAD) * 8
    lifetime = str((offered.event.data.get("lifetime") or {}).get("model", "exponential"))
    old = offered.initial
    instances = [old, *(name for name in offered.instances.values() if name != old)][:2]

    def seconds(t: int | None) -> float | None:
        return None if t is None else round((t - found.begin_ns) / 1e9, 3)

    return {
        "scenario": history.scenario,
        "title": _title(offered.method, lifetime, offered.driver),
        "method": offered.method,
        "lifetime": lifetime,
        "driver": offered.driver,
        "drawn": history.scenario in DRAWN,
        "invalid": _invalid(history),
        "offered_bps": offered.packets_per_second * bits,
        "flows": offered.concurrent_flows,
        "new_flows": offered.new_flows_per_second,
        "trigger": seconds(found.trigger_ns),
        "converged": seconds(found.converged_ns),
        "pushed": seconds(found.push_ns),
        "instances": instances,
        "t": [row["t_s"] for row in rows],
        "load": {name: [round(row["load"].get(name, 0.0) * bits) for row in rows] for name in instances},
        "detour": [round(row["detoured_pps"] * bits) for row in rows],
        "added_us": [_added(row) for row in rows],
        "figures": found.to_dict(),
    }


def _invalid(history: History) -> str:
    """Why nothing can be said on this trial, as the judgements have it; empty if it is valid."""
    try:
        guarded(Case(history.scenario), history)
    except Missing as missing:
        return str(missing)
    return ""


def _title(method: str, lifetime: str, driver: str) -> str:
    title = METHODS.get(method, method)
    if lifetime != "exponential":
        title += ", heavy-tailed flows"
    return f"{title}, Open vSwitch" if driver == "openvswitch" else title


def _added(row: dict[str, Any]) -> float | None:
    direct, detoured = row["latency_direct_us"], row["latency_detoured_us"]
    return None if direct is None or detoured is None else round(detoured - direct, 2)
