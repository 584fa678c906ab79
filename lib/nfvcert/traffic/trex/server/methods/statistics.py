"""Counters and rates."""

from __future__ import annotations

from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.methods.common import Handler, port_of
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.rates import FRAME_CHECK

MOST_GROUPS = 1024 + 128
_EXTENDED = {
    "tx_good_packets": "opackets",
    "rx_good_packets": "ipackets",
    "tx_good_bytes": "obytes",
    "rx_good_bytes": "ibytes",
    "tx_errors": "oerrors",
    "rx_errors": "ierrors",
    "tx_queue_full": "queue_full",
}


def global_statistics(context: Context) -> dict[str, Any]:
    """Sums over all ports; queue_full counts the packets for which the peer had no room at first."""
    statistics = context.statistics()
    ports = statistics["ports"].values()
    cpu = float(statistics.get("cpu", 0.0))

    def total(name: str) -> float:
        return float(sum(port.get(name, 0) for port in ports))

    tx_bps, rx_bps = (total(f"{way}_bps") + 8 * FRAME_CHECK * total(f"{way}_pps") for way in ("tx", "rx"))
    return {
        "m_cpu_util": cpu,
        "m_cpu_util_raw": cpu,
        "m_tx_bps": tx_bps,
        "m_tx_pps": total("tx_pps"),
        "m_rx_bps": rx_bps,
        "m_rx_pps": total("rx_pps"),
        "m_tx_expected_bps": 0.0,
        "m_tx_expected_pps": 0.0,
        "m_rx_drop_bps": max(0.0, tx_bps - rx_bps),
        "m_bw_per_core": tx_bps / 1e9 / (cpu / 100.0) if cpu > 0 else 0.0,
        "m_rx_cpu_util": 0.0,
        "m_rx_core_pps": 0.0,
        "m_total_queue_full": int(total("queue_full")),
        "m_total_queue_drop": 0,
        "m_active_flows": 0.0,
        "m_open_flows": 0.0,
        "m_active_sockets": 0,
        "m_socket_util": 0.0,
        "m_platform_factor": 1.0,
        "m_tx_cps": 0.0,
        "m_tx_expected_cps": 0.0,
        "m_total_servers": 0,
        "m_total_clients": 0,
        "m_total_alloc_error": 0,
    }


def get_global_stats(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Result of :func:`global_statistics`."""
    return global_statistics(context)


def get_port_stats(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Counters of a port since the engine began; octets with frame check sequence."""
    counters = _counters(context, parameters)
    opackets, ipackets = int(counters.get("opackets", 0)), int(counters.get("ipackets", 0))
    tx_pps, rx_pps = (float(counters.get(name, 0.0)) for name in ("tx_pps", "rx_pps"))
    return {
        "opackets": opackets,
        "ipackets": ipackets,
        "obytes": int(counters.get("obytes", 0)) + FRAME_CHECK * opackets,
        "ibytes": int(counters.get("ibytes", 0)) + FRAME_CHECK * ipackets,
        "oerrors": int(counters.get("oerrors", 0)),
        "ierrors": int(counters.get("ierrors", 0)),
        "m_total_tx_bps": float(counters.get("tx_bps", 0.0)) + 8 * FRAME_CHECK * tx_pps,
        "m_total_tx_pps": tx_pps,
        "m_total_rx_bps": float(counters.get("rx_bps", 0.0)) + 8 * FRAME_CHECK * rx_pps,
        "m_total_rx_pps": rx_pps,
        "m_cpu_util": float(context.statistics().get("cpu", 0.0)),
    }


def get_port_xstats_names(context: Context, parameters: Parameters) -> dict[str, list[str]]:
    """Names of the extended counters, the same for all ports."""
    port_of(context, parameters)
    return {"xstats_names": list(_EXTENDED)}


def get_port_xstats_values(context: Context, parameters: Parameters) -> dict[str, list[int]]:
    """Extended counters in the order of their names."""
    counters = _counters(context, parameters)
    return {"xstats_values": [int(counters.get(name, 0)) for name in _EXTENDED.values()]}


def get_active_pgids(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Packet groups in use."""
    return {"ids": context.groups.active()}


def get_pgid_stats(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Counters, rates and latencies of packet groups; those not in use are left out."""
    wanted = parameters.integers("pgids", most=1 << 20)
    if len(wanted) > MOST_GROUPS:
        raise RpcError(f"at most {MOST_GROUPS} packet groups at once", found=str(len(wanted)), hint="ask in parts")
    statistics = context.statistics()
    counters = statistics.get("groups", {})
    ports = list(context.ports)
    reply = context.groups.reply(wanted, counters, context.meter.rates(map(str, ports)), ports)
    reply["latency"]["g"] = {name: int(statistics.get(name, 0)) for name in ("old_flow", "bad_hdr")}
    for number, latency in reply["latency"].items():
        if number != "g":
            latency["lat"]["last_max"] = context.recent_latency.pop(number, 0.0)
    return reply


def get_utilization(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Load of the engine's core, latest first; its packet buffers are not told."""
    context.statistics()
    indices = [*list(context.ports)[:2], -1, -1][:2]
    return {"cpu": [{"history": context.cpu_history(), "ports": indices}], "mbuf_stats": {"cpu-socket-0": {}}}


def _counters(context: Context, parameters: Parameters) -> dict[str, Any]:
    port = port_of(context, parameters)
    counters: dict[str, Any] = context.statistics()["ports"].get(str(port.index), {})
    return counters


METHODS: dict[str, Handler] = {
    "get_global_stats": get_global_stats,
    "get_port_stats": get_port_stats,
    "get_port_xstats_names": get_port_xstats_names,
    "get_port_xstats_values": get_port_xstats_values,
    "get_active_pgids": get_active_pgids,
    "get_pgid_stats": get_pgid_stats,
    "get_utilization": get_utilization,
}
