"""Procedures that disturb a scale-out: bursts, pauses, slow and refused rules, kills, quotas, wrong reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nfvcert.scenarios.migration_avoidance.experiment import Experiment
from nfvcert.scenarios.migration_avoidance.splitting import LONGEST_S, TAIL, TENANT, foreign
from nfvcert.scenarios.migration_avoidance.stage import Stage

BURST_MS = 200
BURST_RATE = 20_000
FOREIGN_ENTRIES = 1_900
QUOTA = 148
IDLE_FLOWS = 200
IDLE_SHARES = (0.1, 0.5, 0.9, 1.1)
"""Silences of pausing flows in shares of the state timeout."""
OUTLASTS_MS = 5_000
"""A state timeout that outlasts the restart of a server switch."""
UNDER_WAY_S = 0.3
"""So long a message takes from a controller that dies meanwhile."""
PUSHED_S = 8.0
"""By then the table takes the exceptions that are needed."""
BACK_S = 2.5
"""A controller that was killed works again by then."""
DOWN_S = 0.5
"""A controller that was killed stays away for that long; orders under way have arrived by then."""

HALF_OF_PIECES = 60
"""Flows are moved in some 130 pieces."""
STANDS_S = 2.0


def burst(stage: Stage) -> None:
    """Ten times as many new flows in the 100 ms around snapshot and push."""
    rate = BURST_RATE * stage.profile.load
    with stage.experiment("plain", about={"burst": {"per_second": rate, "duration_ms": BURST_MS}}) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s - BURST_MS / 2000)
        experiment.handle.generator.flow_burst(duration_ms=BURST_MS, new_per_second=rate)
        experiment.until(stage.trigger_s)
        identifier = experiment.split()
        held = experiment.relays["switch"]
        held.hold_next("apply", BURST_MS / 2000)
        held.await_order("apply", LONGEST_S)
        experiment.handle.generator.flow_burst(duration_ms=BURST_MS, new_per_second=rate)
        experiment.controller.await_step(identifier, "push", timeout_s=LONGEST_S)
        experiment.finish()


def idle(stage: Stage) -> None:
    """Flows that fall silent for 10, 50, 90 and 110 % of the state timeout."""
    timeout = stage.access.settings.state_timeout_ms
    silences = [round(share * timeout) for share in IDLE_SHARES]
    pauses = {"flows": IDLE_FLOWS, "silences_ms": silences, "mean_active_ms": 300}
    about = {"idle": {"flows": IDLE_FLOWS, "silences_ms": silences}}
    with stage.experiment("plain", name="idle", extra={"pauses": pauses}, about=about) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        experiment.split()
        experiment.finish()


def refused_rules(stage: Stage) -> None:
    """The switch takes 10 ms a rule and refuses one in 50."""
    setup = {"switch": {"rule_delay_us": 10_000, "refuse_every": 50}}
    with stage.experiment("plain", setup=setup) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        experiment.split()
        experiment.finish()


def controller_killed(stage: Stage) -> None:
    """The controller is killed after each message of the push in turn, and started again.

    The switch refuses a rule now and then, so that the push takes several messages. Every other one of those under way
    when the controller dies is lost with it.
    """
    kills = stage.profile.kills
    least = stage.trigger_s + PUSHED_S + kills * BACK_S
    with stage.experiment("plain", least_s=least, setup={"switch": {"refuse_every": 50}}) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        push = experiment.relays["switch"]
        push.hold_next("apply", UNDER_WAY_S)
        experiment.split()
        for number in range(1, kills + 1):
            if not push.await_order("apply", PUSHED_S):
                break
            experiment.kill("controller")
            experiment.until(experiment.now_s + DOWN_S)
            if number < kills:
                push.hold_next("apply", UNDER_WAY_S, lose=number % 2 == 1)
            experiment.revive("controller")
        experiment.finish()


def quota(stage: Stage) -> None:
    """Other tenants hold most of the table; some flows never end."""
    setup = {"controller": {"quota": stage.entries(QUOTA)}}
    with stage.experiment("plain", setup=setup, name="tail", extra={"endless": TAIL}) as experiment:
        foreign(experiment.handle.switch(TENANT), stage.entries(FOREIGN_ENTRIES))
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        experiment.split()
        experiment.finish()


def list_delayed(stage: Stage) -> None:
    """The list of old flows takes long to reach the new side, whose server switch is restarted later."""
    with stage.experiment("alternative", setup={"state_timeout_ms": OUTLASTS_MS}) as experiment:
        delay = 0.4
        experiment.relays["s2"].delay("expect_flows", delay)
        experiment.fault("slow", "s2", op="expect_flows", seconds=delay)
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        identifier = experiment.split()
        experiment.controller.await_step(identifier, "push", timeout_s=LONGEST_S)
        experiment.relays["s2"].delay("expect_flows", 0.0)
        experiment.until(experiment.now_s + 1.0)
        experiment.restart("s2")
        experiment.finish()


def move_interrupted(stage: Stage) -> None:
    """Half of the flows are moved when the controller dies with the state of some under way, which is lost with it."""
    with _moving(stage) as experiment:
        import_ = experiment.relays["s2/v1"]
        import_.hold_next("import_flows", DOWN_S / 2, skip=HALF_OF_PIECES, lose=True)
        identifier = experiment.split()
        import_.await_order("import_flows", LONGEST_S)
        experiment.restart("controller", after_s=DOWN_S, kind="kill")
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        _moved(experiment)


def move_target_killed(stage: Stage) -> None:
    """The new instance dies when half of the flows are moved; then the move is asked for again, to a third one."""
    with _moving(stage, servers=3) as experiment:
        import_ = experiment.relays["s2/v1"]
        import_.hold_next("import_flows", DOWN_S / 2, skip=HALF_OF_PIECES, lose=True)
        identifier = experiment.split()
        import_.await_order("import_flows", LONGEST_S)
        experiment.kill("s2/v1")
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        experiment.until(experiment.now_s + 1.0)
        again = experiment.split("again", target="s3/v1")
        experiment.controller.await_state(again, timeout_s=LONGEST_S)
        _moved(experiment)


def move_target_stopped(stage: Stage) -> None:
    """The new instance stands still for two seconds when half of the flows are moved."""
    with _moving(stage) as experiment:
        import_ = experiment.relays["s2/v1"]
        import_.hold_next("import_flows", 0.05, skip=HALF_OF_PIECES)
        identifier = experiment.split()
        import_.await_order("import_flows", LONGEST_S)
        experiment.stand_still("s2/v1", STANDS_S)
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        _moved(experiment)


@contextmanager
def _moving(stage: Stage, servers: int | None = None) -> Iterator[Experiment]:
    """An experiment of which the move is about to be asked for; its instances keep what they counted to the end."""
    setup = {"function": "monitor", "parameters": {"idle_timeout_ms": 120_000}}
    with stage.experiment("always-migrate", servers=servers, setup=setup) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        yield experiment


def _moved(experiment: Experiment) -> None:
    experiment.dump_states("after")
    experiment.finish()
    experiment.dump_states("final")
    experiment.record_states()


def overload(stage: Stage) -> None:
    """An overload is reported twice, and once more when it has been dealt with; later one while no server is free."""
    with stage.experiment("plain", servers=3) as experiment:
        report = experiment.controller.report_overload
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        identifier = report("overload", experiment.initial)
        report("doubled", experiment.initial)
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        report("doubled-late", experiment.initial)
        experiment.until(experiment.now_s + 0.5)
        report("second", "s2/v1")
        report("no-place", "s3/v1")
        experiment.finish()


def stillborn(stage: Stage) -> None:
    """The new instance is killed 100 ms after the split."""
    with stage.experiment("plain") as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        identifier = experiment.split()
        experiment.controller.await_step(identifier, "detour", timeout_s=LONGEST_S)
        experiment.until(experiment.now_s + 0.1)
        experiment.kill("s2/v1")
        experiment.finish()
