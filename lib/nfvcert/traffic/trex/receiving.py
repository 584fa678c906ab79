"""The receive queue of a port: packets that neither the flow mode nor a packet group has taken, as they came."""

from __future__ import annotations

import base64

from nfvcert.traffic.trex.process import ClientProcess, GeneratorRefusal


class ReceiveQueue:
    """Methods of the RPC protocol over the client's own connection."""

    _client: ClientProcess

    def keep_received(self, port: int, packets: int) -> None:
        """Keep so many packets of a port between two fetches, 0: none. Raises: GeneratorRefusal."""
        request = {"handler": None, "port_id": port, "type": "queue", "enabled": packets > 0, "size": max(1, packets)}
        self._client.rpc([["set_rx_feature", request]])

    def received(self, port: int) -> list[tuple[int, bytes]]:
        """Packets that have come since the last fetch: (CLOCK_MONOTONIC in ns, frame).

        Raises:
            GeneratorRefusal: the queue is off, or packets came for which it had no room.
        """
        [told] = self._client.rpc([["get_rx_queue_pkts", {"handler": None, "port_id": port}]])
        if told.get("dropped"):
            found = str(told["dropped"])
            raise GeneratorRefusal("received packets were dropped", "refused", where=self._client.where, found=found)
        return [
            (int(packet.get("t_ns") or packet["ts"] * 1e9), base64.b64decode(packet["binary"]))
            for packet in told["pkts"]
        ]
