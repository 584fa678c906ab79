"""The NFVO as a process: start, refusal of wrong configurations, and life after a kill in the middle of everything."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from nfvo_bench import PACKAGES, Bench, Subscriber, Vnfm, free_port, served
from nfvo_sample import onboard

from waiting import eventually


@contextmanager
def process(config: Path, url: str, vnfm: Vnfm, subscriber: Subscriber, sink: str) -> Iterator[Bench]:
    child = subprocess.Popen([sys.executable, "-m", "nfvcert.reference.nfvo", "--config", config])
    try:
        eventually(lambda: answers(url))
        bench = Bench(url, vnfm, subscriber, f"{sink}/sink")
        yield bench
        bench.http.close()
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_killed_nfvo_goes_on_where_it_was(tmp_path: Path, sample: Any) -> None:
    vnfm, subscriber = Vnfm(), Subscriber()
    with served(vnfm.app, free_port()) as vnfm_url, served(subscriber.app, free_port()) as sink:
        port = free_port()
        config = tmp_path / "nfvo.json"
        values = {"name": "nfvo", "port": port, "state_dir": str(tmp_path / "state"), "peers": {"vnfm": vnfm_url}}
        config.write_text(json.dumps(values | {"poll_s": 0.2}))
        url = f"http://127.0.0.1:{port}"
        with process(config, url, vnfm, subscriber, sink) as nfvo:
            eventually(lambda: vnfm.subscriptions)
            onboard(nfvo, sample)
            nfvo.subscribe()
            service = nfvo.service(nfvo.get("/nsd/v2/ns_descriptors")[0]["nsdId"])
            vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
            operation = nfvo.change(service, sample.new_id)
            vnf_operation = vnfm.last("PROCESSING")
            eventually(lambda: vnfm.requests("/change_vnfpkg"))
            uploading = nfvo.post(PACKAGES).json()["id"]
            with pytest.raises(httpx.HTTPError):
                nfvo.http.put(f"{PACKAGES}/{uploading}/package_content", content=broken(), headers=ZIP)
        vnfm.silent = True
        vnfm.enter(vnf_operation, "COMPLETED")
        vnfm.silent = False
        with process(config, url, vnfm, subscriber, sink) as nfvo:
            nfvo.ended(operation)
            assert nfvo.vnf(service)["vnfdId"] == sample.new_id
            assert (nfvo.usage(sample.old_id), nfvo.usage(sample.new_id)) == ("NOT_IN_USE", "IN_USE")
            assert len(vnfm.subscriptions) == 1
            assert nfvo.get(f"{PACKAGES}/{uploading}")["onboardingState"] in ("CREATED", "ERROR")
            eventually(lambda: len(subscriber.states(operation)) == 2)
            (new,) = nfvo.get(PACKAGES, params={"filter": f"(eq,vnfdId,{sample.new_id})"})
            assert nfvo.http.get(f"{PACKAGES}/{new['id']}/package_content").content == sample.new


ZIP = {"Content-Type": "application/zip", "Content-Length": "100000"}


def broken() -> Iterator[bytes]:
    """An upload that breaks off."""
    yield b"PK"
    raise httpx.WriteError("the client went away")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"name": "nfvo", "port": 1}, "peers"),
        ({"name": "nfvo", "port": 1, "peers": {"vnfm": "http://x"}, "surprise": 1}, "surprise"),
        ({"name": "nfvo", "port": 1, "peers": {"vnfm": "http://x"}, "trusted_certificates": ["/none.pem"]}, "none.pem"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, values: dict[str, Any], named: str) -> None:
    config = tmp_path / "nfvo.json"
    config.write_text(json.dumps({"state_dir": str(tmp_path)} | values))
    argv = [sys.executable, "-m", "nfvcert.reference.nfvo", "--config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert named in done.stderr
    assert "Traceback" not in done.stderr
