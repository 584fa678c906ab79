"""What the controller believes of the dataplane: owners of new flows, ports and exceptions of the hardware switch.

Three layers decide about a packet, and affinity holds because each change keeps them in agreement:

1. The hardware switch sends it to a server: by its exception, else by the id's range (`ports`).
2. That server's switch knows the flow and its owner; the owner of a living flow never changes there.
3. A flow that it does not know is new: the id's owner (`owners`, the same map on every server) gets it.

So `owners` may change for any id at any time, at the cost of a detour while `ports` differs. `ports` may change for an
id only when every living flow of it belongs to the new server, or has an exception in hardware, or is expected at the
new server's switch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nfvcert.dataplane.identity import IDS, Flow
from nfvcert.dataplane.ranges import IdMap, IdSet, owner_map


@dataclass(frozen=True)
class Place:
    """An instance: its name ``s1/v1``, its server and its name there."""

    name: str
    server: str
    local: str


@dataclass
class Fabric:
    """The state of all layers.

    Attributes:
        places: instances; maps hold their indices.
        servers: servers in the order of their indices in `ports`.
        owners: instance that gets new flows, for each id.
        ports: server to which the hardware switch sends each id.
        base: the server of the catch-all range.
        exceptions: server of each flow that has an exception in the hardware switch.
    """

    places: tuple[Place, ...]
    servers: tuple[str, ...]
    owners: IdMap = field(default_factory=lambda: np.zeros(IDS, np.int8))
    ports: IdMap = field(default_factory=lambda: np.zeros(IDS, np.int8))
    base: int = 0
    exceptions: dict[Flow, int] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """Index of an instance.

        Raises:
            KeyError: there is none of that name.
        """
        for number, place in enumerate(self.places):
            if place.name == name:
                return number
        raise KeyError(name)

    def server(self, place: int) -> int:
        """Index of an instance's server."""
        return self.servers.index(self.places[place].server)

    @property
    def servers_of(self) -> IdMap:
        """Index of the server of each instance."""
        return np.array([self.server(place) for place in range(len(self.places))], np.int8)

    @property
    def wanted(self) -> IdMap:
        """The server of the owner of each id: what `ports` is to become."""
        return self.servers_of[self.owners]

    def domain(self, place: int) -> IdSet:
        """The ids whose new flows an instance gets."""
        return self.owners == place

    def detour_share(self) -> float:
        """Share of the ids whose new flows take a detour."""
        return float((self.wanted != self.ports).mean())

    def server_ranges(self, server: int, owners: IdMap) -> dict[str, Any]:
        """What a server's switch is told: for each id an octet, in base64, the index of its owner in ``owners``.

        Its own instances have their local names there, others that of their server.
        """
        names = [p.local if self.server(i) == server else p.server for i, p in enumerate(self.places)]
        return {"owners": names, "map": owner_map(owners)}

    def gains_first(self, server: int, owners: IdMap) -> IdMap:
        """The map that a server's switch gets before `owners`: only what its own instances gain has changed.

        Where every gaining server is told before any losing one, no two servers ever send a flow to each other.
        """
        mine = self.servers_of[owners] == server
        return np.where(mine, owners, self.owners).astype(np.int8)
