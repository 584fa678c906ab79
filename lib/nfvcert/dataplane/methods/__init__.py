"""The methods of dynamic scaling, each a pure planner; see :mod:`nfvcert.dataplane.orders`."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.methods.alternative import alternative
from nfvcert.dataplane.methods.always_migrate import always_migrate
from nfvcert.dataplane.methods.common import Task
from nfvcert.dataplane.methods.never_migrate import never_migrate
from nfvcert.dataplane.methods.plain import plain
from nfvcert.dataplane.methods.scale_in import scale_in
from nfvcert.dataplane.methods.sub_ranges import sub_ranges
from nfvcert.dataplane.methods.version import version
from nfvcert.dataplane.orders import Plan

Method = Callable[[Fabric, Task, ControllerBehaviour], Plan]

SCALE_OUT: dict[str, Method] = {
    "plain": plain,
    "alternative": alternative,
    "sub-ranges": sub_ranges,
    "never-migrate": never_migrate,
    "always-migrate": always_migrate,
}
"""By the names of the interface; the first is that of clause 6.2, steps 1 to 6."""

__all__ = ["SCALE_OUT", "Method", "Task", "scale_in", "version"]
