"""A software upgrade in stages: new flows meet the new version, old ones end on the old.

[Top] generator, hardware switch, two servers with a server switch and an instance each, controller
[Cfg] two versions that mark their packets; stages of 10, 30 and 100 percent
[Ver] packets, flows of the generator, dumps of the table, orders of the controller
[Ref] ETSI GS NFV-REL 002 V1.1.1 6.2 with ETSI GS NFV-REL 006 V3.1.1 6.4
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Step = Callable[..., None]


@pytest.mark.purpose("TP.MA.06.1")
def test_no_flow_sees_two_versions(recorded: Step, judge: Step) -> None:
    """Shares follow the stages, each flow carries one mark, the old instance leaves last."""
    recorded("ma-version")
    judge("ma-version")


@pytest.mark.purpose("TP.MA.06.2")
def test_way_back_in_any_stage(recorded: Step, judge: Step) -> None:
    """A rollback takes effect at once and disturbs no flow of the old version."""
    recorded("ma-version-back")
    judge("ma-version-back")
