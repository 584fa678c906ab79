"""testpmd of DPDK: flow generator, repeated packets, and the shortest way back (macswap)."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nfvcert.bench.child import Child
from nfvcert.errors import TestbedError
from nfvcert.traffic.programs import require

PACKAGE = "dpdk-dev"
READY_S = 15.0
MEMORY_MIB = 512
PACKETS = 40_000
CHECK_SEQUENCE = 4
_STATISTICS = re.compile(
    r"NIC statistics for port (\d+) .*?RX-packets:\s*(\d+)\s+RX-missed:\s*(\d+).*?TX-packets:\s*(\d+)", re.DOTALL
)
_LINK = re.compile(r"^\d+\s+(?:[0-9A-F]{2}:){5}[0-9A-F]{2}\s.*\s(up|down)\s", re.MULTILINE)
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class PortReading:
    """Counters of a port at an instant (seconds of CLOCK_MONOTONIC)."""

    t: float
    rx_packets: int
    rx_missed: int
    tx_packets: int


def parse_statistics(text: str) -> dict[int, tuple[int, int, int]]:
    """Received, missed and sent packets by port, of the text that ``show port stats`` writes."""
    return {int(port): (int(rx), int(missed), int(tx)) for port, rx, missed, tx in _STATISTICS.findall(text)}


def parse_links(text: str) -> list[str]:
    """up or down, of each port in the text that ``show port summary all`` writes."""
    return _LINK.findall(text)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Packets a call and descriptors of a queue; the best found for memif with 2,048 packets a ring."""

    burst: int = 32
    descriptors: int = 512


class Testpmd(Child):
    """One testpmd: a core that forwards in ``mode``, ports as DPDK virtual devices.

    Args:
        mode: flowgen, txonly, macswap, rxonly, io.
        devices: device strings such as ``net_memif0,role=server,...``.
        frame: octets of a frame with its check sequence, of modes that generate.
        flows: number of flows of flowgen.
    """

    __test__ = False

    def __init__(
        self,
        name: str,
        mode: str,
        devices: Sequence[str],
        *,
        core: int,
        folder: Path,
        frame: int = 64,
        flows: int | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        tuning = tuning or Tuning()
        program = require("dpdk-testpmd", PACKAGE)
        # flowgen takes the length with the check sequence, txonly without
        length = frame if mode == "flowgen" else frame - CHECK_SEQUENCE
        argv = ["stdbuf", "-oL", program, "--lcores", f"0@{core},1@{core}", "--no-huge", "--no-pci", "--no-shconf"]
        argv += ["--no-telemetry", "-m", str(MEMORY_MIB), "--file-prefix", name]
        argv += [part for device in devices for part in ("--vdev", device)]
        argv += ["--", "-i", "--no-mlockall", "--nb-cores=1", f"--total-num-mbufs={PACKETS}", f"--forward-mode={mode}"]
        argv += [f"--burst={tuning.burst}", f"--txd={tuning.descriptors}", f"--rxd={tuning.descriptors}"]
        argv += [f"--txpkts={length}"] if mode in ("flowgen", "txonly") else []
        argv += [f"--flowgen-flows={flows}"] if flows is not None and mode == "flowgen" else []
        self._ports = len(devices)
        super().__init__(argv, log=folder / f"{name}.log")
        self.name = f"testpmd {mode}"
        try:
            self.await_text("testpmd>", timeout_s=READY_S)
        except TestbedError:
            self.close()
            raise

    def await_links(self, timeout_s: float = 5.0) -> None:
        """Wait until every port has a peer.

        Raises:
            TestbedError: a link does not come up.
        """
        deadline = time.monotonic() + timeout_s
        states: list[str] = []
        while states.count("up") < self._ports:
            if time.monotonic() > deadline:
                raise TestbedError(f"no link within {timeout_s:g} s", where=self.name, found=", ".join(states))
            offset = self.size()
            self.say("show port summary all")
            time.sleep(POLL_S)
            states = parse_links(self.written(offset))

    def forward(self) -> None:
        """Begin to forward."""
        self.say("start")

    def read(self) -> dict[int, PortReading]:
        """Counters of all ports now."""
        readings = {}
        for port in range(self._ports):
            offset = self.size()
            before = time.monotonic()
            self.say(f"show port stats {port}")
            deadline = before + 5.0
            while not (found := parse_statistics(self.written(offset))):
                if time.monotonic() > deadline or not self.running:
                    raise TestbedError("no statistics were told", where=self.name, found=self.written(offset)[-200:])
                time.sleep(0.0005)
            rx, missed, tx = found[port]
            readings[port] = PortReading((before + time.monotonic()) / 2, rx, missed, tx)
        return readings
