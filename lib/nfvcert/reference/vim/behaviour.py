"""The decisions of the VIM: the published extension point.

A class of the name ``Behaviour`` derived from :class:`VimBehaviour`, in a file given by ``--extension``, replaces
single decisions; everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nfvcert.reference.vim import quotas, scheduler
from nfvcert.reference.vim.quotas import Quota
from nfvcert.reference.vim.records import Image, Server
from nfvcert.reference.vim.scheduler import HostState, Wanted


class VimBehaviour:
    """What the VIM decides where the API leaves it a choice, or where a fault would show."""

    def place(self, hosts: Sequence[HostState], wanted: Wanted) -> str:
        """Name of the host for a new server; raises NoValidHostError when none fits."""
        return scheduler.place(hosts, wanted)

    def quota_refusal(self, before: Mapping[str, int], after: Mapping[str, int], quota: Quota) -> str | None:
        """Why a request must be refused for the quota, None if it may go on."""
        return quotas.exceeded(before, after, quota)

    def image_for(self, image_id: str, images: Sequence[Image]) -> Image | None:
        """The image that a request means by its id."""
        return next((image for image in images if image.id == image_id), None)

    def server_deleted(self, server: Server) -> None:
        """A server and its container have gone; called once for each, after the record was removed."""

    def listed_servers(self, servers: Sequence[Server]) -> Sequence[Server]:
        """What the list of servers shows of those that exist."""
        return servers
