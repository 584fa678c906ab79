"""Names of scenarios that are recorded several times."""

from __future__ import annotations

import pytest

from nfvcert.history.repeated import in_words, repeat_name, repeats_of, scenario_and_number


@pytest.mark.parametrize(("number", "name"), [(1, "ma-plain"), (2, "ma-plain-r2"), (20, "ma-plain-r20")])
def test_a_name_tells_scenario_and_number(number: int, name: str) -> None:
    assert repeat_name("ma-plain", number) == name
    assert scenario_and_number(name) == ("ma-plain", number)


def test_repeats_are_counted_in_words() -> None:
    assert (
        in_words(["ma-plain", "ma-sub-ranges", "ma-idle", "ma-plain-r2"])
        == "ma-plain (2 times), ma-sub-ranges, ma-idle"
    )


def test_repeats_come_in_the_order_of_their_numbers() -> None:
    recorded = {"ma-plain-r10": "j", "ma-plain": "a", "ma-sub-ranges-r2": "x", "ma-plain-r2": "b"}
    assert repeats_of("ma-plain", recorded) == {1: "a", 2: "b", 10: "j"}
    assert list(repeats_of("ma-plain", recorded)) == [1, 2, 10]
    assert repeats_of("ma-idle", recorded) == {}
