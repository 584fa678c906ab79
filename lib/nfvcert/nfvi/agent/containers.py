"""The containers of one host, from the request to the last trace of them."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import threading
import time
from pathlib import Path

from nfvcert.errors import NfvcertError, TestbedError
from nfvcert.nfvi import cgroups, namespaces, procfs
from nfvcert.nfvi.agent.entry import Entry, await_end
from nfvcert.nfvi.agent.executable import ExecutableDigests
from nfvcert.nfvi.agent.faults import Faults
from nfvcert.nfvi.agent.images import ImageStore
from nfvcert.nfvi.agent.models import AgentConfig, Container, ContainerSpec, Limits
from nfvcert.nfvi.agent.networking import HostNetworking
from nfvcert.nfvi.agent.refusal import Conflict, NotFound, Unavailable
from nfvcert.nfvi.agent.rootfs import copy_tree, write_files
from nfvcert.nfvi.agent.runc import Init, Runc
from nfvcert.nfvi.agent.runtime_spec import runtime_spec
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.rundir import HostDirectory

_log = logging.getLogger(__name__)
KILL_TIMEOUT_S = 10.0


class Containers:
    """Creates, shows and deletes the containers of a host."""

    def __init__(self, config: AgentConfig, networking: HostNetworking, images: ImageStore, faults: Faults) -> None:
        self.config = config
        self.rid = RunId(config.rid)
        self.places = HostDirectory(config.directory)
        self.networking = networking
        self.images = images
        self.faults = faults
        self.mounted = cgroups.hierarchies()
        self.controllers = self.mounted.usable()
        self.runc = Runc(config.runc_root, limited=bool(self.controllers))
        self.digests = ExecutableDigests()
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def create(self, identifier: str, spec: ContainerSpec) -> Container:
        """Start a container; answers the existing one if it was asked for in the same way before.

        Raises:
            NotFound: no such image or port on this host.
            Conflict: the id or a port is in use.
            Unavailable: a fault refuses creations.
            TestbedError: runc failed; nothing of the container is left but its log.
        """
        image = self.images.get(spec.image)
        with self._lock:
            known = self._entries.get(identifier)
            if known is None:
                if self.faults.refuses(spec.labels):
                    raise Unavailable("the host refuses to create containers", where=self.config.name, found="a fault")
                entry = self._new_entry(identifier, spec, image.image.digest)
                self._entries[identifier] = entry
        if known is not None:
            if known.spec != spec or known.stop_requested_ns is not None:
                raise Conflict("a container with this id exists", where=identifier, found=known.state())
            known.created.wait()
            return self.get(identifier)
        try:
            self._prepare(entry, image.rootfs, image.process)
            entry.init = self.runc.start(self._runc_id(identifier), entry.bundle, entry.log)
            entry.started_ns = time.monotonic_ns()
            self._remember(entry)
            self._watch(entry)
            self.digests.of(entry.init.pid)
        except BaseException:
            self._clear(entry)
            raise
        finally:
            entry.created.set()
        return self._view(entry)

    def get(self, identifier: str) -> Container:
        """The container as it is now, or :class:`NotFound`."""
        return self._view(self.entry(identifier))

    def list(self) -> list[Container]:
        """All containers of this host as they are now."""
        with self._lock:
            entries = list(self._entries.values())
        return [self._view(entry) for entry in entries]

    def entry(self, identifier: str) -> Entry:
        """What is remembered of a container, or :class:`NotFound`."""
        with self._lock:
            found = self._entries.get(identifier)
        if found is None:
            raise NotFound("there is no such container on this host", where=identifier)
        return found

    def delete(self, identifier: str, grace_s: float) -> tuple[Entry, bool]:
        """Accept the end of a container, which then goes on in the background until `gone` is set.

        Returns:
            the entry, and whether a fault holds the stop back.
        """
        entry = self.entry(identifier)
        with self._lock:
            if entry.stop_requested_ns is not None and not entry.gone.is_set():
                return entry, False
            entry.stop_requested_ns = time.monotonic_ns()
            entry.failure = None
            entry.gone.clear()
        held = self.faults.held_stop(entry.spec.labels)

        def work() -> None:
            try:
                entry.created.wait()
                if held is not None:
                    self.faults.wait_held(held)
                self.stop(entry, grace_s)
                self._clear(entry)
            except Exception as error:
                _log.exception("container %s cannot be deleted", identifier)
                entry.failure = (
                    error
                    if isinstance(error, NfvcertError)
                    else TestbedError("a container cannot be deleted", where=identifier, found=str(error))
                )
            finally:
                entry.gone.set()

        threading.Thread(target=work, name=f"delete-{identifier}", daemon=True).start()
        return entry, held is not None

    def stop(self, entry: Entry, grace_s: float) -> None:
        """SIGTERM, after the grace SIGKILL; returns when the process is gone.

        Raises:
            TestbedError: it survives SIGKILL.
        """
        if entry.init is None or not entry.init.running():
            return
        entry.group.freeze(False)
        if grace_s > 0:
            entry.init.signal(signal.SIGTERM)
            if entry.exited.wait(grace_s):
                return
        entry.group.kill()
        entry.init.signal(signal.SIGKILL)
        if not entry.exited.wait(KILL_TIMEOUT_S):
            raise TestbedError("a container survives SIGKILL", where=entry.id, found=f"process {entry.init.pid}")

    def freeze(self, identifier: str, frozen: bool) -> None:
        """Freeze or thaw a container, by signals where the machine has no freezer."""
        entry = self.entry(identifier)
        if not entry.running():
            raise Conflict("the container does not run", where=identifier)
        if not entry.group.freeze(frozen) and entry.init is not None:
            entry.init.signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def kill(self, identifier: str, number: int) -> None:
        """Send a signal to the first process of a container."""
        entry = self.entry(identifier)
        if entry.init is None or not entry.init.running():
            raise Conflict("the container does not run", where=identifier)
        entry.init.signal(number)

    def adopt(self) -> None:
        """Take over the containers of an earlier agent of this host; clear away those it had not finished starting."""
        for bundle in sorted(self.places.bundles.iterdir()) if self.places.bundles.is_dir() else []:
            try:
                record = json.loads((bundle / "record.json").read_text())
            except (OSError, ValueError):
                self._clear(self._new_entry(bundle.name, ContainerSpec(image=""), ""))
                continue
            entry = self._new_entry(record["id"], ContainerSpec.model_validate(record["spec"]), record["image"])
            entry.init = Init(record["pid"], record["start_ticks"])
            entry.started_ns = record["started_ns"]
            entry.created.set()
            self._entries[entry.id] = entry
            self._watch(entry)
        self.networking.keep_attached(set(self._entries))

    def _new_entry(self, identifier: str, spec: ContainerSpec, image: str) -> Entry:
        return Entry(
            id=identifier,
            spec=spec,
            image=image,
            bundle=self.places.bundles / identifier,
            netns=self.rid.container_netns(self._runc_id(identifier)),
            group=cgroups.ContainerGroup(self.mounted, self.rid.cgroup(self._runc_id(identifier))),
            log=self.places.logs / f"{identifier}.log",
        )

    def _runc_id(self, identifier: str) -> str:
        """Name of the container in the run; the same container may exist on two hosts while it is moved."""
        return f"{self.config.name}.{identifier}"

    def _prepare(self, entry: Entry, rootfs: Path, process: dict[str, object]) -> None:
        shutil.rmtree(entry.bundle, ignore_errors=True)
        entry.bundle.mkdir(parents=True)
        entry.log.parent.mkdir(parents=True, exist_ok=True)
        copy_tree(rootfs, entry.bundle / "rootfs", hard_links=entry.spec.readonly)
        write_files(entry.bundle / "rootfs", entry.spec.files)
        namespaces.remove(entry.netns)  # one that a crashed start left
        namespaces.create(entry.netns)
        for number, port in enumerate(entry.spec.ports):
            self.networking.attach(port, entry.id, entry.netns, f"eth{number}")
        config = runtime_spec(
            entry.spec,
            process=process,
            netns_path=str(namespaces.path_of(entry.netns)),
            cgroup=entry.group.path,
            controllers=self.controllers,
            hostname=entry.spec.hostname or entry.id[:63],
        )
        (entry.bundle / "config.json").write_text(json.dumps(config))

    def _remember(self, entry: Entry) -> None:
        assert entry.init is not None
        record = {
            "id": entry.id,
            "spec": entry.spec.model_dump(),
            "image": entry.image,
            "pid": entry.init.pid,
            "start_ticks": entry.init.start_ticks,
            "started_ns": entry.started_ns,
        }
        fresh = entry.bundle / "record.tmp"
        fresh.write_text(json.dumps(record))
        fresh.replace(entry.bundle / "record.json")

    def _watch(self, entry: Entry) -> None:
        threading.Thread(target=await_end, args=(entry,), name=f"watch-{entry.id}", daemon=True).start()

    def _clear(self, entry: Entry) -> None:
        """Remove all there is of a container whose process does not run (or never did)."""
        if entry.init is None:
            entry.group.kill()
        self.runc.delete(self._runc_id(entry.id))
        self.networking.detach_all(entry.id)
        namespaces.remove(entry.netns)
        entry.group.remove()
        shutil.rmtree(entry.bundle, ignore_errors=True)
        with self._lock:
            self._entries.pop(entry.id, None)

    def _view(self, entry: Entry) -> Container:
        state = entry.state()
        alive = state in ("running", "frozen")
        stat = procfs.stat(entry.init.pid) if alive and entry.init else None
        cpu, memory = entry.group.usage() if alive else (None, None)
        return Container(
            id=entry.id,
            labels=entry.spec.labels,
            image=entry.image,
            executable_sha256=self.digests.of(entry.init.pid) if alive and entry.init else None,
            pid=entry.init.pid if entry.init else None,
            start_time_ns=stat.start_time_ns if stat else None,
            started_ns=entry.started_ns,
            state=state,
            exit_code=entry.exit_code,
            exited_ns=entry.exited_ns,
            stop_requested_ns=entry.stop_requested_ns,
            ports=list(entry.spec.ports),
            netns=entry.netns,
            limits=Limits.model_validate(entry.group.limits()) if alive else Limits(),
            cpu_ns=cpu if cpu is not None else (stat.cpu_ns if stat else None),
            memory_bytes=memory,
            log=entry.log,
        )
