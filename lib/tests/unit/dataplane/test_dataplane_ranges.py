"""Flow ids, ranges, masks and rule sets."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.dataplane.identity import IDS, Identity, crc32c, flow, flow_id
from nfvcert.dataplane.ranges import bitmap, blocks, prefix_entries, prefixes, ranges_of, set_of, upper_part
from nfvcert.dataplane.rules import PARTITION, RangeRule, change, ports_of, range_rules, rule_set


def test_crc_of_the_check_string() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_what_each_identity_looks_at() -> None:
    first, second = (1, 2, 3, 4, 17), (1, 2, 5, 6, 17)
    assert flow_id(*first) != flow_id(*second)
    assert flow_id(*first, Identity.ADDRESSES) == flow_id(*second, Identity.ADDRESSES)
    assert flow_id(*second, Identity.SOURCE_PORT) == 5


@given(st.integers(0, IDS - 1), st.integers(0, IDS - 1))
def test_masks_cover_a_range_exactly(one: int, two: int) -> None:
    lo, hi = min(one, two), max(one, two)
    found = prefixes(lo, hi)
    at = lo
    for value, mask in found:
        assert value == at
        assert value & mask == value
        at += (~mask & 0xFFFF) + 1
    assert at == hi + 1
    assert prefix_entries(np.array([lo]), np.array([hi]))[0] == len(found) <= 30
    starts, ends = blocks(np.array([lo]), np.array([hi]))
    assert sorted(starts.tolist()) == [value for value, _ in found]
    assert sorted(ends.tolist()) == [value + (~mask & 0xFFFF) for value, mask in found]


@given(st.sets(st.integers(0, IDS - 1), max_size=200))
def test_sets_ranges_and_bitmaps_say_the_same(chosen: set[int]) -> None:
    ids = set_of([(value, value) for value in chosen])
    assert np.array_equal(set_of(ranges_of(ids)), ids)
    text = base64.b64encode(np.packbits(ids, bitorder="little").tobytes()).decode()
    assert np.array_equal(bitmap(text), ids)


def test_a_bitmap_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="8192 octets"):
        bitmap("AAAA")


@given(st.lists(st.integers(1, IDS - 1), max_size=300, unique=True), st.integers(0, 2**32 - 1))
def test_rules_make_the_map_that_they_were_made_from(cuts: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 3, len(cuts) + 1)
    ports = np.repeat(values, np.diff([0, *sorted(cuts), IDS])).astype(np.int8)
    names = ["s1", "s2", "s3"]
    rules = range_rules(ports, names, 0)
    assert np.array_equal(ports_of(rules, names), ports)
    assert (len(rules) <= PARTITION) or rules[0] == RangeRule(0, IDS - 1, "s1")


def test_a_change_holds_only_what_differs() -> None:
    names = ["s1", "s2"]
    ports = np.zeros(IDS, np.int8)
    before = rule_set(ports, {}, names, 0)
    ports[upper_part(np.ones(IDS, np.bool_), 0.5)] = 1
    old = flow(1, 2, 3, 4, 17)
    after = rule_set(ports, {old: 0}, names, 0)
    needed = change(before, after)
    assert needed.remove == ["s1:0-65535"]
    assert [rule.name for rule in needed.rest.add] == ["s1:0-32767", "s2:32768-65535"]
    assert len(needed.exceptions) == 1
    assert not change(after, after)
