"""The subscriptions resource which SOL003, SOL005 and SOL002 shape alike (SOL003 5.4.18, 5.4.19)."""

# No "from __future__ import annotations": the request model of a router is only known when the router is made.

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from nfvcert.reference.common import resources
from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.problem import not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.sol.common import SolRequest


class Subscriptions:
    """Subscriptions of one API.

    Args:
        store: keeps them, as documents of `kind`.
        notifier: tests callbacks and delivers.
        kind: kind of the documents, for example ``vnflcm-subscription``.
        path: path of the collection, for example ``/vnflcm/v2/subscriptions``.
        base_url: the component's public URL.
        page_size: subscriptions per page.
    """

    def __init__(
        self, store: Store, notifier: Notifier, *, kind: str, path: str, base_url: str, page_size: int = 50
    ) -> None:
        self.store = store
        self.notifier = notifier
        self.kind = kind
        self.path = path
        self.base_url = base_url
        self.page_size = page_size

    def uri(self, identifier: str) -> str:
        """The URI of a subscription."""
        return f"{self.base_url}{self.path}/{identifier}"

    def matching(self, wants: Callable[[dict[str, Any]], bool]) -> Iterator[Document]:
        """The subscriptions whose ``filter`` (empty if absent) `wants` accepts."""
        return (found for found in self.store.list(self.kind) if wants(found.body.get("filter") or {}))

    def shown(self, document: Document) -> dict[str, Any]:
        """The resource as it is read: credentials are never given back."""
        hidden = {key: value for key, value in document.body.items() if key != "authentication"}
        return {"id": document.id} | hidden | {"_links": {"self": {"href": self.uri(document.id)}}}

    async def create(self, body: dict[str, Any]) -> Document:
        """Add a subscription; its callback is tested first (422 if it fails)."""
        await self.notifier.test(body["callbackUri"], body.get("authentication"))
        identifier = str(uuid4())
        self.store.insert(self.kind, identifier, body)
        return self.find(identifier)

    def find(self, identifier: str) -> Document:
        """The subscription, or the problem 404."""
        found = self.store.get(self.kind, identifier)
        if found is None:
            raise not_found("subscription", identifier)
        return found

    def delete(self, identifier: str) -> None:
        """Remove a subscription and what is queued for it."""
        self.find(identifier)
        with self.store.transaction():
            self.store.delete(self.kind, identifier)
            self.notifier.forget(identifier)

    def router(self, model: type[SolRequest]) -> APIRouter:
        """Routes of the collection and its members; `model` is the data type of the request."""
        routes = APIRouter()

        @routes.post(self.path, status_code=201)
        async def create_subscription(body: model) -> Response:  # type: ignore[valid-type]
            document = await self.create(body.dump())  # type: ignore[attr-defined]
            return resources.created(self.shown(document), self.uri(document.id))

        @routes.get(self.path)
        async def list_subscriptions(request: Request) -> Response:
            rows = [(document.seq, self.shown(document)) for document in self.store.list(self.kind)]
            return resources.collection(request, rows, base_url=self.base_url, page_size=self.page_size)

        @routes.get(self.path + "/{subscriptionId}")
        async def read_subscription(subscriptionId: str) -> dict[str, Any]:  # noqa: N803
            return self.shown(self.find(subscriptionId))

        @routes.delete(self.path + "/{subscriptionId}", status_code=204)
        async def delete_subscription(subscriptionId: str) -> Response:  # noqa: N803
            self.delete(subscriptionId)
            return Response(status_code=204)

        return routes
