"""When a deal was lost and won, and for the how-manieth time.

A standing rule of the deal itself. It decides nothing but facts: each turn into «lost» is one closing with a number,
and all that follows for people is derived from these numbers. It cannot know turns between two looks. A deal that is
first seen closed was closed at that moment, as far as this rule knows: a close date is a plan until the deal closes,
and a return that waits a day too long does less harm than one that leaves no time to undo a slip of the hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.record import Side
from sync.rules import Fields
from sync.standing import Memory, Related, Situation, Standing, StandingRule, is_set

NAME = "closings"
OPEN, WON, LOST = "open", "won", "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What is remembered of a deal: its outcome ("" = not known), the number of its closings so far, when it turned
    lost and won (unix seconds, 0 = never), and whether the last closing may be told (`known_before`: it may not)."""

    outcome: str = ""
    closings: int = 0
    lost_at: float = 0.0
    won_at: float = 0.0
    known_before: bool = False

    @property
    def current(self) -> int:
        """The number of the closing that stands now, 0 if the deal is not lost."""
        return self.closings if self.outcome == LOST else 0


def outcome_of(values: Fields) -> str:
    """won, lost or open, by the row `outcome` or else by the flags; "" where neither was read."""
    if is_set(found := values.get("outcome")):
        return str(found)
    closed = values.get("deal.closed")
    if not isinstance(closed, bool):
        return ""
    if not closed:
        return OPEN
    return WON if values.get("deal.won") is True else LOST


def closing_of(related: Related) -> Closing:
    """What the deal's own rule remembers, whether it stands alone in the memory or under the rule's name."""
    return _remembered(related.memory.get(NAME, related.memory))


def _remembered(memory: Mapping[str, Any]) -> Closing:
    return Closing(
        outcome=str(memory.get("outcome", "")),
        closings=int(memory.get("count", 0)),
        lost_at=float(memory.get("lost_at", 0.0)),
        won_at=float(memory.get("won_at", 0.0)),
        known_before=bool(memory.get("known_before", False)),
    )


def turned(before: Closing, outcome: str, now: float, *, quiet: bool) -> Closing:
    """The next state of a deal that is seen with an outcome; an unknown outcome changes nothing."""
    if not outcome or outcome == before.outcome:
        return before
    lost = outcome == LOST
    return Closing(
        outcome=outcome,
        closings=before.closings + lost,
        lost_at=now if lost else before.lost_at,
        won_at=now if outcome == WON else before.won_at,
        known_before=quiet if lost else before.known_before,
    )


def _memory(closing: Closing) -> Memory:
    return {
        "outcome": closing.outcome,
        "count": closing.closings,
        "lost_at": closing.lost_at,
        "won_at": closing.won_at,
        "known_before": closing.known_before,
    }


def derive(situation: Situation) -> Standing:
    """Bring a deal's memory up to date; a deal without a live record keeps what it had."""
    before = _remembered(situation.memory)
    after = turned(before, outcome_of(situation.of(Side.SFA)), situation.now, quiet=situation.quiet)
    return Standing(memory=_memory(after))


def closings_rule() -> StandingRule:
    """The standing rule of every deal."""
    return StandingRule(name=NAME, derive=derive)
