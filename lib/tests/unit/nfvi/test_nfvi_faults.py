import threading

from hypothesis import given
from hypothesis import strategies as st

from nfvcert.nfvi.agent.faults import Faults, matches
from nfvcert.nfvi.agent.models import HoldStop, Kill, RefuseCreate

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))


@given(LABELS, LABELS)
def test_labels_match_when_they_hold_all_that_is_wanted(wanted: dict[str, str], labels: dict[str, str]) -> None:
    assert matches(wanted, labels) == (wanted.items() <= labels.items())


def test_a_counted_refusal_is_used_up() -> None:
    faults = Faults()
    faults.add(RefuseCreate(count=2), lasting=True)
    assert [faults.refuses({}) for _ in range(3)] == [True, True, False]
    assert [(record.active, record.hits) for record in faults.list()] == [(False, 2)]


def test_a_refusal_strikes_only_what_it_matches_and_ends_when_cleared() -> None:
    faults = Faults()
    faults.add(RefuseCreate(match={"vdu": "worker"}), lasting=True)
    assert not faults.refuses({"vdu": "lb"})
    assert faults.refuses({"vdu": "worker"})
    faults.clear()
    assert not faults.refuses({"vdu": "worker"})
    assert faults.list() == []


def test_a_refusal_in_time_ends_by_itself() -> None:
    faults = Faults()
    faults.add(RefuseCreate(seconds=1e-9), lasting=True)
    assert not faults.refuses({})


def test_clearing_lets_held_stops_go() -> None:
    faults = Faults()
    faults.add(HoldStop(seconds=3600), lasting=True)
    held = faults.held_stop({"any": "thing"})
    assert held is not None
    waiting = threading.Thread(target=faults.wait_held, args=(held,))
    waiting.start()
    faults.clear()
    waiting.join(10)
    assert not waiting.is_alive()
    assert faults.held_stop({}) is None


def test_a_fault_that_acts_once_is_noted_and_over() -> None:
    faults = Faults()
    record = faults.add(Kill(container="c1"), lasting=False)
    assert (record.active, record.hits) == (False, 1)
    assert faults.list() == [record]
