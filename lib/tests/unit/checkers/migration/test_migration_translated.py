"""What the purpose on translated traffic sees: each sort of packets at the wrong place, lost, late, or not at all."""

from __future__ import annotations

import pytest
from scaling_stories import told
from scaling_world import Change, Scaling
from synthetic_world import declared
from translated_stories import broken_off, endpoint_lost, first_fragments_elsewhere, lose, overtaken

from nfvcert.checkers import judge
from nfvcert.checkers.case import Judgement
from nfvcert.measure import Verdict


def judged(*changes: Change) -> Judgement:
    """The verdict on a history with something changed."""
    return judge("TP.MA.05.2", {"ma-both-ways": told("ma-both-ways", *changes)}, declared())


@pytest.mark.parametrize("way", ["out", "back"])
@pytest.mark.parametrize("kind", ["datagram", "first fragment", "later fragment", "ICMP error"])
def test_what_does_not_reach_its_owner_is_named(kind: str, way: str) -> None:
    judgement = judged(lose(kind, way))
    assert judgement.verdict is Verdict.FAIL
    named = f"{kind}s {'outward' if way == 'out' else 'back'}"
    assert any("did not reach the owner of their flow" in text and named in text for text in texts(judgement))


def texts(judgement: Judgement) -> tuple[str, ...]:
    """Reason and observations."""
    return (judgement.reason, *judgement.observations)


def test_fragments_at_another_instance_violate_affinity() -> None:
    judgement = judged(first_fragments_elsewhere)
    assert judgement.verdict is Verdict.FAIL
    assert "handled by an instance other than their owner" in judgement.reason
    assert any("first fragments outward" in text for text in judgement.observations)


def test_order_and_external_endpoint_are_kept() -> None:
    late = judged(overtaken)
    assert late.verdict is Verdict.FAIL
    assert "packets reordered: 1" in late.reason
    anew = judged(endpoint_lost)
    assert anew.verdict is Verdict.FAIL
    assert "another external endpoint" in anew.reason


def test_streams_that_were_not_sent_to_their_end_say_nothing() -> None:
    judgement = judged(broken_off)
    assert judgement.verdict is Verdict.INCONC
    assert "not all packets" in judgement.reason


def test_packets_that_were_not_kept_say_nothing() -> None:
    def dropped(world: Scaling) -> None:
        world.trial_changes["foreign"] = len(world.packets) + 3

    judgement = judged(dropped)
    assert judgement.verdict is Verdict.INCONC
    assert "3 packets at the sink were not the generator's" in judgement.reason


def test_sorts_that_were_not_seen_everywhere_say_nothing() -> None:
    def only_old(world: Scaling) -> None:
        world.packets = [row for row in world.packets if world.offered[row["stream"]]["old"]]
        world.offered = [row for row in world.offered if row["old"]]
        numbers = {row["stream"]: number for number, row in enumerate(world.offered)}
        for row in (*world.packets, *world.offered):
            row["stream"] = numbers[row["stream"]]

    judgement = judged(only_old)
    assert judgement.verdict is Verdict.INCONC
    assert "of instance 2 seen after the push" in judgement.reason
