"""The hidden world's business: repeatable, written down, and as awkward as it should be."""

from __future__ import annotations

import random
from collections import Counter

from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.firms import HEAD_OFFICE, check_digit, corporate_number
from simulators.marketo.state import MarketoState
from simulators.players import WEIGHTS, Game
from simulators.salesforce.family import ROLE
from simulators.salesforce.state import SalesforceState
from simulators.stage import Settings, Stage
from simulators.world import Mix
from simulators.world_deals import Market


def _projected(seed: int = 4, persons: int = 600, deals: int = 300) -> tuple[Market, SalesforceState]:
    clock, faults = ManualClock(), Faults(random.Random(1))
    world = Market(seed, persons, 0.6, Mix(contacts=0.3), deals=deals)
    marketo, state = (
        MarketoState(clock, random.Random(2), faults),
        SalesforceState(clock, random.Random(3), faults),
    )
    world.project_salesforce(state)
    world.project_marketo(marketo)
    return world, state


def test_the_seed_decides_the_business() -> None:
    """Equal seeds give equal firms, deals and records; another seed gives others."""
    (one, first), (two, second) = _projected(), _projected()
    assert (one.firms, one.deals, one.log, one.firm_corruptions) == (
        two.firms, two.deals, two.log, two.firm_corruptions,
    )  # fmt: skip
    assert [entry.changes for entry in first.ledger] == [entry.changes for entry in second.ledger]
    assert _projected(seed=5)[0].deals != one.deals


def test_three_hundred_deals_of_all_kinds() -> None:
    """Several people per deal and several deals per person; some without roles, some from leads; all outcomes."""
    world, state = _projected()
    assert len(world.deals) == len(state.tables["Opportunity"].rows) == 300
    people = Counter(number for deal in world.deals for number in deal.people)
    assert sum(count > 1 for count in people.values()) > 50
    assert sum(len(deal.people) > 1 for deal in world.deals) > 80
    assert sum(not deal.named for deal in world.deals) > 15
    assert sum(deal.named and deal.primary is None for deal in world.deals) > 20
    leads = [deal for deal in world.deals if deal.lead is not None]
    assert len(leads) > 15
    assert {deal.named for deal in leads} == {True, False}
    stages = Counter(deal.stage for deal in world.deals)
    assert min(stages["Closed Won"], stages["Closed Lost"]) > 30
    assert any(deal.stage == "Closed Lost" and deal.reason is None for deal in world.deals)
    assert {deal.currency for deal in world.deals} == {"JPY", "USD"}


def test_records_say_what_the_world_says() -> None:
    """Each deal's record has its stage, amount, account and roles; people in deals are contacts, their leads former."""
    world, state = _projected()
    roles: dict[str, dict[str, bool]] = {}
    for row in state.tables[ROLE].rows.values():
        roles.setdefault(row["OpportunityId"], {})[row["ContactId"]] = row["IsPrimary"]
    for deal in world.deals:
        row = state.tables["Opportunity"].rows[world.records[deal.number]]
        assert (row["StageName"], row["Amount"], row["CurrencyIsoCode"]) == (
            deal.stage,
            deal.amount,
            deal.currency,
        )
        assert row["AccountId"] == world.accounts[deal.firm, deal.site]
        contacts = {world.truth[number].salesforce: number == deal.primary for number in deal.people}
        assert all(str(contact).startswith("003") for contact in contacts)
        assert roles.get(row["Id"], {}) == (contacts if deal.named else {})
    assert {state.tables["Lead"].rows[lead]["IsConverted"] for lead in world.former} == {True}
    assert [happening.record for happening in world.log] == list(world.records.values())


def test_firms_have_offices_numbers_and_domains() -> None:
    """Offices share name and number; the head office is their parent; its name on the record may be left out."""
    world, state = _projected()
    accounts = state.tables["Account"].rows
    branches = [(firm, site) for (firm, site) in world.accounts if site != HEAD_OFFICE]
    assert len(branches) > 20
    for firm, site in branches:
        row = accounts[world.accounts[firm, site]]
        assert row["ParentId"] == world.accounts[firm, HEAD_OFFICE]
        assert row["Site"] == site
    heads = [accounts[world.accounts[firm.number, HEAD_OFFICE]] for firm in world.firms if firm.kind != "own"]
    assert {row["Site"] for row in heads} == {None, HEAD_OFFICE}
    assert any(row["Corp_No__c"] is None for row in heads)
    domains = world.domains()
    assert (len(domains["competitor"]), len(domains["own_staff"])) == (2, 1)
    staffed = {person.email.partition("@")[2] for person in world.persons}
    assert staffed >= {*domains["competitor"], *domains["own_staff"]}
    assert {entry.field for entry in world.firm_corruptions} == {"name"}
    users = state.tables["User"].rows
    assert [users[key]["IsActive"] for key in world.staff] == [True] * 5 + [False]


def test_marketing_may_know_companies_too() -> None:
    """A share of the offices are companies with their own people on them, under the name and number of the firm."""
    clock, faults = ManualClock(), Faults(random.Random(1))
    world = Market(4, 300, 0.6, companies=0.5)
    state = MarketoState(clock, random.Random(2), faults)
    world.project_marketo(state)
    assert 30 < len(world.companies) < 80
    names = {firm.number: firm.name for firm in world.firms}
    for number, where in world.truth.items():
        company = world.companies.get(world.home[number])
        if where.marketo is not None and company is not None:
            values = state.leads[where.marketo].values
            assert values["externalCompanyId"] == company
            assert values["company"] == names[world.home[number][0]]


def test_corporate_numbers_have_a_valid_check_digit() -> None:
    """Checked with a number that everybody knows, the tax agency's own; made ones have 13 digits and differ."""
    assert check_digit("000012050002") == 7
    made = [corporate_number(number) for number in range(200)]
    assert len(set(made)) == 200
    assert all(
        len(text) == 13 and text[0] == str(check_digit(text[1:])) and text[1:3] == "99" for text in made
    )


def test_players_make_every_kind_of_move() -> None:
    """All moves occur, each is in the log with its time, and the same seed plays the same game."""

    def play() -> Stage:
        clock = ManualClock()
        settings = Settings(persons=120, overlap=0.8, seed=3, deals=40, mix=Mix(contacts=0.4))
        stage = Stage(settings, clock)
        assert stage.players is not None
        for _ in range(500):
            clock.advance(60)
            stage.players.step(Game())
        return stage

    one, two = play(), play()
    assert isinstance(one.world, Market)
    assert isinstance(two.world, Market)
    assert one.world.log == two.world.log
    told = {happening.what for happening in one.world.log}
    assert told >= {*WEIGHTS} - {"correct"} | {"won to lost", "lost to won"}
    assert one.history().ledgers["salesforce"][-1].actor == "human"
