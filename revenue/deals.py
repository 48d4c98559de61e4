"""What a person's record shows of the person's deals.

Decides which of several deals is shown, in which words, and what is added up. Deals where the person has no part (those
that only stand at the same account) show nothing. It cannot know a rate that nobody listed, nor what a word means that
no rule lists: such a field is left as it stands and asked about, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from revenue.closings import LOST, OPEN, WON, outcome_of
from revenue.days import day_in
from revenue.money import NoRate, RateTable, amount_of, converted, text_of, total
from sync.record import Raw, Side, Value
from sync.rules import Condition, Fields, always
from sync.standing import Question, Related, Situation, Standing, StandingRule

PRIMARY = "primary"
VIA_ACCOUNT, VIA_OPENED = "account", "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """How an amount is read: its currency stands beside it (`<row>.currency`; blank: `home`, or else `table.to`), and
    it is converted at the rate of the day in the row `rate_of` (blank: the close date)."""

    table: RateTable
    rate_of: str = "deal.close_date"
    home: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealField:
    """One field that people get from their deals: `<route>.<name>`, from the deal's row `of`.

    `when` narrows the deals before one is chosen. `sum`: added up over all of them instead. `money`: see Money.
    """

    name: str
    of: str
    type: str = "text"
    when: Condition = always
    sum: bool = False
    money: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFields:
    """The deals of one route, as people show them.

    `roles`: canonical names of the roles that count (`primary` = the deal's primary one; none named: all).
    `one_of_many`: the order of choice: open_newest, won_newest, lost_newest. `zone`: where a stamp becomes a day.
    """

    route: str
    one_of_many: tuple[str, ...]
    fields: tuple[DealField, ...]
    roles: tuple[str, ...] = ()
    zone: str = "UTC"


_OUTCOMES: Mapping[str, str] = MappingProxyType({"open_newest": OPEN, "won_newest": WON, "lost_newest": LOST})


def role_name(word: str) -> str:
    """A vendor's word for a role as mappings write it: «Decision Maker» is decision_maker."""
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").replace("/", " ").split())


def takes_part(related: Related, roles: tuple[str, ...]) -> bool:
    """True if the person has a part in the deal: one of these roles, or it was opened by the person's conversion."""
    if related.via == VIA_ACCOUNT:
        return False
    if related.via == VIA_OPENED or not roles:
        return True
    held = {role_name(role) for role in related.roles}
    return bool(held & set(roles)) or (related.primary and PRIMARY in roles)


def chosen(deals: Iterable[Related], one_of_many: tuple[str, ...]) -> Related | None:
    """The deal that is shown: the newest of the first outcome that any deal has.

    The newest open deal was created last, the newest closed one closed last; equal ones are told apart by their ids.
    """
    known = list(deals)
    for word in one_of_many:
        outcome = _OUTCOMES[word]
        if found := [deal for deal in known if outcome_of(deal.values) == outcome]:
            return max(found, key=lambda deal: _age(deal, outcome))
    return None


def _age(deal: Related, outcome: str) -> tuple[str, str, str]:
    created = str(deal.values.get("deal.created") or "")
    closed = str(deal.values.get("deal.close_date") or "")
    return (created, closed, deal.ref.id) if outcome == OPEN else (closed, created, deal.ref.id)


class _Unlisted(Exception):
    """The deal that is shown says a word that no rule lists."""

    def __init__(self, word: Raw) -> None:
        super().__init__("a word that no rule lists")
        self.word = word


def deals_rule(rule: DealFields) -> StandingRule:
    """The standing rule, under the route's name; memory {had}: whether the person ever had a deal.

    A person who never had one gets no fields at all; who has none any more gets blanks and sums of nothing.
    """

    def derive(situation: Situation) -> Standing:
        deals = [each for each in situation.related if takes_part(each, rule.roles)]
        had = bool(deals) or bool(situation.memory.get("had", False))
        if not had or Side.SFA not in situation.fields:
            return Standing(memory={"had": had})
        found: dict[str, Value] = {}
        questions: list[Question] = []
        for field in rule.fields:
            name = f"{rule.route}.{field.name}"
            try:
                found[name] = _value(rule, field, deals)
            except NoRate as no_rate:
                questions.append(Question(name, "no_rate", {"what": str(no_rate)}))
            except _Unlisted as unlisted:
                questions.append(Question(name, "unknown_value", {Side.SFA.value: unlisted.word}))
        return Standing(memory={"had": had}, fields={Side.SFA: found}, questions=tuple(sorted(questions)))

    gives = {f"{rule.route}.{field.name}": field.type for field in rule.fields}
    return StandingRule(name=rule.route, derive=derive, gives={Side.SFA: gives})


def _value(rule: DealFields, field: DealField, deals: Iterable[Related]) -> Value:
    fitting = [deal for deal in deals if field.when(with_outcome(deal))]
    read = _reader(field, rule.zone)
    if field.sum:
        amounts = [amount for deal in fitting if (amount := amount_of(read(deal))) is not None]
        return _sum(amounts, field.money)
    deal = chosen(fitting, rule.one_of_many)
    if deal is not None and field.of in deal.unknown:
        raise _Unlisted(deal.unknown[field.of])
    return None if deal is None else read(deal)


def with_outcome(deal: Related) -> Fields:
    """A deal's values with its outcome, also where only the flags tell it."""
    return {**deal.values, "outcome": outcome_of(deal.values)}


def _sum(amounts: Iterable[Decimal], money: Money | None) -> str:
    added = total(amounts)
    return text_of(added, money.table.to) if money else f"{added:f}"


def _reader(field: DealField, zone: str) -> Callable[[Related], Value]:
    def read(deal: Related) -> Value:
        values = with_outcome(deal)
        if field.money is None:
            return values.get(field.of)
        return in_one_currency(values, field.of, field.money, zone)

    return read


def in_one_currency(values: Fields, row: str, money: Money, zone: str) -> Value:
    """A deal's amount in the table's currency, rounded, as text; None for a blank. Raises NoRate."""
    amount = amount_of(values.get(row))
    if amount is None:
        return None
    currency = str(values.get(f"{row}.currency") or money.home or money.table.to)
    day = day_in(values.get(money.rate_of), zone) or day_in(values.get("deal.close_date"), zone)
    made = converted(amount, currency, day.isoformat() if day else "", money.table)
    return text_of(made, money.table.to)
