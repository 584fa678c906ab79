"""A new software version gets a share of the new flows, in stages, and back (REL006 clauses 6.3.1.1 (4) and 6.4)."""

from __future__ import annotations

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.methods.common import Task, settle_when_few, settled
from nfvcert.dataplane.methods.scale_in import leave
from nfvcert.dataplane.orders import Forget, Plan, Push, SetOwners, Tell
from nfvcert.dataplane.ranges import upper_part


def version(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Let `share` of the new flows of the domain go to `target`, the rest to `source`; old flows end where they are.

    With the whole share `source` ends when its last flow has ended. An abrupt way back cuts the flows of `target`.
    """
    part = upper_part(task.domain, task.share)
    owners = np.where(part, task.target, np.where(task.domain, task.source, fabric.owners)).astype(np.int8)
    yield SetOwners(owners)
    old, new = fabric.places[task.source].name, fabric.places[task.target].name
    yield Tell("detour", f"{task.share:.0%} of new flows go to {new}, the rest to {old}", state="DETOURING")
    if task.share == 0 and (task.abrupt or behaviour.restores_saved_table()):
        yield Forget(task.target)
        server = fabric.server(task.target)
        kept = {flow: at for flow, at in fabric.exceptions.items() if at != server}
        pushed = yield Push(settled(fabric, task.domain), kept)
        rules = {"add": pushed.added, "remove": pushed.removed}
        yield Tell("push", f"flows of {new} are cut", pushed.t_ns, rules, final=True, state="CONVERGED")
        return "the way back is complete"
    yield from settle_when_few(fabric, task.domain, task, behaviour)
    if task.share == 1:
        return (yield from leave(fabric, task, behaviour, task.source))
    return "the share is in force"
