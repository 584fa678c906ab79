"""Data of the plot of a modification under traffic, taken from its history. Pure."""

from __future__ import annotations

from typing import Any

from nfvcert.checkers import Declared
from nfvcert.history import EventKind, History, marks

BEGIN_MARKS = {marks.CONTROL_BEGIN: "control run", marks.REQUEST: "request"}


def migration_series(history: History, declared: Declared) -> dict[str, Any] | None:
    """Packets per second served by each version, loss and latency for each 100 ms, and the stages.

    None when the scenario had no traffic.
    """
    intervals = [event.data for event in history.of(EventKind.PACKET_INTERVAL)]
    if not intervals:
        return None
    marker = declared.modification.get("wire_marker") or {"source": 0, "destination": -1}
    begin = int(intervals[0]["t0"])
    series: dict[str, Any] = {key: [] for key in ("t", "old", "new", "lost", "p50_us", "p99_us")}
    for interval in intervals:
        seconds = (int(interval["t1"]) - int(interval["t0"])) / 1e9
        served = interval.get("by_dscp") or {}
        latency = interval.get("lat_us") or {}
        series["t"].append(round((int(interval["t0"]) - begin) / 1e9, 3))
        series["old"].append(round(served.get(str(marker["source"]), 0) / seconds))
        series["new"].append(round(served.get(str(marker["destination"]), 0) / seconds))
        series["lost"].append(int(interval.get("lost", 0)))
        series["p50_us"].append(latency.get("p50"))
        series["p99_us"].append(latency.get("p99"))
    series["marks"] = [{"t": round((t - begin) / 1e9, 3), "name": name} for t, name in _marks(history)]
    return series


def _marks(history: History) -> list[tuple[int, str]]:
    found = []
    for event in history.of(EventKind.MARK):
        data = event.data
        name = data.get("name")
        if name in BEGIN_MARKS:
            found.append((event.t, BEGIN_MARKS[name]))
        elif name == marks.PAUSED:
            found.append((int(data.get("since") or event.t), f"{data.get('share'):g} %"))
        elif name == marks.TASK and data.get("task") == "rollback":
            found.append((event.t, "rollback"))
        elif name == marks.REACHED and data.get("level") == "vnf" and data.get("state") == "COMPLETED":
            found.append((event.t, "committed"))
        elif name == marks.SCALED:
            found.append((event.t, "scaled out"))
    return found
