"""Traffic profiles that ship, and those that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from nfvcert.errors import UsageError
from nfvcert.traffic.profiles import FOLDER, TrafficProfile, read_traffic_profile


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_ships_can_be_read_and_bears_its_name(path: Path) -> None:
    assert read_traffic_profile(path.stem).name == path.stem


def test_the_loads_are_those_the_run_profiles_count_on() -> None:
    full, light = read_traffic_profile("edge-gateway"), read_traffic_profile("light")
    assert (full.pps, full.concurrent_flows) == (20_000, 2000)
    assert (light.pps, light.concurrent_flows) == (2000, 400)


def test_an_unknown_profile_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="edge-gateway, light"):
        read_traffic_profile("edge-gatway")


def test_a_profile_may_come_from_a_file_and_faults_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: own\npps: 10\nconcurrent_flow: 3\n")
    with pytest.raises(
        UsageError, match=r"own\.yaml:3: unknown key 'concurrent_flow'; did you mean 'concurrent_flows'"
    ):
        read_traffic_profile(str(path))


@pytest.mark.parametrize(
    "fault",
    [
        {"pps": 0},
        {"frame_bytes": 66},
        {"frame_bytes": 1515},
        {"mean_flow_lifetime_s": 0},
        {"long_lived_flows": 2001},
        {"user_count": 3000},  # 250 new users a second: back after 12 s, while the first may still be there
        {"user_base": "no address"},
        {"user_base": "255.255.255.0"},
    ],
)
def test_loads_that_make_no_sense_are_refused(fault: dict) -> None:
    good = {"name": "x", "pps": 20_000, "concurrent_flows": 2000}
    TrafficProfile.model_validate(good)
    with pytest.raises(ValidationError):
        TrafficProfile.model_validate(good | fault)
