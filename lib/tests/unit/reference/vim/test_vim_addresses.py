"""Addresses that the VIM hands out."""

from __future__ import annotations

import pytest

from nfvcert.reference.vim.addresses import (
    AddressError,
    PoolExhaustedError,
    allocate,
    default_gateway,
    default_pools,
    free_vni,
    mac_address,
    requested_address,
)

POOL = [{"start": "10.0.0.2", "end": "10.0.0.4"}, {"start": "10.0.0.8", "end": "10.0.0.9"}]


def test_mac_addresses_depend_on_the_port_alone() -> None:
    assert mac_address("a") == mac_address("a") != mac_address("b")
    assert mac_address("a").startswith("fa:16:3e:") and len(mac_address("a")) == 17


def test_an_address_that_was_given_back_rests_as_long_as_possible() -> None:
    assert allocate(POOL, ()) == "10.0.0.2"
    assert allocate(POOL, {"10.0.0.2"}, after="10.0.0.3") == "10.0.0.4"
    assert allocate(POOL, (), after="10.0.0.4") == "10.0.0.8"
    assert allocate(POOL, (), after="10.0.0.9") == "10.0.0.2"
    assert allocate(POOL, {"10.0.0.8", "10.0.0.9"}, after="10.0.0.4") == "10.0.0.2"


def test_a_pool_runs_out() -> None:
    used = {"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.8", "10.0.0.9"}
    with pytest.raises(PoolExhaustedError):
        allocate(POOL, used, after="10.0.0.3")


def test_default_pools_leave_the_gateway_out() -> None:
    assert default_gateway("10.0.0.0/29") == "10.0.0.1"
    assert default_pools("10.0.0.0/29", "10.0.0.1") == [{"start": "10.0.0.2", "end": "10.0.0.6"}]
    assert default_pools("10.0.0.0/29", "10.0.0.3") == [
        {"start": "10.0.0.1", "end": "10.0.0.2"},
        {"start": "10.0.0.4", "end": "10.0.0.6"},
    ]
    assert default_pools("10.0.0.0/29", None) == [{"start": "10.0.0.1", "end": "10.0.0.6"}]


@pytest.mark.parametrize("address", ["10.0.1.1", "10.0.0.0", "10.0.0.7", "x", "10.0.0.2"])
def test_addresses_that_cannot_be_given(address: str) -> None:
    with pytest.raises(AddressError):
        requested_address("10.0.0.0/29", address, {"10.0.0.2"})


def test_network_identifiers_fill_gaps() -> None:
    assert free_vni({100, 101, 103}) == 102
