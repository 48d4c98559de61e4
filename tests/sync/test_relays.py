"""Deals: a route that writes nothing, remembers its deals, and marks the people whom they concern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync.normalise import Lens
from sync.record import Ref, Side
from sync.remember import memory_of
from sync.rows import RecordRow, StandingRow
from sync.standing import Related, Situation, Standing, StandingRule
from tests.support.deals import Market
from tests.support.office import Town

Seen = dict[str, list[tuple[Related, ...]]]


def looking(seen: Seen) -> StandingRule:
    """A rule that notes what it was shown, by address."""

    def derive(situation: Situation) -> Standing:
        address = str(situation.of(Side.SFA).get("email"))
        seen.setdefault(address, []).append(situation.related)
        return Standing(memory={})

    return StandingRule(name="looking", derive=derive)


@pytest.fixture
def seen() -> Seen:
    """What the rule was shown."""
    return {}


@pytest.fixture
def market(seen: Seen) -> Market:
    """Two people at sales, both routes in use."""
    made = Market(looking(seen))
    made.cycle()
    return made


def person(made: Town, name: str, **values: Any) -> Ref:
    """A person whom sales knows."""
    return made.person(Side.SFA, Email=f"{name}@x.example", LastName=name, **values)


def last(seen: Seen, name: str) -> tuple[Related, ...]:
    """What was shown of a person last."""
    return seen[f"{name}@x.example"][-1]


def asked(seen: Seen, act: Callable[[], object], market: Market) -> set[str]:
    """Who is decided anew after something has happened and two rounds have passed."""
    market.round()
    market.round()
    before = {name: len(looks) for name, looks in seen.items()}
    act()
    market.round()
    return {name.partition("@")[0] for name, looks in seen.items() if len(looks) > before.get(name, 0)}


def remembered(made: Market, deal: Ref) -> dict[str, Any]:
    """What the deal's own rule remembers."""
    (held,) = made.store.get(RecordRow, [deal])
    found = made.store.get(StandingRow, [(held.entity, "closings")])
    return dict(memory_of(found[0])) if found else {}


def test_a_deal_is_remembered_and_nothing_is_written(market: Market) -> None:
    """Each turn into lost counts once; what the first full read found may not be told."""
    old = market.deal(Stage="lost")
    market.round()
    new = market.deal(Stage="open")
    for stage in ("open", "lost", "lost", "open", "lost"):
        market.deals.edit(new, {"Stage": stage})
        report, _people = market.round()
        assert report.delivered.sent == {}
        assert not report.waiting_for_first
    assert remembered(market, old) == {"stage": "lost", "count": 1, "silent": True}
    assert remembered(market, new) == {"stage": "lost", "count": 2, "silent": False}
    assert set(market.deals._records) == {old, new}


def test_the_first_deal_of_an_empty_system_is_news(market: Market) -> None:
    """Only what was there when the route looked first is known from before."""
    market.round()
    deal = market.deal(Stage="lost")
    market.round()
    assert remembered(market, deal)["silent"] is False


def test_people_see_their_deals_through_roles_accounts_and_conversion(market: Market, seen: Seen) -> None:
    """By role before conversion before account; a deal with roles is not that of the record that opened it."""
    opened, staffed = market.deal(Stage="open"), market.deal(Stage="won", AccountId="A1")
    quiet = market.deal(Stage="lost", AccountId="A1")
    ada, bob = (
        person(market, "ada", OpenedId=opened.id, AccountId="A1"),
        person(market, "bob", OpenedId=staffed.id),
    )
    market.role(staffed, ada, Role="Evaluator")
    market.role(staffed, ada, Role="Decision Maker", Primary=True)
    market.round()
    market.round()
    shown = {related.ref: related for related in last(seen, "ada")}
    assert {ref: related.via for ref, related in shown.items()} == {
        opened: "opened", staffed: "role", quiet: "account",
    }  # fmt: skip
    assert shown[staffed].roles == ("Decision Maker", "Evaluator")
    assert shown[staffed].primary
    assert shown[staffed].values["stage"] == "won"
    assert shown[quiet].memory == {"stage": "lost", "count": 1, "silent": True}
    assert last(seen, "bob") == ()
    market.deals.edit(market.role(opened, bob), {})
    market.round()
    assert [related.via for related in last(seen, "bob")] == ["role"]


def test_a_changed_deal_marks_its_people(market: Market, seen: Seen) -> None:
    """Those with a role, or, where there is none, the one whose conversion opened it; nobody else."""
    deal, other = market.deal(Stage="open"), market.deal(Stage="open")
    ada, _bob, eve = person(market, "ada"), person(market, "bob"), person(market, "eve", OpenedId=other.id)
    market.role(deal, ada)
    assert asked(seen, lambda: market.deals.edit(deal, {"Stage": "won"}), market) == {"ada"}
    assert last(seen, "ada")[0].values["stage"] == "won"
    assert asked(seen, lambda: market.deals.edit(other, {"Stage": "won"}), market) == {"eve"}
    assert eve
    assert asked(seen, lambda: None, market) == set()


def test_a_role_that_moves_or_goes_marks_old_and_new(market: Market, seen: Seen) -> None:
    """Who had the role, who has it, and who opened the deal that has a role now or none any more."""
    deal = market.deal(Stage="open")
    ada, bob = person(market, "ada"), person(market, "bob")
    person(market, "eve", OpenedId=deal.id)
    role = market.role(deal, ada)
    moved = asked(seen, lambda: market.deals.edit(role, {"PersonId": bob.id}), market)
    assert moved == {"ada", "bob", "eve"}
    assert (last(seen, "ada"), [each.via for each in last(seen, "bob")]) == ((), ["role"])
    assert asked(seen, lambda: market.deals.remove(role), market) == {"bob", "eve"}
    assert last(seen, "bob") == ()
    assert [each.via for each in last(seen, "eve")] == ["opened"]


def test_a_role_that_moves_to_another_deal_marks_the_people_of_both(market: Market, seen: Seen) -> None:
    """The deal that lost its only role is that of its converted record again."""
    one, two = market.deal(Stage="open"), market.deal(Stage="open")
    ada, bob = person(market, "ada"), person(market, "bob")
    person(market, "eve", OpenedId=one.id)
    role, _other = market.role(one, ada), market.role(two, bob)
    assert asked(seen, lambda: market.deals.edit(role, {"DealId": two.id}), market) == {"ada", "bob", "eve"}
    assert [each.ref for each in last(seen, "ada")] == [two]
    assert [each.ref for each in last(seen, "eve")] == [one]


def test_a_deal_that_was_deleted_concerns_nobody(market: Market, seen: Seen) -> None:
    """Its people are asked again and see it no more."""
    deal = market.deal(Stage="open")
    market.role(deal, person(market, "ada"))
    assert asked(seen, lambda: market.deals.remove(deal), market) == {"ada"}
    assert last(seen, "ada") == ()


def test_people_who_were_there_before_the_deals_are_found(seen: Seen) -> None:
    """Ties that a changed mapping looks for are known of records that were read long ago, without a call."""
    made = Market(looking(seen))
    with_deals = made.lens
    made.lens = Lens(replace(with_deals.rules, ties=(), related=()))
    made.cycle()
    deal = made.deal(Stage="open")
    person(made, "eve", OpenedId=deal.id)
    made.round()
    made.round()
    assert last(seen, "eve") == ()
    made.lens = Lens(replace(with_deals.rules, deciding="with deals"))
    made.round()
    assert [related.via for related in last(seen, "eve")] == ["opened"]
    assert asked(seen, lambda: made.deals.edit(deal, {"Stage": "won"}), made) == {"eve"}


def test_a_quiet_round_costs_nothing(market: Market) -> None:
    """Deals and people that nobody touched write no row but runs and cursors."""
    deal = market.deal(Stage="open")
    market.role(deal, person(market, "ada"))
    for _ in range(3):
        market.round()
    before = market.store.row_writes.copy()
    market.round()
    assert set(market.store.row_writes - before) <= {"RunRow", "CursorRow"}


def test_related_records_are_loaded_in_a_fixed_number_of_questions(market: Market, seen: Seen) -> None:
    """Ten people with deals cost as many questions to the store as one."""
    questions = []
    for count in (1, 10):
        leads = [person(market, f"p{count}.{number}") for number in range(count)]
        for number, lead in enumerate(leads):
            market.role(market.deal(Stage="open", AccountId=f"A{count}.{number}"), lead)
        market.round()
        market.round()
        for lead in leads:
            market.sfa.edit(lead, {"Title": f"x{count}"})
        before = market.store.questions
        market.round()
        questions.append(market.store.questions - before)
    assert len(last(seen, "p10.9")) == 1
    assert questions[0] == questions[1] > 5
