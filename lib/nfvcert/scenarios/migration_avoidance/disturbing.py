"""Procedures that disturb a scale-out: bursts, pauses, slow and refused rules, kills, quotas, wrong reports."""

from __future__ import annotations

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
DOWN_S = 0.5
"""A controller that was killed stays away for that long; orders under way have arrived by then."""


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
    """The controller is killed while the push is under way, and started again."""
    with stage.experiment("plain") as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        experiment.split()
        held = experiment.relays["switch"]
        held.hold_next("apply", 0.3)
        held.await_order("apply", LONGEST_S)
        experiment.restart("controller", after_s=DOWN_S, kind="kill")
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
    """The controller dies when half of the flows are moved; the new instance stands still for two seconds."""
    setup = {"function": "monitor", "parameters": {"idle_timeout_ms": 120_000}}
    with stage.experiment("always-migrate", setup=setup) as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        moving = experiment.relays["s2/v1"]
        moving.hold_next("import_flows", 0.1)
        identifier = experiment.split()
        moving.await_order("import_flows", LONGEST_S)
        experiment.restart("controller", after_s=DOWN_S, kind="kill")
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        experiment.dump_states("after")
        experiment.finish()
        experiment.record_states()


def overload(stage: Stage) -> None:
    """An overload is reported twice; later another one while no server is free."""
    with stage.experiment("plain") as experiment:
        experiment.start_traffic()
        experiment.until(stage.trigger_s)
        identifier = experiment.controller.report_overload("overload", experiment.initial)
        experiment.controller.report_overload("doubled", experiment.initial)
        experiment.controller.await_state(identifier, timeout_s=LONGEST_S)
        experiment.until(experiment.now_s + 0.5)
        experiment.controller.report_overload("no-place", "s2/v1")
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
