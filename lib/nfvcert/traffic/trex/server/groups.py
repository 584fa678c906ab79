"""Packet groups: which are in use, how often their numbers were used anew, their counters as the client reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hdrh.histogram import HdrHistogram

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.rates import FRAME_CHECK
from nfvcert.traffic.trex.server.streams import Stream

HDR_RANGE = (1, 10_000_000, 3)
"""Smallest and largest value in microseconds, and significant digits, of a latency histogram."""

_FLOW_FIELDS = ("tp", "rp", "tb", "rb", "tps", "rps", "tbs", "rbs")
_ERRORS = {
    "drp": "dropped",
    "ooo": "out_of_order",
    "dup": "duplicate",
    "sth": "seq_too_high",
    "stl": "seq_too_low",
}


class Groups:
    """Use of the packet groups by the streams of all ports."""

    def __init__(self) -> None:
        self._users: dict[int, list[Stream]] = {}
        self._versions: dict[int, int] = {}

    def add(self, stream: Stream) -> int | None:
        """A stream begins to use its group; the group's number if its counters must begin anew.

        Raises:
            RpcError: the group is used in another way, or by another latency stream.
        """
        if stream.group is None:
            return None
        kind, number = stream.group
        users = self._users.setdefault(number, [])
        if users and (kind == "latency" or self.kind(number) != kind):
            raise RpcError(
                "the packet group is in use",
                where=f"stream {stream.number}",
                found=f"group {number}, {self.kind(number)}",
                hint="give each latency stream a group of its own",
            )
        users.append(stream)
        if len(users) > 1:
            return None
        self._versions[number] = self._versions.get(number, 0) + 1
        return number

    def remove(self, stream: Stream) -> None:
        """A stream is gone."""
        if stream.group is None:
            return
        users = self._users[stream.group[1]]
        users.remove(stream)
        if not users:
            del self._users[stream.group[1]]

    def kind(self, number: int) -> str | None:
        """ "stats" or "latency"; None when not in use."""
        users = self._users.get(number)
        return users[0].group[0] if users and users[0].group else None

    def active(self) -> dict[str, list[int]]:
        """Numbers in use, by kind."""
        numbers = sorted(self._users)
        return {
            "flow_stats": [number for number in numbers if self.kind(number) == "stats"],
            "latency": [number for number in numbers if self.kind(number) == "latency"],
        }

    def version(self, number: int) -> int:
        """Counts the uses of a number that began."""
        return self._versions.get(number, 0)

    def reply(
        self, wanted: Iterable[int], counters: Mapping[str, Any], rates: Mapping[str, Any], ports: Iterable[int]
    ) -> dict[str, Any]:
        """Result of get_pgid_stats; every map holds every port.

        Args:
            counters: the engine's groups, by number as text.
            rates: group -> {"tps": {port: packets/s}, ...} as of :class:`Meter`.
        """
        names = [str(port) for port in ports]
        known = [number for number in dict.fromkeys(wanted) if number in self._users]
        flows: dict[str, Any] = {str(n): _flow(counters.get(str(n), {}), rates.get(str(n), {}), names) for n in known}
        zeros = dict.fromkeys(names, 0)
        flows["g"] = {"rx_err": dict(zeros), "tx_err": dict(zeros)}
        latencies: dict[str, Any] = {
            str(n): _latency(counters.get(str(n), {}).get("latency", {})) for n in known if self.kind(n) == "latency"
        }
        versions = {str(number): self.version(number) for number in known}
        return {"ver_id": versions, "flow_stats": flows, "latency": latencies}


def group_counters(group: Mapping[str, Any], ports: Iterable[str]) -> dict[str, dict[str, int]]:
    """tp, rp, tb, rb per port; octets with frame check sequence, as TRex counts."""
    result: dict[str, dict[str, int]] = {name: {} for name in ("tp", "rp", "tb", "rb")}
    for port in ports:
        for direction, packets_name, octets_name in (("tx", "tp", "tb"), ("rx", "rp", "rb")):
            counted = group.get(direction, {}).get(port, {})
            packets = int(counted.get("packets", 0))
            result[packets_name][port] = packets
            result[octets_name][port] = int(counted.get("bytes", 0)) + FRAME_CHECK * packets
    return result


def _flow(group: Mapping[str, Any], rates: Mapping[str, Any], ports: list[str]) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(ports, 0.0) for name in _FLOW_FIELDS}
    for name, counted in group_counters(group, ports).items():
        values[name] = dict(counted)
    for name in ("tps", "rps", "tbs", "rbs"):
        values[name] |= rates.get(name, {})
    return values


def _latency(told: Mapping[str, Any]) -> dict[str, Any]:
    histogram = {str(value): int(count) for value, count in told.get("histogram", {}).items()}
    values: dict[str, Any] = {
        "average": told.get("average", 0),
        "jit": told.get("jitter", 0),
        "total_min": told.get("min", 0),
        "total_max": told.get("max", 0),
        "last_max": 0,
        "histogram": histogram,
        "hdrh": told.get("hdr") or encode_hdr(histogram),
    }
    return {"er": {name: int(told.get(field, 0)) for name, field in _ERRORS.items()}, "lat": values}


def encode_hdr(histogram: Mapping[str, int]) -> str:
    """A histogram (microseconds -> packets) in the HDR format, base64."""
    lowest, highest, digits = HDR_RANGE
    encoder = HdrHistogram(lowest, highest, digits)
    for value, count in histogram.items():
        encoder.record_value(min(max(int(float(value)), lowest), highest), count)
    encoded: bytes = encoder.encode()
    return encoded.decode()
