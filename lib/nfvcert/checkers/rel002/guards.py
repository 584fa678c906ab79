"""Guards of every judgement on dynamic scaling: an invalid trial or observers that disagree say nothing (INCONC)."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Missing
from nfvcert.checkers.rel002.loads import loads
from nfvcert.checkers.rel002.streams import packets, recorded
from nfvcert.checkers.rel002.truth import Truth, truth
from nfvcert.checkers.rel002.workload import Workload, faults, traffic_begin, trigger, workload
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.history import migration as m
from nfvcert.measure.trials import Trial, defects_of

SENT_TOLERANCE = 0.001
DURATION_TOLERANCE = 0.01
CLOCK_BOUND_NS = 10_000_000
OBSERVERS_TOLERANCE = 0.001
SILENT_SHARE = 0.01
"""Largest share of flows that may have been silent for longer than the state timeout where no workload asks for it."""


def guarded(case: Case, history: History) -> tuple[Workload, Truth]:
    """Guard trial, clocks and observers of a scenario, state its scale; returns its workload and flows.

    Raises:
        Missing: the trial is invalid or its observers disagree. Such a trial is neither good nor bad, it says nothing;
            so nothing is judged on it.
    """
    offered = workload(history)
    traffic_begin(history)
    trigger(history)
    case.rests_on(history, [offered.event, *history.marks(m.SPLIT)[:6]])
    if offered.scale < 1:
        case.observe(f"load scaled to {offered.scale:g} of the full workload with all ratios kept: {offered.text}")
    flows = truth(history)
    problems = [*_trial(case, history, flows), *_clock(history), *_intervals(history)]
    if not any(fault.data.get("target", "").startswith("s") for fault in faults(history, "kill", "restart")):
        problems += _observers(history, offered)
    if not faults(history, "stop"):
        problems += _silence(offered, flows)
    if problems:
        raise Missing(f"{history.scenario}: {'; '.join(problems)}")
    case.guard(True, "")
    return offered, flows


def _trial(case: Case, history: History, flows: Truth) -> list[str]:
    event = history.mark(marks.TRIAL)
    if event is None:
        raise Missing("the traffic trial was not recorded to its end")
    data = event.data
    case.rests_on(history, [event])
    trial = Trial(
        intended=int(data["intended"]),
        sent=int(data["sent"]),
        intended_duration=float(data["intended_duration"]),
        duration=float(data["duration"]),
        send_errors=int(data.get("send_errors", 0)),
        receiver_drops=int(data.get("receiver_drops", 0)),
    )
    problems = defects_of(trial, sent_tolerance=SENT_TOLERANCE, duration_tolerance=DURATION_TOLERANCE)
    listed = int(flows["sent"].sum())
    if listed != trial.sent:
        problems.append(f"the list of flows tells of {listed} packets sent, the generator of {trial.sent}")
    beside = len(packets(history)) if recorded(history) else 0
    foreign = int(data.get("foreign") or 0)
    if foreign != beside:
        problems.append(
            f"{foreign - beside} packets at the sink were not the generator's: {foreign} came beside those of the flow "
            f"mode, {beside} of them are of its streams"
        )
    return ["the traffic trial is invalid: " + "; ".join(problems)] if problems else []


def _clock(history: History) -> list[str]:
    begin = history.mark(marks.BEGIN)
    error = None if begin is None else (begin.data.get("clock") or {}).get("error_ns")
    bounded = error is not None and int(error) <= CLOCK_BOUND_NS
    return [] if bounded else ["the clocks of the recorders are not bounded to 10 ms"]


def _intervals(history: History) -> list[str]:
    found = loads(history)
    problems = []
    holes = int((found.begin[1:] - found.end[:-1] > 1_000_000).sum())
    if holes:
        problems.append(f"{holes} of the generator's intervals were not recorded")
    told = int(found.sent.sum())
    trial = history.mark(marks.TRIAL)
    sent = int(trial.data["sent"]) if trial is not None else 0
    if told != sent:
        problems.append(f"the interval records tell of {told} packets sent, the generator of {sent}")
    return problems


def _observers(history: History, offered: Workload) -> list[str]:
    """What each server sent back, counted by the switch, must be what packets say it handled and what it detoured."""
    _, last = _first_and_last(history, m.SWITCH)
    if last is None:
        return ["the ports of the hardware switch were not counted"]
    problems = []
    handled = loads(history).handled
    ports = last.data["ports"]
    beside = packets(history).by_instance() if recorded(history) else {}
    total = max(1, sum(int(column.sum()) for column in handled.values()))
    for server in sorted({offered.server(number) for number in offered.instances}):
        if server not in ports:
            continue
        by_packets = sum(
            int(handled[n].sum()) for n in offered.instances if offered.server(n) == server and n in handled
        )
        by_packets += sum(count for n, count in beside.items() if offered.server(n) == server)
        by_packets += _detoured_by(history, server)
        by_port = int(ports[server]["rx_packets"]) - _before_traffic(history, server)
        if abs(by_port - by_packets) > OBSERVERS_TOLERANCE * total:
            problems.append(
                f"observers disagree: port {server} of the switch received {by_port} packets, by the packets it was "
                f"{by_packets}"
            )
    return problems


def _before_traffic(history: History, port: str) -> int:
    """Packets that a port of the switch had received when the traffic began: those of a warm-up."""
    begin = traffic_begin(history)
    seen = history.of(EventKind.PACKET_INTERVAL, where=lambda event: event.source == m.SWITCH and event.t < begin)
    return int(seen[-1].data["ports"].get(port, {}).get("rx_packets", 0)) if seen else 0


def _detoured_by(history: History, server: str) -> int:
    before, last = _first_and_last(history, m.SERVER_SWITCH + server)
    if before is None or last is None:
        raise Missing(f"the server switch of {server} was not counted")
    return _detoured(last) - _detoured(before)


def _detoured(counters: Event) -> int:
    return sum(int(way["packets"]) for way in (counters.data.get("detoured") or {}).values())


def _first_and_last(history: History, source: str) -> tuple[Event | None, Event | None]:
    """The counters before the traffic began, where they were read then, and those at the end."""
    found = history.of(EventKind.PACKET_INTERVAL, where=lambda event: event.source == source)
    return (found[0], found[-1]) if found else (None, None)


def _silence(offered: Workload, flows: Truth) -> list[str]:
    if offered.event.data.get("idle"):
        return []
    silent = int(flows.excused.sum())
    if silent <= SILENT_SHARE * len(flows):
        return []
    return [f"{silent} flows were silent for longer than the state timeout: the generator did not keep its rate"]
