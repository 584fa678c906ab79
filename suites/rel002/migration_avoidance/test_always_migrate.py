"""Always migrate: state moves with its flows from one instance to the other.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] as annex A.1, instances with export and import of state
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 extreme (2)
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]
INTERRUPTED = ("ma-move-interrupted", "ma-move-target-killed", "ma-move-target-stopped")


@pytest.mark.purpose("TP.MA.02.1")
def test_state_moves_without_loss(recorded: Step, judge: Step) -> None:
    """Nothing is lost, reordered or counted twice while state moves."""
    recorded("ma-always-migrate")
    judge("ma-always-migrate")


@pytest.mark.purpose("TP.MA.02.2")
def test_either_side_dies_in_the_middle(recorded: Step, judge: Step) -> None:
    """An interrupted move leaves each state at one instance and goes on."""
    recorded(*INTERRUPTED)
    judge(*INTERRUPTED)
