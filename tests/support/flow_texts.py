"""Small mappings of deals and of persons with flows, and situations to try them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.errors import MappingError, errors
from mappings.grammar import Grammar
from mappings.load import joined, source_of
from sync.record import Ref, Side, Value
from sync.rules import Effect, Rules
from sync.standing import Related, Situation, Standing

HOT = """\
version: 1
score:
  hot: { enter: 70, leave: 60, dwell: 24h }
domains: { competitor: [rival.jp], own_staff: [our.jp] }
"""
RATES = "currency,from,rate\nUSD,2026-01-01,150\n"

PERSON = """\
version: 1
route: jp-person
kind: person
systems: [marketo, salesforce]
objects: { marketo: Lead, salesforce: { create: Lead, follow: Contact } }
consent:
  all: { marketo: unsubscribed, flow: <->, salesforce: HasOptedOutOfEmail, true_means: opted_out }
fields:
  email: { marketo: email, flow: <->, salesforce: Email, type: email }
  score: { marketo: leadScore, flow: ->, salesforce: MA_Score__c, type: integer }
  hand_raise: { marketo: demoRequest, type: boolean }
  bounced: { marketo: emailInvalid, type: boolean }
  owner: { marketo: ownerEmail, flow: <-, salesforce: OwnerId, type: user, by: email }
  lead_status: { salesforce: { Lead: Status } }
  reject_reason: { salesforce: { Lead: Reject_Reason__c } }
"""
HAND_OVER = """\
hand_over:
  when: { any: [ { score: hot }, { hand_raise: true } ] }
  task: { subject: '{email} is hot', due: 2d, owner: owner, reasons: [score] }
  notice: sales
  never: [competitor]
  rejected:
    when: { lead_status: Rejected }
    by: reject_reason
    routes: { Timing: { list: N-01, wake: 90d, wake_to: revisitOn } }
  unworked: { after: 10d, while: { lead_status: Open }, list: N-05, wake: 30d }
"""
DEAL = """\
version: 1
route: jp-deal
kind: opportunity
systems: [marketo, salesforce]
time_zone: Asia/Tokyo
objects: { marketo: { fields_on: jp-person }, salesforce: Opportunity }
scope: { salesforce: { record_type: New } }
people:
  roles: [primary, decision_maker]
  one_of_many: [lost_newest, open_newest, won_newest]
fields:
  record_type: { salesforce: RecordType.Name }
  stage: { marketo: dealStage, flow: <-, salesforce: StageName }
  outcome: { salesforce: StageName, values: { won: Closed Won, lost: Closed Lost }, unlisted: open }
  amount: { marketo: dealAmount, flow: <-, salesforce: Amount, type: money, currency: CurrencyIsoCode, to: JPY,
            rate_of: signed }
  signed: { salesforce: Signed__c, type: date }
  reason: { marketo: lossReason, flow: <-, salesforce: Loss_Reason__c }
  won_date: { marketo: lastWonDate, flow: <-, salesforce: CloseDate, type: date, when: { outcome: won } }
  won_total: { marketo: wonTotal, flow: <-, type: money,
               compute: { sum: amount, of: deals_of_person, when: { outcome: won } } }
recycle:
  when: { outcome: lost, stage: Closed Lost }
  wait: 2h
  never: [opted_out, bounced]
  by: reason
  routes:
    Timing: { list: N-01, wake: 90d, wake_from: Revisit_On__c, wake_to: revisitOn }
    Bad fit: { none: disqualify }
    Price: { list: N-03 }
  blank_reason: { remind: owner, subject: 'why, {deal.name}?', after: 7d, then: Price }
  other_reason: Price
"""
NOON = 1_796_000_000.0  # 2026-11-30T00:53:20Z
HOUR, DAY = 3_600.0, 86_400.0


def both(
    deal: str = DEAL,
    person: str = PERSON,
    words: Grammar | None = None,
    *,
    hot: str = HOT,
    rates: str = RATES,
) -> dict[str, Rules]:
    """Compile a deal file and its people's, by route. Raises MappingError."""
    files = {"thresholds.yaml": hot, "rates.csv": rates}
    sources = [
        source_of(text, name, files, words)
        for text, name in ((person, "person.yaml"), (deal, "deal.yaml"))
        if text
    ]
    wrong = errors([problem for source in sources for problem in source.problems])
    if wrong:
        raise MappingError(wrong)
    return {rules.route: rules for rules in joined(sources)}


def stand(rules: Rules, name: str, **situation: Any) -> Standing:
    """Ask one standing rule, with a plain situation unless told otherwise."""
    rule = next(each for each in rules.standing if each.name == name)
    given: dict[str, Any] = {
        "entity": 7, "now": NOON, "fields": {Side.MA: {"email": "a@x.jp"}, Side.SFA: {"email": "a@x.jp"}}, "before": {},
        "ids": {Side.MA: "1", Side.SFA: "00Q1"}, "opted_out": frozenset(), "related": (), "memory": {},
    }  # fmt: skip
    return rule.derive(Situation(**given | situation))


def deal(
    id_: str = "006A", *, outcome: str = "lost", lost_at: float = NOON - DAY, closings: int = 1, via: str = "role",
    roles: tuple[str, ...] = ("Decision Maker",), primary: bool = False, **values: Value,
) -> Related:  # fmt: skip
    """A deal as it bears on a person."""
    plain: dict[str, Value] = {"stage": {"won": "Closed Won", "lost": "Closed Lost"}.get(outcome, "Proposal")}
    plain |= {"outcome": outcome, "reason": "Timing", "deal.name": "Big one", "deal.owner": "rep@our.jp"}
    memory = {
        "outcome": outcome,
        "count": closings,
        "lost_at": lost_at,
        "won_at": 0.0,
        "known_before": False,
    }
    return Related(
        ref=Ref("salesforce", "Opportunity", id_),
        values=plain | values,
        memory=memory,
        via=via,
        roles=roles,
        primary=primary,
    )


def effect(found: Standing, kind: str) -> Effect | None:
    """The effect whose key begins so."""
    return next((each for each in found.effects if each.key.startswith(kind)), None)


def given(found: Standing, side: Side = Side.SFA) -> Mapping[str, Value]:
    """The fields that a standing gives to a side."""
    return found.fields.get(side, {})
