"""A controller's executor on a model of a dataplane, and planners run on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dataplane_model import Model, ModelParties, ModelSwitch

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.controller.executor import Executor
from nfvcert.dataplane.controller.journal import Journal
from nfvcert.dataplane.fabric import Fabric, Place
from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.methods import Task
from nfvcert.dataplane.orders import Report, Tell, Wait


def places(count: int) -> tuple[Place, ...]:
    """Servers s1, s2, ... with one instance each."""
    return tuple(Place(f"s{number}/v1", f"s{number}", "v1") for number in range(1, count + 1))


class Stand:
    """Everything that a planner needs; `tick` seconds pass in one step while it waits."""

    def __init__(
        self,
        model: Model,
        journal: Path,
        *,
        delay: Callable[[], float] = lambda: 0.001,
        tick: float = 0.01,
        behaviour: ControllerBehaviour | None = None,
        quota: int | None = None,
        **switch: Any,
    ) -> None:
        self.model, self.tick = model, tick
        self.behaviour = behaviour or ControllerBehaviour()
        self.parties = ModelParties(model, delay)
        self.switch = ModelSwitch(model, delay, **({"capacity": 2048} | switch))
        self.fabric = Fabric(model.places, model.servers)
        self.told: list[tuple[float, Tell]] = []
        self.reported: dict[str, Any] = {}
        model.ranges[:] = 0
        model.ports[:] = 0
        self.executor = Executor(
            self.switch,
            self.parties,
            self.behaviour,
            Journal(journal),
            self.fabric,
            quota,  # type: ignore[arg-type]
        )
        self.executor.take_over(0)

    def task(self, source: int = 0, target: int = 1, **more: Any) -> Task:
        return Task(source, target, self.fabric.domain(source), **more)

    def run(self, plan: Any, until: float, watch: Callable[[], None] | None = None) -> str | None:
        """Carry out a plan until it ends or the model's time is up; None: it has not ended."""
        answer: Any = None
        begun = self.model.now
        while True:
            try:
                order = plan.send(answer)
            except StopIteration as end:
                return str(end.value)
            answer = None
            if isinstance(order, Wait):
                end_of_wait = self.model.now + max(order.seconds, 1e-4)
                while self.model.now < end_of_wait - 1e-9:
                    self.model.advance(min(self.tick, end_of_wait - self.model.now))
                    if watch:
                        watch()
                if self.model.now >= until:
                    return None
                answer = self.model.now - begun
            elif isinstance(order, Tell):
                self.told.append((self.model.now, order))
            elif isinstance(order, Report):
                self.reported |= order.values
            else:
                answer = self.executor.do(order)

    def pass_time(self, seconds: float, watch: Callable[[], None] | None = None) -> None:
        """Let time pass without orders."""
        end = self.model.now + seconds
        while self.model.now < end - 1e-9:
            self.model.advance(min(self.tick, end - self.model.now))
            if watch:
                watch()


def annex_a1(
    seed: int, *, seconds: float, count: int = 2, concurrent: int = 10_000, new: int = 2_000, idle_s: float = 0.2
) -> Model:
    """The workload of annex A.1: lifetimes exponential with a mean of concurrent / new seconds."""
    random = np.random.default_rng(seed)
    mean = concurrent / new
    later = np.sort(random.random(random.poisson(new * seconds)) * seconds)
    birth = np.concatenate((np.zeros(concurrent), later))
    death = birth + random.exponential(mean, len(birth))
    return Model(birth, death, random.integers(0, IDS, len(birth)), places(count), idle_s)
