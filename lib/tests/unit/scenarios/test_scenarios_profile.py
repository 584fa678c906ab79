"""Run profiles: those that ship are whole, what is wrong with others is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.catalogue import load
from nfvcert.errors import UsageError
from nfvcert.scenarios.profile import FOLDER, RunProfile, read_profile
from nfvcert.traffic.profiles import read_traffic_profile

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_profiles_that_ship_are_whole(name: str) -> None:
    profile = read_profile(name)
    assert profile.name == name
    assert profile.description
    for traffic in (profile.traffic, profile.background_traffic):
        read_traffic_profile(traffic)


@pytest.mark.parametrize("name", SHIPPED)
def test_weaker_bounds_are_those_of_tested_purposes(name: str) -> None:
    tested = {purpose.id for purpose in load().purposes if purpose.test is not None}
    bounds = read_profile(name).weaker_bounds
    assert set(bounds) <= tested
    assert all(bounds.values())


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (FOLDER / "light.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("sessions: 8", "sessions: 3"), encoding="utf-8")
    assert read_profile(str(path)).sessions == 3


def test_an_unknown_profile_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run profile 'lihgt'") as raised:
        read_profile("lihgt")
    assert all(name in raised.value.hint for name in SHIPPED)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sessions: 8", "sessions: -1", "greater than or equal to 0, found '-1'"),
        ("control_s: 1.5", "control_s: 0", "greater than 0, found '0'"),
        ("warm_up_s:", "warmup_s:", "unknown key 'warmup_s'; did you mean 'warm_up_s'?"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    text = (FOLDER / "light.yaml").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_profile(str(path))
    assert message in raised.value.message


def test_every_time_of_a_profile_has_a_bound() -> None:
    for name, field in RunProfile.model_fields.items():
        if name.endswith("_s"):
            assert field.metadata, name
