"""A first round of packets through every link, before anything is measured.

Buffers of links are memory that a process gets when it is used for the first time, which takes long in a virtual
machine: the first packets over a link, as many as its ring has places, come late. Where a link is first used at the
split that would be taken for the split's doing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.ranges import NOBODY, owner_map
from nfvcert.errors import TestbedError
from nfvcert.testbed.dataplane import DataplaneHandle
from nfvcert.traffic.translated import Way, datagram
from nfvcert.traffic.trex.plan import Rate, SingleBurst, Stream

SHARE_OF_RING = 1.25
PACKETS_PER_S = 100_000.0
LONGEST_S = 15.0
FORGOTTEN_S = 0.1
"""Beyond the state timeout: nobody knows the flow any more."""
FLOWS_S, CALM_S = 1.0, 0.3
WAY = Way("198.18.255.254", 9, "198.19.255.254", 9, "02:4e:46:02:00:01")


def warm_up(handle: DataplaneHandle, say: Callable[[str], None]) -> None:
    """Send as many packets through each server as the rings of links have places; the table is as it was then.

    Open vSwitch sees its first flows instead: :func:`warm_up_flows`.

    Raises:
        TestbedError: the packets were not sent in time.
    """
    if handle.layout.driver != "core":
        return
    switch, generator = handle.control("switch"), handle.generator
    say("warming links up")
    count = round(handle.layout.setup.ring * SHARE_OF_RING)
    rule = "warm-up"
    for server in handle.layout.server_names:
        everything = [0, IDS - 1]
        handle.control(server).call("set_ranges", owners=["v1"], map=owner_map(np.zeros(IDS, np.int8)))
        switch.call("apply", add=[{"rule": rule, "range": everything, "port": server}], remove=[], atomic=True)
        generator.add_streams(0, [Stream(datagram(WAY, None), Rate("pps", PACKETS_PER_S), SingleBurst(count))])
        generator.start([0])
        sent = generator.wait([0], LONGEST_S)
        generator.stop([0])
        generator.remove_streams([0])
        switch.call("apply", add=[], remove=[rule], atomic=True)
        handle.control(server).call("set_ranges", owners=[], map=owner_map(np.full(IDS, NOBODY, np.int8)))
        if not sent:
            raise TestbedError(f"{count} packets were not sent within {LONGEST_S:g} s", where=f"links of {server}")
    time.sleep(handle.layout.state_timeout_ms / 1000 + FORGOTTEN_S)


def warm_up_flows(
    handle: DataplaneHandle, parameters: dict[str, Any], concurrent: int, say: Callable[[str], None]
) -> None:
    """Let Open vSwitch see the first flows, which in a network do not begin all at once, before anything counts."""
    say("warming up Open vSwitch")
    generator = handle.generator
    generator.flow_prepare(**{**parameters, "pps": round(concurrent * 2 / FLOWS_S), "duration_s": FLOWS_S})
    generator.flow_start()
    time.sleep(FLOWS_S + CALM_S)
    generator.flow_stop()
