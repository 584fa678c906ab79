"""What is to be done between requests: rates, and sessions that vanished while they owned ports."""

from __future__ import annotations

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import InProgress, RpcError
from nfvcert.traffic.trex.server.methods.captures import close_queue
from nfvcert.traffic.trex.server.methods.files import stop_file
from nfvcert.traffic.trex.server.methods.flows import stop_flows
from nfvcert.traffic.trex.server.methods.ownership import tell_released
from nfvcert.traffic.trex.server.methods.traffic import stop_profile
from nfvcert.traffic.trex.server.ports import Port

ABSENCE_S = 1.5
"""If it was not called for longer the server was stopped or starved, and did not hear its clients."""
SETTLE_S = 3.0
"""Rates are followed so long after traffic ended, until they are zero."""


class Housekeeping:
    """Called a few times a second."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._busy_until = 0.0
        self._last_tick = context.clock()

    def tick(self) -> None:
        """Do what is due."""
        context = self._context
        context.begin_frame()
        now = context.clock()
        if now - self._last_tick > ABSENCE_S:
            context.log.say("absent", seconds=round(now - self._last_tick, 3))
            context.sessions.forgive(now - self._last_tick)
        self._last_tick = now
        if context.gone:
            return
        if context.active():
            self._busy_until = context.clock() + SETTLE_S
        if context.clock() < self._busy_until:
            try:
                context.sample()
            except RpcError as error:
                context.log.say("no-statistics", error=error.message)
        for session in context.sessions.vanished():
            for port in context.ports.values():
                if port.owner is not None and port.owner.session == session:
                    self._take_back(port)

    def _take_back(self, port: Port) -> None:
        """Nobody is left to stop what a vanished client started, or to give its port up."""
        context = self._context
        silence = context.options.session_timeout_s
        context.log.say("session-vanished", port=port.index, session=port.owner.session if port.owner else None)
        try:
            for name in list(port.profiles):
                stop_profile(context, port, name)
            stop_file(context, port)
            close_queue(context, port)
            if port.flow_mode == "running":
                raise stop_flows(context, port)
        except InProgress:
            pass
        except RpcError as error:
            context.log.say("not-stopped", port=port.index, error=error.message)
        owner = port.release(f"given up: its session was silent for {silence:g} s")
        if owner is not None:
            tell_released(context, port, owner)
