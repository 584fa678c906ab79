import pytest

from nfvcert.errors import TestbedError, UsageError
from nfvcert.nfvi import ethtool, fabric, namespaces
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.links import Address, Netlink, local_mac, parse_counters
from nfvcert.nfvi.names import RunId


def test_counters_are_read_by_interface() -> None:
    text = "Inter-|\n face |\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nvp1:17 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    found = parse_counters(text)
    assert found["eth0"] == {
        "rx_bytes": 1,
        "rx_packets": 2,
        "rx_dropped": 4,
        "tx_bytes": 9,
        "tx_packets": 10,
        "tx_dropped": 12,
    }
    assert found["vp1"]["rx_bytes"] == 17


def test_derived_addresses_are_local_unicast() -> None:
    first = int(local_mac("x").split(":")[0], 16)
    assert first & 2 and not first & 1
    assert local_mac("x") != local_mac("y")


def test_a_fabric_is_planned_from_its_hosts() -> None:
    found = fabric.plan(RunId("abc234"), [HostSpec("host1"), HostSpec("host2")])
    assert [(host.netns, host.underlay_ip) for host in found.hosts] == [
        ("nfv-abc234-host1", "10.254.0.1"),
        ("nfv-abc234-host2", "10.254.0.2"),
    ]


@pytest.mark.parametrize("names", [[], ["a", "a"], ["runc"], [f"h{number}" for number in range(201)]])
def test_an_impossible_fabric_is_refused(names: list[str]) -> None:
    with pytest.raises(UsageError):
        fabric.plan(RunId("abc234"), [HostSpec(name) for name in names])


@pytest.mark.privileged
def test_a_veth_pair_is_up_without_offloads_and_without_ipv6(rid: RunId) -> None:
    one, two = rid.netns("one"), rid.netns("two")
    namespaces.create(one)
    namespaces.create(two)
    with Netlink(one) as netlink:
        netlink.create_bridge("br0", mtu=1500, mac=local_mac("br0"))
        peer = Address("02:00:00:00:00:05", "10.80.0.5", 16)
        netlink.create_veth("v0", mtu=1400, bridge="br0", peer_netns=two, peer_ifname="eth0", peer=peer)
        assert set(netlink.interfaces()) == {"lo", "br0", "v0"}
        for name, ifname in ((one, "v0"), (two, "eth0")):
            on = namespaces.run_in(name, lambda ifname=ifname: ethtool.offloads(ifname))  # type: ignore[misc]
            assert not (on["tx-checksum"] or on["gso"] or on["gro"])
        with Netlink(two) as other:
            link = other.run(lambda route: route.get_links(ifname="eth0")[0])
            assert (link["state"], link.get_attr("IFLA_MTU")) == ("up", 1400)
            assert link.get_attr("IFLA_ADDRESS") == peer.mac
            addresses = other.run(lambda route: [found.get_attr("IFA_ADDRESS") for found in route.get_addr()])
            assert addresses == ["10.80.0.5"]
        with pytest.raises(TestbedError, match="refused"):
            netlink.create_veth("v0", mtu=1400, peer_netns=two, peer_ifname="eth1", peer=Address())
        assert netlink.delete("v0") and not netlink.delete("v0")


@pytest.mark.privileged
def test_a_namespace_is_made_once_and_removed_once(rid: RunId) -> None:
    name = rid.netns("one")
    namespaces.create(name)
    with pytest.raises(TestbedError, match="exists"):
        namespaces.create(name)
    assert namespaces.exists(name) and namespaces.identity(name) != namespaces.identity("none")
    assert namespaces.remove(name) and not namespaces.remove(name)
    with pytest.raises(TestbedError, match="no such"):
        namespaces.run_in(name, lambda: None)
