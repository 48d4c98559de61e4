"""When the people of a lost deal return to nurture: once per deal, closing and person.

Decides whose deal it is and whether it still counts as lost. The closing's number comes from the deal's own memory; a
return is only kept up while the deal's values agree with it. A loss that was known before anything could be announced
never returns anybody. A deal that is out of sight (deleted, or the person's role was taken away) returns nobody
and takes nobody back. It may not know what a list is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from revenue.cases import Case
from revenue.closings import LOST, closing_of, outcome_of
from revenue.days import DAY
from revenue.deals import takes_part, with_outcome
from revenue.exclusions import Exclusions
from revenue.returns import ListForm, Returns, Terms, gives
from revenue.routes import Reasons, Verdict, way_of
from sync.record import Side
from sync.rules import Condition, always
from sync.standing import Related, Situation, Standing, StandingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle:
    """Who returns of a lost deal, after which `wait` (seconds since the loss), and on which way (`reasons`).

    `when`: asked of the deal, besides being lost. `roles`: as in DealFields. `zone`: where days begin.
    Keys: `return:{entity}:{deal}:{closing}`, `reopen:…` (off the list), `remind:{deal}-{closing}` (one for everybody).
    """

    reasons: Reasons
    wait: float = DAY
    when: Condition = always
    never: Exclusions = field(default_factory=Exclusions)
    roles: tuple[str, ...] = ()
    form: ListForm = field(default_factory=ListForm)
    zone: str = "UTC"
    patience: float = 30 * DAY
    name: str = "recycle"


def recycle_rule(rule: Recycle) -> StandingRule:
    """The standing rule; a person without a live SFA record keeps what stands."""
    terms = Terms(name=rule.name, never=rule.never, form=rule.form, zone=rule.zone, patience=rule.patience)

    def derive(situation: Situation) -> Standing:
        if Side.SFA not in situation.fields:
            return Standing(memory=situation.memory)

        def way(case: Case) -> Verdict:
            return way_of(rule.reasons, case.reason, case.due, situation.now)

        cases = tuple(case for deal in situation.related if (case := _case(rule, deal)) is not None)
        numbers = {deal.ref.id: closing_of(deal).current for deal in situation.related}
        return Returns(terms=terms, situation=situation, cases=cases, way=way).standing({}, numbers)

    return StandingRule(name=rule.name, derive=derive, gives=gives(rule.name))


def _reason(deal: Related, by: str) -> str:
    """The reason as the mapping reads it, or in the vendor's own word where no rule lists that: it is not blank."""
    return str(deal.values.get(by) or deal.unknown.get(by) or "")


def _case(rule: Recycle, deal: Related) -> Case | None:
    closing = closing_of(deal)
    if not closing.current or closing.known_before or not takes_part(deal, rule.roles):
        return None
    values = with_outcome(deal)
    return Case(
        subject=deal.ref.id,
        number=closing.current,
        due=closing.lost_at + rule.wait,
        reason=_reason(deal, rule.reasons.by),
        values=values,
        sure=outcome_of(deal.values) == LOST and rule.when(values),
        deal=deal.ref.id,
    )
