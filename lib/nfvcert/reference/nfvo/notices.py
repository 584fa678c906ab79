"""Notifications of the NFVO: what all of them hold, and how they go to everybody who wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.sol.common import now

Body = dict[str, Any]


class Notices:
    """Queues notifications; calls join the store transaction of the caller."""

    def __init__(self, subscriptions: Subscriptions, notifier: Notifier, url: str) -> None:
        self.subscriptions = subscriptions
        self._notifier = notifier
        self._url = url

    def _tell(
        self, kind: str, wanted: Callable[[Body], bool], content: Callable[[Body], Body], links: dict[str, str]
    ) -> None:
        """Queue one notification for every subscription that wants it; id and time are the same for all.

        Args:
            kind: notificationType.
            wanted: whether a subscription's filter lets it through.
            content: what it holds besides, for a subscription.
            links: relation -> path below the component's URL.
        """
        notice, moment = str(uuid4()), now()
        shown = {relation: {"href": f"{self._url}{path}"} for relation, path in links.items()}
        for found in self.subscriptions.matching(wanted):
            body = {
                "id": notice,
                "notificationType": kind,
                "subscriptionId": found.id,
                "timeStamp": moment,
                **content(found.body),
                "_links": {**shown, "subscription": {"href": self.subscriptions.uri(found.id)}},
            }
            self._notifier.enqueue(found.id, found.body, body)
