"""What the simulated engine tells of the flow mode: everything the real one tells, of a path without any fault."""

from __future__ import annotations

from typing import Any

ZERO = (
    "send_errors",
    "tx_refused",
    "no_buffers",
    "receiver_drops",
    "lost",
    "flows_with_loss",
    "duplicates",
    "reordered",
    "ambiguous",
    "foreign",
    "flows_refused",
    "affinity_violations",
    "packets_at_other_instances",
    "instance_changes",
    "detoured",
)
LATENCY_NS = {"n": 0, "p50": 10_000, "p90": 12_000, "p99": 20_000, "max": 25_000}
MORE_LATENCY_NS = {"p99.9": 24_000, "p99.99": 25_000, "min": 8_000, "mean": 10_500.0}


def interval(begin_ns: int, end_ns: int, packets: int, octets: int, living: int) -> dict[str, Any]:
    """The event of a stretch of time."""
    zero = dict.fromkeys(("foreign", "duplicates", "reordered", "detoured", "born", "ended"), 0)
    return {
        "event": "interval",
        "begin_ns": begin_ns,
        "end_ns": end_ns,
        "sent": packets,
        "received": packets,
        **zero,
        "living": living,
        "instances": _instances(packets, octets),
        "latency_ns": {"direct": {**LATENCY_NS, "n": packets}, "detoured": dict.fromkeys(LATENCY_NS, 0)},
        "lost_so_far_estimate": 0,
    }


def summary(begin_s: float, end_s: float, sent: int, octets: int, living: int) -> dict[str, Any]:
    """The summary of a trial."""
    begin_ns, end_ns = (int(each * 1e9) for each in (begin_s, end_s))
    latency = {**LATENCY_NS, **MORE_LATENCY_NS}
    return {
        "begin_ns": begin_ns,
        "end_ns": end_ns,
        "intended": sent,
        "sent": sent,
        "intended_duration_s": end_s - begin_s,
        "duration_s": end_s - begin_s,
        "received": sent,
        "received_packets": sent,
        **dict.fromkeys(ZERO, 0),
        "flows": living,
        "living": living,
        "longest_gap_ns": 0,
        "instances": _instances(sent, octets),
        "latency_ns": {"direct": {**latency, "n": sent}, "detoured": dict.fromkeys(latency, 0)},
        "latency_histogram": {"direct": [[10_000, sent]], "detoured": []},
    }


def _instances(packets: int, octets: int) -> dict[str, Any]:
    if packets == 0:
        return {}
    return {"0": {"packets": packets, "bytes": octets, "detoured": 0, "late_violations": 0}}
