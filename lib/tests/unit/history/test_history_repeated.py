"""Names of scenarios that are recorded several times."""

from __future__ import annotations

import pytest

from nfvcert.history.repeated import how_often, in_words, repeat_name, scenario_and_number


@pytest.mark.parametrize(("number", "name"), [(1, "ma-plain"), (2, "ma-plain-r2"), (20, "ma-plain-r20")])
def test_a_name_tells_scenario_and_number(number: int, name: str) -> None:
    assert repeat_name("ma-plain", number) == name
    assert scenario_and_number(name) == ("ma-plain", number)


def test_repeats_are_counted_in_words() -> None:
    assert (
        in_words(["ma-plain", "ma-sub-ranges", "ma-idle", "ma-plain-r2"])
        == "ma-plain (2 times), ma-sub-ranges, ma-idle"
    )


def test_repeats_are_counted_with_their_scenario() -> None:
    counted = how_often(["ma-plain-r10", "ma-plain", "ma-sub-ranges-r2", "ma-plain-r2"])
    assert counted == {"ma-plain": 3, "ma-sub-ranges": 1}
    assert counted["ma-idle"] == 0
