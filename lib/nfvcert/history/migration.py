"""Vocabulary of histories of dynamic scaling: marks, sources and tables beside those of every history.

All times are CLOCK_MONOTONIC in nanoseconds. The general marks (``scenario.begin``, ``trial``, ``restarted``, ...) are
in :mod:`nfvcert.history.marks`. An id of a flow is a number of 16 bits, a range ``[lo, hi]`` holds both its ends.
"""

from __future__ import annotations

# marks

WORKLOAD = "workload"
"""workload: its name; scale, frame, packets_per_second, concurrent_flows, new_flows_per_second, lifetime: {...},
duration_s, trigger_s, seed, identity, table_capacity, quota, state_timeout_s, function, driver, method,
initial: instance that carries all at the beginning, instances: {number in the packets: instance}; idle or burst where
the workload has them."""
OFFERED = "offered"
"""Streams beside the flow mode have been sent: finished (to their last packet), packets."""
TRAFFIC = "traffic.begin"
"""t_ns: the generator's first packet."""
SPLIT = "split"
"""A request to the controller: label, kind, method, from, to, share, t_ns, status, id or null, answer."""
CONTROLLER_STEP = "controller.step"
"""What the controller says that it did: label, id, t_ns, step, text, rules, exceptions, final."""
SCALING_END = "scaling.end"
"""The last state read of a scaling: label, id, state, reason, threshold, cut_flows."""

FIRST_SPLIT = "split"
"""Label of the request that is the trigger of the scenario."""

# sources

GENERATOR = "generator"
SWITCH = "switch"
SERVER_SWITCH = "server-switch:"
"""Followed by the name of the server."""
INSTANCE = "vnf:"
"""Followed by the name of the instance, server/vnf."""
CONTROLLER = "controller"
PROCESSES = "processes"
CONTROL = "control:"
"""Followed by the component that an order of the controller went to; recorded between the two:
component, op, t_request, request, ok, answer, error, code."""

# steps of the controller

ACCEPTED = "accepted"
SNAPSHOT = "snapshot"
DETOUR = "detour"
EXPECTED = "expected"
PUSH = "push"
EXCEPTION_REMOVED = "exception-removed"
WITHDRAW = "withdraw"
MOVE_BEGIN = "move-begin"
MOVED = "moved"
MERGE = "merge"
DRAINED = "drained"
TERMINATED = "terminated"
CONVERGED = "converged"
COMPLETED = "completed"
REFUSED = "refused"
FAILED = "failed"
RESUMED = "resumed"
WAITING = "waiting"

# tables

FLOWS_TABLE = "flows"
"""What the generator sent and received of each flow: one row a flow (see the packet engine's list of flows)."""
RULES_TABLE = "rules"
"""Content of the hardware switch's table at each dump: t_ns, rule, kind (range or flow), lo, hi, priority, src,
dst, sport, dport, proto, port, owner. Of ranges that overlap the one of the higher priority decides."""
STATES_TABLE = "states"
"""State that an instance holds of its flows: label, t_ns, instance, src, dst, sport, dport, proto, packets, bytes."""
PACKETS_TABLE = "packets"
"""Packets of translated flows that reached the sink, in order: t_ns, stream, sequence, instance, detours, source,
sport."""
OFFERED_TABLE = "offered"
"""The streams that these packets are of: stream, flow, kind, way (out or back), old, packets."""
