"""``nfvcert bench switch``: switch and NAT as processes on one core, beside Open vSwitch and the bare link."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from nfvcert.bench.chain import Chain, ChainSetup
from nfvcert.bench.generator import FLOWS, MEMIF, back_by_macswap, trial_details
from nfvcert.bench.machine import describe_machine, versions
from nfvcert.bench.native import Engine, FlowLoad, memif, outcome_of
from nfvcert.bench.noise import NoiseWatch
from nfvcert.bench.peers.openvswitch import open_vswitch, ports_in
from nfvcert.bench.results import Reading, Report
from nfvcert.bench.room import Room
from nfvcert.bench.rounds import Contender, Tell, take_turns
from nfvcert.dataplane.openvswitch import QUEUES
from nfvcert.errors import NfvcertError, TestbedError
from nfvcert.measure.search import Outcome, Peak, find_peak
from nfvcert.scenarios.migration_avoidance.warming import PACKETS_PER_S, SHARE_OF_RING

LINE_RATE = 1_488_095
"""Frames of 64 octets a second in 1 Gbit/s."""
OURS, WITH_SERVER, OVS, FLOOR = "switch + NAT", "switch + server switch + NAT", "Open vSwitch, DPDK", "testpmd macswap"
RULES = 2048
RULE_STEPS = (1, 16, 128, 1024, 2048)
INSTANCE_STEPS = (1, 2, 4, 8, 16)
PEAK_TARGET, OVS_TARGET = 4.0e6, 2.0
LEAST_RATE, MOST_RATE = 50_000.0, 30.0e6
WARM_UP_S, WARM_UP_LONGEST_S = 0.5, 120.0


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    """Repeats, seconds of one trial, seconds at 1.488 Mpps, accepted share of loss of a peak, width of its search."""

    repeats: int = 5
    seconds: float = 1.0
    soak_seconds: float = 60.0
    loss_limit: float = 0.0
    width: float = 0.03
    ring: int = 8192
    sweeps: bool = True


def run_switch_bench(room: Room, settings: SwitchSettings, tell: Tell) -> Report:
    """Measure peaks in turn, then 1 Gbit/s of small frames for long, then the cost of more rules and instances."""
    watch = NoiseWatch()
    report = Report("switch", asdict(settings), describe_machine(), versions())
    report.settings |= {"cores": asdict(room.cores), "flows": FLOWS, "frame": 64, "rules": RULES}
    contenders = [
        Contender(OURS, MEMIF, partial(_ours, room, settings, ChainSetup(RULES))),
        Contender(OVS, MEMIF, partial(_ovs, room, settings, RULES)),
        Contender(WITH_SERVER, MEMIF, partial(_ours, room, settings, ChainSetup(RULES, server_switch=True))),
        Contender(FLOOR, MEMIF, partial(_floor, room, settings)),
    ]
    report.series += take_turns(contenders, settings.repeats, tell)
    ours = report.of(OURS)
    found = ours.estimate if ours is not None else None
    report.check(f"peak of {OURS}", found.median if found else None, "packets/s", ">=", PEAK_TARGET)
    report.compare(OURS, OVS, target=OVS_TARGET)
    report.compare(OURS, FLOOR)
    if settings.soak_seconds > 0:
        _soak(room, settings, report, tell)
    if settings.sweeps:
        report.series += take_turns(_sweeps(room, settings), max(1, settings.repeats // 2), tell)
    report.notes += [
        f"peak: highest rate that arrived in a trial with at most {settings.loss_limit:g} of its packets lost; "
        "binary search with loss verification (ETSI GS NFV-TST 009 clause 12.3.3); the engine is the generator for all",
        "a full memif link makes the generator wait, it loses nothing: such a trial counts with what arrived a second",
        f"packets a ring: {settings.ring}",
        "Open vSwitch: 2,048 rules on source ports, one pass through connection tracking with source NAT; it "
        "does not rewrite addresses of the link, which our chain does as well",
        "our processes share the device's core in a control group of their own, as on a testbed, giving way after "
        "every round; Open vSwitch polls on it alone, its other threads run beside the generator",
    ]
    report.noise = watch.finish()
    return report


def _sweeps(room: Room, settings: SwitchSettings) -> list[Contender]:
    contenders = []
    for rules in RULE_STEPS:
        contenders.append(Contender(OURS, MEMIF, partial(_ours, room, settings, ChainSetup(rules)), {"rules": rules}))
        contenders.append(Contender(OVS, MEMIF, partial(_ovs, room, settings, rules), {"rules": rules}))
    for instances in INSTANCE_STEPS:
        setup = ChainSetup(RULES, instances=instances)
        contenders.append(Contender(OURS, MEMIF, partial(_ours, room, settings, setup), {"instances": instances}))
    return contenders


def _soak(room: Room, settings: SwitchSettings, report: Report, tell: Tell) -> None:
    seconds = settings.soak_seconds
    what = f"packets lost at {LINE_RATE} packets/s in {seconds:g} s, {OURS}"
    try:
        with _our_chain(room, settings, ChainSetup(RULES)) as engine:
            _warm_up(engine, FlowLoad(FLOWS), round(settings.ring * SHARE_OF_RING))
            summary = engine.trial(FlowLoad(FLOWS), LINE_RATE, seconds)
    except NfvcertError as error:
        tell(f"{what}: {error.message}")
        report.notes.append(f"{what}: {error.message}")
        report.check(what, None, "packets", "<=", 0)
        return
    tell(f"{what}: {summary['lost']}")
    report.settings["soak"] = trial_details(summary)
    report.check(what, summary["lost"], "packets", "<=", 0)
    for defect in outcome_of(summary, LINE_RATE).defects:
        report.notes.append(f"the trial of {seconds:g} s does not count: {defect}")
        report.checks[-1]["met"] = None


def _ours(room: Room, settings: SwitchSettings, setup: ChainSetup) -> Reading:
    with _our_chain(room, settings, setup) as engine:
        return _peak(engine, settings, links=setup.instances)


@contextmanager
def _our_chain(room: Room, settings: SwitchSettings, setup: ChainSetup) -> Iterator[Engine]:
    folder = room.folder()
    source, sink = folder / "source.sock", folder / "sink.sock"
    with ExitStack() as stack:
        engine = stack.enter_context(_engine(room, folder, source, sink, "server", settings.ring))
        chain = Chain(folder, setup, source=source, sink=sink, core=room.cores.device, ring=settings.ring)
        stack.enter_context(chain)
        engine.await_links()
        chain.await_links()
        yield engine


def _engine(room: Room, folder: Path, source: Path, sink: Path, role: str, ring: int, rx_queues: int = 1) -> Engine:
    ports = {"0": memif(source, role, ring, rx_queues), "1": memif(sink, role, ring, rx_queues)}
    return Engine(folder, ports, room.cores.generator)


def _ovs(room: Room, settings: SwitchSettings, rules: int) -> Reading:
    folder = room.folder()
    cores = room.cores
    with open_vswitch(folder, main_core=cores.generator, polling_core=cores.device, rule_count=rules) as switch:
        left, right = ports_in(folder)
        with _engine(room, folder, left, right, "client", settings.ring, QUEUES) as engine:
            engine.await_links()
            reading = _peak(engine, settings)
        return Reading(reading.rate, {**reading.details, "version": switch.version()})


def _floor(room: Room, settings: SwitchSettings) -> Reading:
    folder = room.folder()
    source, sink = folder / "source.sock", folder / "sink.sock"
    with ExitStack() as stack:
        engine = stack.enter_context(_engine(room, folder, source, sink, "server", settings.ring))
        device = stack.enter_context(back_by_macswap(room, folder, [source, sink], settings.ring))
        engine.await_links()
        device.forward()
        return _peak(engine, settings)


def _peak(engine: Engine, settings: SwitchSettings, *, links: int = 1) -> Reading:
    """Warm up, see what passes when as much as possible is offered, search from there downwards.

    Args:
        links: packets are spread over so many.
    """
    load = FlowLoad(FLOWS)
    _warm_up(engine, load, round(links * settings.ring * SHARE_OF_RING))
    flooded = engine.trial(load, None, settings.seconds)
    passed = flooded["received"] / flooded["duration_s"]

    def measure(rate: float) -> Outcome:
        return engine.outcome(load, rate, settings.seconds)

    most = min(MOST_RATE, max(4 * LEAST_RATE, 1.5 * passed))
    peak = find_peak(measure, minimum=LEAST_RATE, maximum=most, loss_limit=settings.loss_limit, width=settings.width)
    return Reading(peak.delivered, {"passed_when_flooded_pps": passed, **_peak_details(peak)})


def _warm_up(engine: Engine, load: FlowLoad, packets: int) -> None:
    """Let so many packets come through before anything is measured, as scenarios do.

    Raises:
        TestbedError: they do not.
    """
    passed, deadline = 0, time.monotonic() + WARM_UP_LONGEST_S
    while passed < packets:
        if time.monotonic() > deadline:
            what = f"{packets} packets did not pass within {WARM_UP_LONGEST_S:g} s"
            raise TestbedError(what, where="warming links up", found=f"{passed} packets")
        passed += int(engine.trial(load, PACKETS_PER_S, WARM_UP_S)["received"])


def _peak_details(peak: Peak) -> dict[str, object]:
    return {
        "highest_rate_kept": peak.rate,
        "lowest_rate_above": peak.above,
        "limited_by_generator": peak.limited_by_sender,
        "trials": [
            {"rate": round(t.rate), "sent": t.sent, "lost": t.sent - t.received, "defects": list(t.defects)}
            for t in peak.trials
        ],
    }
