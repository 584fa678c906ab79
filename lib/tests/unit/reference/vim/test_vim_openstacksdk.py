"""Everything a VNF manager does with a VIM, by an unmodified openstacksdk."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloud_bench import Bench, running
from openstack import exceptions
from openstack.connection import Connection

from nfvcert.extension import load_behaviour
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.records import Server

INTERVAL = 0.02


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def cloud(bench: Bench) -> Connection:
    return bench.connection


def a_network(cloud: Connection, name: str = "internal", cidr: str = "10.80.0.0/16") -> Any:
    network = cloud.network.create_network(name=name)
    cloud.network.create_subnet(
        name=name, network_id=network.id, ip_version=4, cidr=cidr, gateway_ip=None, enable_dhcp=False
    )
    return network


def an_image(cloud: Connection, content: bytes = b"image") -> Any:
    image = cloud.image.create_image("worker", data=content, container_format="docker", disk_format="raw")
    return cloud.image.get_image(image)


def a_flavor(cloud: Connection, vcpus: int = 1, ram: int = 64) -> Any:
    return cloud.compute.create_flavor(name=f"{vcpus}x{ram}", vcpus=vcpus, ram=ram, disk=0)


def a_server(cloud: Connection, image: Any, flavor: Any, **more: Any) -> Any:
    server = cloud.compute.create_server(
        **({"name": "w", "image_id": image.id, "flavor_id": flavor.id, "networks": "none"} | more)
    )
    return cloud.compute.wait_for_server(server, interval=INTERVAL, wait=10)


def gone(cloud: Connection, server: Any) -> None:
    cloud.compute.delete_server(server)
    cloud.compute.wait_for_delete(server, interval=INTERVAL, wait=10)


def test_networks_subnets_and_ports(bench: Bench, cloud: Connection) -> None:
    network = a_network(cloud)
    assert network.provider_network_type == "vxlan" and network.provider_segmentation_id == 100
    assert all(agent.networks == {network.id: 100} for agent in bench.agents.values())
    subnet = next(iter(cloud.network.subnets(network_id=network.id)))
    pairs = [{"ip_address": "198.19.0.1"}]
    first = cloud.network.create_port(
        network_id=network.id, name="a", is_port_security_enabled=False, allowed_address_pairs=pairs
    )
    asked = [{"subnet_id": subnet.id, "ip_address": "10.80.0.77"}]
    second = cloud.network.create_port(network_id=network.id, name="b", fixed_ips=asked)
    assert first.fixed_ips[0]["ip_address"] == "10.80.0.1" and first.allowed_address_pairs == pairs
    assert second.fixed_ips == asked and second.mac_address.startswith("fa:16:3e:")
    assert [port.name for port in cloud.network.ports(network_id=network.id, name="b")] == ["b"]
    assert cloud.network.find_port("a", ignore_missing=False).id == first.id
    with pytest.raises(exceptions.ConflictException, match="already allocated"):
        cloud.network.create_port(network_id=network.id, fixed_ips=asked)
    with pytest.raises(exceptions.BadRequestException, match="not a valid IP"):
        cloud.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "1.2.3.4"}])
    with pytest.raises(exceptions.ConflictException, match="still in use"):
        cloud.network.delete_network(network)
    cloud.network.delete_port(first)
    cloud.network.delete_port(second)
    cloud.network.delete_network(network)
    assert list(cloud.network.networks()) == [] == list(cloud.network.subnets())
    assert all(agent.networks == {} for agent in bench.agents.values())


def test_images_keep_their_content_and_digests(cloud: Connection, tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    file.write_bytes(bytes(range(256)) * 4096)
    made = cloud.create_image(
        "worker-1.0.0",
        filename=str(file),
        container_format="docker",
        disk_format="raw",
        wait=True,
        validate_checksum=True,
        vnfd_id="abc",
    )
    image = cloud.image.get_image(made.id)
    assert image.status == "active" and image.size == file.stat().st_size
    assert image.hash_algo == "sha512" and len(image.hash_value) == 128
    assert image.properties["vnfd_id"] == "abc"
    assert cloud.image.download_image(image).content == file.read_bytes()
    assert [found.id for found in cloud.image.images(name="worker-1.0.0")] == [image.id]
    cloud.image.update_image(image, name="other", color="blue")
    assert cloud.image.find_image("other", ignore_missing=False).properties["color"] == "blue"
    cloud.image.delete_image(image)
    assert list(cloud.image.images()) == []
    with pytest.raises(exceptions.NotFoundException):
        cloud.image.get_image(image.id)


def test_a_server_gets_its_ports_user_data_and_a_host(bench: Bench, cloud: Connection) -> None:
    network, image, flavor = a_network(cloud), an_image(cloud), a_flavor(cloud)
    port = cloud.network.create_port(network_id=network.id)
    user_data = json.dumps({"vnfcId": "c1"})
    server = a_server(
        cloud,
        image,
        flavor,
        networks=[{"port": port.id}],
        user_data=base64.b64encode(user_data.encode()).decode(),
        metadata={"vdu": "worker"},
    )
    assert server.status == "ACTIVE" and server.compute_host == "host1" and server.vm_state == "active"
    assert server.addresses["internal"][0]["addr"] == port.fixed_ips[0]["ip_address"]
    spec = bench.agents["host1"].running[server.id]
    assert (spec.user_data, spec.vcpus, spec.ram_mb) == (user_data, 1, 64)
    assert [p.id for p in spec.ports] == [port.id] and spec.metadata == {"vdu": "worker"}
    bound = cloud.network.get_port(port.id)
    assert (bound.device_id, bound.binding_host_id, bound.status) == (server.id, "host1", "ACTIVE")
    assert [i.port_id for i in cloud.compute.server_interfaces(server)] == [port.id]
    with pytest.raises(exceptions.ConflictException):
        cloud.network.delete_port(port)
    with pytest.raises(exceptions.ConflictException, match="in use"):
        cloud.compute.create_server(name="x", image_id=image.id, flavor_id=flavor.id, networks=[{"port": port.id}])
    gone(cloud, server)
    free = cloud.network.get_port(port.id)
    assert (free.device_id, free.binding_host_id, free.status) == ("", "", "DOWN")
    assert bench.agents["host1"].running == {}
    assert list(cloud.compute.servers()) == []


def test_ports_made_for_a_server_go_with_it(cloud: Connection) -> None:
    network, image, flavor = a_network(cloud), an_image(cloud), a_flavor(cloud)
    server = a_server(cloud, image, flavor, networks=[{"uuid": network.id}])
    assert len(list(cloud.network.ports(device_id=server.id))) == 1
    gone(cloud, server)
    assert list(cloud.network.ports()) == []


def test_a_group_spreads_its_members_and_counts_them(cloud: Connection) -> None:
    image, flavor = an_image(cloud), a_flavor(cloud)
    group = cloud.compute.create_server_group(name="workers", policy="soft-anti-affinity")
    hints = {"group": group.id}
    servers = [a_server(cloud, image, flavor, scheduler_hints=hints) for _ in range(4)]
    assert [server.compute_host for server in servers] == ["host1", "host2", "host3", "host1"]
    assert set(cloud.compute.get_server_group(group.id).member_ids) == {server.id for server in servers}
    gone(cloud, servers[0])
    assert servers[0].id not in cloud.compute.get_server_group(group.id).member_ids
    hard = cloud.compute.create_server_group(name="hard", policy="anti-affinity")
    for _ in range(3):
        a_server(cloud, image, flavor, scheduler_hints={"group": hard.id})
    with pytest.raises(exceptions.ResourceFailure):
        a_server(cloud, image, flavor, scheduler_hints={"group": hard.id})


def test_deleting_takes_until_the_container_has_gone(bench: Bench, cloud: Connection) -> None:
    server = a_server(cloud, an_image(cloud), a_flavor(cloud))
    agent = bench.agents["host1"]
    agent.hold.clear()
    cloud.compute.delete_server(server)
    shown = cloud.compute.get_server(server.id)
    assert shown.task_state == "deleting" and shown.status == "ACTIVE"
    assert [found.id for found in cloud.compute.servers()] == [server.id]
    agent.hold.set()
    cloud.compute.wait_for_delete(server, interval=INTERVAL, wait=10)
    with pytest.raises(exceptions.NotFoundException):
        cloud.compute.get_server(server.id)


def test_capacity_and_faults_leave_a_server_in_error(bench: Bench, cloud: Connection) -> None:
    image = an_image(cloud)
    big = cloud.compute.create_server(
        name="big", image_id=image.id, flavor_id=a_flavor(cloud, vcpus=64).id, networks="none"
    )
    with pytest.raises(exceptions.ResourceFailure):
        cloud.compute.wait_for_server(big, interval=INTERVAL, wait=10)
    fault = cloud.compute.get_server(big.id).fault
    assert fault["code"] == 500 and fault["message"].startswith("No valid host was found")
    bench.agents["host1"].refuse = True
    refused = cloud.compute.create_server(
        name="refused", image_id=image.id, flavor_id=a_flavor(cloud).id, networks="none"
    )
    with pytest.raises(exceptions.ResourceFailure):
        cloud.compute.wait_for_server(refused, interval=INTERVAL, wait=10)
    assert "refuses to create" in cloud.compute.get_server(refused.id).fault["message"]
    for server in (big, refused):
        gone(cloud, server)
    assert all(h.vcpus_used == 0 for h in cloud.compute.hypervisors(details=True))


def test_a_server_is_what_its_host_says(bench: Bench, cloud: Connection) -> None:
    server = a_server(cloud, an_image(cloud), a_flavor(cloud))
    bench.agents["host1"].dead.add(server.id)
    cloud.compute.wait_for_server(server, status="SHUTOFF", interval=INTERVAL, wait=10)
    bench.agents["host1"].unreachable = True
    cloud.compute.wait_for_server(server, status="ACTIVE", interval=INTERVAL, wait=10)


def test_stop_start_and_reboot(bench: Bench, cloud: Connection) -> None:
    server = a_server(cloud, an_image(cloud), a_flavor(cloud))
    cloud.compute.stop_server(server)
    cloud.compute.wait_for_server(server, status="SHUTOFF", interval=INTERVAL, wait=10)
    assert bench.agents["host1"].running == {}
    with pytest.raises(exceptions.ConflictException):
        cloud.compute.stop_server(server)
    cloud.compute.start_server(server)
    cloud.compute.wait_for_server(server, interval=INTERVAL, wait=10)
    bench.agents["host1"].hold.clear()
    cloud.compute.reboot_server(server, "HARD")
    rebooting = cloud.compute.get_server(server.id)  # read anew: the SDK waits for what the object at hand does not say
    assert rebooting.status == "REBOOT"
    bench.agents["host1"].hold.set()
    cloud.compute.wait_for_server(rebooting, interval=INTERVAL, wait=10)
    assert set(bench.agents["host1"].running) == {server.id}


def test_quotas_are_refused_with_403(tmp_path: Path) -> None:
    with running(tmp_path, quota={"instances": 1, "port": 1}) as bench:
        cloud = bench.connection
        image, flavor, network = an_image(cloud), a_flavor(cloud), a_network(cloud)
        server = a_server(cloud, image, flavor)
        with pytest.raises(exceptions.ForbiddenException, match="Quota exceeded for instances"):
            a_server(cloud, image, flavor)
        limits = cloud.compute.get_limits().absolute
        assert (limits.instances, limits.instances_used) == (1, 1)
        assert cloud.get_compute_quotas("lab").instances == 1
        gone(cloud, server)
        a_server(cloud, image, flavor)
        cloud.network.create_port(network_id=network.id)
        with pytest.raises(exceptions.ConflictException, match="Quota exceeded"):
            cloud.network.create_port(network_id=network.id)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"flavor_id": "nope"}, "Flavor nope"),
        ({"image_id": "nope"}, "requested image"),
        ({"networks": [{"port": "nope"}]}, "Port id nope"),
        ({"networks": [{"uuid": "nope"}]}, "Network nope"),
        ({"scheduler_hints": {"group": "nope"}}, "group nope"),
        ({"user_data": "not base64!"}, "base 64"),
        ({"min_count": 2, "max_count": 2}, "one server"),
    ],
)
def test_a_bad_request_changes_nothing(cloud: Connection, change: dict[str, Any], text: str) -> None:
    with pytest.raises(exceptions.BadRequestException, match=text):
        a_server(cloud, an_image(cloud), a_flavor(cloud), **change)
    assert list(cloud.compute.servers()) == []


def test_wrong_credentials_and_tokens(bench: Bench) -> None:
    with pytest.raises(exceptions.SDKException, match="requires authentication"):
        bench.connect(password="wrong").authorize()
    with pytest.raises(exceptions.SDKException, match="requires authentication"):
        bench.connect(project_name="other").authorize()
    answer = httpx.get(f"{bench.url}/compute/v2.1/servers", headers={"X-Auth-Token": "x"})
    assert answer.status_code == 401 and answer.json()["unauthorized"]["code"] == 401


def test_errors_are_in_the_words_of_each_service(bench: Bench) -> None:
    token = bench.connection.auth_token
    headers = {"X-Auth-Token": token}
    for path, member in {
        "/network/v2.0/networks/x": "NeutronError",
        "/compute/v2.1/servers/x": "itemNotFound",
        "/image/v2/images/x": "message",
        "/identity/v3/projects/x": "error",
    }.items():
        answer = httpx.get(bench.url + path, headers=headers)
        assert answer.status_code == 404 and member in answer.json(), path
    versions = {"OpenStack-API-Version": "compute 2.999"}
    assert httpx.get(f"{bench.url}/compute/v2.1/servers", headers=headers | versions).status_code == 406
    unknown = httpx.post(f"{bench.url}/network/v2.0/networks", headers=headers, json={"network": {"colour": "red"}})
    assert unknown.status_code == 400 and "colour" in unknown.json()["NeutronError"]["message"]
    assert httpx.post(f"{bench.url}/network/v2.0/networks", headers=headers, content=b"{").status_code == 400


def test_records_survive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as bench:
        image, flavor = an_image(bench.connection), a_flavor(bench.connection)
        network = a_network(bench.connection)
        server = a_server(bench.connection, image, flavor)
    with running(tmp_path) as bench:
        cloud = bench.connection
        assert cloud.compute.get_server(server.id).status == "SHUTOFF"  # its host has lost the container
        assert cloud.network.get_network(network.id).provider_segmentation_id == 100
        assert cloud.image.download_image(image.id).content == b"image"
        gone(cloud, server)


def test_the_list_of_servers_is_a_published_decision(tmp_path: Path) -> None:
    class Forgetful(VimBehaviour):
        def listed_servers(self, servers: Any) -> list[Server]:
            return []

    with running(tmp_path, Forgetful()) as bench:
        server = a_server(bench.connection, an_image(bench.connection), a_flavor(bench.connection))
        assert list(bench.connection.compute.servers()) == []
        assert bench.connection.compute.get_server(server.id).id == server.id


def test_the_seeded_defect_lists_what_was_deleted(tmp_path: Path) -> None:
    file = Path(__file__).resolve().parents[5] / "fixtures" / "nonconformities" / "DEF.VNF.13.f.py"
    with running(tmp_path, load_behaviour(file, VimBehaviour)()) as bench:
        cloud = bench.connection
        server = a_server(cloud, an_image(cloud), a_flavor(cloud))
        gone(cloud, server)
        assert [found.id for found in cloud.compute.servers()] == [server.id]


def test_a_network_that_a_host_still_uses_is_refused(bench: Bench, cloud: Connection) -> None:
    network = a_network(cloud)
    bench.agents["host2"].in_use.add(network.id)
    with pytest.raises(exceptions.ConflictException, match="in use"):
        cloud.network.delete_network(network)
    bench.agents["host2"].in_use.clear()
    cloud.network.delete_network(network)
    assert list(cloud.network.networks()) == []
