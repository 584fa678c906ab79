"""A VNFM over real HTTP for each test, in a scripted world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from vnfm_doubles import Server, Stack, World

from nfvcert.reference.vnfm.behaviour import VnfmBehaviour


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_stack(world: World, tmp_path: Path) -> Iterator[Callable[[type[VnfmBehaviour]], Stack]]:
    server = Server(world.app)
    made: list[Stack] = []

    def make(behaviour: type[VnfmBehaviour] = VnfmBehaviour) -> Stack:
        made.append(Stack(world, server.url, tmp_path, behaviour))
        return made[-1]

    yield make
    world.grant_gate.set()
    for stack in made:
        stack.cloud.stuck.clear()
        if stack.cloud.hold:
            stack.cloud.hold[1].set()
        stack.close()
    server.stop()


@pytest.fixture
def stack(make_stack: Callable[[type[VnfmBehaviour]], Stack]) -> Stack:
    return make_stack(VnfmBehaviour)
