"""The scenarios: which suite records each, in the order in which they run, how it is titled, how long it takes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from nfvcert.history.repeated import scenario_and_number

Part = Literal["stack", "dataplane"]
"""The part of a testbed on which scenarios run: hosts with the MANO stack, or switches and network functions."""

DATAPLANE_SUITES = "suites/rel002/migration_avoidance"
DATAPLANE_FEATURE = "migration_avoidance"


class Known(NamedTuple):
    """One scenario; ``expected_s`` is its time on two cores with the default profile."""

    suite: str
    title: str
    expected_s: float


def _on_dataplane(suite: str, title: str, expected_s: float = 28) -> Known:
    return Known(f"{DATAPLANE_SUITES}/test_{suite}.py", title, expected_s)


SCENARIOS: dict[str, Known] = {
    "packages": Known("suites/rel006/vnf/test_package.py", "Packages as delivered and as onboarded", 4),
    "lifecycle": Known("suites/tst001/lifecycle.robot", "Instantiation, query and termination", 5),
    "upgrade": Known("suites/rel006/vnf/service_upgrade.robot", "Upgrade under load in three steps", 26),
    "rollback": Known("suites/rel006/general/rollback.robot", "Rollback in three phases", 24),
    "refusals": Known("suites/rel006/vnf/refused_requests.robot", "Requests that must be refused, and their twin", 18),
    "exposure": Known("suites/rel006/vnf/limited_exposure.robot", "Fault of the new version in the first step", 9),
    "ma-plain": _on_dataplane("six_steps", "Annex A.1 workload, steps of clause 6.2"),
    "ma-burst": _on_dataplane("six_steps", "Flows born and ended in the switching instants"),
    "ma-idle": _on_dataplane("six_steps", "Flows that are silent for a while"),
    "ma-refused-rules": _on_dataplane("six_steps", "Slow and refused installation of rules"),
    "ma-controller-killed": _on_dataplane("six_steps", "Controller killed in the middle of a push"),
    "ma-quota": _on_dataplane("six_steps", "Entries of others, a quota and flows that never end"),
    "ma-sub-ranges": _on_dataplane("annex_a1", "Annex A.1 workload, handed over in sub-ranges"),
    "ma-heavy-tailed": _on_dataplane("annex_a1", "Heavy-tailed flow lengths, handed over in sub-ranges"),
    "ma-openvswitch": _on_dataplane("six_steps", "Steps of clause 6.2 on Open vSwitch"),
    "ma-never-migrate": _on_dataplane("never_migrate", "Never migrate: an exception for every old flow"),
    "ma-table-full": _on_dataplane("never_migrate", "More old flows than the table has entries"),
    "ma-always-migrate": _on_dataplane("always_migrate", "Always migrate: state moves between instances"),
    "ma-move-interrupted": _on_dataplane("always_migrate", "Controller killed in the middle of a move"),
    "ma-move-target-killed": _on_dataplane("always_migrate", "New instance killed in the middle of a move"),
    "ma-move-target-stopped": _on_dataplane("always_migrate", "New instance stands still in the middle of a move"),
    "ma-alternative": _on_dataplane("alternative", "Two ranges only, old flows sent back"),
    "ma-list-delayed": _on_dataplane("alternative", "List of old flows under way for long"),
    "ma-both-ways": _on_dataplane("scale_out", "Both directions of translated flows, fragments and ICMP errors"),
    "ma-doubling": _on_dataplane("scale_out", "One to two to four to eight instances"),
    "ma-overload": _on_dataplane("scale_out", "Doubled report of an overload, no free place"),
    "ma-stillborn": _on_dataplane("scale_out", "New instance killed right after the split"),
    "ma-version": _on_dataplane("versions", "New version in stages of 10, 30 and 100 percent"),
    "ma-version-back": _on_dataplane("versions", "Way back from every stage"),
    "ma-scale-in": _on_dataplane("scale_in", "Scale-in without loss"),
    "ma-scale-in-endless": _on_dataplane("scale_in", "Scale-in with flows that never end"),
    "ma-turn-round": _on_dataplane("scale_in", "Scale-out asked again while scaling in"),
}
"""A purpose over several scenarios is shown by the suite of the last one."""


def part_of(suite: str) -> Part:
    """The part of the testbed that a suite needs."""
    return "dataplane" if suite.startswith(f"{DATAPLANE_SUITES}/") else "stack"


def feature_of(suite: str) -> str | None:
    """The feature that a testbed has to declare for a suite; None: every testbed can be asked."""
    return DATAPLANE_FEATURE if part_of(suite) == "dataplane" else None


def title_of(scenario: str) -> str:
    """The title of a scenario, also of one that is recorded again; its name if it is not known."""
    original, number = scenario_and_number(scenario)
    if original not in SCENARIOS:
        return scenario
    return SCENARIOS[original].title + (f", repeat {number}" if number > 1 else "")


def expected_s(scenario: str) -> float:
    """How long a scenario is expected to take."""
    original, _ = scenario_and_number(scenario)
    return SCENARIOS[original].expected_s if original in SCENARIOS else 10.0
