"""In the client's process: the client's streams, made of descriptions. Imports nothing but the standard library."""

from __future__ import annotations

import base64
from typing import Any

_PACKET_DECIDES = 1


def build_stream(api: Any, described: dict[str, Any]) -> Any:
    """The client's stream: its packet is octets, its field-engine program the protocol's instructions.

    Args:
        api: the module ``trex.stl.api``.
        described: :meth:`nfvcert.traffic.trex.plan.Stream.described`.
    """
    mode, rate = described["mode"], {described["rate"]["kind"]: described["rate"]["value"]}
    modes = {"continuous": api.STLTXCont, "single_burst": api.STLTXSingleBurst, "multi_burst": api.STLTXMultiBurst}
    groups = {"stats": api.STLFlowStats, "latency": api.STLFlowLatencyStats}
    group = described.get("group")
    stream = api.STLStream(
        name=described.get("name"),
        next=described.get("next"),
        packet=api.STLPktBuilder(pkt_buffer=base64.b64decode(described["packet"])),
        mode=modes[mode["type"]](**{key: value for key, value in mode.items() if key != "type"}, **rate),
        self_start=described["self_start"],
        isg=described["isg_us"],
        action_count=described["action_count"],
        random_seed=described["seed"],
        start_paused=described["start_paused"],
        mac_src_override_by_pkt=described["own_addresses"],
        mac_dst_override_mode=_PACKET_DECIDES if described["own_addresses"] else 0,
        dummy_stream=described["dummy"],
        flow_stats=groups[group["kind"]](pg_id=group["number"]) if group else None,
    )
    if described["instructions"]:
        stream.fields["vm"] = {"instructions": described["instructions"]}
    return stream
