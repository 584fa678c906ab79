"""Steps 1 to 6 of migration avoidance within a table of limited size.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] as annex A.1; bursts of new flows, pauses, slow and refused rules, a killed controller, a quota
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 steps 1 to 6
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.03.1")
def test_one_push_in_time(recorded: Step, judge: Step) -> None:
    """The hardware table changes once, when it can take what is left of the old flows."""
    recorded("ma-plain")
    judge("ma-plain")


@pytest.mark.purpose("TP.MA.03.2")
def test_flows_born_in_the_switching_instants(recorded: Step, judge: Step) -> None:
    """Flows that begin or end around snapshot and push keep to their instance."""
    recorded("ma-burst")
    judge("ma-burst")


@pytest.mark.purpose("TP.MA.03.3")
def test_silent_is_not_ended(recorded: Step, judge: Step) -> None:
    """A flow that pauses finds its owner again."""
    recorded("ma-idle")
    judge("ma-idle")


@pytest.mark.purpose("TP.MA.03.4")
def test_slow_refusing_or_dying_installation(recorded: Step, judge: Step) -> None:
    """Whatever becomes of the rules, no range acts without its exceptions."""
    recorded("ma-refused-rules", "ma-controller-killed")
    judge("ma-refused-rules", "ma-controller-killed")


@pytest.mark.purpose("TP.MA.03.5")
def test_quota_and_endless_flows(recorded: Step, judge: Step) -> None:
    """The threshold follows the quota, and nothing is forced."""
    recorded("ma-quota")
    judge("ma-quota")


@pytest.mark.purpose("TP.MA.03.6")
def test_one_push_on_open_vswitch(recorded: Step, judge: Step) -> None:
    """The same with Open vSwitch in the place of the switch model, at the rate that it can carry."""
    recorded("ma-openvswitch")
    judge("ma-openvswitch")
