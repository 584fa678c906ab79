"""trafgen and scapy: senders on raw sockets of the kernel."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nfvcert.bench.results import Reading
from nfvcert.bench.veth import NEAR, VethSender
from nfvcert.traffic.programs import require

WARM_UP_S = 0.5
HEADERS = 42
CHECK_SEQUENCE = 4
_SCAPY = Path(__file__).with_name("scapy_sender.py")


def trafgen_packets(frame: int) -> str:
    """trafgen's description of UDP packets with a random source port each, so that they belong to 65,536 flows."""
    filling = frame - CHECK_SEQUENCE - HEADERS
    return (
        "{ eth(da=02:4e:46:02:00:01, sa=02:4e:46:00:00:00), ipv4(sa=198.18.0.1, da=198.19.0.1, ttl=64), "
        f"udp(sp=drnd(), dp=9), fill(0x00, {filling}) }}\n"
    )


def measure_trafgen(core: int, folder: Path, seconds: float, frame: int = 64) -> Reading:
    """Rate of trafgen with one process on a ring of AF_PACKET, as it arrives at the other end.

    Raises:
        ProgramMissing: it is not installed.
        TestbedError: it sends nothing.
    """
    program = require("trafgen", "netsniff-ng")
    packets = folder / "packets.cfg"
    packets.write_text(trafgen_packets(frame), encoding="utf-8")
    options = ["--dev", NEAR, "--conf", str(packets), "--cpus", "1", "--notouch-irq", "--no-cpu-stats"]
    return _measure([program, *options], core, folder / "trafgen.log", seconds)


def measure_scapy(core: int, folder: Path, seconds: float, mode: str) -> Reading:
    """Rate of scapy: ``socket`` gives octets that were built before to an L2socket, ``sendp`` calls sendp in a loop.

    Raises:
        TestbedError: it sends nothing.
    """
    return _measure([sys.executable, str(_SCAPY), mode, NEAR], core, folder / f"scapy-{mode}.log", seconds)


def _measure(argv: list[str], core: int, log: Path, seconds: float) -> Reading:
    with VethSender(argv, core=core, log=log) as sender:
        sender.await_first()
        time.sleep(WARM_UP_S)
        before = sender.arrivals()
        time.sleep(seconds)
        after = sender.arrivals()
    packets = after.packets - before.packets
    length = (after.octets - before.octets) / packets if packets else 0.0
    return Reading(packets / (after.t - before.t), {"received": packets, "octets_without_check_sequence": length})
