"""The parts of the VNFM put together, and the acceptance of requests."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.peer import Peer
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Store
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.reference.vnfm.behaviour import Progress, VnfmBehaviour
from nfvcert.reference.vnfm.cloud import Cloud, Vim
from nfvcert.reference.vnfm.config import VnfmConfig
from nfvcert.reference.vnfm.coordination import Coordinator
from nfvcert.reference.vnfm.csar import CsarReader
from nfvcert.reference.vnfm.engine import Engine
from nfvcert.reference.vnfm.grants import Grants
from nfvcert.reference.vnfm.instances import Instance, Instances
from nfvcert.reference.vnfm.occurrences import Occurrence, Occurrences
from nfvcert.reference.vnfm.packages import Packages, Reader
from nfvcert.reference.vnfm.procedures import Plan
from nfvcert.reference.vnfm.steps import Steps
from nfvcert.reference.vnfm.view import SUBSCRIPTIONS
from nfvcert.reference.vnfm.vnfcs import Vnfcs
from nfvcert.reference.vnfm.work import Work
from nfvcert.sol import grant, lcmcoord, vnfpkgm
from nfvcert.sol.common import LcmOperation
from nfvcert.sol.common import LcmOperationState as State
from nfvcert.sol.vnflcm import API_VERSION


class Vnfm:
    """One VNFM.

    Args:
        config: configuration.
        behaviour: its decisions.
        cloud: the VIM's client; made from the configuration if not given.
        reader: package reader; the drop reader if not given.
    """

    def __init__(
        self, config: VnfmConfig, behaviour: VnfmBehaviour, *, cloud: Cloud | None = None, reader: Reader | None = None
    ) -> None:
        self.config = config
        self.behaviour = behaviour
        behaviour.vnfm = self
        files = Path(config.state_dir) / f"{config.name}-packages"
        self.store = Store(config.database)
        self.notifier = Notifier(
            self.store, API_VERSION, lane=behaviour.notification_lane, prepare=behaviour.before_delivery
        )
        self.subscriptions = Subscriptions(
            self.store,
            self.notifier,
            kind="vnflcm-subscription",
            path=SUBSCRIPTIONS,
            base_url=config.url,
            page_size=config.page_size,
        )
        self.instances = Instances(self.store)
        self.occurrences = Occurrences(self.store, self.instances, self.notifier, self.subscriptions, config.url)
        self.vim = Vim(cloud or Cloud(config.peers.vim))
        self._peers = [
            Peer("the NFVO", config.peers.nfvo, vnfpkgm.API_VERSION),
            Peer("the NFVO", config.peers.nfvo, grant.API_VERSION),
        ]
        em = Peer("the EM", config.peers.em, lcmcoord.API_VERSION) if config.peers.em else None
        if em:
            self._peers.append(em)
        self.packages = Packages(self._peers[0], files, reader or CsarReader(files / "images"))
        self.grants = Grants(self._peers[1], config.grant_timeout_s, config.poll_s)
        self.coordinator = Coordinator(em, config.coordination_timeout_s, config.poll_s)
        self.vnfcs = Vnfcs(self.vim, self.packages, behaviour, timeout=config.resource_timeout_s, poll=config.poll_s)
        self.steps = Steps(self)
        self.engine = Engine(self)

    async def start(self) -> None:
        """Take up what an earlier process left, then deliver notifications."""
        self.engine.recover()
        await self.notifier.start()

    async def stop(self) -> None:
        """End all tasks and connections."""
        await self.engine.stop()
        await self.notifier.stop()
        for peer in self._peers:
            await peer.close()
        self.vim.close()
        self.store.close()

    def require_free(self, instance: Instance) -> None:
        """409 if another operation of the instance is not finished."""
        for occurrence in self.occurrences.of_instance(instance["id"]):
            if self.behaviour.blocks(occurrence):
                raise Problem(
                    409,
                    f"the operation {occurrence['operation']} {occurrence['id']} of the VNF instance is "
                    f"{occurrence['operationState']}",
                )

    async def accept(self, instance: Instance, planning: Awaitable[Plan]) -> Occurrence:
        """Begin the operation that `planning` returns; nothing changes if it refuses, or if another one came first."""
        plan = await planning
        with self.store.transaction():
            current = self.instances.get(instance["id"])
            self.require_free(current)
            if current != instance:
                raise Problem(409, "the VNF instance was changed while the request was checked; try again")
            work = {"steps": plan.steps, "snapshot": current, "grant": plan.grant, "context": plan.context}
            occurrence = self.occurrences.create(plan.operation, current["id"], plan.params, work, State.STARTING)
            if plan.accepted:
                self.instances.change(current["id"], lambda changed: changed["identity"].update(plan.accepted))
        self.engine.start(occurrence["id"])
        return occurrence

    def progress(self, occurrence: Occurrence) -> Progress | None:
        """How far a change of package has come; None for other operations."""
        if occurrence["operation"] != LcmOperation.CHANGE_VNFPKG:
            return None
        work = Work(self, occurrence["id"])
        before = [vnfc for vnfc in work.snapshot["vnfcs"] if vnfc["vdu"] in work.context["vdus"]]
        return Progress(
            share=work.context.get("share", 0),
            new=len(work.mapped(new=True)),
            old=len(work.mapped(new=False)),
            before=len(before),
        )

    def unfinished(self, instance: str) -> Occurrence | None:
        """The operation of an instance that has not ended; the last one if there are several."""
        found = [item for item in self.occurrences.of_instance(instance) if not State(item["operationState"]).final]
        return found[-1] if found else None

    def images_in_use(self) -> set[str]:
        """Names at the VIM of the images from which recorded VNFCs were made."""
        return {vnfc["source"] for found in self.instances.all() for vnfc in found.body["vnfcs"]}
