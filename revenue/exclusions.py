"""Who is neither handed over nor returned to nurture, and by which rule.

Each exclusion is a pure test with a code; a skip is recorded with the code of the first that applies, in the order of
the mapping. What counts as bounced, competitor or own staff is the mapping's business and comes in as data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from matching.email import normalise_email
from revenue.closings import OPEN, WON, outcome_of
from sync.record import Side
from sync.rules import Condition, Fields
from sync.standing import Situation

COMBINED = (Side.MA, Side.SFA)


def is_bounced(fields: Fields) -> bool:
    """True if the field `bounced` says so."""
    return fields.get("bounced") is True


def is_erased(fields: Fields) -> bool:
    """True if the field `erased` says so."""
    return fields.get("erased") is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """Which exclusions count (`never`, codes in order), and what they look at.

    `topics`: the consent topics that shut a person out (none named: any topic). `bounced`, `erased` and `customer` are
    asked of either side's fields; without `customer`, a customer has a won deal or stands at an account with one.
    `competitors` and `own_staff` are domains, subdomains included; `email` names the address field.
    """

    never: tuple[str, ...] = ()
    topics: frozenset[str] = frozenset()
    bounced: Condition = is_bounced
    erased: Condition = is_erased
    customer: Condition | None = None
    competitors: frozenset[str] = frozenset()
    own_staff: frozenset[str] = frozenset()
    email: str = "email"


Test: TypeAlias = Callable[[Exclusions, Situation, str], bool]


def excluded(rule: Exclusions, situation: Situation, deal: str = "") -> str:
    """The code of the first exclusion that applies ("" = none). `deal`: the id of the deal that the question is about,
    which does not stand in its own way."""
    return next((code for code in rule.never if TESTS[code](rule, situation, deal)), "")


def _other_deal(situation: Situation, deal: str, outcome: str) -> bool:
    return any(
        related.ref.id != deal and outcome_of(related.values) == outcome for related in situation.related
    )


def open_deal_at_account(_rule: Exclusions, situation: Situation, deal: str) -> bool:
    """Sales is at work: another deal of the person, or at the person's account, is open."""
    return _other_deal(situation, deal, OPEN)


def current_customer(rule: Exclusions, situation: Situation, deal: str) -> bool:
    """The person belongs to customer care: the mapping's condition, or a won deal of the person or the account."""
    if rule.customer is not None:
        return _either(rule.customer, situation)
    return _other_deal(situation, deal, WON)


def opted_out(rule: Exclusions, situation: Situation, _deal: str) -> bool:
    """The person does not want to be written to."""
    return bool(situation.opted_out & rule.topics if rule.topics else situation.opted_out)


def bounced(rule: Exclusions, situation: Situation, _deal: str) -> bool:
    """Nothing reaches the person."""
    return _either(rule.bounced, situation)


def competitor(rule: Exclusions, situation: Situation, _deal: str) -> bool:
    """The address is a competitor's."""
    return _at(rule, situation, rule.competitors)


def own_staff(rule: Exclusions, situation: Situation, _deal: str) -> bool:
    """The address is one of our own."""
    return _at(rule, situation, rule.own_staff)


def erased(rule: Exclusions, situation: Situation, _deal: str) -> bool:
    """The person asked to be forgotten, or no live record is left on either side."""
    return not situation.fields or _either(rule.erased, situation)


def _either(condition: Condition, situation: Situation) -> bool:
    return any(condition(situation.of(side)) for side in COMBINED)


def _at(rule: Exclusions, situation: Situation, domains: frozenset[str]) -> bool:
    addresses = (situation.of(side).get(rule.email) for side in COMBINED)
    found = (normalise_email(address) for address in addresses if isinstance(address, str))
    return any(_within(address.rpartition("@")[2], domains) for address in found if address)


def _within(domain: str, domains: frozenset[str]) -> bool:
    labels = domain.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


TESTS: Mapping[str, Test] = MappingProxyType(
    {
        "open_deal_at_account": open_deal_at_account,
        "current_customer": current_customer,
        "opted_out": opted_out,
        "bounced": bounced,
        "competitor": competitor,
        "own_staff": own_staff,
        "erased": erased,
    }
)
