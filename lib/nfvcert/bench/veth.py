"""A pair of virtual Ethernet interfaces in a network namespace that lives as long as the program in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nfvcert.bench.child import Child
from nfvcert.errors import TestbedError
from nfvcert.traffic.programs import require

NEAR, FAR = "bench0", "bench1"
_SETUP = (
    f"ip link add name {NEAR} type veth peer name {FAR} && "
    "for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null; "
    f'ip link set dev {NEAR} up && ip link set dev {FAR} up && exec "$@"'
)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What has arrived at the far end at an instant (seconds of CLOCK_MONOTONIC)."""

    t: float
    packets: int
    octets: int


class VethSender(Child):
    """A program that sends by the near end; what arrives at the far end is counted by the kernel.

    Args:
        core: processor on which it runs.
    """

    def __init__(self, argv: Sequence[str], *, core: int, log: Path) -> None:
        require("ip", "iproute2")
        inside = ["sh", "-c", _SETUP, "sh", "taskset", "-c", str(core), *argv]
        super().__init__(inside, log=log, own_network=True)
        self.name = Path(argv[0]).name

    def arrivals(self) -> Arrivals:
        """Counters of the far end.

        Raises:
            TestbedError: the program has ended.
        """
        try:
            text = Path(f"/proc/{self.pid}/net/dev").read_text()
        except OSError:
            raise self._ended() from None
        packets, octets = parse_interface(text, FAR)
        return Arrivals(time.monotonic(), packets, octets)

    def await_first(self, timeout_s: float = 10.0) -> None:
        """Wait until the first packets arrive.

        Raises:
            TestbedError: none does.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if self.arrivals().packets > 100:
                    return
            except ValueError:
                pass  # the interfaces are not there yet
            if not self.running:
                raise self._ended()
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"nothing was sent within {timeout_s:g} s", where=self.name, found=self.written()[-200:]
                )
            time.sleep(0.02)


def parse_interface(text: str, name: str) -> tuple[int, int]:
    """Packets and octets received by an interface, of the text of /proc/net/dev.

    Raises:
        ValueError: there is no such interface.
    """
    for line in text.splitlines():
        interface, colon, rest = line.partition(":")
        if colon and interface.strip() == name:
            fields = rest.split()
            return int(fields[1]), int(fields[0])
    raise ValueError(f"no interface {name}")
