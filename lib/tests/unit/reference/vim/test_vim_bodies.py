"""No request body makes the VIM fail: every one is served or refused in the words of its service."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from cloud_bench import running
from hypothesis import given, settings
from hypothesis import strategies as st

ATTRIBUTES = {
    ("/network/v2.0/networks", "network"): ["name", "mtu", "provider:segmentation_id", "shared"],
    ("/network/v2.0/subnets", "subnet"): ["network_id", "cidr", "gateway_ip", "allocation_pools", "enable_dhcp"],
    ("/network/v2.0/ports", "port"): ["network_id", "fixed_ips", "mac_address", "device_id"],
    ("/compute/v2.1/servers", "server"): ["name", "flavorRef", "imageRef", "networks", "user_data", "metadata"],
    ("/compute/v2.1/flavors", "flavor"): ["name", "vcpus", "ram", "disk", "id"],
    ("/compute/v2.1/os-server-groups", "server_group"): ["name", "policy", "policies", "rules"],
    ("/image/v2/images", None): ["name", "disk_format", "container_format", "id", "visibility", "min_disk", "free"],
    ("/identity/v3/auth/tokens", "auth"): ["identity", "scope"],
}
scalars = st.none() | st.booleans() | st.integers(-5, 70000) | st.text(max_size=8)
values = st.recursive(
    scalars | st.sampled_from(["10.0.0.0/24", "NETWORK", "IMAGE", "FLAVOR", "auto", "docker", "raw", "aGk="]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["port", "uuid", "subnet_id", "ip_address", "methods", "start"]), inner)
    ),
    max_leaves=4,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str]:
    (path, key), names = draw(st.sampled_from(list(ATTRIBUTES.items())))
    inner = draw(st.dictionaries(st.sampled_from(names), values) | values)
    return path, json.dumps({key: inner} if key else inner)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    with running(tmp_path_factory.mktemp("vim"), quota={"network": 5, "subnet": 5, "port": 5}) as bench:
        cloud = bench.connection
        ids = {
            "NETWORK": cloud.network.create_network(name="n").id,
            "IMAGE": cloud.image.create_image("i", data=b"x", container_format="docker", disk_format="raw").id,
            "FLAVOR": cloud.compute.create_flavor(name="f", vcpus=1, ram=1, disk=0).id,
        }
        headers = {"X-Auth-Token": cloud.auth_token, "Content-Type": "application/json"}
        with httpx.Client(base_url=bench.url, headers=headers) as http:
            yield http, ids


@settings(max_examples=250)
@given(request=requests())
def test_every_body_is_served_or_refused(client: tuple[httpx.Client, dict[str, str]], request: tuple[str, str]) -> None:
    http, ids = client
    path, body = request
    for name, id in ids.items():
        body = body.replace(name, id)
    answer = http.post(path, content=body.encode())
    assert answer.status_code < 500, answer.text
    assert isinstance(answer.json(), dict)
