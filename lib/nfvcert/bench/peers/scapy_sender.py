"""Sends UDP packets of 1,000 flows for ever: ``scapy_sender.py socket|sendp INTERFACE``.

``socket`` hands octets that were built once to scapy's layer 2 socket, ``sendp`` is what its manual shows.
"""

from __future__ import annotations

import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.config import conf  # noqa: E402  (the logger is set before it is imported)
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.sendrecv import sendp  # noqa: E402

FLOWS = 1000


def main(mode: str, interface: str) -> None:
    """Send until killed."""
    ethernet = Ether(dst="02:4e:46:02:00:01", src="02:4e:46:00:00:00")
    packets = [
        ethernet / IP(src="198.18.0.1", dst="198.19.0.1") / UDP(sport=1024 + flow, dport=9) / bytes(18)
        for flow in range(FLOWS)
    ]
    if mode == "sendp":
        sendp(packets, iface=interface, loop=1, verbose=False)
        return
    octets = [bytes(packet) for packet in packets]
    socket = conf.L2socket(iface=interface)
    while True:
        for packet in octets:
            socket.send(packet)  # type: ignore[arg-type]  # octets are taken as they are


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
