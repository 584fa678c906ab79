"""The decisions of the reference VNFM: published extension points, one small method each.

A file given with ``--extension`` may define ``class Behaviour(VnfmBehaviour)`` that replaces some. The default of each
method is what the specifications ask for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm import planner, states
from nfvcert.reference.vnfm.descriptor import Descriptor, Modification, Policy
from nfvcert.reference.vnfm.planner import Change, Step
from nfvcert.sol.common import LcmOperationState as State

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.instances import Instance, Vnfc
    from nfvcert.reference.vnfm.service import Vnfm
    from nfvcert.reference.vnfm.work import Work

Document = dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a change of package has come.

    Attributes:
        share: percent of new service requests that were last moved to the new version.
        new, old: VNFCs of the mapped VDUs that exist of each version.
        before: VNFCs of the mapped VDUs when the operation was accepted.
    """

    share: int
    new: int
    old: int
    before: int


class VnfmBehaviour:
    """Default decisions. ``vnfm`` is set before the first call and gives access to records, plans and resources."""

    vnfm: Vnfm

    # --- may an operation begin ---

    def blocks(self, occurrence: Document) -> bool:
        """Whether an existing operation of the instance forbids a new one (409): all but finished ones do."""
        return not State(occurrence["operationState"]).final

    async def before_verification(self, instance: Instance, request: Document) -> None:
        """Called with a change_vnfpkg request before its package is looked at: nothing is to be done."""

    def accepts_source(self, modification: Modification, instance: Instance) -> bool:
        """Whether the metadata name the version in service as one that the new package can replace."""
        identity = instance["identity"]
        return any(
            source.vnfd_id == identity["vnfdId"] and source.software_version in ("", identity["vnfSoftwareVersion"])
            for source in modification.sources
        )

    def choose_policy(self, modification: Modification, name: str | None) -> Policy:
        """The policy asked for; without a name the default of the metadata; an unknown name is refused (400)."""
        chosen = modification.default_policy if name is None else name
        if chosen not in modification.policies:
            known = ", ".join(modification.policies)
            raise Problem(400, f"the package has no policy {chosen!r}; it has {known or 'none'}")
        return modification.policies[chosen]

    def accepted_changes(self, instance: Instance, target: Descriptor) -> dict[str, str]:
        """Identity attributes that change as soon as a change of package is accepted: none."""
        return {}

    async def descriptor(self, instance: Instance, load: Callable[[str], Awaitable[Descriptor]]) -> Descriptor:
        """The descriptor used for scaling, healing and terminating: that of the instance's current vnfdId."""
        return await load(instance["identity"]["vnfdId"])

    # --- planning ---

    def room(self, policy: Policy, in_service: int) -> int:
        """How many VNFCs a change of package may have beyond those in service: what the policy pays for."""
        return policy.additional_vnfcs

    def plan_change(self, change: Change) -> list[Step]:
        """The steps of a change of package."""
        return planner.plan_change(change)

    def victims(self, candidates: Sequence[Vnfc], current: str, count: int) -> list[str]:
        """The VNFCs that the element manager is asked to let go: other versions than `current` first, then by age."""
        ordered = sorted(candidates, key=lambda vnfc: vnfc["vnfdId"] == current)
        return [vnfc["id"] for vnfc in ordered[:count]]

    # --- executing ---

    async def before_processing(self, work: Work) -> None:
        """The STARTING phase: ask for the grant, and touch nothing before it came."""
        await work.ask_grant()

    async def agree_removal(
        self, work: Work, asked: list[str], coordinate: Callable[[], Awaitable[list[str]]]
    ) -> list[str]:
        """The VNFCs whose removal the element manager agrees to, after it drained them."""
        return await coordinate()

    def choose_removal(self, present: Sequence[Vnfc], agreed: list[str]) -> list[str]:
        """Which VNFCs are removed: those agreed upon. `present` holds all of the VDUs concerned, by age."""
        return agreed

    def waits_for_removal(self, vnfc: Vnfc) -> bool:
        """Whether a removal ends when the VNFC has gone (and not when the VIM took the request)."""
        return True

    async def interrupted_creation(self, vnfc: str, clean: Callable[[], Awaitable[None]]) -> None:
        """A creation was cancelled or failed half way: remove what exists of it."""
        await clean()

    def committed_changes(self, instance: Instance, target: Descriptor) -> dict[str, str]:
        """Identity attributes that change when a change of package is committed: all of the new descriptor."""
        return target.identity()

    # --- control of running operations ---

    def next_state(self, state: State, task: states.Task) -> State | None:
        """The state machine; None refuses the task with 409."""
        return states.next_state(state, task)

    def may_roll_back(self, progress: Progress) -> bool:
        """Whether a change of package that has come this far may be rolled back: always."""
        return True

    def rollback_removals(self, vnfcs: list[str]) -> list[str]:
        """Which of the VNFCs that did not exist before are removed by a rollback: all."""
        return vnfcs

    def tolerates_rollback_fault(self, step: Step, error: Problem) -> bool:
        """Whether a rollback goes on after a step failed: no, it returns to FAILED_TEMP."""
        return False

    def remembers(self, occurrence: Document) -> bool:
        """Whether an operation that ran when the process ended is kept after the restart: always."""
        return True

    # --- what readers and subscribers see ---

    async def before_read(self, occurrence: Document, running: Callable[[], bool]) -> None:
        """Called before an operation record is read: reads are answered at any time."""

    def shown_version(self, vnfc: Vnfc, running: Document | None) -> str:
        """The vnfdId shown for a VNFC: the one it was made from. `running` is the operation that is not finished."""
        return str(vnfc["vnfdId"])

    def notification_lane(self, subscription: str, notification: Document) -> str:
        """Notifications of one lane are delivered one after the other: one lane per subscription."""
        return subscription

    async def before_delivery(self, notification: Document) -> None:
        """Called before the first attempt to deliver a notification: at once."""
