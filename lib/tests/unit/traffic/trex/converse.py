"""The conversation that is recorded: the unmodified client makes use of every method of the protocol.

``python converse.py RPC PUBLISHER``; where the client has no function for a method, it is asked over its connection.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

warnings.simplefilter("ignore")

import lbr_trex_client  # noqa: E402, F401
from trex.stl.api import (  # noqa: E402
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
    STLVmFixIpv4,
    STLVmFlowVar,
    STLVmWrFlowVar,
    TRexError,
)

MULTIPLIER = {"type": "raw", "value": 1, "op": "abs"}


class Conversation:
    """One client on ports 0 and 1."""

    def __init__(self, rpc: int, publisher: int) -> None:
        self.client: Any = STLClient(server="127.0.0.1", sync_port=rpc, async_port=publisher, verbose_level="error")

    def ask(self, method: str, **parameters: Any) -> Any:
        """Over the client's own connection."""
        return self.client.conn.rpc.invoke_rpc_method(method, parameters)

    def ask_of_port(self, method: str, port: int = 0, **parameters: Any) -> Any:
        """For a port that is held."""
        return self.ask(method, port_id=port, handler=self.client.ports[port].handler, **parameters)

    def refused(self, attempt: Any) -> None:
        """Something that the server or the client refuses."""
        try:
            attempt()
        except TRexError:
            return
        raise AssertionError("it was not refused")

    def ticket(self, method: str, **parameters: Any) -> Any:
        """A method that answers with a ticket; what it stands for is over long before it is asked for."""
        answer = self.ask_of_port(method, **parameters)
        while not answer and answer.errno() == -32002:
            number = int(answer.err())
            time.sleep(1.5)
            answer = self.ask("get_async_results", ticket_id=number)
        assert answer, answer
        return answer.data()

    def run(self) -> None:
        """From connecting to disconnecting."""
        client = self.client
        client.connect()
        client.reset(ports=[0, 1])
        self.configuration()
        self.captures()
        self.streams()
        self.traffic()
        self.profiles()
        self.flow_mode()
        self.refusals()
        client.disconnect()

    def configuration(self) -> None:
        """Attributes, addresses, service mode."""
        client = self.client
        client.ping_rpc_server()
        client.set_port_attr(ports=[0], promiscuous=True, multicast=False)
        client.set_service_mode(ports=[0])
        client.set_l2_mode(port=0, dst_mac="02:00:00:00:00:07")
        client.ports[0].set_l3_mode("10.0.0.1", "10.0.0.2", "02:00:00:00:00:08")
        client.set_vlan(ports=[0], vlan=[100])
        client.conf_ipv6(0, True, "fe80::1")
        client.set_l2_mode(port=0, dst_mac="02:4e:46:00:00:02")
        client.set_service_mode(ports=[0], enabled=False)
        self.ask("get_owner", port_id=0)
        client.get_util_stats()
        client.get_xstats(0)
        client.get_capture_status()
        client.get_tpg_status(port=0)

    def captures(self) -> None:
        """Packets pushed, captured and queued."""
        client = self.client
        probe = Ether(dst="02:4e:46:00:00:02") / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=7) / ("x" * 30)
        client.set_service_mode(ports=[0, 1])
        client.set_rx_queue(ports=[1], size=2)
        sent = client.start_capture(tx_ports=[0], limit=5)
        came = client.start_capture(rx_ports=[1], limit=3, mode="cyclic", bpf_filter="udp", snaplen=60)
        client.push_packets([probe] * 4, ports=[0], ipg_usec=100)
        time.sleep(0.3)
        client.get_capture_status()
        client.ports[1].sync()
        client.ports[1].get_rx_queue_pkts()
        client.fetch_capture_packets(sent["id"], [], pkt_count=4)
        packets: list[Any] = []
        client.stop_capture(came["id"], output=packets)
        assert [bytes(each["binary"])[12:] for each in packets] == [bytes(probe)[12:60]] * 3
        client.remove_all_captures()
        client.remove_rx_queue(ports=[1])
        client.set_service_mode(ports=[0, 1], enabled=False)
        self.refused(lambda: client.start_capture(rx_ports=[1]))

    def streams(self) -> None:
        """Continuous streams, bursts, packet groups, a field-engine program."""
        client = self.client
        base = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=12, sport=1025) / ("x" * 30)
        count = [
            STLVmFlowVar("src", min_value="16.0.0.1", max_value="16.0.0.9", size=4, op="inc"),
            STLVmWrFlowVar("src", pkt_offset="IP.src"),
            STLVmFixIpv4(offset="IP"),
        ]
        counted = STLPktBuilder(pkt=base, vm=STLScVmRaw(count))
        plain = STLPktBuilder(pkt=base)
        client.add_streams(
            [
                STLStream(packet=counted, mode=STLTXCont(pps=1000), flow_stats=STLFlowStats(pg_id=5)),
                STLStream(packet=plain, mode=STLTXCont(pps=100), flow_stats=STLFlowLatencyStats(pg_id=7)),
                STLStream(packet=plain, mode=STLTXCont(bps_L2=1e6), start_paused=True),
            ],
            ports=[0],
        )
        burst = STLTXSingleBurst(pps=1000, total_pkts=100)
        bursts = STLTXMultiBurst(percentage=0.01, pkts_per_burst=10, ibg=1000.0, count=3)
        client.add_streams(
            [
                STLStream(name="A", packet=plain, mode=burst, next="B"),
                STLStream(name="B", packet=plain, mode=bursts, self_start=False, isg=10.0),
            ],
            ports=[1],
        )
        for port in (0, 1):
            client.ports[port].validate()
        client.ports[0].sync_streams()
        self.ask("get_stream_list", port_id=0, profile_id="*")
        self.ask("get_profile_list", port_id=0)

    def traffic(self) -> None:
        """Started, changed, paused, waited for, counted."""
        client = self.client
        client.clear_stats()
        client.start(ports=[0, 1], mult="2", duration=2)
        time.sleep(0.3)
        client.get_stats()
        client.get_pgid_stats()
        client.update(ports=[0], mult="10kpps")
        client.update(ports=[0], mult="1kpps+")
        client.update(ports=[0], mult="1kpps-")
        client.pause_streams(0, [1])
        client.update_streams(0, mult="1mbps", stream_ids=[2])
        client.resume_streams(0, [1])
        client.pause(ports=[0])
        client.resume(ports=[0])
        client.wait_on_traffic(ports=[0, 1], timeout=10)
        client.get_stats()
        client.get_pgid_stats()
        client.start(ports=[1], mult="100pps")
        client.stop(ports=[1])
        self.ask_of_port("remove_stream", 1, profile_id="_", stream_id=2)
        client.remove_all_streams(ports=[0, 1])

    def profiles(self) -> None:
        """A second profile beside the first."""
        client = self.client
        stream = STLStream(packet=STLPktBuilder(pkt=Ether() / IP() / UDP() / ("x" * 30)), mode=STLTXCont(pps=10))
        client.add_streams([stream], ports=["0.second"])
        client.start(ports=["0.second"])
        client.stop(ports=["0.second"])
        client.remove_all_streams(ports=["0.*"])

    def flow_mode(self) -> None:
        """The extension."""
        wanted: dict[str, Any] = {"pps": 10_000, "concurrent": 100, "new_per_second": 20, "frame": 64, "rx_port": 1}
        wanted["lifetime"] = {"model": "exponential", "mean_s": 5}
        self.ticket("flow_prepare", parameters=wanted)
        assert self.ask_of_port("flow_start")
        time.sleep(0.35)
        assert self.ask_of_port("flow_update", changes={"pps": 20_000})
        assert self.ask_of_port("flow_burst", changes={"duration_ms": 100, "new_per_second": 1000})
        assert self.ask("flow_intervals", port_id=0, since=0)
        self.ticket("flow_stop")
        self.ask("cancel_async_task", ticket_id=1)

    def refusals(self) -> None:
        """What is refused, and how."""
        client = self.client
        client.reset(ports=[1])
        self.refused(lambda: client.push_remote("/nowhere/trace.pcap", ports=[1]))
        for method in (
            "conf_ns_batch",
            "start_capture_port",
            "stop_capture_port",
            "set_capture_port_bpf",
        ):
            assert not self.ask_of_port(method)
        for method in ("enable_tpg", "disable_tpg", "make_coffee", "get_async_results"):
            assert not self.ask(method, ticket_id=99)
        stream = STLStream(
            packet=STLPktBuilder(pkt=Ether() / IP() / UDP() / ("x" * 30)), mode=STLTXCont(percentage=100)
        )
        client.add_streams([stream], ports=[0])
        self.refused(lambda: client.start(ports=[0], mult="101%"))
        assert not self.ask("stop_traffic", port_id=0, handler="wrong", profile_id="_")
        assert not self.ask_of_port("add_stream", profile_id="_", stream_id=9, stream={"enabled": True})
        assert not self.ask_of_port("start_traffic", profile_id="nobody", mul=MULTIPLIER, duration=-1, force=False)
        assert not self.ask("acquire", port_id=0, user="other", session_id=1, force=False)
        stranger = client.conn.rpc.create_jsonrpc_v2("get_system_info", {}, "wrong")[1]
        assert not client.conn.rpc.send_msg(stranger)


if __name__ == "__main__":
    Conversation(int(sys.argv[1]), int(sys.argv[2])).run()
