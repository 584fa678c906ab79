"""Real TCP sessions between two namespaces."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from traffic_bench import Bench, run

from nfvcert.errors import TestbedError
from nfvcert.traffic.session_endpoints import SessionEndpoints

pytestmark = pytest.mark.privileged

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"


@pytest.fixture
def ends(bench: Bench) -> Iterator[Bench]:
    """The server's end is r0 in the namespace in between."""
    for netns, link, address in ((bench.generator, "acc0", CLIENT), (bench.between, "r0", SERVER)):
        run("ip", "-n", netns, "address", "add", f"{address}/24", "dev", link)
    yield bench


def endpoints(ends: Bench, **options: object) -> SessionEndpoints:
    settings = {"server_ip": SERVER, "count": 5, "interval_s": 0.01, "log": ends.log} | options
    return SessionEndpoints(ends.generator, ends.between, **settings)  # type: ignore[arg-type]


def test_sessions_last_and_keep_their_address(ends: Bench) -> None:
    made = endpoints(ends)
    assert made.established == 5
    time.sleep(1.0)
    sessions = made.stop()
    assert [session["id"] for session in sessions] == list(range(5))
    for session in sessions:
        assert session["established"] and not session["broken"]
        assert session["exchanges"] > 3
        assert session["longest_ms"] > 0 and session["longest_at_ns"] > 0
        assert len(session["addresses"]) == 1 and session["addresses"][0].startswith(f"{CLIENT}:")


def test_an_outage_is_the_longest_exchange(ends: Bench) -> None:
    made = endpoints(ends)
    time.sleep(0.1)
    begin = time.monotonic_ns()
    run("ip", "-n", ends.between, "link", "set", "r0", "down")
    time.sleep(0.3)
    run("ip", "-n", ends.between, "link", "set", "r0", "up")
    time.sleep(1.0)
    for session in made.stop():
        assert not session["broken"]
        assert session["longest_ms"] >= 250
        assert session["longest_at_ns"] >= begin - 100_000_000


def test_a_session_that_the_peer_ends_is_broken_with_its_reason(ends: Bench) -> None:
    made = endpoints(ends, count=3)
    done = subprocess.run(
        ["ip", "netns", "exec", ends.between, "ss", "-K", "dst", CLIENT, "sport", "=", ":7000"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not done.stdout.count(CLIENT):
        made.close()
        pytest.skip("this kernel cannot end sockets from outside")
    time.sleep(0.3)
    for session in made.stop():
        assert session["established"] and session["broken"]
        assert session["reason"]


def test_a_server_that_answers_nobody_breaks_every_session(ends: Bench) -> None:
    made = endpoints(ends, count=3, answer_timeout_s=0.3)
    run("ip", "-n", ends.between, "link", "set", "r0", "down")
    time.sleep(2.0)
    for session in made.stop():
        assert session["broken"]
        assert "no answer within 0.3 s" in session["reason"]


def test_an_address_that_is_not_the_servers_is_an_error(ends: Bench) -> None:
    with pytest.raises(TestbedError, match="has ended"):
        endpoints(ends, server_ip="10.78.0.1")
    left = _command_lines()
    assert not [line for line in left if b"nfvcert.traffic.tcp_sessions" in line and b"10.78.0.1" in line]


def _command_lines() -> list[bytes]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            lines.append(path.read_bytes())
    return lines
