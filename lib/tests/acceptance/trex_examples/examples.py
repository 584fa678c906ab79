"""The TRex client's well-known examples, written anew: run with the unmodified client, each prints what it saw as JSON.

``python examples.py NAME RPC PUBLISHER``
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import lbr_trex_client  # noqa: E402, F401  (it puts the client where it is imported from)
from trex.stl.api import (  # noqa: E402
    ARP,
    IP,
    UDP,
    Ether,
    STLClient,
    STLFlowLatencyStats,
    STLFlowStats,
    STLPktBuilder,
    STLScVmRaw,
    STLStream,
    STLTXCont,
    STLTXMultiBurst,
    STLTXSingleBurst,
    STLVmFixChecksumHw,
    STLVmFixIpv4,
    STLVmFlowVar,
    STLVmFlowVarRepeatableRandom,
    STLVmTrimPktSize,
    STLVmTupleGen,
    STLVmWrFlowVar,
    STLVmWrMaskFlowVar,
    TRexError,
    TRexTimeoutError,
    fragment,
    rdpcap,
    wrpcap,
)

Example = Callable[[Any], dict[str, Any]]
L4_UDP = 11


def packet(size: int = 64, port: int = 1025, **more: Any) -> Any:
    """A UDP packet of that frame size (with frame check sequence)."""
    base = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=12, sport=port)
    return STLPktBuilder(pkt=base / ("x" * max(0, size - 4 - len(base))), **more)


def settled(client: Any) -> Any:
    """Statistics after everything has arrived, or nothing more has for seconds."""
    deadline = time.monotonic() + 3
    while True:
        time.sleep(0.3)
        stats = client.get_stats()
        if stats["total"]["ipackets"] == stats["total"]["opackets"] or time.monotonic() > deadline:
            return stats


def becomes(read: Callable[[], float], wanted: float) -> float:
    """A measured rate once it is within a twentieth of what is wanted; after seconds what it is then."""
    deadline = time.monotonic() + 10
    while abs((rate := read()) - wanted) > wanted / 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    return rate


def continuous(client: Any) -> dict[str, Any]:
    """Both ways at once for a second, waited for."""
    client.add_streams([STLStream(packet=packet(), mode=STLTXCont(pps=1000))], ports=[0, 1])
    client.clear_stats()
    client.start(ports=[0, 1], mult="5kpps", duration=1)
    active_then = client.get_active_ports()
    client.wait_on_traffic(ports=[0, 1], timeout=10)
    stats = settled(client)
    return {"active": active_then, "after": client.get_active_ports(), "ports": [stats[0], stats[1]]}


def burst_chain(client: Any) -> dict[str, Any]:
    """Three bursts, each started by the one before it; the last is a train of bursts."""
    streams = [
        STLStream(name="A", packet=packet(64), mode=STLTXSingleBurst(pps=1000, total_pkts=10), next="B"),
        STLStream(
            name="B", self_start=False, packet=packet(128), mode=STLTXSingleBurst(pps=500, total_pkts=20), next="C"
        ),
        STLStream(
            name="C",
            self_start=False,
            isg=1000.0,
            packet=packet(256),
            mode=STLTXMultiBurst(pps=1000, pkts_per_burst=5, count=6, ibg=1000.0),
        ),
    ]
    client.add_streams(streams, ports=[0])
    client.clear_stats()
    client.start(ports=[0])
    client.wait_on_traffic(ports=[0], timeout=10)
    stats = settled(client)
    return {"sent": stats[0]["opackets"], "received": stats[1]["ipackets"], "octets": stats[0]["obytes"]}


def imix(client: Any) -> dict[str, Any]:
    """TRex's own mix of 64, 594 and 1518 octets at 28:20:4, addresses counted through by the field engine."""
    rates = {64: 28, 594: 20, 1518: 4}
    streams = []
    for number, (size, share) in enumerate(rates.items()):
        program = STLScVmRaw(
            [
                STLVmFlowVar("src", min_value="16.0.0.1", max_value="16.0.0.254", size=4, op="inc"),
                STLVmFlowVar("dst", min_value="48.0.0.1", max_value="48.0.0.254", size=4, op="random"),
                STLVmWrFlowVar("src", pkt_offset="IP.src"),
                STLVmWrFlowVar("dst", pkt_offset="IP.dst"),
                STLVmFixIpv4(offset="IP"),
            ]
        )
        mode = STLTXCont(pps=share * 10)
        streams.append(
            STLStream(
                isg=number * 100.0, packet=packet(size, vm=program), mode=mode, flow_stats=STLFlowStats(number + 1)
            )
        )
    client.add_streams(streams, ports=[0])
    client.clear_stats()
    client.start(ports=[0], mult="10", duration=1)
    client.wait_on_traffic(ports=[0], timeout=10)
    stats = settled(client)
    groups = client.get_pgid_stats([1, 2, 3])["flow_stats"]
    return {
        "sent": [groups[group]["tx_pkts"]["total"] for group in (1, 2, 3)],
        "received": [groups[group]["rx_pkts"]["total"] for group in (1, 2, 3)],
        "octets": [groups[group]["tx_bytes"]["total"] for group in (1, 2, 3)],
        "ports": [stats[0]["opackets"], stats[1]["ipackets"]],
    }


def flow_stats(client: Any) -> dict[str, Any]:
    """Bursts with a packet group, three times over: each time the counters begin at zero."""
    rounds = []
    for number in range(3):
        stream = STLStream(
            packet=packet(100), mode=STLTXSingleBurst(pps=2000, total_pkts=500), flow_stats=STLFlowStats(7)
        )
        client.reset(ports=[0, 1])
        client.add_streams([stream], ports=[0])
        client.clear_stats()
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0], timeout=10)
        time.sleep(0.3)
        told = client.get_pgid_stats([7])
        flow = told["flow_stats"][7]
        rounds.append(
            {
                "round": number,
                "version": told["ver_id"]["7"],
                "tx": flow["tx_pkts"],
                "rx": flow["rx_pkts"],
                "octets": flow["rx_bytes"]["total"],
                "expected_octets": 500 * stream.get_pkt_len(),
            }
        )
    return {"rounds": rounds}


def latency(client: Any) -> dict[str, Any]:
    """A latency stream beside load: histogram, errors, HDR."""
    streams = [
        STLStream(packet=packet(64), mode=STLTXCont(pps=1000), flow_stats=STLFlowLatencyStats(pg_id=5)),
        STLStream(packet=packet(64, port=2000), mode=STLTXCont(pps=10_000)),
    ]
    client.add_streams(streams, ports=[0])
    client.clear_stats()
    client.start(ports=[0], duration=12)
    during = becomes(lambda: client.get_pgid_stats([5])["flow_stats"][5]["tx_pps"]["total"], 1000)
    client.stop(ports=[0])
    settled(client)
    told = client.get_pgid_stats([5])
    return {
        "during_pps": during,
        "sent": told["flow_stats"][5]["tx_pkts"]["total"],
        "received": told["flow_stats"][5]["rx_pkts"]["total"],
        "latency": told["latency"][5]["latency"],
        "errors": told["latency"][5]["err_cntrs"],
    }


def pause_resume_update(client: Any) -> dict[str, Any]:
    """Rates changed, raised and lowered while it runs; a pause in which nothing is sent; single streams."""
    first, second = (
        STLStream(packet=packet(), mode=STLTXCont(pps=1000)),
        STLStream(packet=packet(port=7), mode=STLTXCont(pps=100)),
    )
    numbers = client.add_streams([first, second], ports=[0])
    client.clear_stats()
    client.start(ports=[0])
    client.update(ports=[0], mult="11kpps")
    client.update(ports=[0], mult="11kpps+")
    client.update(ports=[0], mult="2200pps-")
    running = becomes(lambda: client.get_stats()[0]["tx_pps"], 19_800)
    client.pause(ports=[0])
    time.sleep(0.1)
    paused = [client.get_stats()[0]["opackets"] for _ in range(2) if not time.sleep(0.3)]
    client.resume(ports=[0])
    client.pause_streams(0, [numbers[0]])
    client.update_streams(0, mult="5", stream_ids=[numbers[1]])
    time.sleep(0.3)
    client.resume_streams(0, [numbers[0]])
    client.stop(ports=[0])
    return {"running_pps": running, "paused": paused, "after": client.get_active_ports()}


def duration_push(client: Any) -> dict[str, Any]:
    """A profile pushed for a while, again and again by force; a wait that is too short is told."""
    client.add_streams([STLStream(packet=packet(), mode=STLTXCont(pps=1000))], ports=[0])
    client.clear_stats()
    client.start(ports=[0], duration=30)
    too_short = False
    try:
        client.wait_on_traffic(ports=[0], timeout=0.3)
    except TRexTimeoutError:
        too_short = True
    client.start(ports=[0], duration=0.5, force=True)
    client.wait_on_traffic(ports=[0], timeout=15)
    return {"too_short": too_short, "sent": settled(client)[0]["opackets"]}


def profiles(client: Any) -> dict[str, Any]:
    """Two profiles of one port, started and stopped apart."""
    client.add_streams([STLStream(packet=packet(), mode=STLTXCont(pps=1000))], ports=["0.web"])
    client.add_streams([STLStream(packet=packet(), mode=STLTXCont(pps=500))], ports=["0.voice"])
    client.start(ports=["0.web"])
    client.start(ports=["0.voice"])
    both = [str(each) for each in client.get_profiles_with_state("transmitting")]
    client.stop(ports=["0.web"])
    one = [str(each) for each in client.get_profiles_with_state("transmitting")]
    client.stop(ports=["0.voice"])
    client.remove_all_streams(ports=["0.*"])
    return {"both": sorted(both), "one": one}


def field_engine(client: Any) -> dict[str, Any]:
    """Every instruction of the field engine in one program."""
    program = STLScVmRaw(
        [
            STLVmTupleGen(name="tuple", ip_min="16.0.0.1", ip_max="16.0.0.9", port_min=1025, port_max=2000),
            STLVmFlowVar("list", value_list=[1, 7, 9], size=2, op="inc"),
            STLVmFlowVarRepeatableRandom("random", size=4, limit=50, seed=5, min_value=0, max_value=0xFF),
            STLVmFlowVar("size", min_value=68, max_value=96, size=2, op="random"),
            STLVmWrFlowVar("tuple.ip", pkt_offset="IP.src"),
            STLVmWrFlowVar("tuple.port", pkt_offset="UDP.sport"),
            STLVmWrFlowVar("list", pkt_offset="UDP.dport"),
            STLVmWrMaskFlowVar("random", pkt_offset=44, pkt_cast_size=2, mask=0x0FF0, shift=4),
            STLVmTrimPktSize("size"),
            STLVmFixChecksumHw(l3_offset="IP", l4_offset="UDP", l4_type=L4_UDP),
        ]
    )
    client.add_streams(
        [STLStream(packet=packet(100, vm=program), mode=STLTXSingleBurst(pps=1000, total_pkts=300))], ports=[0]
    )
    client.clear_stats()
    client.start(ports=[0])
    client.wait_on_traffic(ports=[0], timeout=10)
    stats = settled(client)
    return {"sent": stats[0]["opackets"], "received": stats[1]["ipackets"]}


def capture_file(client: Any) -> dict[str, Any]:
    """A capture file on the server's machine: three times over, then until it is stopped."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "trace.pcap")
        wrpcap(file, [Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(sport=n) / bytes(50) for n in range(200)])
        client.clear_stats()
        client.push_remote(file, ports=[0], ipg_usec=100, count=3)
        active = client.get_active_ports()
        client.wait_on_traffic(ports=[0], timeout=10)
        stats = settled(client)
        client.push_remote(file, ports=[0], ipg_usec=100, count=0)
        client.ports[0].sync()
        endless = client.ports[0].get_port_state_name()
        client.stop(ports=[0])
        after = client.get_active_ports()
        client.push_remote(file, ports=[0], ipg_usec=100, count=0, duration=0.5)
        client.wait_on_traffic(ports=[0], timeout=10)
    return {
        "active": active,
        "packets": [stats[0]["opackets"], stats[1]["ipackets"]],
        "octets": stats[0]["obytes"],
        "endless": endless,
        "after": after,
    }


def captures(client: Any) -> dict[str, Any]:
    """Packets pushed and captured, in memory and in a file; the receive queue; what is connected to what."""
    arp = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.0.0.1", pdst="10.0.0.2")
    probe = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP() / UDP(dport=7) / ("x" * 30)
    client.set_service_mode(ports=[0, 1])
    taken = client.start_capture(tx_ports=[0], rx_ports=[1], limit=100)
    probes = client.start_capture(rx_ports=[1], limit=3, bpf_filter="udp port 7")
    client.set_rx_queue(ports=[1], size=5)
    client.push_packets([arp, *[probe] * 10], ports=[0], ipg_usec=100)
    time.sleep(0.3)
    status = client.get_capture_status()
    packets: list[Any] = []
    client.stop_capture(taken["id"], output=packets)
    with tempfile.TemporaryDirectory() as folder:
        client.stop_capture(probes["id"], output=f"{folder}/probes.pcap")
        in_file = [bytes(each) for each in rdpcap(f"{folder}/probes.pcap")]
    queued = client.ports[1].get_rx_queue_pkts().data()
    queue = client.ports[1].get_formatted_info()["rx_queue"]
    client.remove_rx_queue(ports=[1])
    ports = client.map_ports()
    refused = ""
    try:
        client.start_capture(rx_ports=[1], bpf_filter="upd port 7")
    except TRexError as error:
        refused = str(error)
    client.start_capture(rx_ports=[0, 1])
    client.remove_all_captures()
    left = client.get_capture_status()
    client.set_service_mode(ports=[0, 1], enabled=False)
    return {
        "both": [(each["port"], each["origin"]) for each in packets],
        "same": [each["binary"] for each in packets if each["port"] == 0]
        == [each["binary"] for each in packets if each["port"] == 1]
        == [bytes(each) for each in (arp, *[probe] * 10)],
        "in_order": all(a["ts"] <= b["ts"] and a["index"] < b["index"] for a, b in itertools.pairwise(packets)),
        "matched": status[probes["id"]]["matched"],
        "kept": [each == bytes(probe) for each in in_file],
        "queued": [each["binary"] == bytes(probe) for each in queued],
        "queue_then": queue,
        "mapped": ports["bi"],
        "refused": refused,
        "left": left,
    }


def fragments(client: Any) -> dict[str, Any]:
    """A datagram in three fragments, and one whose other fragments never come: all arrive as they were sent."""
    datagram = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=12, sport=1025) / ("x" * 1000)
    pieces = [*fragment(datagram, fragsize=400), fragment(datagram, fragsize=200)[2]]
    burst = STLTXSingleBurst(total_pkts=50, pps=1000)
    streams = [
        STLStream(packet=STLPktBuilder(pkt=piece), mode=burst, isg=10.0 * n, flow_stats=STLFlowStats(pg_id=n))
        for n, piece in enumerate(pieces, 1)
    ]
    client.add_streams(streams, ports=[0])
    client.clear_stats()
    client.start(ports=[0])
    client.wait_on_traffic(ports=[0], timeout=10)
    stats = settled(client)
    groups = client.get_pgid_stats()["flow_stats"]
    return {
        "octets": [stats[0]["obytes"], stats[1]["ibytes"]],
        "packets": [[groups[n]["tx_pkts"]["total"], groups[n]["rx_pkts"]["total"]] for n in range(1, len(pieces) + 1)],
    }


def neighbours(client: Any) -> dict[str, Any]:
    """Both ports get an IPv4 address, find each other by ARP and answer echo requests, also inside a VLAN."""
    told: dict[str, Any] = {}
    for vlan in ([], [100]):
        client.set_service_mode(ports=[0, 1], enabled=True)
        client.set_vlan(ports=[0, 1], vlan=vlan)
        client.set_l2_mode(port=1, dst_mac="02:00:00:00:00:07")
        first: list[str] = []
        for port, own, other in ((0, "198.18.0.1", "198.18.0.2"), (1, "198.18.0.2", "198.18.0.1")):
            try:
                client.set_l3_mode(port=port, src_ipv4=own, dst_ipv4=other)
            except TRexError as error:
                first.append(str(error))
        client.resolve(ports=[0])
        replies = client.ping_ip(src_port=0, dst_ip="198.18.0.2", pkt_size=120, count=2, interval_sec=0.1)
        strangers = client.ping_ip(src_port=0, dst_ip="198.18.0.2", count=1, vlan=[101], timeout_sec=0.5)
        client.set_l2_mode(port=1, dst_mac="02:00:00:00:00:07")
        told["tagged" if vlan else "plain"] = {
            "before": first,
            "resolved": client.get_port_attr(port=0)["arp"],
            "replies": [reply.state for reply in replies],
            "elsewhere": [reply.state for reply in strangers],
            "no longer": [reply.state for reply in client.ping_ip(0, "198.18.0.2", count=1, timeout_sec=0.5)],
            "success": replies[0].SUCCESS,
        }
        client.set_service_mode(ports=[0, 1], enabled=False)
    return told


def refusals(client: Any) -> dict[str, Any]:
    """What the client shows when the server refuses."""
    client.add_streams([STLStream(packet=packet(), mode=STLTXCont(percentage=60))], ports=[0])
    outside = STLScVmRaw([STLVmFlowVar("v", min_value=0, max_value=9, size=4), STLVmWrFlowVar("v", pkt_offset=58)])
    attempts = {
        "overload": lambda: client.start(ports=[0], mult="200%"),
        "overload later": lambda: (client.start(ports=[0]), client.update(ports=[0], mult="101%")),
        "pause of bursts": lambda: (
            client.stop(ports=[0]),
            client.add_streams([STLStream(packet=packet(), mode=STLTXSingleBurst(pps=1, total_pkts=100))], ports=[0]),
            client.start(ports=[0]),
            client.pause(ports=[0]),
        ),
        "offset": lambda: client.add_streams([STLStream(packet=packet(vm=outside))], ports=[1]),
        "capture file": lambda: client.push_remote("/nowhere/x.pcap", ports=[1]),
        "unknown": lambda: raise_unless(client._transmit("make_coffee")),
        "stolen": lambda: steal(client),
    }
    told = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            told[name] = ""
        except TRexError as error:
            told[name] = str(error)
    return told


def raise_unless(answer: Any) -> None:
    """As the client does it."""
    if not answer:
        raise TRexError(answer)


def steal(client: Any) -> None:
    """Another session takes port 1, and this one goes on as if nothing had happened."""
    context = client.ctx
    thief = STLClient(
        username="thief", server=context.server, sync_port=context.sync_port, async_port=context.async_port
    )
    thief.connect()
    try:
        try:
            thief.acquire(ports=[1])
        except TRexError as error:
            print("thief:", error, file=sys.stderr)
        handler = client.ports[1].handler
        thief.acquire(ports=[1], force=True)
        time.sleep(1)
        if client.ports[1].is_acquired():
            raise AssertionError("the loser was not told")
        params = {"port_id": 1, "handler": handler, "profile_id": "_"}
        raise_unless(client._transmit("stop_traffic", params))
    finally:
        thief.disconnect()


def statistics_and_states(client: Any) -> dict[str, Any]:
    """What the console shows: utilisation, extended counters, attributes, events."""
    client.set_port_attr(ports=[0], promiscuous=True)
    client.set_service_mode(ports=[0], enabled=True)
    client.set_l2_mode(port=0, dst_mac="02:00:00:00:00:07")
    client.set_service_mode(ports=[0], enabled=False)
    return {
        "utilisation": client.get_util_stats(),
        "extended": dict(client.get_xstats(0)),
        "attributes": client.get_port_attr(port=0),
        "ping": client.ping_rpc_server(),
        "warnings": [str(warning) for warning in client.get_warnings()],
        "info": client.get_server_system_info()["port_count"],
    }


EXAMPLES: dict[str, Example] = {
    example.__name__: example
    for example in (
        continuous,
        burst_chain,
        imix,
        flow_stats,
        latency,
        pause_resume_update,
        duration_push,
        profiles,
        field_engine,
        capture_file,
        captures,
        fragments,
        neighbours,
        refusals,
        statistics_and_states,
    )
}


def main() -> None:
    """Run one example on ports that nobody else holds."""
    name, rpc, publisher = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    client = STLClient(server="127.0.0.1", sync_port=rpc, async_port=publisher, verbose_level="error")
    client.connect()
    try:
        client.reset(ports=[0, 1])
        answers.write(json.dumps(EXAMPLES[name](client)))
        answers.flush()
    finally:
        with contextlib.suppress(TRexError):
            client.disconnect()


if __name__ == "__main__":
    main()
