"""The case collects reasons and only worsens; views derive what they say."""

from __future__ import annotations

import pytest
from synthetic_world import declared

from nfvcert.checkers import Case, checker
from nfvcert.checkers.views.flows import Flow, User, flows, users
from nfvcert.checkers.views.inventory import lifetimes, peak, sample_at, sample_before, samples
from nfvcert.checkers.views.operations import NEXT_STATES, distinct_states, first_sighting, notified, polled, reachable
from nfvcert.checkers.views.records import differences
from nfvcert.checkers.views.traffic import Stage, share_measure, stages
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.measure import Measure, Verdict


def _event(seq: int) -> Event:
    return Event(seq, EventKind.MARK, "scenario", "upgrade", {}, "", seq)


def _history(*numbers: int) -> History:
    return History("upgrade", [_event(number) for number in numbers])


def test_a_case_that_looked_at_nothing_is_inconclusive() -> None:
    judgement = Case("TP.X").judge("fine")
    assert (judgement.verdict, judgement.reason) == (Verdict.INCONC, "nothing was judged")


def test_the_first_reason_of_the_worst_verdict_is_given_and_the_others_are_observations() -> None:
    case = Case("TP.X")
    assert not case.guard(False, "not seen")
    assert not case.expect(False, "wrong")
    assert not case.expect(False, "wrong too")
    assert case.expect(True, "never said")
    judgement = case.judge("fine")
    assert (judgement.verdict, judgement.reason) == (Verdict.FAIL, "wrong")
    assert judgement.observations == ("wrong too", "not seen")


def test_a_reason_is_said_once() -> None:
    case = Case("TP.X")
    case.expect(False, "wrong")
    case.expect(False, "wrong")
    assert case.judge("fine").observations == ()


def test_a_measure_decides_and_its_reason_tells_value_and_limit() -> None:
    case = Case("TP.X")
    assert case.measure(Measure("m", 1, "packets", "<=", 2, "declared"), "too many")
    assert not case.measure(Measure("m", 3, "packets", "<=", 2, "declared"), "too many")
    judgement = case.judge("fine")
    assert judgement.reason == "too many: 3 packets, limit <= 2"
    assert [measure.value for measure in judgement.measures] == [1, 3]


def test_a_limit_inside_the_interval_is_inconclusive_and_says_so() -> None:
    case = Case("TP.X")
    case.measure(Measure("m", 3, "points", "<=", 2, "declared", interval=(1, 4)), "off")
    judgement = case.judge("fine")
    assert judgement.verdict is Verdict.INCONC
    assert "inside the uncertainty interval" in judgement.reason


def test_evidence_is_bounded_and_in_order() -> None:
    case = Case("TP.X")
    history = _history(*range(100))
    case.rests_on(history, reversed(history.events))
    case.rests_on(history, history.events)
    evidence = case.judge("fine").evidence["upgrade"]
    assert len(evidence) == Case.MOST_EVIDENCE
    assert evidence == sorted(evidence)


def test_a_judgement_is_written_as_results_have_it() -> None:
    case = Case("TP.X")
    case.rests_on(_history(4, 2), _history(4, 2).events)
    case.expect(True, "")
    case.observe("by the way")
    assert case.judge("fine").to_dict() == {
        "id": "TP.X",
        "verdict": "PASS",
        "reason": "fine",
        "evidence": [{"scenario": "upgrade", "seq": [2, 4]}],
        "measures": [],
        "observations": ["by the way"],
    }


def test_a_purpose_has_one_checker() -> None:
    with pytest.raises(ValueError, match="has a checker already"):
        checker("TP.VNF.01.2")(lambda *_: Case("TP.VNF.01.2").judge(""))


# views


def test_every_state_leads_to_an_end() -> None:
    final = {state for state, following in NEXT_STATES.items() if not following}
    assert final == {"COMPLETED", "PARTIALLY_COMPLETED", "ROLLED_BACK", "FAILED"}
    for state in NEXT_STATES:
        assert any(reachable(state, end) for end in final)
    assert not reachable("COMPLETED", "PROCESSING")
    assert not reachable("PROCESSING", "STARTING")
    assert reachable("STARTING", "ROLLED_BACK")


def test_a_state_is_seen_first_where_it_was_seen_earliest(good: dict[str, History]) -> None:
    history, operation = good["upgrade"], "vnf-op-upgrade"
    first = first_sighting(history, operation, "COMPLETED")
    assert first is not None
    assert first.t == min(
        s.t for s in polled(history, operation) + notified(history, operation) if s.state == "COMPLETED"
    )
    assert distinct_states(notified(history, operation, sink="full")) == ["STARTING", "PROCESSING", "COMPLETED"]
    assert first_sighting(history, operation, "FAILED") is None


def test_a_vnfc_that_ends_stays_what_it_was() -> None:
    """Its host still lists it without an executable for a while."""
    digest = declared().in_service.executables["worker"][0]

    def sample(t: int, executable: str | None) -> Event:
        container = {"id": "c1", "executable_sha256": executable, "pid": 7, "start_time_ns": 1, "state": "running"}
        hosts = [{"host": "host1", "containers": [container]}]
        return Event(t, EventKind.INVENTORY, "hosts", "upgrade", {"hosts": hosts}, "", t)

    seen = samples(History("upgrade", [sample(1, digest), sample(2, None)]), declared())
    life = lifetimes(seen)["c1"]
    assert (life.vnfc.generation, life.first, life.last) == ("old", 1, 2)


@pytest.mark.parametrize("state", ["creating", "exited", "dead"])
def test_what_does_not_run_is_no_vnfc(state: str) -> None:
    container = {"id": "c1", "executable_sha256": "x", "state": state}
    data = {"hosts": [{"host": "host1", "containers": [container]}]}
    history = History("upgrade", [Event(1, EventKind.INVENTORY, "hosts", "upgrade", data, "", 0)])
    assert samples(history, declared())[0].vnfcs == ()


def test_samples_around_a_time(good: dict[str, History]) -> None:
    found = samples(good["upgrade"], declared())
    middle = found[10].t
    assert sample_at(found, middle) is found[10]
    assert sample_before(found, middle) is found[9]
    assert sample_before(found, 0) is found[0]
    assert sample_at(found, found[-1].t + 1) is found[-1]
    most = peak(found, 0, found[-1].t)
    assert most is not None
    assert len(most.vnfcs) == 5
    assert peak(found, 0, 1) is None


def test_flows_meet_the_vnfcs_that_the_taps_saw(good: dict[str, History]) -> None:
    history = good["upgrade"]
    carried = flows(history, lifetimes(samples(history, declared())))
    assert carried == sorted(carried, key=lambda flow: flow.start)
    assert all(flow.stays and flow.lost == 0 for flow in carried)
    moved = [flow for flow in carried if len(flow.stays) > 1]
    assert {flow.stays[0].generation for flow in moved} == {"old"}
    assert {flow.stays[-1].generation for flow in moved} == {"new"}
    requests = users(carried)
    assert sum(len(user.flows) for user in requests) == len(carried)
    assert [user.start for user in requests] == sorted(user.start for user in requests)


def test_stages_last_from_the_share_to_the_decision(good: dict[str, History]) -> None:
    found = stages(good["upgrade"], "upgrade")
    assert [stage.share for stage in found] == [10, 30, 100]
    decided = [event.t for event in good["upgrade"].marks(marks.DECISION)]
    assert [stage.end for stage in found] == decided


def _users(old: int, new: int) -> list[User]:
    nothing: tuple[Flow, ...] = ()
    return [User(f"u{i}", i, i, "old" if i < old else "new", 0, (), nothing) for i in range(old + new)]


@pytest.mark.parametrize(
    ("old", "new", "share", "verdict"),
    [
        (900, 100, 10.0, Verdict.PASS),
        (880, 120, 10.0, Verdict.PASS),
        (870, 130, 10.0, Verdict.INCONC),
        (0, 1000, 10.0, Verdict.FAIL),
        (1000, 0, 30.0, Verdict.FAIL),
        (5, 5, 10.0, Verdict.FAIL),
        (17, 3, 10.0, Verdict.INCONC),
    ],
)
def test_shares_are_judged_with_their_sampling_error(old: int, new: int, share: float, verdict: Verdict) -> None:
    stage = Stage("upgrade", share, 0, old + new, _event(0))
    measure = share_measure(_users(old, new), stage, tolerance=2, source="declared")
    assert measure is not None
    assert measure.verdict is verdict, measure


def test_without_requests_there_is_no_share() -> None:
    assert share_measure(_users(3, 3), Stage("upgrade", 10, 100, 200, _event(0)), tolerance=2, source="") is None


def test_snapshots_differ_by_what_can_be_compared() -> None:
    vnf = {"vnfdId": "a", "instantiatedVnfInfo": {"vnfcResourceInfo": [{"vduId": "worker", "vnfdId": "a", "id": "1"}]}}
    same = {"vnfdId": "a", "instantiatedVnfInfo": {"vnfcResourceInfo": [{"vduId": "worker", "vnfdId": "a", "id": "2"}]}}
    assert differences({"vnf_instance": vnf}, {"vnf_instance": same}) == []
    found = differences(
        {"vnf_instance": vnf, "shares": {"a": 100}}, {"vnf_instance": {**vnf, "vnfdId": "b"}, "shares": {}}
    )
    assert [text.split(" was ")[0] for text in found] == ["vnfdId", "shares"]
