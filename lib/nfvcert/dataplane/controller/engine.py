"""Scalings under way: each has a thread that runs its planner; one lock keeps their orders apart between two waits."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.control import ControlLost
from nfvcert.dataplane.controller.executor import Executor
from nfvcert.dataplane.controller.journal import Journal
from nfvcert.dataplane.controller.parties import Parties
from nfvcert.dataplane.controller.scalings import Scaling, ScalingRequest, State, Step
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.methods import SCALE_OUT, Method, Task, scale_in, version
from nfvcert.dataplane.orders import Forget, Plan, Push, Refused, Report, Tell, Wait
from nfvcert.dataplane.ranges import ranges_of, set_of, upper_part
from nfvcert.dataplane.switch import Switch
from nfvcert.errors import NfvcertError

HOUSEKEEPING_S = 0.25
"""Between two looks for exceptions whose flows have ended."""
OPEN: frozenset[str] = frozenset({"STARTED", "DETOURING", "PUSHING"})


class NotPossible(Exception):
    """A request that cannot be begun now; the message says why."""


class _Stopped(Exception):
    """The scaling was told to stop where it is; the message is its reason."""


class Engine:
    """The controller's work.

    Args:
        initial: instance that serves everything when nothing is known yet.
    """

    def __init__(
        self,
        *,
        switch: Switch,
        parties: Parties,
        behaviour: ControllerBehaviour,
        journal: Journal,
        initial: int,
        quota: int | None = None,
    ) -> None:
        self.fabric = Fabric(parties.places, parties.servers)
        self.fabric.base = self.fabric.server(initial)
        self.scalings = journal.restore(self.fabric)
        self._parties = parties
        self._switch = switch
        self._behaviour = behaviour
        self._journal = journal
        self._executor = Executor(switch, parties, behaviour, journal, self.fabric, quota)
        self._lock = threading.RLock()
        self._stops: dict[str, str] = {}
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._gone: set[int] = set()
        self._reported: dict[str, float] = {}
        self._initial = initial

    def start(self) -> None:
        """Take the dataplane over, go on with what a predecessor had begun, and look after exceptions."""
        with self._lock:
            self._executor.take_over(self._initial)
            for scaling in list(self.scalings.values()):
                if scaling.state in OPEN:
                    self._tell(scaling, "resumed", "the controller was started again")
                    self._begin(scaling)
        self._spawn(self._keep_house, "housekeeping")

    def close(self) -> None:
        """Stop everything; the dataplane stays as it is."""
        self._closing.set()
        for thread in self._threads:
            thread.join(2.0)
        self._journal.close()

    def ask(self, request: ScalingRequest) -> Scaling:
        """Begin a scaling.

        Raises:
            NotPossible: an instance is unknown, busy or gone, or there is nothing to share.
        """
        with self._lock:
            source, target = self._place(request.source), self._place(request.target)
            for place in (source, target):
                if place in self._gone:
                    raise NotPossible(f"{self.fabric.places[place].name} has ended")
            domain = self._domain(request, source, target)
            if not domain.any():
                raise NotPossible(f"{request.source} has no ids to share")
            self._make_way(request)
            scaling = Scaling(id=f"scaling-{len(self.scalings) + 1}", request=request, domain=ranges_of(domain))
            scaling.given = ranges_of(domain if request.kind == "scale-in" else upper_part(domain, request.share))
            self.scalings[scaling.id] = scaling
            self._tell(scaling, "accepted", f"{request.kind} from {request.source} to {request.target}")
            if request.kind == "scale-out" and not self._behaviour.keeps_flows_on_turning():
                self._executor.do(Forget(target))
            self._begin(scaling)
            return scaling

    def report_overload(self, instance: str) -> tuple[Scaling, bool]:
        """An instance is overloaded: begin a scale-out to a free instance. Returns whether it is a new one.

        Raises:
            NotPossible: no instance is free.
        """
        with self._lock:
            place = self._place(instance)
            running = [s for s in self.scalings.values() if s.request.source == instance and s.state in OPEN]
            before = self._reported.get(instance)
            since = None if before is None else time.monotonic() - before
            known = [s for s in self.scalings.values() if s.request.source == instance]
            if known and self._behaviour.is_duplicate(instance, bool(running), since):
                return known[-1], False
            free = self._free_place(place)
            self._reported[instance] = time.monotonic()
            target = self.fabric.places[free].name
            return self.ask(ScalingRequest.model_validate({"from": instance, "to": target})), True

    def status(self) -> dict[str, Any]:
        """Owners, exceptions and scalings in short."""
        with self._lock:
            fabric = self.fabric
            return {
                "instances": {
                    place.name: {"ids": int((fabric.owners == index).sum()), "running": index not in self._gone}
                    for index, place in enumerate(fabric.places)
                },
                "exceptions": len(fabric.exceptions),
                "detoured_ids": round(fabric.detour_share(), 4),
                "scalings": {scaling.id: scaling.state for scaling in self.scalings.values()},
            }

    def instance_lost(self, name: str) -> None:
        """An instance that new flows go to has died: they go to the other one of its scaling again."""
        place = self._place(name)
        with self._lock:
            if place in self._gone or not any(s.request.target == name for s in self.scalings.values()):
                return
            self._gone.add(place)
            scaling = next(s for s in reversed(list(self.scalings.values())) if s.request.target == name)
            self._stops[scaling.id] = f"{name} has died"
            source = self._place(scaling.request.source)
            fabric = self.fabric
            mine = fabric.domain(place)
            self._executor.set_owners(np.where(mine, source, fabric.owners).astype(np.int8))
            t_ns = self._executor.last_effect_ns
            if scaling.request.method == "always-migrate" and scaling.state in OPEN | {"FAILED"}:
                self._parties.give_up_move(source)
            self._executor.do(Forget(place))
            server = fabric.server(place)
            kept = {flow: at for flow, at in fabric.exceptions.items() if at != server}
            back = np.where(mine | (fabric.ports == server), fabric.server(source), fabric.ports).astype(np.int8)
            pushed = self._executor.do(Push(back, kept))
            self._tell(scaling, "withdraw", f"{name} has died: its new flows go to {scaling.request.source}", t_ns)
            self._end(scaling, "WITHDRAWN", f"{name} has died" + ("" if pushed.taken else f"; {pushed.refusal}"))

    def _place(self, name: str) -> int:
        try:
            return self.fabric.index(name)
        except KeyError:
            known = ", ".join(place.name for place in self.fabric.places)
            raise NotPossible(f"there is no instance '{name}'; there are {known}") from None

    def _domain(self, request: ScalingRequest, source: int, target: int) -> Any:
        mine = self.fabric.domain(source)
        return mine | self.fabric.domain(target) if request.kind == "version" else mine

    def _make_way(self, request: ScalingRequest) -> None:
        """A scaling gives way to one that asks for something else of the same pair; otherwise a busy source is busy."""
        pair = {request.source, request.target}
        for other in self.scalings.values():
            if other.state not in OPEN:
                continue
            same = {other.request.source, other.request.target} == pair
            if same and (request.kind == "version" or request.kind != other.request.kind):
                self._stops[other.id] = "superseded"
                self._end(other, "COMPLETED", "superseded")
            elif other.request.source == request.source or other.request.target in pair:
                raise NotPossible(f"{other.id} is under way: {other.request.source} to {other.request.target}")

    def _free_place(self, source: int) -> int:
        busy = {self._place(s.request.target) for s in self.scalings.values() if s.state in OPEN}
        for place in range(len(self.fabric.places)):
            if place != source and place not in busy | self._gone and not self.fabric.domain(place).any():
                return place
        raise NotPossible("no instance is free")

    def _begin(self, scaling: Scaling) -> None:
        self._journal.scaling(scaling)
        self._spawn(lambda: self._run(scaling), scaling.id)

    def _run(self, scaling: Scaling) -> None:
        request = scaling.request
        source, target = self._place(request.source), self._place(request.target)
        task = Task(
            source=source,
            target=target,
            domain=set_of(scaling.domain),
            share=request.share,
            threshold=request.threshold,
            longest_wait_s=request.longest_wait_s,
            abrupt=request.abrupt,
            cost=self._switch.cost,
        )
        methods: dict[str, Method] = {"scale-in": scale_in, "version": version}
        method = methods.get(request.kind) or SCALE_OUT[request.method]
        try:
            reason = self._drive(scaling, method(self.fabric, task, self._behaviour))
        except _Stopped:
            return
        except Refused as refusal:
            self._finish(scaling, "REFUSED", str(refusal), "refused")
        except NfvcertError as error:
            self._finish(scaling, "FAILED", error.message, "failed")
            if isinstance(error, ControlLost):
                self.instance_lost(request.target)
        else:
            leaving = request.kind == "scale-in" or (request.kind == "version" and request.share == 1)
            if leaving:
                self._gone.add(source)
            state: State = "COMPLETED" if leaving else "CONVERGED"
            self._finish(scaling, state, reason, state.lower())

    def _drive(self, scaling: Scaling, plan: Plan) -> str:
        answer: Any = None
        begin = time.monotonic()
        self._lock.acquire()
        try:
            while True:
                try:
                    order = plan.send(answer)
                except StopIteration as end:
                    return str(end.value)
                answer = None
                if isinstance(order, Wait):
                    self._lock.release()
                    try:
                        self._closing.wait(order.seconds)
                    finally:
                        self._lock.acquire()
                    if self._closing.is_set() or scaling.id in self._stops:
                        raise _Stopped
                    answer = time.monotonic() - begin
                elif isinstance(order, Tell):
                    self._told(scaling, order)
                elif isinstance(order, Report):
                    scaling.report |= order.values
                else:
                    answer = self._executor.do(order)
        finally:
            self._lock.release()

    def _told(self, scaling: Scaling, order: Tell) -> None:
        if order.state is not None:
            scaling.state = order.state  # type: ignore[assignment]
        at = order.t_ns or (self._executor.last_effect_ns if order.step == "detour" else None)
        self._tell(scaling, order.step, order.text, at, rules=order.rules, final=order.final)
        self._journal.scaling(scaling)

    def _tell(
        self,
        scaling: Scaling,
        step: str,
        text: str,
        t_ns: int | None = None,
        *,
        rules: dict[str, Any] | None = None,
        final: bool = False,
    ) -> None:
        at = t_ns or time.monotonic_ns()
        count = len(self.fabric.exceptions)
        scaling.steps.append(Step(t_ns=at, step=step, text=text, rules=rules or {}, exceptions=count, final=final))

    def _finish(self, scaling: Scaling, state: State, reason: str, step: str) -> None:
        with self._lock:
            if scaling.ended:
                return
            self._tell(scaling, step, reason)
            self._end(scaling, state, reason)

    def _end(self, scaling: Scaling, state: State, reason: str) -> None:
        scaling.state, scaling.reason = state, reason
        self._journal.scaling(scaling)

    def _keep_house(self) -> None:
        while not self._closing.wait(HOUSEKEEPING_S):
            with contextlib.suppress(NfvcertError), self._lock:
                self._drop_ended()

    def _drop_ended(self) -> None:
        exceptions = self.fabric.exceptions
        if exceptions:
            ids = sorted({flow.id for flow in exceptions})
            living: set[Flow] = set()
            for place in range(len(self.fabric.places)):
                if place not in self._gone and self.fabric.server(place) in exceptions.values():
                    living |= set(self._parties.flows(place, [(i, i) for i in ids]))
            ended = self._behaviour.ended(exceptions, living)
            if ended:
                pushed = self._executor.drop_exceptions(ended)
                if pushed.taken and (latest := self._latest()) is not None:
                    rules = {"remove": pushed.removed}
                    self._tell(latest, "exception-removed", f"{len(ended)} flows have ended", pushed.t_ns, rules=rules)
        for scaling in self.scalings.values():
            if scaling.state == "CONVERGED" and not self._has_exceptions(scaling):
                self._tell(scaling, "completed", "the last exception is gone")
                self._end(scaling, "COMPLETED", scaling.reason)

    def _latest(self) -> Scaling | None:
        return next(reversed(self.scalings.values()), None)

    def _has_exceptions(self, scaling: Scaling) -> bool:
        domain = set_of(scaling.domain)
        return any(domain[flow.id] for flow in self.fabric.exceptions)

    def _spawn(self, work: Any, name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
