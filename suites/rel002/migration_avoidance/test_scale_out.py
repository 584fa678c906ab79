"""Scaling out further, and when not to.

[Top] generator, hardware switch, up to eight servers with a server switch and an instance each, controller
[Cfg] as annex A.1 with 50 flows that never end; doubled reports, no place, a dead new instance
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2, 7.2
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.05.2")
def test_both_ways_of_translated_flows(recorded: Step, judge: Step) -> None:
    """Both directions, fragments and ICMP errors of translated flows reach the owner, in order."""
    recorded("ma-both-ways")
    judge("ma-both-ways")


@pytest.mark.purpose("TP.MA.05.3")
def test_one_to_two_to_four_to_eight(recorded: Step, judge: Step) -> None:
    """Ranges partition the whole and flows keep their owner through three rounds."""
    recorded("ma-doubling")
    judge("ma-doubling")


@pytest.mark.purpose("TP.MA.05.4")
def test_doubled_report_no_place_stillborn(recorded: Step, judge: Step) -> None:
    """One split for a doubled report, none without a place, none that stays with the dead."""
    recorded("ma-overload", "ma-stillborn")
    judge("ma-overload", "ma-stillborn")
