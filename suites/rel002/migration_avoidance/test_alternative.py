"""The alternative of step 6: two ranges in hardware, old flows are sent back by the new side.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] as annex A.1, no entry for exceptions
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 alternative of step 6, figure 6
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.04.1")
def test_two_ranges_and_old_flows_return(recorded: Step, judge: Step) -> None:
    """Two ranges in hardware; old flows pass the new side without being handled there."""
    recorded("ma-alternative")
    judge("ma-alternative")


@pytest.mark.purpose("TP.MA.04.2")
def test_new_side_knows_old_flows_first(recorded: Step, judge: Step) -> None:
    """The range change waits for the list, and a restart forgets none of it."""
    recorded("ma-list-delayed")
    judge("ma-list-delayed")
