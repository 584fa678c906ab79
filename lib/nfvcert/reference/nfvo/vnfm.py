"""The VNFM as the NFVO uses it: VNF instances, their operations and tasks (SOL003 clause 5)."""

from __future__ import annotations

from typing import Any

from nfvcert.reference.common.peer import Peer, PeerError, object_of
from nfvcert.sol.vnflcm import API_PATH, API_VERSION

INSTANCES = f"{API_PATH}/vnf_instances"
OPERATIONS = f"{API_PATH}/vnf_lcm_op_occs"
SUBSCRIPTIONS = f"{API_PATH}/subscriptions"
UNFINISHED = "(nin,operationState,COMPLETED,FAILED,ROLLED_BACK)"

Body = dict[str, Any]


class VnfmClient:
    """Client of the VNFM. Every method raises PeerError when the VNFM does not answer, or not as it must."""

    def __init__(self, base_url: str) -> None:
        self._peer = Peer("the VNFM", base_url, API_VERSION)

    async def close(self) -> None:
        """Close idle connections."""
        await self._peer.close()

    async def create_instance(self, request: Body) -> Body:
        """Create a VNF instance resource; returns it."""
        return object_of(await self._peer.call("POST", INSTANCES, json=request, expect=(201,)), self._peer.name)

    async def delete_instance(self, instance: str) -> None:
        """Delete a VNF instance resource; one that is gone already is no error."""
        await self._peer.call("DELETE", f"{INSTANCES}/{instance}", expect=(204, 404))

    async def instance(self, instance: str) -> Body | None:
        """A VNF instance; None if there is none."""
        response = await self._peer.call("GET", f"{INSTANCES}/{instance}", expect=(200, 404))
        return object_of(response, self._peer.name) if response.status_code == 200 else None

    async def instances(self) -> list[Body]:
        """All VNF instances."""
        return await self._peer.get_list(INSTANCES)

    async def start(self, instance: str, task: str, request: Body) -> str:
        """Ask for an operation on a VNF instance; returns the id of the operation."""
        response = await self._peer.call("POST", f"{INSTANCES}/{instance}/{task}", json=request, expect=(202,))
        identifier = response.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not identifier:
            raise PeerError(f"the VNFM accepted {task} of {instance} without a Location", answered=202)
        return identifier

    async def operation(self, identifier: str) -> Body | None:
        """The record of an operation; None if there is none."""
        response = await self._peer.call("GET", f"{OPERATIONS}/{identifier}", expect=(200, 404))
        return object_of(response, self._peer.name) if response.status_code == 200 else None

    async def unfinished(self, instance: str = "") -> list[Body]:
        """Records of the operations, of one instance or all, that are not in a final state."""
        conditions = f"(eq,vnfInstanceId,{instance});{UNFINISHED}" if instance else UNFINISHED
        return await self._peer.get_list(OPERATIONS, params={"filter": conditions})

    async def order(self, operation: str, task: str, request: Body | None = None) -> None:
        """Ask for a task (retry, rollback, fail, cancel) on an operation."""
        await self._peer.call("POST", f"{OPERATIONS}/{operation}/{task}", json=request, expect=(200, 202))

    async def subscribed(self, identifier: str) -> bool:
        """Whether a subscription exists."""
        response = await self._peer.call("GET", f"{SUBSCRIPTIONS}/{identifier}", expect=(200, 404))
        return response.status_code == 200

    async def subscribe(self, callback: str) -> str:
        """Subscribe to all lifecycle notifications; returns the id of the subscription."""
        response = await self._peer.call("POST", SUBSCRIPTIONS, json={"callbackUri": callback}, expect=(201,))
        return str(object_of(response, self._peer.name).get("id", ""))
