"""REL002.MA.5: scale-out with migration avoidance balances load quickly, at a small and short cost (annex A.1).

The workload may be recorded several times. Then counts are those of the worst repeat, and what is measured is the
median of all with the interval of its order statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, lossless, table_within
from nfvcert.checkers.rel002.figures import Figures, figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.loads import STAYS_NS, loads
from nfvcert.checkers.rel002.truth import Truth
from nfvcert.history import History, marks
from nfvcert.history import migration as m
from nfvcert.history.repeated import repeat_name
from nfvcert.measure import Measure
from nfvcert.measure.repeats import METHOD, estimate

CONVERGENCE_LIMIT_S = 5.6
ADDED_LATENCY_LIMIT_US = 10.0
DETOUR_LIMIT_PERCENT = 50.0
RATIO_TO_PLAIN = 0.5
RATIO_NOISE = 0.1
"""Two standard deviations of that ratio, relative to it, at full scale; with fewer flows chance has more of a part."""
LATE_NS = 1_000_000_000
ANNEX = "A.1"
FULL_REPEATS = 20


@dataclass(frozen=True, slots=True)
class Run:
    """One recording of the workload: by our method, and by the plain one beside it (None: not recorded)."""

    history: History
    flows: Truth
    measured: Figures
    plain: Figures | None

    @property
    def judged_s(self) -> float:
        """Seconds from the trigger to the end of the traffic."""
        return (self.measured.end_ns - self.measured.trigger_ns) / 1e9


@checker("TP.MA.05.1")
def annex_a1(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The experiment of the annex: loads converge and stay, at a small and short cost."""
    case = Case(purpose)
    runs = _runs(case, histories)
    affinity(case, max((run.flows for run in runs), key=lambda flows: int(flows.violated.sum())))
    lossless(case, max((run.flows for run in runs), key=lambda flows: int(flows.lost.sum())))
    _balance(case, runs)
    _cost(case, runs)
    table_within(case, max((run.measured for run in runs), key=lambda measured: measured.table_max))
    _beside_plain(case, runs)
    heavy = histories.get("ma-heavy-tailed")
    if heavy is not None and len(heavy):
        apart = figures(heavy)
        reached = "never converged" if apart.convergence_s is None else f"converged in {apart.convergence_s:.1f} s"
        case.observe(
            f"with heavy-tailed flows: {reached}, imbalance {apart.imbalance_percent:.1f} %, "
            f"{apart.affinity_violations} violations, {apart.lost} packets missing"
        )
    case.observe(f"{len(runs)} repeat(s) judged; the draft of the purpose asks for {FULL_REPEATS}")
    return case.judge("loads converged and stayed; detours were few, short and cheap")


def _runs(case: Case, histories: Histories) -> list[Run]:
    """All repeats.

    Raises:
        Missing: not all were recorded, or one of the trials is invalid: a fault may hide in that very one.
    """
    first = history_of(histories, "ma-sub-ranges")
    begin = first.mark(marks.BEGIN)
    asked = int(begin.data.get("repeats") or 1) if begin is not None else 1
    runs = []
    for number in range(1, asked + 1):
        history = history_of(histories, repeat_name("ma-sub-ranges", number))
        _, flows = guarded(case, history)
        beside = histories.get(repeat_name("ma-plain", number))
        if beside:
            case.rests_on(beside, beside.marks(m.SPLIT)[:1])
        runs.append(Run(history, flows, figures(history), figures(beside) if beside else None))
    return runs


def _median(
    name: str, values: list[float], unit: str, limit: float, source: str, *, rule: str, digits: int = 2
) -> Measure:
    """What several repeats measured, against a limit that it may not exceed."""
    found = estimate(values)
    interval = None
    if found.count > 1:
        interval = (round(found.low, digits), round(found.high, digits))
        rule = f"{rule}; {METHOD}, {found.count} repeats"
    return Measure(name, round(found.median, digits), unit, "<=", limit, source, interval=interval, rule=rule)


def _balance(case: Case, runs: list[Run]) -> None:
    for run in runs:
        if run.measured.convergence_s is None and run.judged_s < CONVERGENCE_LIMIT_S + STAYS_NS / 1e9:
            case.guard(
                False,
                f"the traffic went on for {run.judged_s:.1f} s after the trigger only, too short to see convergence",
            )
            return
    first = runs[0].measured
    if first.scale < 1:
        case.observe(
            f"weaker bound: at this scale flows are fewer, so the imbalance is judged against "
            f"{first.imbalance_limit:g} % instead of 5 %"
        )
    case.measure(
        _median(
            "imbalance",
            [run.measured.imbalance_percent for run in runs],
            "%",
            first.imbalance_limit,
            "nfvcert",
            rule="largest window of 1 s from convergence to the end of the traffic",
        ),
        "imbalance of the instances",
    )
    reached = [run.measured.convergence_s for run in runs]
    case.measure(
        _median(
            "convergence",
            [run.judged_s if found is None else found for run, found in zip(runs, reached, strict=True)],
            "s",
            CONVERGENCE_LIMIT_S,
            ANNEX,
            rule="first second, by steps of 100 ms, from which the imbalance stays within its limit for 5 s",
        ),
        "loads did not converge" if None in reached else "loads did not converge in time",
    )


def _cost(case: Case, runs: list[Run]) -> None:
    added = [run.measured.added_latency_median_us for run in runs]
    if case.guard(None not in added, "no packet was detoured, so its latency is not known"):
        case.measure(
            _median(
                "added_latency_median_detour",
                [found for found in added if found is not None],
                "us",
                ADDED_LATENCY_LIMIT_US,
                "A.1 (average), ours on the median",
                rule="median over intervals of the difference of medians, weighted by detoured packets",
            ),
            "added median latency over limit",
        )
    case.measure(
        _median(
            "detour_bandwidth",
            [run.measured.detour_peak_percent for run in runs],
            "% of offered",
            DETOUR_LIMIT_PERCENT,
            ANNEX,
            rule="largest window of 1 s",
        ),
        "detoured traffic",
    )
    late = [
        loads(run.history).detoured_after(run.measured.push_ns + LATE_NS)
        for run in runs
        if run.measured.push_ns is not None
    ]
    if case.guard(len(late) == len(runs), "the final push to the hardware switch was not reached"):
        case.measure(
            Measure(
                "detoured_packets_later_than_1s_after_push", max(late), "count", "=", 0, "6.2 step 6, nfvcert value"
            ),
            "packets detoured later than 1 s after the push",
        )


def _beside_plain(case: Case, runs: list[Run]) -> None:
    ratios = []
    for run in runs:
        plain, measured = run.plain, run.measured
        if not case.guard(plain is not None, "the plain method was not run beside it"):
            return
        assert plain is not None
        if not case.guard(plain.detoured_packets > 0, "the plain method detoured nothing"):
            return
        if not case.guard(
            plain.scale == measured.scale
            and abs(plain.end_ns - plain.trigger_ns - (measured.end_ns - measured.trigger_ns)) < LATE_NS,
            "the plain method was not run with the same load and for the same time",
        ):
            return
        ratios.append(measured.detoured_bytes / plain.detoured_bytes)
    scale = runs[0].measured.scale
    limit = ratio_limit(scale)
    if scale < 1:
        case.observe(
            f"weaker bound: at this scale flows are fewer, so detoured octets are judged against {limit:g} of "
            f"the plain method's instead of {RATIO_TO_PLAIN:g}"
        )
    case.measure(
        _median(
            "detoured_bytes_ratio_to_plain",
            ratios,
            "1",
            limit,
            "nfvcert",
            rule="detoured octets of both runs of this certification",
            digits=3,
        ),
        "octets detoured in comparison with the plain method",
    )


def ratio_limit(scale: float) -> float:
    """What detoured octets may be of the plain method's, at a share of the full load."""
    return round(RATIO_TO_PLAIN * (1 + RATIO_NOISE * max(0.0, scale**-0.5 - 1)), 3)
