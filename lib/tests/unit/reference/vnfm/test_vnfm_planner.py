"""Plans of a change of package and of the way back, for any counts and policies."""

from __future__ import annotations

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from nfvcert.reference.vnfm.planner import Change, Present, plan_change, plan_rollback

shares = st.lists(st.integers(1, 99), unique=True, max_size=5).map(lambda found: (*sorted(found), 100))
counts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 6), max_size=3)


def kinds(change: Change) -> list[str]:
    shown = []
    for step in plan_change(change):
        more = step.get("share", sum(step["count"].values()) if "count" in step else "")
        shown.append(f"{step['do']} {more}".strip())
    return shown


def test_room_for_all_creates_as_the_shares_ask() -> None:
    assert kinds(Change({"worker": 2}, "new", (10, 30, 100), 2)) == [
        "create",
        "migrate 10",
        "migrate 30",
        "create",
        "migrate 100",
        "retire 2",
        "complete",
        "commit",
    ]


def test_room_for_one_retires_in_between() -> None:
    assert kinds(Change({"worker": 2}, "new", (50, 100), 1)) == [
        "create",
        "migrate 50",
        "retire 1",
        "create",
        "migrate 100",
        "retire 1",
        "complete",
        "commit",
    ]


def test_no_room_retires_before_it_creates() -> None:
    assert kinds(Change({"worker": 1}, "new", (100,), 0)) == ["retire 1", "create", "migrate 100", "complete", "commit"]


def test_nothing_mapped_only_coordinates() -> None:
    assert kinds(Change({}, "new", (100,), 0)) == ["migrate 100", "complete", "commit"]


@given(counts, shares, st.integers(0, 8))
def test_number_stays_within_what_is_paid_for(old: dict[str, int], steps: tuple[int, ...], room: int) -> None:
    left, new = dict(old), dict.fromkeys(old, 0)
    total = sum(old.values())
    plan = plan_change(Change(old, "new", steps, room))
    identifiers = [step["vnfc"] for step in plan if step["do"] == "create"]
    assert len(set(identifiers)) == len(identifiers) == total
    for step in plan:
        if step["do"] == "create":
            new[step["vdu"]] += 1
        elif step["do"] == "retire":
            for vdu, count in step["count"].items():
                assert count > 0
                left[vdu] -= count
                assert left[vdu] >= 0
        elif step["do"] == "migrate":
            assert all(new[vdu] >= ceil(step["share"] * old[vdu] / 100) for vdu in old)
        assert sum(left.values()) + sum(new.values()) <= total + room
        assert sum(left.values()) + sum(new.values()) >= min(total, total + room - 1) - (room == 0)
    assert new == old
    assert not any(left.values())
    assert [step["do"] for step in plan][-2:] == ["complete", "commit"]


@given(
    st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True), st.booleans()
)
def test_rollback_leads_from_any_state_to_the_start(before: list[str], now: list[str], change: bool) -> None:
    there = set(now)
    plan = plan_rollback(
        [Present(name, "worker", "old") for name in before],
        [Present(name, "worker", "any") for name in now],
        traffic=True,
        change=change,
    )
    for step in plan:
        if step["do"] == "create":
            there.add(step["vnfc"])
        elif step["do"] in ("remove", "drain"):
            assert set(before) <= there
            there -= set(step["vnfcs"])
    assert there == set(before)
    assert plan[-1] == {"do": "restore"}


def test_rollback_before_anyone_was_told_asks_nobody() -> None:
    old = [Present("a", "worker", "old")]
    plan = plan_rollback(old, [*old, Present("b", "worker", "new")], traffic=False, change=True)
    assert [step["do"] for step in plan] == ["remove", "restore"]


def test_rollback_of_an_instantiation_releases_everything() -> None:
    plan = plan_rollback([], [Present("a", "lb", "old")], traffic=True, change=False, release=True)
    assert [step["do"] for step in plan] == ["remove", "release", "restore"]
