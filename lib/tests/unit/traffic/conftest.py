"""A generator between two ports of a small network: alone, or joined by a bridge."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from traffic_bench import Bench, run


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Two namespaces and two links between them."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    rid = "t" + secrets.token_hex(8).translate(str.maketrans("0189", "abcd"))[:5]
    made = Bench(f"nfv-{rid}-gen", f"nfv-{rid}-c0", tmp_path / "log")
    try:
        for netns in (made.generator, made.between):
            run("ip", "netns", "add", netns)
            disable = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
            run("ip", "netns", "exec", netns, "sh", "-c", disable)
        for leg, other in (("acc0", "r0"), ("ext0", "r1")):
            run("ip", "-n", made.generator, "link", "add", leg, "type", "veth", "peer", other, "netns", made.between)
            run("ip", "-n", made.generator, "link", "set", leg, "up")
            run("ip", "-n", made.between, "link", "set", other, "up")
        yield made
    finally:
        for netns in (made.generator, made.between):
            subprocess.run(["ip", "netns", "del", netns], check=False, capture_output=True)


@pytest.fixture
def bridge(bench: Bench) -> Bench:
    """The two ports joined by a bridge of the kernel's."""
    run("ip", "-n", bench.between, "link", "add", "br0", "type", "bridge")
    for port in ("r0", "r1"):
        run("ip", "-n", bench.between, "link", "set", port, "master", "br0")
    run("ip", "-n", bench.between, "link", "set", "br0", "up")
    return bench
