"""Placing servers: capacity, group policies, determinism."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.reference.vim.scheduler import (
    AFFINITY,
    ANTI_AFFINITY,
    NO_VALID_HOST,
    SOFT_ANTI_AFFINITY,
    HostState,
    NoValidHostError,
    Wanted,
    candidates,
    place,
)

HOSTS = [HostState("host1", 4, 1024), HostState("host2", 4, 1024), HostState("host3", 4, 1024)]


def test_equal_hosts_are_taken_by_name() -> None:
    assert place(HOSTS, Wanted(1, 64)) == "host1"


def test_the_host_with_fewest_cpus_in_use_is_taken() -> None:
    hosts = [HostState("host1", 4, 1024, vcpus_used=2), HostState("host2", 4, 1024, vcpus_used=1)]
    assert place(hosts, Wanted(1, 64)) == "host2"


def test_soft_anti_affinity_spreads_before_load_counts() -> None:
    hosts = [HostState("host1", 4, 1024), HostState("host2", 4, 1024, vcpus_used=3, ram_mb_used=900)]
    assert place(hosts, Wanted(1, 64, SOFT_ANTI_AFFINITY, ("host1",))) == "host2"


def test_soft_anti_affinity_shares_a_host_when_it_must() -> None:
    wanted = Wanted(1, 64, SOFT_ANTI_AFFINITY, ("host1", "host2", "host3", "host1"))
    assert place(HOSTS, wanted) == "host2"


def test_hard_policies_refuse() -> None:
    with pytest.raises(NoValidHostError, match="No valid host was found"):
        place(HOSTS[:1], Wanted(1, 64, ANTI_AFFINITY, ("host1",)))
    assert place(HOSTS, Wanted(1, 64, AFFINITY, ("host3",))) == "host3"


@pytest.mark.parametrize("wanted", [Wanted(5, 64), Wanted(1, 2048), Wanted(1, 64, forced_host="host9")])
def test_what_fits_nowhere_is_refused_in_the_words_of_nova(wanted: Wanted) -> None:
    with pytest.raises(NoValidHostError) as refused:
        place(HOSTS, wanted)
    assert str(refused.value) == NO_VALID_HOST


hosts_of_any_load = st.lists(
    st.builds(
        HostState,
        name=st.sampled_from([f"host{n}" for n in range(1, 9)]),
        vcpus=st.integers(1, 8),
        ram_mb=st.integers(64, 2048),
        vcpus_used=st.integers(0, 8),
        ram_mb_used=st.integers(0, 2048),
        enabled=st.booleans(),
    ),
    unique_by=lambda host: host.name,
)


@given(hosts=hosts_of_any_load, vcpus=st.integers(1, 8), ram=st.integers(1, 2048), data=st.data())
def test_no_host_is_ever_overfilled_and_order_does_not_matter(
    hosts: list[HostState], vcpus: int, ram: int, data: st.DataObject
) -> None:
    members = tuple(data.draw(st.lists(st.sampled_from([f"host{n}" for n in range(1, 9)]))))
    wanted = Wanted(vcpus, ram, SOFT_ANTI_AFFINITY, members)
    chosen = candidates(hosts, wanted)
    assert all(host.enabled and host.vcpus_free >= vcpus and host.ram_mb_free >= ram for host in chosen)
    assert chosen == candidates(list(reversed(hosts)), wanted)
    if chosen:
        assert members.count(chosen[0].name) == min(members.count(host.name) for host in chosen)
