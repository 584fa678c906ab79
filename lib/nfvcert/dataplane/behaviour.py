"""The decisions of the controller: the published extension point.

A class of the name ``Behaviour`` derived from :class:`ControllerBehaviour`, in the file that the configuration names as
``extension``, replaces single decisions; everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.rules import Change


class ControllerBehaviour:
    """What the controller decides while it scales."""

    def room(self, capacity: int, others: int, quota: int | None) -> int:
        """Entries that the controller may own: of a table of `capacity` in which others hold `others`."""
        free = max(0, capacity - others)
        return free if quota is None else min(free, quota)

    def threshold(self, asked: int | None, room: int) -> int:
        """T of step 5: a push needs fewer old flows than this; `room` entries are left for exceptions."""
        return room + 1 if asked is None else min(asked, room + 1)

    def may_push(self, old: int, threshold: int) -> bool:
        """Whether the hardware switch is changed now: step 6."""
        return old < threshold

    def lists_after_turn(self) -> bool:
        """Whether old flows are listed when S1 already sends new ones to S2, so that none is born unseen in between."""
        return True

    def exceptions(self, flows: list[Flow]) -> list[Flow]:
        """The flows that get an exception, of those that need one."""
        return flows

    def kept_exceptions(self, existing: Mapping[Flow, int], ids_changed: int) -> Mapping[Flow, int]:
        """The exceptions of earlier scalings that stay when another one pushes."""
        return existing

    def ended(self, exceptions: Mapping[Flow, int], living: set[Flow]) -> list[Flow]:
        """The exceptions that are to be removed, given all flows that live."""
        return [flow for flow in exceptions if flow not in living]

    def batches(self, change: Change) -> list[Change]:
        """The messages in which a push goes to a switch that refuses a whole: the first must make the next harmless."""
        return [Change([], change.exceptions), change.rest]

    def accepts_refusal(self, code: str) -> bool:
        """Whether a rule that the switch refused counts as installed."""
        return False

    def expects_first(self) -> bool:
        """Whether the new server acknowledges the list of old flows before the hardware switch sends them there."""
        return True

    def awaits_copy(self) -> bool:
        """Whether the new instance acknowledges copied state before packets of the flows go there."""
        return True

    def is_duplicate(self, instance: str, busy: bool, since_s: float | None) -> bool:
        """Whether a report of overload is dropped: the instance is being scaled, or was reported `since_s` ago."""
        return busy or (since_s is not None and since_s < 10.0)

    def is_empty(self, flows: int, waited_s: float) -> bool:
        """Whether a leaving instance may be ended."""
        return flows == 0

    def keeps_flows_on_turning(self) -> bool:
        """Whether flows keep their instance when a scale-in is turned round."""
        return True

    def restores_saved_table(self) -> bool:
        """Whether a way back brings the table of before into force, whatever was born since."""
        return False
