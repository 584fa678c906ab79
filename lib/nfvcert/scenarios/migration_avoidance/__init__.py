"""Scenarios of dynamic scaling with migration avoidance (ETSI GS NFV-REL 002 clause 6.2, annex A.1)."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.errors import UsageError
from nfvcert.history.repeated import scenario_and_number
from nfvcert.scenarios.migration_avoidance import both_ways, changing, disturbing, splitting
from nfvcert.scenarios.migration_avoidance.stage import Stage
from nfvcert.scenarios.profile import ScalingProfile
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.attachment import DataplaneAccess

SCENARIOS: dict[str, Callable[[Stage], None]] = {
    "ma-plain": splitting.plain,
    "ma-sub-ranges": splitting.sub_ranges,
    "ma-heavy-tailed": splitting.heavy_tailed,
    "ma-openvswitch": splitting.openvswitch,
    "ma-never-migrate": splitting.never_migrate,
    "ma-table-full": splitting.table_full,
    "ma-always-migrate": splitting.always_migrate,
    "ma-move-interrupted": disturbing.move_interrupted,
    "ma-move-target-killed": disturbing.move_target_killed,
    "ma-move-target-stopped": disturbing.move_target_stopped,
    "ma-burst": disturbing.burst,
    "ma-idle": disturbing.idle,
    "ma-refused-rules": disturbing.refused_rules,
    "ma-controller-killed": disturbing.controller_killed,
    "ma-quota": disturbing.quota,
    "ma-alternative": splitting.alternative,
    "ma-list-delayed": disturbing.list_delayed,
    "ma-both-ways": both_ways.both_ways,
    "ma-doubling": splitting.doubling,
    "ma-overload": disturbing.overload,
    "ma-stillborn": disturbing.stillborn,
    "ma-version": changing.version,
    "ma-version-back": changing.version_back,
    "ma-scale-in": changing.scale_in,
    "ma-scale-in-endless": changing.scale_in_endless,
    "ma-turn-round": changing.turn_round,
}


def record(scenario: str, recording: Recording, access: DataplaneAccess, profile: ScalingProfile) -> None:
    """Record one scenario, also a further time under the name of its repeat.

    Args:
        recording: not entered yet.
        access: of the testbed, whose dataplane is brought up and taken down here.

    Raises:
        UsageError: there is no scenario of that name.
        NfvcertError: the dataplane did not come up, or something it needs did not answer.
    """
    procedure = SCENARIOS.get(scenario_and_number(scenario)[0])
    if procedure is None:
        raise UsageError("there is no such scenario", found=scenario, hint=f"one of {', '.join(SCENARIOS)}")
    procedure(Stage(recording, access, profile))
