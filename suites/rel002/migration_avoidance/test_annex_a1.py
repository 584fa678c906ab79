"""Annex A.1: load of 10,000 flows is balanced between two instances, quickly and at a small cost.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] 64-octet packets at 1 Gbit/s, 2,000 new flows a second, table of 2,048 entries; the plain method beside ours
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 and A.1
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.05.1")
def test_loads_converge_quickly_at_small_cost(planned: list[str], recorded: Step, judge: Step) -> None:
    """Loads converge and stay; latency, detours and loss keep to the figures of the annex."""
    recorded(*planned)
    judge(*planned)
