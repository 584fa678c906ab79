"""The edge gateway's programs on real interfaces: one load sharer and two workers of different versions."""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import netns
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from nfvcert.traffic.native import binary
from waiting import eventually

pytestmark = [pytest.mark.native, pytest.mark.privileged]

CLIENT, CLIENT_MAC = "198.18.16.1", "02:00:00:00:f1:01"
SERVER, SERVER_MAC = "198.19.1.1", "02:00:00:00:f2:01"
GATEWAY = "198.18.0.1"
BROADCAST = "ff:ff:ff:ff:ff:ff"
PATIENCE_S = 10.0


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)


class Leg:
    """An endpoint's raw socket on one network; answers for `addresses` while it waits for something."""

    def __init__(self, namespace: str, ifname: str = "port", addresses: dict[str, str] | None = None) -> None:
        netns.pushns(namespace)
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
            self.socket.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            self.socket.bind((ifname, 0x0003))
        finally:
            netns.popns()
        self.addresses = addresses or {}

    def send(self, packet: Packet) -> None:
        self.socket.send(bytes(packet))

    def expect(self, wanted: Callable[[Packet], bool]) -> Packet:
        """The next frame that is wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if select.select([self.socket], [], [], 0.1)[0]:
                frame = Ether(self.socket.recv(4096))
                self._answer(frame)
                if wanted(frame):
                    return frame
        raise AssertionError("no such frame arrived")

    def _answer(self, frame: Packet) -> None:
        if ARP not in frame or frame[ARP].op != 1 or frame[ARP].pdst not in self.addresses:
            return
        asked = frame[ARP]
        mac = self.addresses[asked.pdst]
        self.send(
            Ether(src=mac, dst=asked.hwsrc) / ARP(op=2, hwsrc=mac, psrc=asked.pdst, hwdst=asked.hwsrc, pdst=asked.psrc)
        )

    def waiting(self) -> list[Packet]:
        """All frames that are there now."""
        frames: list[Packet] = []
        while select.select([self.socket], [], [], 0)[0]:
            frames.append(Ether(self.socket.recv(4096)))
        return frames


class Gateway:
    """Namespaces, programs and endpoints of one test."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.prefix = f"nfv-{uuid.uuid4().hex[:6]}"
        self.stack = stack
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._connections: dict[str, Any] = {}
        self._namespace("host")
        for network in ("access", "internal", "external", "mgmt"):
            run("ip", "-n", self.name("host"), "link", "add", network, "type", "bridge")
            run("ip", "-n", self.name("host"), "link", "set", network, "up")
        run("ip", "-n", self.name("host"), "addr", "add", "10.64.255.254/16", "dev", "mgmt")
        self._namespace("client")
        self._namespace("server")
        self._veth("client", "port", CLIENT_MAC, "access")
        self._veth("server", "port", SERVER_MAC, "external")
        self.client = Leg(self.name("client"))
        self.server = Leg(self.name("server"), addresses={SERVER: SERVER_MAC})

    def name(self, what: str) -> str:
        return f"{self.prefix}-{what}"

    def _namespace(self, what: str) -> None:
        run("ip", "netns", "add", self.name(what))
        self.stack.callback(run, "ip", "netns", "del", self.name(what))
        run("ip", "netns", "exec", self.name(what), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")

    def _veth(self, what: str, ifname: str, mac: str, network: str) -> None:
        host = f"{what}{ifname}"
        inside = ["peer", "name", ifname, "address", mac, "netns", self.name(what)]
        run("ip", "-n", self.name("host"), "link", "add", host, "type", "veth", *inside)
        run("ip", "-n", self.name("host"), "link", "set", host, "master", network, "up")
        run("ip", "-n", self.name(what), "link", "set", ifname, "up")

    def start(self, what: str, program: str, number: int, ports: dict[str, str], **config: Any) -> None:
        self._namespace(what)
        described = []
        for index, (cp, ip) in enumerate({**ports, "mgmt": f"10.64.0.{number}"}.items()):
            mac = f"02:00:00:00:{number:02x}:{index:02x}"
            self._veth(what, f"eth{index}", mac, cp)
            described.append({"cp": cp, "ifname": f"eth{index}", "mac": mac, "ip": ip, "prefix": 16})
        run("ip", "-n", self.name(what), "addr", "add", f"10.64.0.{number}/16", "dev", "eth2")
        user_data = self.folder / f"{what}.json"
        user_data.write_text(json.dumps({"vnfcId": what, "ports": described, "config": config}))
        command = ["ip", "netns", "exec", self.name(what), str(binary(program)), str(user_data)]
        process = self.stack.enter_context(subprocess.Popen(command))
        self.stack.callback(process.kill)
        self.processes[what] = process
        self._connections[what] = self._connect(f"10.64.0.{number}")
        deadline = time.monotonic() + PATIENCE_S
        while not self.call(what, "hello")["ready"]:
            assert time.monotonic() < deadline, "not ready"

    def _connect(self, address: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            netns.pushns(self.name("host"))
            try:
                connection = self.stack.enter_context(socket.create_connection((address, 8300), timeout=PATIENCE_S))
                return self.stack.enter_context(connection.makefile("rwb"))
            except OSError:
                assert time.monotonic() < deadline, "management does not listen"
                time.sleep(0.01)
            finally:
                netns.popns()

    def ask(self, what: str, command: str, **parameters: Any) -> dict[str, Any]:
        stream = self._connections[what]
        stream.write(json.dumps({"command": command, **parameters}).encode() + b"\n")
        stream.flush()
        answer: dict[str, Any] = json.loads(stream.readline())
        return answer

    def call(self, what: str, command: str, **parameters: Any) -> dict[str, Any]:
        answer = self.ask(what, command, **parameters)
        assert answer["ok"], answer
        return answer

    def question(self, number: int, sport: int = 4000) -> None:
        self.client.send(
            Ether(src=CLIENT_MAC, dst="02:00:00:00:01:00")
            / IP(src=CLIENT, dst=SERVER)
            / UDP(sport=sport, dport=7)
            / Raw(number.to_bytes(4, "big"))
        )

    def arrived(self, number: int) -> Packet:
        """The question at the server."""
        payload = number.to_bytes(4, "big")
        return self.server.expect(lambda frame: UDP in frame and bytes(frame[UDP].payload)[:4] == payload)

    def answer(self, question: Packet) -> Packet:
        """The client's view of the server's answer."""
        self.server.send(
            Ether(src=SERVER_MAC, dst=question.src)
            / IP(src=SERVER, dst=question[IP].src)
            / UDP(sport=7, dport=question[UDP].sport)
            / Raw(bytes(question[UDP].payload))
        )
        return self.client.expect(lambda frame: UDP in frame and frame[UDP].sport == 7)


def pool(*workers: str) -> list[dict[str, str]]:
    known = {"old": "02:00:00:00:02:00", "new": "02:00:00:00:03:00"}
    return [{"id": worker, "mac": known[worker], "group": worker} for worker in workers]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with contextlib.ExitStack() as stack:
        gateway = Gateway(tmp_path, stack)
        ports = {"access": GATEWAY, "internal": "10.80.0.1"}
        gateway.start("lb", "edge-gateway-lb-1.0.0", 1, ports, user_idle_s=60)
        for what, version, number in (("old", "1.0.0", 2), ("new", "2.0.0", 3)):
            ports = {"internal": f"10.80.0.{number}", "external": f"198.19.0.{number}"}
            gateway.start(what, f"edge-gateway-worker-{version}", number, ports)
        gateway.call("lb", "workers", workers=pool("old", "new"))
        gateway.call("lb", "shares", shares={"old": 100, "new": 0})
        yield gateway


def test_traffic_passes_both_ways_and_a_move_keeps_state_order_and_every_packet(gateway: Gateway) -> None:
    who_has = ARP(op=1, hwsrc=CLIENT_MAC, psrc=CLIENT, pdst=GATEWAY)
    gateway.client.send(Ether(src=CLIENT_MAC, dst=BROADCAST) / who_has)
    reply = gateway.client.expect(lambda frame: ARP in frame and frame[ARP].op == 2)
    assert (reply[ARP].psrc, reply[ARP].hwsrc) == (GATEWAY, "02:00:00:00:01:00")

    gateway.question(1)
    first = gateway.arrived(1)
    assert (first[IP].src, first.src, first[IP].tos, first[IP].ttl) == ("198.19.0.2", "02:00:00:00:02:01", 0, 63)
    back = gateway.answer(first)
    assert (back.dst, back[IP].dst, back[UDP].dport) == (CLIENT_MAC, CLIENT, 4000)

    gateway.call("lb", "hold", worker="old")
    for number in range(2, 302):
        gateway.question(number)
    state = gateway.call("old", "export", format=1)["state"]
    imported = gateway.call("new", "import", state=state)
    assert (imported["sessions"], imported["addresses"]) == (1, ["198.19.0.2"])
    announcement = ("02:00:00:00:03:01", "198.19.0.2", "198.19.0.2")
    gateway.server.expect(
        lambda frame: ARP in frame and (frame[ARP].hwsrc, frame[ARP].psrc, frame[ARP].pdst) == announcement
    )
    assert gateway.call("lb", "move", **{"from": "old", "to": "new"})["users"] == 1
    gateway.call("old", "release")
    for number in range(302, 402):
        gateway.question(number)

    moved = gateway.arrived(2)
    assert (moved[IP].src, moved[UDP].sport) == (first[IP].src, first[UDP].sport)  # no jump on the wire
    assert (moved.src, moved[IP].tos >> 2) == ("02:00:00:00:03:01", 18)
    numbers: list[int] = []
    while len(numbers) < 399:
        frame = gateway.server.expect(lambda frame: UDP in frame)
        numbers.append(int.from_bytes(bytes(frame[UDP].payload)[:4], "big"))
    assert numbers == list(range(3, 402))
    back = gateway.answer(moved)
    assert (back[IP].dst, back[UDP].dport, back[IP].tos >> 2) == (CLIENT, 4000, 18)

    # The adopted address is answered for by the new worker alone.
    gateway.server.waiting()
    gateway.server.send(
        Ether(src=SERVER_MAC, dst=BROADCAST) / ARP(op=1, hwsrc=SERVER_MAC, psrc=SERVER, pdst="198.19.0.2")
    )
    gateway.server.expect(lambda frame: ARP in frame and frame[ARP].op == 2 and frame[ARP].hwsrc == "02:00:00:00:03:01")
    # What still arrives at the released worker is carried on.
    assert gateway.answer(first)[IP].dst == CLIENT
    assert all(ARP not in frame or frame[ARP].hwsrc != "02:00:00:00:02:01" for frame in gateway.server.waiting())
    stats = gateway.call("lb", "stats")
    assert (stats["users"], stats["hold_drops"], stats["no_worker_drops"]) == ({"old": 0, "new": 1}, 0, 0)


def test_state_in_the_new_format_is_refused_by_the_old_version_and_nothing_changes(gateway: Gateway) -> None:
    gateway.question(1)
    gateway.arrived(1)
    refusal = gateway.ask("old", "import", state={"format": 2, "users": []})
    assert refusal == {"ok": False, "error": "state format 2 cannot be imported, only 1"}
    assert "cannot be exported" in gateway.ask("old", "export", format=2)["error"]
    assert gateway.call("old", "stats")["sessions"] == 1
    assert gateway.call("old", "stats", idle_ms=3_600_000)["active_sessions"] == 1


def test_packets_to_unknown_users_are_dropped_and_counted(gateway: Gateway) -> None:
    gateway.question(1)
    gateway.arrived(1)
    stray = Ether(src="02:00:00:00:02:00", dst="02:00:00:00:01:01") / IP(src=SERVER, dst="198.18.99.99") / UDP()
    Leg(gateway.name("old"), "eth0").send(stray)
    assert eventually(lambda: gateway.call("lb", "stats")["unknown_user_drops"] == 1)


def test_an_interface_that_goes_down_and_comes_back_carries_on(gateway: Gateway) -> None:
    gateway.question(1)
    gateway.arrived(1)
    run("ip", "-n", gateway.name("old"), "link", "set", "eth1", "down")
    gateway.question(2)
    assert eventually(lambda: gateway.call("old", "stats")["ports"]["external"]["send_drops"] != 0)
    run("ip", "-n", gateway.name("old"), "link", "set", "eth1", "up")
    gateway.question(3)
    gateway.arrived(3)


def test_programs_end_at_a_termination_signal(gateway: Gateway) -> None:
    for process in gateway.processes.values():
        process.send_signal(signal.SIGTERM)
    assert [process.wait(PATIENCE_S) for process in gateway.processes.values()] == [0, 0, 0]
