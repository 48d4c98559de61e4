"""Deal fields: which deal a person shows, what is added up, and in which currency."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.deals import DealField, DealFields, Money, chosen, deals_rule, role_name, takes_part
from revenue.money import Rate, RateTable
from sync.record import Ref, Side, Value
from sync.rules import Fields
from sync.standing import Related, Standing
from tests.support.standing import NOON, Asked, situation

TABLE = RateTable(to="JPY", rates=(Rate("USD", "2026-04-01", "150"), Rate("USD", "2025-04-01", "140")))
MONEY = Money(table=TABLE, rate_of="won_date")
ORDER = ("open_newest", "won_newest", "lost_newest")


def won(values: Fields) -> bool:
    return values.get("outcome") == "won"


RULE = DealFields(
    route="deal",
    one_of_many=ORDER,
    roles=("primary", "decision_maker"),
    zone="Asia/Tokyo",
    fields=(
        DealField(name="stage", of="stage"),
        DealField(name="outcome", of="outcome"),
        DealField(name="amount", of="amount", type="decimal", money=MONEY),
        DealField(name="won_date", of="won_date", type="date", when=won),
        DealField(name="won_total", of="amount", type="decimal", when=won, sum=True, money=MONEY),
    ),
)


def deal(
    name: str,
    outcome: str,
    created: str = "2026-01-01",
    closed: str = "2026-06-01",
    via: str = "role",
    roles: tuple[str, ...] = ("Decision Maker",),
    amount: str | None = None,
    currency: str = "",
    primary: bool = False,
) -> Related:
    values: dict[str, Value] = {
        "outcome": outcome, "stage": f"stage of {name}", "amount": amount, "amount.currency": currency,
        "won_date": closed, "deal.created": f"{created}T00:00:00Z", "deal.close_date": closed,
    }  # fmt: skip
    return Related(
        ref=Ref("sfa", "Deal", name), values=values, memory={}, via=via, roles=roles, primary=primary
    )


def shown(*deals: Related, asked: Asked | None = None) -> Fields:
    return look(*deals, asked=asked).fields[Side.SFA]


def look(*deals: Related, asked: Asked | None = None) -> Standing:
    return (asked or Asked(deals_rule(RULE))).look(situation(sfa={}, related=deals, now=NOON))


OPEN_OLD = deal("a", "open", created="2026-01-01", closed="2027-12-31")
OPEN_NEW = deal("b", "open", created="2026-03-01", closed="2026-12-31")
WON_OLD = deal("c", "won", closed="2026-03-31", amount="100", currency="USD")
WON_NEW = deal("d", "won", closed="2026-05-01", amount="20.5", currency="USD")
LOST = deal("e", "lost", closed="2026-09-01", amount="999", currency="USD")


@pytest.mark.parametrize("deals", list(permutations([OPEN_OLD, OPEN_NEW, WON_NEW, LOST])))
def test_the_newest_open_deal_is_shown_in_any_order_of_arrival(deals: tuple[Related, ...]) -> None:
    """Newest = created last, not the one with the latest planned date."""
    assert chosen(deals, ORDER) == OPEN_NEW


def test_without_an_open_deal_the_last_won_is_shown_and_then_the_last_lost() -> None:
    """The order of the mapping decides, not the dates across outcomes."""
    assert shown(WON_OLD, LOST, WON_NEW)["deal.stage"] == "stage of d"
    assert shown(LOST)["deal.outcome"] == "lost"
    assert chosen([deal("x", "postponed")], ORDER) is None
    assert chosen([OPEN_NEW, LOST], ("lost_newest",)) == LOST


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_the_newest_closed_deal_closed_last(outcome: str) -> None:
    """Whichever was created first; the days of creation decide only between deals that closed on one day."""
    late = deal("a", outcome, created="2026-01-01", closed="2026-06-02")
    early = deal("b", outcome, created="2026-02-01", closed="2026-06-01")
    beside = deal("a2", outcome, created="2026-03-01", closed="2026-06-01")
    assert chosen([late, early], ORDER) == chosen([early, late], ORDER) == late
    assert chosen([early, beside], ORDER) == beside


def test_without_its_own_day_an_amount_counts_on_the_close_date() -> None:
    """The row that names the rate's day may be blank on an open deal."""
    one = deal("a", "open", closed="2025-05-01", amount="1", currency="USD")
    blank = Related(
        ref=one.ref, values={**one.values, "won_date": None}, memory={}, via="role", roles=one.roles
    )
    assert shown(blank)["deal.amount"] == "140"


def test_equal_deals_are_told_apart_by_their_ids() -> None:
    """The choice is total, so that nothing flutters."""
    twins = [deal("y", "open"), deal("x", "open")]
    assert chosen(twins, ORDER) == chosen(reversed(twins), ORDER) == twins[0]


def test_a_condition_narrows_before_the_choice() -> None:
    """The last won date is that of the newest won deal, though an open deal is shown."""
    fields = shown(OPEN_NEW, WON_OLD, WON_NEW)
    assert (fields["deal.outcome"], fields["deal.won_date"]) == ("open", "2026-05-01")


def test_amounts_are_converted_at_their_own_day_and_rounded_once_each() -> None:
    """100 USD at 140 and 20.50 USD at 150; lost amounts do not count."""
    fields = shown(WON_OLD, WON_NEW, LOST)
    assert (fields["deal.amount"], fields["deal.won_total"]) == ("3075", "17075")


def test_a_stamp_counts_on_its_day_in_the_offices_time_zone() -> None:
    """Won at 15:30 UTC on the last of March is won in April in Tokyo, at April's rate."""
    late = deal("f", "won", closed="2026-03-31T15:30:00Z", amount="1", currency="USD")
    early = deal("f", "won", closed="2026-03-31T14:59:59Z", amount="1", currency="USD")
    assert (shown(late)["deal.won_total"], shown(early)["deal.won_total"]) == ("150", "140")


def test_a_blank_currency_is_the_home_currency() -> None:
    """Offices with one currency have no such field at all."""
    assert shown(deal("g", "won", amount="1200.5"))["deal.won_total"] == "1201"


@pytest.mark.parametrize(("currency", "closed"), [("EUR", "2026-05-01"), ("USD", "2020-01-01")])
def test_an_amount_without_a_rate_is_asked_about_and_left_alone(currency: str, closed: str) -> None:
    """Neither a part of a sum nor an amount one to one: the field is absent, the others go on."""
    standing = look(WON_NEW, deal("h", "won", closed=closed, amount="5", currency=currency))
    fields = standing.fields[Side.SFA]
    assert "deal.won_total" not in fields
    assert fields["deal.outcome"] == "won"
    names = [question.field for question in standing.questions]
    assert "deal.won_total" in names
    assert {question.kind for question in standing.questions} == {"no_rate"}
    assert currency in str(standing.questions[-1].details["what"])


def test_a_word_that_no_rule_lists_is_asked_about() -> None:
    """The field of the deal that is shown is left as it stands, and a person is asked; other fields go on."""
    odd = replace(deal("d", "open"), unknown={"stage": "Limbo"})
    standing = look(odd, asked=Asked(deals_rule(RULE)))
    assert "deal.stage" not in standing.fields[Side.SFA]
    assert standing.fields[Side.SFA]["deal.outcome"] == "open"
    (question,) = standing.questions
    assert question == ("deal.stage", "unknown_value", {"sfa": "Limbo"})


def test_a_won_deal_that_was_lost_after_all_is_taken_off_the_sum() -> None:
    """The sum goes back to nothing, as a number, so that it is written and not left standing."""
    asked = Asked(deals_rule(RULE))
    assert shown(WON_NEW, asked=asked)["deal.won_total"] == "3075"
    corrected = deal("d", "lost", closed="2026-05-01", amount="20.5", currency="USD")
    assert shown(corrected, asked=asked)["deal.won_total"] == "0"


def test_who_never_had_a_deal_gets_no_fields_and_who_lost_all_gets_blanks() -> None:
    """Marketing's people are not filled with zeros; a deleted deal does not stay shown."""
    asked = Asked(deals_rule(RULE))
    assert look(asked=asked).fields == {}
    assert shown(WON_NEW, asked=asked)["deal.stage"] == "stage of d"
    fields = shown(asked=asked)
    assert (fields["deal.stage"], fields["deal.won_date"], fields["deal.won_total"]) == (None, None, "0")


@pytest.mark.parametrize(
    ("related", "part"),
    [
        (deal("a", "open", via="account"), False),
        (deal("a", "open", via="opened", roles=()), True),
        (deal("a", "open", roles=("Decision Maker",)), True),
        (deal("a", "open", roles=("decision_maker", "Other")), True),
        (deal("a", "open", roles=("Business User",)), False),
        (deal("a", "open", roles=("Business User",), primary=True), True),
        (deal("a", "open", roles=()), False),
    ],
)
def test_whose_deal_it_is(related: Related, part: bool) -> None:
    """A named role, the primary one, or the person whose conversion opened it; never the whole account."""
    assert takes_part(related, RULE.roles) is part
    assert takes_part(related, ()) is (related.via != "account")


@pytest.mark.parametrize("word", ["Decision Maker", "decision_maker", " decision-maker ", "Decision  Maker"])
def test_roles_are_named_as_mappings_write_them(word: str) -> None:
    """A vendor's label and the mapping's word are the same role."""
    assert role_name(word) == "decision_maker"


@given(st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(["won", "lost", "open"])), max_size=12))
def test_the_sum_is_that_of_the_won_deals(given_deals: list[tuple[int, str]]) -> None:
    """For any deals, exactly; without any deal there is nothing to say."""
    deals = [
        deal(str(at), outcome, amount=f"{cents / 100:.2f}", currency="USD")
        for at, (cents, outcome) in enumerate(given_deals)
    ]
    fields = look(*deals).fields.get(Side.SFA, {})
    expected = sum((cents * 150 + 50) // 100 for cents, outcome in given_deals if outcome == "won")
    assert fields.get("deal.won_total") == (str(expected) if deals else None)
