"""When people whom sales gave back, or never touched, return to nurture.

A lead that is rejected, and one that stays un-worked for too long, is a case of its own each time it starts to be so
(an episode, with a number). What was so before anything could be announced is no case; a lead that is taken up again
ends it. It may not know which status means what: the conditions come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from revenue.cases import Case
from revenue.days import DAY
from revenue.exclusions import Exclusions
from revenue.returns import ListForm, Returns, Terms, gives
from revenue.routes import Reasons, Route, Verdict, way_of
from revenue.task import told_of
from sync.record import Side
from sync.rules import Condition
from sync.standing import Situation, Standing, StandingRule

REJECTED, UNWORKED = "rejected", "unworked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Sales gives somebody back: `when` (asked of the SFA side) has held for `wait` seconds; the way by `reasons`."""

    when: Condition
    reasons: Reasons
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unworked:
    """Nobody takes somebody up: `still` (asked of the SFA side) has held for `after` seconds; the way is `route`."""

    still: Condition
    after: float
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadReturns:
    """Who returns without a deal. Keys: `return:{entity}:rejected:{n}`, `return:{entity}:unworked:{n}`, `reopen:…` (off
    the list), `remind:{entity}:rejected:{n}`."""

    rejected: Rejected | None = None
    unworked: Unworked | None = None
    never: Exclusions = field(default_factory=Exclusions)
    form: ListForm = field(default_factory=ListForm)
    zone: str = "UTC"
    patience: float = 30 * DAY
    name: str = "lead_return"


class Episode(NamedTuple):
    """How often a condition has started to hold, whether it holds, since when, and whether that may be told."""

    number: int = 0
    on: bool = False
    at: float = 0.0
    known_before: bool = False


def lead_returns_rule(rule: LeadReturns) -> StandingRule:
    """The standing rule; a person without a live SFA record keeps what stands."""
    terms = Terms(name=rule.name, never=rule.never, form=rule.form, zone=rule.zone, patience=rule.patience)

    def derive(situation: Situation) -> Standing:
        if Side.SFA not in situation.fields:
            return Standing(memory=situation.memory)

        def way(case: Case) -> Verdict:
            if case.subject == UNWORKED and rule.unworked is not None:
                return Verdict(route=rule.unworked.route, reason=UNWORKED)
            reasons = rule.rejected.reasons if rule.rejected else Reasons()
            return way_of(reasons, case.reason, case.due, situation.now)

        episodes = _episodes(rule, situation)
        cases = tuple(_cases(rule, situation, episodes))
        numbers = {name: each.number if each.on else 0 for name, each in episodes.items()}
        facts = {"episodes": {name: each._asdict() for name, each in episodes.items() if each.number}}
        return Returns(terms=terms, situation=situation, cases=cases, way=way).standing(facts, numbers)

    return StandingRule(name=rule.name, derive=derive, gives=gives(rule.name))


def _episodes(rule: LeadReturns, situation: Situation) -> Mapping[str, Episode]:
    known = situation.memory.get("episodes", {})
    asked = {
        REJECTED: rule.rejected.when if rule.rejected else None,
        UNWORKED: rule.unworked.still if rule.unworked else None,
    }
    found: dict[str, Episode] = {}
    for name, condition in asked.items():
        if condition is None:
            continue
        before = Episode(**known.get(name, {}))
        on = condition(situation.of(Side.SFA))
        started = on and not before.on
        found[name] = (
            Episode(before.number + 1, on, situation.now, situation.quiet)
            if started
            else before._replace(on=on)
        )
    return found


def _cases(rule: LeadReturns, situation: Situation, episodes: Mapping[str, Episode]) -> list[Case]:
    fields = told_of(situation)
    waits = {
        REJECTED: rule.rejected.wait if rule.rejected else 0.0,
        UNWORKED: rule.unworked.after if rule.unworked else 0.0,
    }
    by = rule.rejected.reasons.by if rule.rejected else ""
    reasons = {REJECTED: str(situation.of(Side.SFA).get(by) or ""), UNWORKED: UNWORKED}
    return [
        Case(name, each.number, each.at + waits[name], reasons[name], fields)
        for name, each in episodes.items()
        if each.on and not each.known_before
    ]
