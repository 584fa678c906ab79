"""Programs that host network functions: nfvcert-vnf on a port of captured packets, nfvcert-function on interfaces."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import netns
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap, wrpcap

from nfvcert.traffic.native import binary

pytestmark = pytest.mark.native

EXTERNAL, CLIENT, SERVER = "198.19.0.1", "10.0.0.1", "198.19.0.9"
PATIENCE_S = 10.0


class Vnf:
    """nfvcert-vnf over a file of packets, with its control socket."""

    def __init__(self, folder: Path, **configuration: Any) -> None:
        self.sent = folder / "sent.pcap"
        settings = {
            "control": str(folder / "control.sock"),
            "die_with_parent": True,
            "ports": {"left": f"pcap:rx={folder / 'offered.pcap'},tx={self.sent}"},
            "instance": 3,
            **configuration,
        }
        path = folder / "vnf.json"
        path.write_text(json.dumps(settings))
        self.process = subprocess.Popen(
            [binary("nfvcert-vnf"), "--config", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            assert json.loads(line)["event"] == "ready"
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(PATIENCE_S)
            self._socket.connect(settings["control"])
            self._file = self._socket.makefile("rw")

    def order(self, op: str, **members: Any) -> dict[str, Any]:
        self._file.write(json.dumps({"op": op, **members}) + "\n")
        self._file.flush()
        answer: dict[str, Any] = json.loads(self._file.readline())
        return answer

    def after(self, packets: int) -> dict[str, Any]:
        """Statistics once so many packets have been handled."""
        deadline = time.monotonic() + PATIENCE_S
        while (told := self.order("statistics"))["packets"] < packets:
            assert time.monotonic() < deadline, told
            time.sleep(0.02)
        return told

    def end(self) -> None:
        assert self.order("terminate")["ok"]
        assert self.process.wait(PATIENCE_S) == 0


@contextlib.contextmanager
def vnf(folder: Path, offered: list[Packet], **configuration: Any) -> Iterator[Vnf]:
    folder.mkdir(exist_ok=True)
    wrpcap(str(folder / "offered.pcap"), offered)
    running = Vnf(folder, **configuration)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(PATIENCE_S)


def offered(count: int) -> list[Packet]:
    link = Ether(src="02:4e:46:00:02:00", dst="02:4e:46:02:00:01")
    return [link / IP(src=CLIENT, dst=SERVER) / UDP(sport=4000 + i % 4, dport=7) / Raw(bytes(18)) for i in range(count)]


def test_packets_say_who_handled_them_and_go_to_the_sink(tmp_path: Path) -> None:
    with vnf(tmp_path, offered(40), function="nat", parameters={"external": EXTERNAL}) as host:
        told = host.after(40)
        assert (told["function"], told["instance"], told["flows"]) == ("nat", 3, 4)
        assert told["ports"]["left"]["tx_packets"] == 40
        host.end()
        frames = rdpcap(str(host.sent))
    assert len(frames) == 40
    assert {frame.src for frame in frames} == {"02:4e:46:00:02:03"}  # number of detours kept, instance written
    assert {frame.dst for frame in frames} == {"02:4e:46:00:00:02"}
    assert {frame[IP].src for frame in frames} == {EXTERNAL}


def test_flows_move_by_order_and_keep_their_counters(tmp_path: Path) -> None:
    quiet = {"function": "monitor", "state_timeout_ms": 60_000}
    with vnf(tmp_path / "a", offered(40), **quiet) as a, vnf(tmp_path / "b", offered(0), **quiet) as b:
        a.after(40)
        flows = a.order("dump_flows")["flows"]
        assert [flow[5] for flow in flows] == [10] * 4
        chosen = [flow[:5] for flow in flows[:2]]
        exported = a.order("export_flows", flows=chosen)
        assert exported["flows"] == 2
        assert b.order("import_flows", state=exported["state"])["flows"] == 2
        assert b.order("import_flows", state=exported["state"]) | {"t_ns": 0} == {
            "flows": 2, "conflicts": 0, "ok": True, "t_ns": 0,
        }  # fmt: skip
        assert a.order("release_flows", flows=chosen)["flows"] == 2
        assert sorted(flow[:7] for flow in b.order("dump_flows")["flows"]) == sorted(flow[:7] for flow in flows[:2])
        assert len(a.order("dump_flows")["flows"]) == 2
        everything = a.order("export_flows", ranges=[[0, 65535]], identity="five-tuple")
        assert everything["flows"] == 2
        assert a.order("resume_flows", all=True)["flows"] == 2
        assert a.order("release_flows", all=True)["flows"] == 0


def test_orders_that_cannot_be_carried_out_are_refused_with_a_word(tmp_path: Path) -> None:
    with vnf(tmp_path, offered(1), function="qos") as host:
        for op, members, code in (
            ("export_flows", {"all": True}, "no-state"),
            ("export_flows", {}, "bad-order"),
            ("release_flows", {"flows": [[1, 2, 3]]}, "bad-order"),
            ("release_flows", {"ranges": [[0, 65536]]}, "bad-order"),
            ("release_flows", {"ranges": [[0, 1]], "identity": "colour"}, "bad-order"),
            ("import_flows", {"state": "AAA"}, "bad-state"),
            ("import_flows", {"state": "AAAA"}, "bad-state"),
            ("configure", {"change": {}}, "bad-parameters"),
            ("nothing", {}, "unknown-order"),
        ):
            answer = host.order(op, **members)
            assert (answer["ok"], answer["code"]) == (False, code), answer
            assert answer["error"]
        host.end()


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"function": "nta"}, "known: nat, basic-nat"),
        ({}, "names no 'function'"),
        ({"function": "nat"}, "'external'"),
        ({"function": "monitor", "instance": 0}, "'instance'"),
        ({"function": "monitor", "sink_mac": "x"}, "'sink_mac'"),
    ],
)
def test_a_configuration_that_cannot_work_is_told_in_one_line(
    tmp_path: Path, configuration: dict[str, Any], message: str
) -> None:
    with vnf(tmp_path, offered(1), **configuration) as host:
        assert host.process.wait(PATIENCE_S) == 2
        assert host.process.stderr is not None
        lines = [line for line in host.process.stderr.read().splitlines() if line.startswith("nfvcert-vnf")]
        assert len(lines) == 1
        assert message in lines[0]


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)


@pytest.mark.privileged
def test_a_translator_between_two_interfaces(tmp_path: Path) -> None:
    """nfvcert-function as a hop: asks and answers by ARP, translates there and back, tells its state."""
    with contextlib.ExitStack() as stack:
        names = {what: f"nfv-{uuid.uuid4().hex[:6]}-{what}" for what in ("f", "in", "out")}
        for name in names.values():
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "del", name)
        for side, address in (("in", "10.0.0.1/24"), ("out", "198.19.0.9/24")):
            peer = ["peer", "name", "port", "netns", names[side]]
            run("ip", "-n", names["f"], "link", "add", side, "type", "veth", *peer)
            run("ip", "-n", names["f"], "link", "set", side, "up")
            run("ip", "-n", names[side], "link", "set", "port", "up")
            run("ip", "-n", names[side], "addr", "add", address, "dev", "port")
        run("ip", "-n", names["f"], "link", "set", "lo", "up")
        run("ip", "-n", names["in"], "route", "add", "default", "via", "10.0.0.254")
        ports = [
            {"cp": "inside", "ifname": "in", "ip": "10.0.0.254"},
            {"cp": "outside", "ifname": "out", "ip": "198.19.0.1"},
        ]
        config = {"function": "nat", "parameters": {"external": EXTERNAL}, "data_ports": ["inside", "outside"]}
        path = tmp_path / "user-data.json"
        path.write_text(json.dumps({"vnfcId": "f", "ports": ports, "config": config}))
        command = ["ip", "netns", "exec", names["f"], str(binary("nfvcert-function")), str(path)]
        process = subprocess.Popen(command)
        stack.callback(process.wait, PATIENCE_S)
        stack.callback(process.send_signal, signal.SIGTERM)

        def udp_socket(side: str, port: int) -> socket.socket:
            netns.pushns(names[side])
            try:
                made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                made.bind(("0.0.0.0", port))
                made.settimeout(PATIENCE_S)
                return made
            finally:
                netns.popns()

        client, server = udp_socket("in", 4000), udp_socket("out", 7)
        server.settimeout(0.2)
        for _ in range(50):
            client.sendto(b"question", (SERVER, 7))
            with contextlib.suppress(TimeoutError):
                received, origin = server.recvfrom(100)
                break
        assert (received, origin) == (b"question", (EXTERNAL, 1024))
        server.sendto(b"answer", origin)
        assert client.recvfrom(100) == (b"answer", (SERVER, 7))

        netns.pushns(names["f"])
        try:
            with socket.create_connection(("127.0.0.1", 8300), PATIENCE_S) as management:
                management.sendall(b'{"command": "statistics"}\n{"command": "export", "all": true}\n')
                lines = management.makefile()
                told, exported = json.loads(lines.readline()), json.loads(lines.readline())
        finally:
            netns.popns()
        assert (told["ok"], told["function"], told["flows"]) == (True, "nat", 1)
        assert exported["ok"]
        assert exported["state"]
