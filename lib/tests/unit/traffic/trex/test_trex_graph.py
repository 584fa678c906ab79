"""What a profile sends over time."""

from __future__ import annotations

import math
from typing import Any

import pytest
from trex_talk import stream

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.graph import check_links, outline
from nfvcert.traffic.trex.server.streams import parse_stream


def profile(*given: dict[str, Any]) -> Any:
    return {number: parse_stream(number, each, 1514) for number, each in enumerate(given, start=1)}


def burst(packets: int, **changes: Any) -> dict[str, Any]:
    return stream(mode={"type": "single_burst", "total_pkts": packets}, **changes)


def test_streams_that_run_together_add_up() -> None:
    drawn = outline(profile(stream(pps=1000), stream(pps=500, isg=1e6)), 1e10)
    assert drawn.peak.pps == 1500
    assert math.isinf(drawn.seconds)


def test_streams_that_follow_each_other_do_not_add_up() -> None:
    drawn = outline(profile(burst(1000, next_stream_id=2), burst(50, pps=100, isg=5e5, self_start=False)), 1e10)
    assert drawn.peak.pps == 1000
    assert drawn.seconds == pytest.approx(1 + 0.5 + 0.5)
    assert drawn.packets == 1050


def test_bursts_with_gaps() -> None:
    mode = {"type": "multi_burst", "pkts_per_burst": 100, "ibg": 2e5, "count": 3}
    drawn = outline(profile(stream(mode=mode)), 1e10)
    assert drawn.seconds == pytest.approx(3 * 0.1 + 2 * 0.2)
    assert drawn.packets == 300


def test_a_chain_that_leads_back_goes_on_for_ever() -> None:
    drawn = outline(profile(burst(10, next_stream_id=2), burst(10, self_start=False, next_stream_id=1)), 1e10)
    assert math.isinf(drawn.seconds)
    assert drawn.peak.pps == 1000


def test_action_count_ends_a_chain() -> None:
    drawn = outline(profile(burst(10, next_stream_id=1, action_count=2)), 1e10)
    assert drawn.packets == 20


def test_a_dummy_takes_time_and_sends_nothing() -> None:
    drawn = outline(profile(burst(1000, flags=8, next_stream_id=2), burst(10, self_start=False)), 1e10)
    assert drawn.packets == 10
    assert drawn.seconds == pytest.approx(1.01)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([burst(1, next_stream_id=9)], "9: missing"),
        ([burst(1, next_stream_id=2), burst(1, enabled=False)], "2: not enabled"),
        ([burst(1, self_start=False)], "no stream starts by itself"),
    ],
)
def test_streams_that_do_not_fit_together_are_refused(given: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(RpcError, match=message):
        check_links(profile(*given))
