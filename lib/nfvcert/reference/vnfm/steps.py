"""What each step of a plan does; the steps themselves are described in :mod:`.planner` and :mod:`.procedures`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from nfvcert.reference.vnfm.coordination import CoordinationAborted
from nfvcert.reference.vnfm.descriptor import Descriptor
from nfvcert.reference.vnfm.instances import Instance, vnfc_of, vnfcs_of, without_resources
from nfvcert.reference.vnfm.planner import Step
from nfvcert.reference.vnfm.vnfcs import require
from nfvcert.reference.vnfm.work import Work
from nfvcert.sol.common import LcmOperationState as State

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.service import Vnfm

ACTIVATE = "activate"
DRAIN = "drain"
MIGRATION = "traffic-migration"
RETIREMENT = "retirement"
COMPLETION = "completion"
"""Coordination actions, by the names that VNFDs declare."""


class Steps:
    """Executes steps; each is written so that executing it again after a failure half way is right."""

    def __init__(self, vnfm: Vnfm) -> None:
        self._vnfm = vnfm
        self._kinds: dict[str, Callable[[Work, Step], Awaitable[None]]] = {
            "networks": self._networks,
            "create": self._create,
            "remove": self._remove,
            "activate": self._activate,
            "drain": self._drain,
            "operate": self._operate,
            "migrate": self._migrate,
            "retire": self._retire,
            "complete": self._complete,
            "commit": self._commit,
            "revert": self._revert,
            "reverted": self._reverted,
            "restore": self._restore,
            "settle": self._settle,
            "release": self._release,
        }

    async def execute(self, work: Work, step: Step) -> None:
        """Execute a step; a Problem says why it failed."""
        await self._kinds[step["do"]](work, step)

    # --- resources ---

    async def _networks(self, work: Work, step: Step) -> None:
        """Internal networks and server groups of the descriptor ``vnfdId``, as far as they do not exist."""
        descriptor = await self._vnfm.packages.known(step["vnfdId"])
        vim, instance = self._vnfm.vim, work.instance
        for link in descriptor.links.values():
            if link.id not in instance["networks"]:
                name = f"{link.id}-{instance['id']}"
                network, subnet = await vim.run(vim.cloud.create_network, name, link.cidr)
                entry = {"network": network, "subnet": subnet, "cidr": link.cidr}
                work.change_instance(partial(_note, part="networks", name=link.id, value=entry))
        for group in descriptor.anti_affinity:
            if group.id not in instance["groups"]:
                policy = "soft-anti-affinity" if group.soft else "anti-affinity"
                found = await vim.run(vim.cloud.create_group, f"{group.id}-{instance['id']}", policy)
                work.change_instance(partial(_note, part="groups", name=group.id, value=found))

    async def _create(self, work: Work, step: Step) -> None:
        """One VNFC ``vnfc`` of VDU ``vdu`` from ``vnfdId``."""
        descriptor = await self._vnfm.packages.known(step["vnfdId"])
        if vnfc_of(work.instance, step["vnfc"]) is None:
            await self._vnfm.vnfcs.create(work, descriptor, require(descriptor, step["vdu"]), step["vnfc"])

    async def _remove(self, work: Work, step: Step) -> None:
        """The VNFCs ``vnfcs``; in a rollback those that the behaviour lets go."""
        chosen = step["vnfcs"]
        if work.record["operationState"] == State.ROLLING_BACK:
            chosen = self._vnfm.behaviour.rollback_removals(chosen)
        await self._remove_all(work, chosen)

    async def _remove_all(self, work: Work, identifiers: list[str]) -> None:
        for identifier in identifiers:
            vnfc = vnfc_of(work.instance, identifier)
            if vnfc is not None:
                await self._vnfm.vnfcs.remove(work, vnfc)

    async def _operate(self, work: Work, step: Step) -> None:
        """Start or stop (``start``) the VNFCs ``vnfcs``."""
        for identifier in step["vnfcs"]:
            vnfc = vnfc_of(work.instance, identifier)
            if vnfc is not None:
                await self._vnfm.vnfcs.operate(work, vnfc, step["start"])
        work.change_instance(lambda instance: instance.update(stopped=all(v["stopped"] for v in instance["vnfcs"])))

    async def _release(self, work: Work, step: Step) -> None:
        """Internal networks and server groups go; the instance has no resources any more."""
        instance, vim = work.instance, self._vnfm.vim
        for network in instance["networks"].values():
            await vim.run(vim.cloud.delete_network, network["network"])
        for group in instance["groups"].values():
            await vim.run(vim.cloud.delete_group, group)
        work.change_instance(lambda changed: changed.update(without_resources()))

    async def _settle(self, work: Work, step: Step) -> None:
        """Attributes ``set`` of the instance document become true."""
        work.change_instance(lambda instance: instance.update(step["set"]))

    # --- coordination of scaling and repair ---

    async def _activate(self, work: Work, step: Step) -> None:
        """The EM takes the VNFCs ``vnfcs`` into service."""
        await work.coordinate(ACTIVATE, "activate", vnfcIds=step["vnfcs"])

    async def _drain(self, work: Work, step: Step) -> None:
        """The EM drains the VNFCs ``vnfcs``, or ``count`` of the VDUs it names; those it lets go are removed."""
        asked = step.get("vnfcs") or self._victims(work, step["count"], work.instance["identity"]["vnfdId"])
        await self._let_go(work, step, asked, DRAIN, "drain")

    async def _let_go(self, work: Work, step: Step, asked: list[str], action: str, stage: str) -> None:
        """Coordinate about VNFCs to go, once, then remove those that the behaviour chooses."""
        if "removing" not in step:

            async def coordinate() -> list[str]:
                output = await work.coordinate(action, stage, vnfcIds=asked)
                named = output.get("retire")
                return [str(name) for name in named] if isinstance(named, list) else asked

            agreed = await self._vnfm.behaviour.agree_removal(work, asked, coordinate) if asked else []
            if len(agreed) < len(asked):
                raise CoordinationAborted(f"the EM let go {len(agreed)} VNFCs of {len(asked)}: {', '.join(agreed)}")
            vdus = {vnfc["vdu"] for vnfc in work.instance["vnfcs"] if vnfc["id"] in asked}
            present = [vnfc for vnfc in work.instance["vnfcs"] if vnfc["vdu"] in vdus]
            step["removing"] = self._vnfm.behaviour.choose_removal(present, agreed)
            work.save()
        await self._remove_all(work, step["removing"])

    def _victims(self, work: Work, count: dict[str, int], current: str) -> list[str]:
        instance, chosen = work.instance, []
        for vdu, number in count.items():
            chosen += self._vnfm.behaviour.victims(vnfcs_of(instance, vdu), current, number)
        return chosen

    # --- change of package ---

    async def _migrate(self, work: Work, step: Step) -> None:
        """The EM moves ``share`` percent of new service requests to the new version."""
        await work.coordinate(MIGRATION, "migrate", share=step["share"])
        work.context["share"] = step["share"]

    async def _retire(self, work: Work, step: Step) -> None:
        """The EM drains ``count`` old VNFCs per VDU; those it names are removed."""
        old = {vnfc["id"] for vnfc in work.mapped(new=False)}
        asked = [name for name in self._victims(work, step["count"], work.context["destination"]) if name in old]
        await self._let_go(work, step, asked, RETIREMENT, "retire")

    async def _complete(self, work: Work, step: Step) -> None:
        await work.coordinate(COMPLETION, "complete")

    async def _commit(self, work: Work, step: Step) -> None:
        """Records become those of the new version: identity, VNFCs, levels (REL006 REQ.VNF.M.13)."""
        target = await self._vnfm.packages.known(work.context["destination"])
        info = work.context.get("info") or {}

        def edit(instance: Instance) -> None:
            instance["identity"] |= self._vnfm.behaviour.committed_changes(instance, target)
            instance["info"] |= info
            for vnfc in instance["vnfcs"]:
                if vnfc["vdu"] not in work.context["vdus"]:
                    vnfc["vnfdId"] = target.vnfd_id
            instance["levels"] = levels_in(instance, target)

        work.change_instance(edit)
        self._vnfm.occurrences.change(
            work.id, modificationsTriggeredByVnfPkgChange=target.identity(), changedInfo=info or None
        )

    async def _revert(self, work: Work, step: Step) -> None:
        """The EM leads all traffic back to the old version."""
        await work.coordinate(MIGRATION, "revert", share=0)
        work.context["share"] = 0

    async def _reverted(self, work: Work, step: Step) -> None:
        await work.coordinate(COMPLETION, "reverted")

    async def _restore(self, work: Work, step: Step) -> None:
        """Records become those of the snapshot, apart from the resources of VNFCs that were made anew."""
        snapshot, vim = work.snapshot, self._vnfm.vim

        def edit(instance: Instance) -> None:
            now = {vnfc["id"]: vnfc for vnfc in instance["vnfcs"]}
            kept = [now[vnfc["id"]] for vnfc in snapshot["vnfcs"] if vnfc["id"] in now]
            instance |= {name: snapshot[name] for name in snapshot if name not in ("vnfcs", "retired", "networks")}
            instance["vnfcs"] = kept

        work.change_instance(edit)
        in_use = self._vnfm.images_in_use()
        for name in work.document.pop("uploads", []):
            if name not in in_use:
                await vim.run(vim.cloud.delete_image, name)
        self._vnfm.occurrences.change(work.id, modificationsTriggeredByVnfPkgChange=None)


def _note(instance: Instance, part: str, name: str, value: Any) -> None:
    instance[part][name] = value


def levels_in(instance: Instance, target: Descriptor) -> dict[str, Any]:
    """Scale levels after a change of package: those of aspects that go on, the initial one of new aspects."""
    return {
        aspect.id: min(instance["levels"].get(aspect.id, aspect.initial_level), aspect.max_level)
        for aspect in target.aspects.values()
    }
