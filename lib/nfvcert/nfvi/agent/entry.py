"""One container as the agent remembers it, and the end of its first process."""

from __future__ import annotations

import os
import select
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from nfvcert.errors import NfvcertError
from nfvcert.nfvi import cgroups, procfs
from nfvcert.nfvi.agent.models import ContainerSpec, ContainerState
from nfvcert.nfvi.agent.runc import Init


@dataclass
class Entry:
    """What the agent remembers of a container; whether it lives is always asked of the kernel."""

    id: str
    spec: ContainerSpec
    image: str
    bundle: Path
    netns: str
    group: cgroups.ContainerGroup
    log: Path
    init: Init | None = None
    started_ns: int | None = None
    exited_ns: int | None = None
    exit_code: int | None = None
    stop_requested_ns: int | None = None
    created: threading.Event = field(default_factory=threading.Event)
    exited: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    failure: NfvcertError | None = None

    def running(self) -> bool:
        return self.init is not None and self.init.running()

    def state(self) -> ContainerState:
        if self.init is None:
            return "creating"
        if not self.init.running():
            return "exited"
        return "frozen" if self.group.frozen() else "running"


def await_end(entry: Entry) -> None:
    """Wait for the end of a container's first process and keep its status if it is the agent's child."""
    assert entry.init is not None
    try:
        descriptor = os.pidfd_open(entry.init.pid)
    except ProcessLookupError:
        descriptor = -1
    if descriptor >= 0:
        try:
            if procfs.is_running(entry.init.pid, entry.init.start_ticks):
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                poll.poll()
        finally:
            os.close(descriptor)
    ended = time.monotonic_ns()
    try:
        found = os.waitid(os.P_PID, entry.init.pid, os.WEXITED | os.WNOHANG)
        if found is not None:
            entry.exit_code = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
    except ChildProcessError:
        pass
    entry.exited_ns = ended
    entry.exited.set()
