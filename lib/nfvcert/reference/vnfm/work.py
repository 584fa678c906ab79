"""One operation being executed: its record, its plan, and what its steps need, kept in the store after each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nfvcert.reference.vnfm import view
from nfvcert.reference.vnfm.coordination import Journal
from nfvcert.reference.vnfm.instances import Instance, Vnfc
from nfvcert.reference.vnfm.occurrences import Occurrence
from nfvcert.reference.vnfm.planner import Step
from nfvcert.sol.common import LcmOperationState as State

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.service import Vnfm


class Work:
    """An operation's plan and context.

    The stored document has ``steps`` (each gets ``done``), ``back`` (steps of a rollback), ``snapshot`` (the instance
    before the request), ``grant`` (what to ask for), ``context`` (per kind of operation) and ``uploads`` (images).
    """

    def __init__(self, vnfm: Vnfm, identifier: str) -> None:
        self.vnfm = vnfm
        self.id = identifier
        self.document = vnfm.occurrences.work(identifier)

    @property
    def record(self) -> Occurrence:
        """The operation's record as stored."""
        return self.vnfm.occurrences.get(self.id)

    @property
    def instance(self) -> Instance:
        """The instance as stored; changes need :meth:`change_instance`."""
        return self.vnfm.instances.get(self.record["vnfInstanceId"])

    @property
    def context(self) -> dict[str, Any]:
        """What this kind of operation needs."""
        context: dict[str, Any] = self.document.setdefault("context", {})
        return context

    @property
    def snapshot(self) -> Instance:
        """The instance before the request."""
        snapshot: Instance = self.document["snapshot"]
        return snapshot

    @property
    def steps(self) -> list[Step]:
        """The steps of the state the operation is in: forward, or back."""
        back = self.record["operationState"] == State.ROLLING_BACK
        steps: list[Step] = self.document["back" if back else "steps"]
        return steps

    def save(self) -> None:
        """Store the document."""
        self.vnfm.occurrences.save_work(self.id, self.document)

    def change_instance(self, edit: Callable[[Instance], None]) -> Instance:
        """Change the instance and bring the record's resourceChanges up to date with it."""
        identifier = self.record["vnfInstanceId"]
        instance = self.vnfm.instances.change(identifier, edit)
        self.vnfm.occurrences.change(self.id, resourceChanges=self.resource_changes(instance))
        return instance

    def resource_changes(self, instance: Instance) -> dict[str, Any]:
        """ResourceChanges: the difference between the snapshot and `instance`, by resource."""
        before = {vnfc["server"]: vnfc for vnfc in self.snapshot["vnfcs"]}
        after = {vnfc["server"]: vnfc for vnfc in instance["vnfcs"]}
        vnfcs = [view.affected_vnfc(vnfc, "ADDED") for server, vnfc in after.items() if server not in before]
        vnfcs += [view.affected_vnfc(vnfc, "REMOVED") for server, vnfc in before.items() if server not in after]
        old, new = self.snapshot["networks"], instance["networks"]
        links = [view.affected_link(name, new[name], "ADDED") for name in new if name not in old]
        links += [view.affected_link(name, old[name], "REMOVED") for name in old if name not in new]
        changes = {"affectedVnfcs": vnfcs, "affectedVirtualLinks": links}
        return {name: entries for name, entries in changes.items() if entries}

    def mapped(self, *, new: bool) -> list[Vnfc]:
        """VNFCs of the VDUs which a change of package replaces: of the new version, or of any other."""
        vdus, destination = self.context["vdus"], self.context["destination"]
        return [
            vnfc for vnfc in self.instance["vnfcs"] if vnfc["vdu"] in vdus and (vnfc["vnfdId"] == destination) == new
        ]

    def journal(self) -> Journal:
        """The coordination journal of the record."""
        record = self.record

        def changed() -> None:
            self.vnfm.occurrences.change(
                self.id,
                lcmCoordinations=journal.done or None,
                rejectedLcmCoordinations=journal.rejected or None,
            )

        journal = Journal(
            changed, list(record.get("lcmCoordinations") or []), list(record.get("rejectedLcmCoordinations") or [])
        )
        return journal

    async def coordinate(self, action: str, stage: str, **parameters: Any) -> dict[str, Any]:
        """Ask the EM for an action that the VNFD declares; returns its output parameters.

        Raises:
            CoordinationAborted: the EM does not want the operation to continue.
            PeerError: the EM does not answer.
        """
        if action not in self.context.get("coordination", ()):
            return {}
        self.context["told"] = True
        self.save()
        record = self.record
        request = {
            "vnfInstanceId": record["vnfInstanceId"],
            "vnfLcmOpOccId": self.id,
            "lcmOperationType": record["operation"],
            "coordinationActionName": action,
            "inputParams": self._input(stage) | parameters,
            "_links": {
                "vnfLcmOpOcc": record["_links"]["self"],
                "vnfInstance": record["_links"]["vnfInstance"],
            },
        }
        return await self.vnfm.coordinator.coordinate(request, self.journal())

    async def ask_grant(self) -> None:
        """Ask the NFVO for the grant of this operation and note its id; see :meth:`Grants.ask` for what it raises."""
        request = self.document.get("grant")
        if request is None or self.record.get("grantId"):
            return
        links = {name: self.record["_links"][name] for name in ("vnfInstance",)}
        links["vnfLcmOpOcc"] = self.record["_links"]["self"]
        grant = await self.vnfm.grants.ask(request | {"vnfLcmOpOccId": self.id, "_links": links})
        self.vnfm.occurrences.change(self.id, grantId=str(grant.get("id", "")))

    async def execute(self, step: Step) -> None:
        """Execute one step of the plan unless it is done, and note that it is."""
        if step.get("done"):
            return
        await self.vnfm.steps.execute(self, step)
        step["done"] = True
        self.save()

    def _input(self, stage: str) -> dict[str, Any]:
        context = self.context
        parameters: dict[str, Any] = {"stage": stage, "additionalParams": context.get("params") or {}}
        if "destination" not in context:
            return parameters
        return parameters | {
            "policy": context["policy"],
            "sourceVnfdId": context["source"],
            "destinationVnfdId": context["destination"],
            "newVnfcs": [vnfc["id"] for vnfc in self.mapped(new=True)],
            "oldVnfcs": [vnfc["id"] for vnfc in self.mapped(new=False)],
        }
