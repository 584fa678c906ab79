"""The load of a scenario of dynamic scaling: the annex's workload at a share of its size, and its variations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nfvcert.testbed.model import Dataplane

SEED = 20_112
EVERY_PORT = {"source_port": 0, "source_ports": 65_536}
"""Where the source port is the id of a flow, flows spread evenly over all ids."""
MEAN_LIFETIME_S = 5.0
"""10,000 flows alive of which 2,000 begin each second (REL002 annex A.1)."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator is asked to offer; rates in packets and flows per second.

    ``scale`` is the share of the testbed's full load; packets, living flows, new flows and the table of the hardware
    switch are scaled alike, so that all ratios are kept. ``extra`` holds further parameters of the flow mode.
    """

    scale: float
    frame: int
    packets_per_second: float
    concurrent: int
    new_per_second: float
    table_capacity: int
    duration_s: float
    trigger_s: float
    name: str = "a1"
    lifetime: dict[str, Any] = field(default_factory=lambda: {"model": "exponential", "mean_s": MEAN_LIFETIME_S})
    seed: int = SEED
    extra: dict[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """Parameters of the generator's flow mode."""
        return {
            "frame": self.frame,
            "pps": round(self.packets_per_second),
            "concurrent": self.concurrent,
            "new_per_second": self.new_per_second,
            "lifetime": self.lifetime,
            "seed": self.seed,
            "duration_s": self.duration_s,
            "interval_ms": 100,
            **self.extra,
        }


def load_of(
    settings: Dataplane,
    *,
    scale: float,
    duration_s: float,
    trigger_s: float,
    identity: str = "five-tuple",
    name: str = "a1",
    mean_s: float = MEAN_LIFETIME_S,
    concurrent: float = 1.0,
    packets: float | None = None,
    heavy_tailed: bool = False,
    extra: dict[str, Any] | None = None,
) -> Load:
    """The load of a scenario on a testbed.

    Args:
        scale: share of the testbed's full load.
        identity: from what the id of a flow is computed.
        mean_s: mean lifetime; the rate of new flows follows from it and from the number alive.
        concurrent: living flows as a share of the workload's, the rate of packets staying as it is.
        packets: share of the full rate of packets; default: the scale.
        heavy_tailed: lengths after the campus mix of AGH 2015 in the place of the exponential distribution.
    """
    full = settings.load
    alive = max(20, round(full.concurrent_flows * scale * concurrent))
    new = full.new_flows_per_second * scale * concurrent * MEAN_LIFETIME_S / mean_s
    mean_s = alive / new
    model = {"model": "agh-2015", "mean_s": mean_s, "cap_s": 300} if heavy_tailed else {
        "model": "exponential", "mean_s": mean_s,
    }  # fmt: skip
    addresses = {"addresses": EVERY_PORT} if identity == "source-port" else {}
    return Load(
        scale=scale,
        frame=full.frame,
        packets_per_second=full.packets_per_second * (scale if packets is None else packets),
        concurrent=alive,
        new_per_second=new,
        table_capacity=max(8, round(settings.table_capacity * scale)),
        duration_s=duration_s,
        trigger_s=trigger_s,
        name=name,
        lifetime=model,
        extra={**addresses, **(extra or {})},
    )
