"""Packets that a port received, as they came, by a capture of the generator."""

from __future__ import annotations

import base64

from nfvcert.traffic.trex.process import ClientProcess, GeneratorRefusal

MOST_FETCHED = 1000


class Receiving:
    """Methods of the RPC protocol over the client's own connection."""

    _client: ClientProcess
    _captures: dict[int, tuple[int, int]]
    """Capture of a port: its number, and how many packets of it were fetched."""

    def keep_received(self, port: int, packets: int, *, pcap_filter: str = "") -> None:
        """Keep so many packets of a port between two fetches, those that a pcap filter selects.

        The port is in service mode from then on, as captures need: streams on it are started by force.

        Raises:
            GeneratorRefusal: the port is sending, or the filter is none.
        """
        wish = {"tx": [], "rx": [port], "limit": packets, "mode": "fixed", "filter": pcap_filter}
        [_, told] = self._client.rpc(
            [
                ["service", {"handler": None, "port_id": port, "enabled": True, "filtered": False}],
                ["capture", {"command": "start", **wish}],
            ]
        )
        self._captures[port] = (int(told["capture_id"]), 0)

    def received(self, port: int) -> list[tuple[int, bytes]]:
        """Packets that have come since the last fetch: (CLOCK_MONOTONIC in ns, frame).

        Raises:
            GeneratorRefusal: nothing is kept, or packets came for which there was no room.
        """
        capture, known = self._captures[port]
        came: list[tuple[int, bytes]] = []
        pending = 1
        while pending:
            request = {"command": "fetch", "capture_id": capture, "pkt_limit": MOST_FETCHED}
            [told] = self._client.rpc([["capture", request]])
            pending = int(told["pending"])
            for packet in told["pkts"]:
                known += 1
                if int(packet["index"]) != known:
                    found = f"{int(packet['index']) - known}"
                    where = self._client.where
                    raise GeneratorRefusal("received packets were dropped", "refused", where=where, found=found)
                came.append((int(packet["ts"] * 1e9), base64.b64decode(packet["binary"])))
        self._captures[port] = (capture, known)
        return came
