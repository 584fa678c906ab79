"""Never migrate: an exception rule for every flow that is alive at the split.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] as annex A.1 with as many flows as fit, and with more
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 extreme (1)
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.01.1")
def test_exceptions_equal_living_flows(recorded: Step, judge: Step) -> None:
    """Exceptions are the living old flows at each dump, and go when these end."""
    recorded("ma-never-migrate")
    judge("ma-never-migrate")


@pytest.mark.purpose("TP.MA.01.2")
def test_more_flows_than_entries(recorded: Step, judge: Step) -> None:
    """What does not fit into the table is refused or done otherwise, and said so."""
    recorded("ma-table-full")
    judge("ma-table-full")
