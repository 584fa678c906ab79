"""Scaling in: an instance leaves without loss.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] two instances in balance; flows that never end
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 (scaling in), 4.1
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.07.1")
def test_leave_without_loss(recorded: Step, judge: Step) -> None:
    """No new flow for the leaving instance; it goes after its last one."""
    recorded("ma-scale-in")
    judge("ma-scale-in")


@pytest.mark.purpose("TP.MA.07.2")
def test_endless_flows_and_turning_round(recorded: Step, judge: Step) -> None:
    """What is cut is reported flow by flow; turning round moves no flow."""
    recorded("ma-scale-in-endless", "ma-turn-round")
    judge("ma-scale-in-endless", "ma-turn-round")
