"""The two roles of VNFCs behind the management protocol: the balancer (traffic decider) and the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nfvcert.reference.em.management import ManagementClient, UnreachableError

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Hello(BaseModel):
    """What a VNFC says of itself."""

    model_config = ConfigDict(extra="allow")

    role: str
    version: str = ""
    ready: bool = False
    state_format: int | None = None


class WorkerStats(BaseModel):
    """Load of a worker; a session is active when a packet of it was seen within the time asked for.

    `external_address` is its own, `adopted_addresses` are those it took over with sessions of other workers;
    a released worker does not answer for any of them.
    """

    model_config = ConfigDict(extra="allow")

    sessions: int = 0
    users: int = 0
    active_sessions: int = 0
    last_packet_ns: int = 0
    external_address: str | None = None
    adopted_addresses: list[str] = []
    released: bool = False


class BalancerStats(BaseModel):
    """Counters of the traffic decider by worker id, all but `users` since its start."""

    model_config = ConfigDict(extra="allow")

    users: dict[str, int] = {}
    new_users: dict[str, int] = {}
    packets: dict[str, int] = {}
    no_worker_drops: int = 0
    shares: dict[str, float] = {}


class Element:
    """Any VNFC that speaks the management protocol."""

    def __init__(self, client: ManagementClient) -> None:
        self.client = client

    @property
    def id(self) -> str:
        """Id of the VNFC."""
        return self.client.name

    async def hello(self, *, timeout_s: float | None = None) -> Hello:
        """Role, version, readiness and state format."""
        return self._read(Hello, await self.client.call("hello", timeout_s=timeout_s))

    def _read(self, model: type[AnswerT], answer: dict[str, Any]) -> AnswerT:
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            raise UnreachableError("answer is not valid", where=self.client.where, found=str(error)) from error


class Balancer(Element):
    """The traffic decider."""

    async def set_workers(self, workers: Sequence[Mapping[str, str]]) -> None:
        """Replace the pool; users of workers that stay are not touched."""
        await self.client.call("workers", {"workers": list(workers)})

    async def set_shares(self, shares: Mapping[str, int]) -> None:
        """Replace the shares of new service requests by group, in percent."""
        await self.client.call("shares", {"shares": dict(shares)})

    async def stats(self) -> BalancerStats:
        """Users and counters by worker."""
        return self._read(BalancerStats, await self.client.call("stats"))

    async def hold(self, worker: str) -> None:
        """Buffer all packets of the users of `worker`."""
        await self.client.call("hold", {"worker": worker})

    async def unhold(self, worker: str) -> None:
        """Send what is buffered for `worker` to it and buffer no more."""
        await self.client.call("unhold", {"worker": worker})

    async def move(self, source: str, target: str) -> dict[str, Any]:
        """Give all users of `source` to `target` and send what is buffered for them, in order."""
        return await self.client.call("move", {"from": source, "to": target})


class Worker(Element):
    """A member of the pool."""

    async def stats(self, *, active_s: float = 1.0) -> WorkerStats:
        """Sessions and users; a session counts as active if a packet of it was seen within `active_s` seconds."""
        return self._read(WorkerStats, await self.client.call("stats", {"idle_ms": round(active_s * 1000)}))

    async def export_state(self, state_format: int, *, timeout_s: float | None = None) -> dict[str, Any]:
        """All sessions in that format."""
        answer = await self.client.call("export", {"format": state_format}, timeout_s=timeout_s)
        state = answer.get("state")
        if not isinstance(state, dict):
            raise UnreachableError("exported state is not an object", where=self.client.where, found=repr(state)[:80])
        return state

    async def import_state(self, state: Mapping[str, Any], *, timeout_s: float | None = None) -> dict[str, Any]:
        """Adopt sessions and their external addresses."""
        return await self.client.call("import", {"state": dict(state)}, timeout_s=timeout_s)

    async def release(self) -> None:
        """Stop answering ARP for own and adopted addresses."""
        await self.client.call("release")

    async def reclaim(self, state_format: int) -> None:
        """Answer again for its own address after a release, by adopting nothing."""
        await self.import_state({"format": state_format, "sessions": [], "users": []})
