"""Closings: each turn into «lost» counts once, whatever comes between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.closings import Closing, closing_of, outcome_of
from sync.record import Value
from tests.support.standing import DAY, NOON, Asked, Deal, situation

OUTCOMES = st.sampled_from(["open", "won", "lost", ""])


def closing(deal: Deal) -> Closing:
    return closing_of(deal.related)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"outcome": "won", "deal.closed": True, "deal.won": False}, "won"),
        ({"deal.closed": True, "deal.won": False}, "lost"),
        ({"deal.closed": True, "deal.won": True}, "won"),
        ({"deal.closed": True}, "lost"),
        ({"deal.closed": False, "deal.won": True}, "open"),
        ({"outcome": "", "deal.closed": False}, "open"),
        ({}, ""),
    ],
)
def test_the_mappings_outcome_counts_before_the_flags(values: dict[str, Value], outcome: str) -> None:
    """Without a row `outcome` the closed and won flags say it; without flags nothing is known."""
    assert outcome_of(values) == outcome


def test_lost_reopened_and_lost_again_are_two_closings() -> None:
    """Each turn has its own number and time; being still lost is no new turn."""
    deal = Deal()
    seen = []
    for day, outcome in enumerate(["open", "lost", "lost", "open", "lost"]):
        deal.turn(outcome, NOON + day * DAY)
        seen.append((closing(deal).current, closing(deal).lost_at))
    assert seen == [
        (0, 0.0), (1, NOON + DAY), (1, NOON + DAY), (0, NOON + DAY), (2, NOON + 4 * DAY),
    ]  # fmt: skip


def test_won_corrected_to_lost_is_a_closing_and_lost_corrected_to_won_ends_it() -> None:
    """Corrections are turns like any other."""
    deal = Deal()
    deal.turn("won", NOON)
    assert closing(deal) == Closing(outcome="won", won_at=NOON)
    deal.turn("lost", NOON + DAY)
    assert (closing(deal).current, closing(deal).won_at) == (1, NOON)
    deal.turn("won", NOON + 2 * DAY)
    assert (closing(deal).current, closing(deal).won_at) == (0, NOON + 2 * DAY)


def test_what_was_lost_before_renkei_looked_is_known_before() -> None:
    """A first sync announces no old losses; the same deal's next closing is news."""
    deal = Deal()
    deal.turn("lost", NOON, quiet=True)
    assert closing(deal).known_before
    deal.turn("open", NOON + DAY)
    deal.turn("lost", NOON + 2 * DAY)
    assert (closing(deal).current, closing(deal).known_before) == (2, False)


def test_a_deal_that_is_first_seen_lost_was_lost_when_it_was_seen() -> None:
    """The wait that guards against a slip of the hand starts when we could first see the loss."""
    deal = Deal()
    deal.turn("lost", NOON, {"deal.close_date": "2020-01-01"})
    assert (closing(deal).current, closing(deal).lost_at, closing(deal).known_before) == (1, NOON, False)


def test_a_deleted_deal_and_an_unknown_outcome_keep_what_was_known() -> None:
    """Neither a missing record nor a stage that nobody listed is a turn."""
    deal = Deal()
    deal.turn("lost", NOON)
    kept = deal.asked.memory
    deal.asked.look(situation(now=NOON + DAY))
    deal.turn("", NOON + DAY)
    assert deal.asked.memory == kept


def test_the_memory_is_read_alone_or_under_the_rules_name() -> None:
    """A person's situation may hold one memory or one per rule of the deal."""
    deal = Deal()
    deal.turn("lost", NOON)
    nested = Deal(asked=Asked(deal.asked.rule, memory={"closings": deal.asked.memory}))
    assert closing_of(nested.related) == closing_of(deal.related)


@given(st.lists(st.tuples(OUTCOMES, st.booleans()), max_size=30))
def test_closings_are_the_turns_into_lost(looks: list[tuple[str, bool]]) -> None:
    """For any sequence of looks the number is that of turns into lost, and never falls."""
    deal, turns, before = Deal(), 0, ""
    for day, (outcome, quiet) in enumerate(looks):
        deal.turn(outcome, NOON + day * DAY, quiet=quiet)
        turns += outcome == "lost" != before
        before = outcome or before
        assert closing_of(deal.related).closings == turns
    assert closing_of(deal.related).outcome == before
