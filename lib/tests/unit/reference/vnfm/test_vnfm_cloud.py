"""The VIM client against the reference VIM on a real port, whose hosts run nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "vim"))  # its bench is shared, not copied

from cloud_bench import USER, Bench, running

from nfvcert.reference.vnfm.cloud import Cloud, PortRequest, ServerRequest, VimError
from nfvcert.reference.vnfm.config import VimAccess


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running(tmp_path / "vim") as found:
        yield found


@pytest.fixture
def cloud(bench: Bench) -> Cloud:
    return Cloud(VimAccess(auth_url=f"{bench.url}/identity/v3", region_name="RegionOne", **USER))


def test_server_from_nothing_and_back(cloud: Cloud, bench: Bench, tmp_path: Path) -> None:
    network, subnet = cloud.create_network("internal", "10.80.0.0/16")
    assert cloud.create_network("internal", "10.80.0.0/16") == (network, subnet)
    assert cloud.subnet(network) == (subnet, "10.80.0.0/16")
    port = cloud.create_port(PortRequest("vnfc-1/internal", network))
    assert port["mac"]
    file = tmp_path / "image.tar"
    file.write_bytes(b"image")
    image, uploaded = cloud.image("worker@1", file, "docker", "raw")
    assert uploaded
    assert cloud.image("worker@1", file, "docker", "raw") == (image, False)
    flavor = cloud.flavor(1, 64, 0)
    assert cloud.flavor(1, 64, 0) == flavor
    group = cloud.create_group("spread", "soft-anti-affinity")
    assert cloud.create_group("spread", "soft-anti-affinity") == group
    request = ServerRequest("worker-1", image, flavor, (port["id"],), {"vnfcId": "vnfc-1"}, group, (("vdu", "worker"),))
    server = cloud.create_server(request)
    while cloud.server_status(server)[0] == "BUILD":
        pass
    assert cloud.server_status(server)[0] == "ACTIVE"
    assert cloud.remains("worker-1", "vnfc-1/") == ([server], [port["id"]])
    cloud.operate(server, False)
    while cloud.server_status(server)[0] != "SHUTOFF":
        pass
    cloud.delete_server(server)
    while cloud.server_status(server)[0]:
        pass
    cloud.delete_server(server)
    cloud.delete_ports([port["id"], port["id"]])
    cloud.delete_group(group)
    cloud.delete_network(network)
    cloud.delete_network(network)
    cloud.delete_image("worker@1")
    assert cloud.remains("worker-1", "vnfc-1/") == ([], [])
    assert not list(bench.connection.network.networks())


def test_addresses_fixed_and_avoided(cloud: Cloud, bench: Bench) -> None:
    network, _ = cloud.create_network("external", "198.19.0.0/16")
    first = cloud.create_port(PortRequest("a/external", network))
    cloud.delete_ports([first["id"]])
    second = cloud.create_port(PortRequest("b/external", network, avoid=frozenset({first["ip"]})))
    assert second["ip"] != first["ip"]
    assert len(list(bench.connection.network.ports())) == 1
    fixed = cloud.create_port(PortRequest("c/external", network, "198.19.7.7", frozenset({"198.19.7.7"})))
    assert fixed["ip"] == "198.19.7.7"
    with pytest.raises(VimError, match=r"198\.19\.7\.7"):
        cloud.create_port(PortRequest("d/external", network, "198.19.7.7"))


def test_faults_name_the_resource(cloud: Cloud) -> None:
    with pytest.raises(VimError, match="server x"):
        cloud.create_server(ServerRequest("x", "no-image", "no-flavor", (), {}))
    with pytest.raises(VimError, match="no IPv4 subnet"):
        cloud.subnet("nowhere")
    silent = Cloud(VimAccess(auth_url="http://127.0.0.1:1/v3", username="u", password="p", project_name="p"))
    with pytest.raises(VimError, match="network n"):
        silent.create_network("n", "10.0.0.0/8")
