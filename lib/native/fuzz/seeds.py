"""Inputs from which the fuzzers of the network functions start: real packets of each kind, in the targets' step format.

python seeds.py FOLDER      writes FOLDER/<function>-<name>
"""

from __future__ import annotations

import sys
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

FRAME_AS_IT_IS, FRAME_INSIDE, FRAME_OUTSIDE, TIME, MOVE, STATE, GIVE_UP = 0, 2, 3, 4, 5, 6, 7
FUNCTIONS = ("nat", "basic-nat", "wan-optimiser", "monitor", "qos", "load-balancer")
CLIENT, SERVER, EXTERNAL = "10.0.0.1", "203.0.113.1", "198.19.0.1"


def step(kind: int, octets: bytes = b"") -> bytes:
    padded = octets + bytes(-len(octets) % 8)
    return bytes([kind, len(padded) // 8]) + padded


def frame(packet: Packet, kind: int = FRAME_AS_IT_IS) -> bytes:
    octets = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)
    return step(kind, octets)


def inputs() -> dict[str, bytes]:
    out, back = IP(src=CLIENT, dst=SERVER), IP(src=SERVER, dst=EXTERNAL)
    text = Raw(bytes(range(200)))
    udp = frame(out / UDP(sport=4000, dport=7) / text)
    answer = frame(back / UDP(sport=7, dport=1024) / text)
    sent = IP(src=EXTERNAL, dst=SERVER) / UDP(sport=1024, dport=7) / Raw(b"question")
    first = IP(src=CLIENT, dst=SERVER, id=9, flags="MF") / UDP(sport=4000, dport=7, len=48) / Raw(bytes(24))
    later = IP(src=CLIENT, dst=SERVER, id=9, frag=4, proto=17) / Raw(bytes(16))
    return {
        "udp": udp + answer + udp,
        "tcp": frame(out / TCP(sport=4000, dport=80, flags="S"))
        + frame(back / TCP(sport=80, dport=1024, flags="SA"))
        + frame(out / TCP(sport=4000, dport=80, flags="A"))
        + frame(back / TCP(sport=80, dport=1024, flags="FA"))
        + frame(out / TCP(sport=4000, dport=80, flags="FA")),
        "echo": frame(out / ICMP(type=8, id=5) / text) + frame(back / ICMP(type=0, id=1024) / text),
        "error": udp + frame(IP(src="192.0.2.1", dst=EXTERNAL) / ICMP(type=3, code=3) / Raw(bytes(sent))),
        "fragments": frame(first) + frame(later),
        "pinhole": frame(back / TCP(sport=9, dport=80, flags="S")),
        "timeout": udp + step(TIME, b"\xff") + udp,
        "move": udp + step(MOVE, b"\x00") + udp + step(MOVE, b"\x01") + udp + step(GIVE_UP, b"\x01"),
        "state": udp + step(STATE, bytes(63)),
        "redundancy": udp * 3 + frame(out / UDP(sport=1, dport=2) / Raw(bytes(range(200)) * 3)),
        "mended": frame(out / UDP(sport=4000, dport=7) / text, FRAME_INSIDE)
        + frame(back / UDP(sport=7, dport=1024) / text, FRAME_OUTSIDE),
        "marked": frame(IP(src=CLIENT, dst=SERVER, tos=46 << 2) / UDP(sport=4000, dport=7) / text) * 8
        + step(TIME, b"\x04"),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, function in enumerate(FUNCTIONS):
        for name, octets in inputs().items():
            (folder / f"{function}-{name}").write_bytes(bytes([number]) + octets)
