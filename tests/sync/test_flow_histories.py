"""Random histories with crashes at any commit: crossings are told once, and people see the deals that they have."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from sync.record import Raw, Ref, Side
from sync.remember import memory_of
from sync.rows import RecordRow, StandingRow
from sync.standing import Related, Situation, Standing, StandingRule
from tests.support.crossings import HOT
from tests.support.deals import Market
from tests.support.office import Crash, Town

SCORES = (10, 55, 65, 75, 90)


@pytest.mark.parametrize("seed", range(12))
def test_every_crossing_is_told_at_most_once_whatever_happens(seed: int) -> None:
    """Scores go up and down, leads are merged, the process dies: no crossing becomes two tasks, who is hot at the end
    has been told of, and no more was told than happened."""
    dice = Random(seed)
    made = Town(standing=(HOT,))
    made.cycle()
    leads = [made.person(Side.MA, email=f"p{n}@x.example", lastName="a", leadScore=10) for n in range(6)]
    for _step in range(40):
        made.store.dice = dice if dice.random() < 0.5 else None
        ref = dice.choice(leads)
        made.ma.edit(ref, {"leadScore": dice.choice(SCORES)})
        if dice.random() < 0.05 and len(leads) > 3:
            winner, loser = leads[0], leads.pop()
            made.ma.remove(loser, "merged", winner)
        try:
            made.tick()
        except Crash:
            continue
    made.store.dice = None
    for _ in range(6):
        made.tick()
    told = Counter((task.values["Key__c"], task.values["WhoId"]) for task in made.sfa.tasks)
    assert max(told.values(), default=0) <= 1
    assert len({key for key, _who in told}) == len(told)
    for ref in leads:
        (row,) = made.store.get(RecordRow, [ref])
        for held in made.store.get(StandingRow, [(row.entity, "score")]):
            memory = memory_of(held)
            if memory.get("hot") and memory["crossing"] > memory["silent"]:
                assert any(task.values["Subject"] == str(memory["crossing"]) for task in made.sfa.tasks)


class History:
    """Deals and roles at random, and what people have to see of them in the end."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.seen: dict[str, tuple[Related, ...]] = {}
        self.market = Market(StandingRule(name="looking", derive=self._look))
        self.market.cycle()
        self.deals = [self.market.deal(Stage="open") for _ in range(4)]
        self.people = [self._person(number) for number in range(5)]
        self.roles: list[Ref] = []

    def _look(self, situation: Situation) -> Standing:
        self.seen[situation.ids.get(Side.SFA, "")] = situation.related
        return Standing(memory={})

    def _person(self, number: int) -> Ref:
        opened = self.deals[number].id if number < 2 else None
        account = f"A{number % 2}" if number > 2 else None
        return self.market.person(
            Side.SFA, Email=f"p{number}@x.example", LastName="a", OpenedId=opened, AccountId=account
        )

    def happens(self) -> None:
        """Somebody does something with a deal or a role."""
        deals, dice = self.market.deals, self.dice
        deal, who = dice.choice(self.deals), dice.choice(self.people)
        match dice.randrange(5):
            case 0:
                deals.edit(deal, {"Stage": dice.choice(("open", "won", "lost"))})
            case 1:
                self.roles.append(self.market.role(deal, who, Role=dice.choice("ab")))
            case 2 if self.roles:
                named: dict[str, Raw] = {dice.choice(("DealId", "PersonId")): None}
                named = {path: deal.id if path == "DealId" else who.id for path in named}
                deals.edit(dice.choice(self.roles), named)
            case 3 if self.roles:
                deals.remove(self.roles.pop(dice.randrange(len(self.roles))))
            case _:
                deals.edit(deal, {"AccountId": dice.choice(("A0", "A1", None))})

    def wanted(self, who: Ref) -> dict[str, tuple[str, object, tuple[str, ...]]]:
        """What a person has to see, from what the vendor has: by deal how it is related, its stage and the roles."""
        records = self.market.deals._records
        roles = [records[ref].values for ref in self.roles]
        mine = self.market.sfa._records[who].values
        found: dict[str, tuple[str, object, tuple[str, ...]]] = {}
        for ref in self.deals:
            deal = records[ref].values
            staff = [role for role in roles if role["DealId"] == ref.id]
            names = tuple(sorted({str(role["Role"]) for role in staff if role["PersonId"] == who.id}))
            if names:
                found[ref.id] = ("role", deal["Stage"], names)
            elif not staff and mine["OpenedId"] == ref.id:
                found[ref.id] = ("opened", deal["Stage"], ())
        return found


@pytest.mark.parametrize("seed", range(12))
def test_people_see_the_deals_that_they_have_whatever_happens(seed: int) -> None:
    """Deals change, roles come, move and go, the process dies: in the end everybody was shown what is so."""
    history = History(seed)
    market = history.market
    for _step in range(40):
        history.happens()
        market.store.dice = history.dice if history.dice.random() < 0.5 else None
        try:
            market.round()
        except Crash:
            continue
    market.store.dice = None
    for _ in range(2):
        market.round()
    for who in history.people:
        shown = {
            each.ref.id: (each.via, each.values["stage"], each.roles)
            for each in history.seen.get(who.id, ())
            if each.via != "account"
        }
        assert shown == history.wanted(who)
