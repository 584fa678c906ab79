"""Procedures that change what serves: a new version in stages and back, scaling in, turning round."""

from __future__ import annotations

from typing import Any

from nfvcert.scenarios.migration_avoidance.experiment import Experiment
from nfvcert.scenarios.migration_avoidance.splitting import LONGEST_S, TAIL
from nfvcert.scenarios.migration_avoidance.stage import Stage

SHORT_S = 0.8
"""Mean lifetime where a scenario has to see the last flow of an instance end."""
STAGES = (0.1, 0.3, 1.0)
STAGE_S = 3.0
LAST_ENDS_S = 10.0
"""By then the last of 10,000 flows with the short mean lifetime has ended."""
LONGEST_WAIT_S = 4.0
TURN_AFTER_S = 2.0
AFTERWARDS_S = 3.0
ENDLESS = {"endless": 2 * TAIL}
"""Half of them begin at the leaving instance."""
WAY_BACK = (("stage-30", 0.3), ("rollback", 0.0), ("stage-30-again", 0.3), ("abrupt", 0.0))
NEW_VERSION = "s2/v1"


def version(stage: Stage) -> None:
    """New flows meet the new version in stages of 10, 30 and 100 percent."""
    least = stage.trigger_s + 2 * STAGE_S + LAST_ENDS_S
    with stage.experiment("plain", least_s=least, name="vers", mean_s=SHORT_S) as experiment:
        experiment.start_traffic()
        for number, share in enumerate(STAGES):
            experiment.until(stage.trigger_s + number * STAGE_S)
            _version(experiment, f"stage-{share * 100:.0f}", share)
        experiment.finish()


def version_back(stage: Stage) -> None:
    """A stage of 30 percent is rolled back gracefully, and the next time abruptly."""
    least = stage.trigger_s + 4 * STAGE_S
    with stage.experiment("plain", least_s=least, name="vers", mean_s=SHORT_S) as experiment:
        experiment.start_traffic()
        for number, (label, share) in enumerate(WAY_BACK):
            experiment.until(stage.trigger_s + number * STAGE_S)
            _version(experiment, label, share, **({"abrupt": True} if label == "abrupt" else {}))
        experiment.finish()


def scale_in(stage: Stage) -> None:
    """The new instance of a balanced pair leaves when its last flow has ended."""
    with stage.experiment("plain", least_s=stage.trigger_s + LAST_ENDS_S, mean_s=SHORT_S) as experiment:
        _balanced(experiment, stage)
        _leave(experiment)
        experiment.finish()


def scale_in_endless(stage: Stage) -> None:
    """Flows that never end keep the leaving instance until the longest wait is over."""
    least = stage.trigger_s + LONGEST_WAIT_S + AFTERWARDS_S
    with stage.experiment("plain", least_s=least, name="tail", mean_s=SHORT_S, extra=ENDLESS) as experiment:
        _balanced(experiment, stage)
        _leave(experiment, longest_wait_s=LONGEST_WAIT_S)
        experiment.finish()


def turn_round(stage: Stage) -> None:
    """A scale-in is turned round by a scale-out while the leaving instance still has flows."""
    with stage.experiment(
        "plain", least_s=stage.trigger_s + TURN_AFTER_S + AFTERWARDS_S, name="tail", mean_s=SHORT_S, extra=ENDLESS
    ) as experiment:
        _balanced(experiment, stage)
        _leave(experiment)
        experiment.until(stage.trigger_s + TURN_AFTER_S)
        experiment.split("turn-round")
        experiment.finish()


def _version(experiment: Experiment, label: str, share: float, **more: Any) -> None:
    experiment.recording.step(f"{share:.0%} of new flows to the new version")
    asked = {"kind": "version", "method": experiment.method, "from": experiment.initial, "to": NEW_VERSION}
    experiment.controller.ask(label, **asked, share=share, **more)


def _balanced(experiment: Experiment, stage: Stage) -> None:
    """Two instances share the load from the first packet on: the range is split while nothing flows."""
    identifier = experiment.split()
    experiment.controller.await_step(identifier, "push", timeout_s=LONGEST_S)
    experiment.start_traffic()
    experiment.until(stage.trigger_s)


def _leave(experiment: Experiment, **more: Any) -> None:
    experiment.recording.step("scaling in: s2/v1 leaves")
    asked = {"kind": "scale-in", "method": experiment.method, "from": "s2/v1", "to": experiment.initial, "share": 0.0}
    experiment.controller.ask("scale-in", **asked, **more)
