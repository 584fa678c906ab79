"""The reference stack as processes: started, awaited, killed and started again at the same place."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from nfvcert.errors import StackError
from nfvcert.nfvi.process import Child, spawn

READY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """How one process of the stack is started; ``health`` is the URL that answers 200 when it is ready."""

    name: str
    module: str
    config: Mapping[str, Any]
    health: str
    extension: Path | None = None


class Processes:
    """The processes of the stack, by name."""

    def __init__(self, state_dir: Path, log_dir: Path) -> None:
        self._state_dir = state_dir
        self._log_dir = log_dir
        self._specs: dict[str, ComponentSpec] = {}
        self._children: dict[str, Child] = {}
        self._restarting: set[str] = set()

    def start(self, spec: ComponentSpec) -> None:
        """Start a component; :meth:`await_ready` says when it serves."""
        config = self._state_dir / f"{spec.name}.json"
        config.write_text(json.dumps(spec.config, indent=1, default=str), encoding="utf-8")
        config.chmod(0o600)
        self._specs[spec.name] = spec
        argv: list[str | Path] = [sys.executable, "-m", spec.module, "--config", config]
        if spec.extension is not None:
            argv += ["--extension", spec.extension]
        self._children[spec.name] = spawn(argv, log=self._log_dir / f"{spec.name}.log")

    def await_ready(self, *names: str) -> None:
        """Wait until all named components (all, if none is named) answer.

        Raises:
            StackError: one died or does not answer in time; the end of its log is quoted.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        with httpx.Client(timeout=2.0, trust_env=False) as http:
            for name in names or tuple(self._specs):
                while not self._answers(http, self._specs[name].health):
                    self.check(name)
                    if time.monotonic() > deadline:
                        raise StackError(
                            f"the {name} does not get ready within {READY_TIMEOUT_S:g} s",
                            where=self._specs[name].health,
                            found=self._children[name].log_tail(),
                        )
                    time.sleep(0.05)

    def check(self, name: str) -> None:
        """Raise when a component has died."""
        status = self._children[name].poll()
        if status is not None:
            raise StackError(
                f"the {name} died", where=name, found=f"status {status}: {self._children[name].log_tail()}"
            )

    def restart(self, name: str, down_s: float) -> tuple[int, int]:
        """Kill a component with SIGKILL and start it again after ``down_s``.

        Returns when it was killed and when it answered again (ns).
        """
        self._restarting.add(name)
        try:
            killed = time.monotonic_ns()
            self._children[name].terminate(0)
            time.sleep(down_s)
            self.start(self._specs[name])
            self.await_ready(name)
            return killed, time.monotonic_ns()
        finally:
            self._restarting.discard(name)

    def check_all(self) -> None:
        """Raise when a component has died that nobody is restarting."""
        for name in tuple(self._children):
            if name not in self._restarting:
                self.check(name)

    def stop(self) -> None:
        """End them all."""
        for child in self._children.values():
            child.terminate(0)
        self._children.clear()

    @staticmethod
    def _answers(http: httpx.Client, url: str) -> bool:
        try:
            return http.get(url).status_code == 200
        except httpx.HTTPError:
            return False
