"""Who is hot: a score with two thresholds, so that a number that trembles rings no bell.

Decides when a person enters and leaves, and counts the enterings. It announces nothing: that is the hand-over's, to
which it adds one field. It cannot know what the score did between two looks, and a score that it cannot read says
nothing about the person.
"""

from __future__ import annotations

from dataclasses import dataclass

from revenue.hand_over import Trigger
from revenue.money import amount_of
from sync.record import Side
from sync.rules import Fields
from sync.standing import Situation, Standing, StandingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class HotRule:
    """Enter at `enter` or above, leave below `leave`; at most one hand-over in `dwell` (seconds).

    `field` is the MA side's score; `<name>.<threshold>` is added to that side.
    """

    field: str
    enter: int
    leave: int
    dwell: float = 0.0
    name: str = "score"
    threshold: str = "hot"

    @property
    def hot(self) -> str:
        """The field that this rule adds."""
        return f"{self.name}.{self.threshold}"


def heat(rule: HotRule, score: object, *, hot: bool) -> bool:
    """Whether a person who was (not) hot is hot at this score; what is no number changes nothing."""
    number = amount_of(score) if isinstance(score, int | str) else None
    if number is None:
        return hot
    return number >= rule.leave if hot else number >= rule.enter


def hot_rule(rule: HotRule) -> StandingRule:
    """The standing rule: memory {hot, since, crossing}; without a live MA record nothing changes."""

    def derive(situation: Situation) -> Standing:
        if Side.MA not in situation.fields:
            return Standing(memory=situation.memory)
        before = bool(situation.memory.get("hot", False))
        crossing = int(situation.memory.get("crossing", 0))
        since = float(situation.memory.get("since", 0.0))
        now = heat(rule, situation.of(Side.MA).get(rule.field), hot=before)
        if now != before:
            crossing, since = crossing + now, situation.now
        memory = {"hot": now, "crossing": crossing, "since": since}
        return Standing(memory=memory, fields={Side.MA: {rule.hot: now}})

    return StandingRule(name=rule.hot, derive=derive, gives={Side.MA: {rule.hot: "boolean"}})


def hot_trigger(rule: HotRule) -> Trigger:
    """The hand-over's trigger «the person is hot», with the rule's dwell."""

    def is_hot(fields: Fields) -> bool:
        return fields.get(rule.hot) is True

    return Trigger(name=rule.name, when=is_hot, dwell=rule.dwell)
