"""The pure core: phases, decisions, lawful ways from state to state, errors."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.reference.nfvo import outcome
from nfvcert.reference.nfvo.states import FOLLOWS, route
from nfvcert.reference.nfvo.steps import OF_STATE, Phase, Status, decide, new_step, phase
from nfvcert.sol.common import LcmOperationState
from nfvcert.sol.nslcm import NsLcmOperationState as State
from nfvcert.sol.nslcm import NsState

W, R, D, U, G, S, B = (
    Phase.WAITING,
    Phase.RUNNING,
    Phase.DONE,
    Phase.UNDONE,
    Phase.GIVEN_UP,
    Phase.STOPPED,
    Phase.UNDOING,
)


@pytest.mark.parametrize(
    ("phases", "state", "begin"),
    [
        ([W], State.PROCESSING, 0),
        ([R], State.PROCESSING, None),
        ([D], State.COMPLETED, None),
        ([S], State.FAILED_TEMP, None),
        ([B], State.ROLLING_BACK, None),
        ([U], State.ROLLED_BACK, None),
        ([G], State.FAILED, None),
        ([D, W], State.PROCESSING, 1),
        ([R, W], State.PROCESSING, None),
        ([D, S, W], State.FAILED_TEMP, None),
        ([D, U, W], State.PARTIALLY_COMPLETED, None),
        ([U, W], State.ROLLED_BACK, None),
        ([G, W], State.FAILED, None),
        ([D, D], State.COMPLETED, None),
        ([D, G], State.PARTIALLY_COMPLETED, None),
        ([], State.COMPLETED, None),
    ],
)
def test_decisions(phases: list[Phase], state: State, begin: int | None) -> None:
    found = decide(phases)
    assert (found.state, found.begin) == (state, begin)


def test_after_continue_the_rest_is_begun() -> None:
    assert decide([G, W], carry_on=True).begin == 1
    assert decide([G, D], carry_on=True).state is State.PARTIALLY_COMPLETED
    assert decide([G, G], carry_on=True).state is State.FAILED


@given(st.lists(st.sampled_from(Phase), min_size=1, max_size=5), st.booleans())
def test_completed_means_every_vnf_and_an_end_means_nothing_is_at_work(phases: list[Phase], carry_on: bool) -> None:
    found = decide(phases, carry_on=carry_on)
    assert (found.state is State.COMPLETED) == all(one is D for one in phases)
    if found.state.final:
        assert not {R, B, S, Phase.ASKING} & set(phases)
    if found.begin is not None:
        assert phases[found.begin] is W
        assert W not in phases[: found.begin]


@pytest.mark.parametrize(("current", "target"), list(itertools.product(State, State)))
def test_ways_are_lawful(current: State, target: State) -> None:
    way = route(current, target)
    for here, following in itertools.pairwise([current, *way]):
        assert following in FOLLOWS[here]
    assert way[-1:] == ([target] if way else [])
    if not current.final and current is not target:
        assert way


def test_phases_of_a_step() -> None:
    step = new_step("CHANGE_VNFPKG", "vnf", "profile", "vnfd", {})

    def of(operation: dict[str, str] | None) -> Phase:
        return phase(step, operation, lambda _, state: OF_STATE[state])

    assert of(None) is W
    step |= {"status": Status.ACCEPTED, "operation": "op"}
    assert of(None) is R
    stopped = {"operationState": "FAILED_TEMP", "entered": "t1"}
    assert of(stopped) is S
    step["order"] = {"task": "rollback", "entered": "t1"}
    assert of(stopped) is B
    assert of(stopped | {"entered": "t2"}) is S
    step["order"] = {"task": "retry", "entered": "t1"}
    assert of(stopped) is R
    assert {of({"operationState": state, "entered": "t3"}) for state in LcmOperationState} == set(OF_STATE.values())


def test_errors_name_the_vnf() -> None:
    step = new_step("CHANGE_VNFPKG", "vnf-7", "profile", "vnfd", {}) | {"operation": "op-9"}
    found = outcome.error([(step, S, {"operationState": "FAILED_TEMP", "error": {"status": 503, "detail": "why"}})])
    assert found["status"] == 503
    assert all(word in found["detail"] for word in ("vnf-7", "op-9", "why"))
    assert outcome.error([])["detail"]
    assert outcome.error([(step, S, {"operationState": "FAILED_TEMP"})])["status"] == 500


def test_services_that_were_given_up_half_way_can_be_terminated() -> None:
    assert outcome.service_state("INSTANTIATE", State.FAILED) is NsState.INSTANTIATED
    assert outcome.service_state("INSTANTIATE", State.ROLLED_BACK) is None
    assert outcome.service_state("TERMINATE", State.COMPLETED) is NsState.NOT_INSTANTIATED
    assert outcome.service_state("TERMINATE", State.FAILED) is None
    assert outcome.service_state("UPDATE", State.COMPLETED) is None
