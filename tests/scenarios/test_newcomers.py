"""New people: typed on both sides at once, typed while we are about to create them, doubled, or behind a desk."""

from __future__ import annotations

import pytest

from sync.record import Ref
from sync.rows import FAILED, LEADING, TWIN
from tests.support.town import MARKETO, SALESFORCE, Town

ADDRESS = "hanako@firm.example"


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest) -> str:
    """Both kinds of journal."""
    return str(request.param)


def on_both_sides(town: Town) -> tuple[list[Ref], list[Ref]]:
    """The live records with the address, Marketo's and Salesforce's."""
    return town.having(MARKETO, "email", ADDRESS), town.having(SALESFORCE, "Email", ADDRESS)


def test_a_person_typed_on_both_sides_before_a_cycle_is_linked(town: Town) -> None:
    """Crossing creates: the same newcomer on both sides is one person, and no third record comes into being."""
    town.open()
    lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    record = town.record(Email="Hanako@Firm.example", LastName="Ito", Title="Buyer")
    town.quiet()
    assert town.live(MARKETO) == [lead]
    assert town.live(SALESFORCE) == [record]
    assert town.value(lead, "title") == "Buyer"
    assert town.entity(lead) == town.entity(record)


@pytest.mark.parametrize(("moment", "records"), [("changes", 1), ("create", 2)])
def test_a_person_typed_at_sales_while_we_create_is_one_person(town: Town, moment: str, records: int) -> None:
    """Somebody at sales types the newcomer before our look at sales, or between that look and our create. The first
    is linked; of the second Salesforce knows nothing, so the two records become twins of one person."""
    town.open()
    lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.before(SALESFORCE, moment, lambda: town.record(Email=ADDRESS, LastName="Ito"))
    town.quiet()
    leads, found = on_both_sides(town)
    assert (leads, len(found)) == ([lead], records)
    assert {town.entity(record) for record in found} == {town.entity(lead)}
    assert sorted(town.row(record).role for record in found) == [LEADING, TWIN][:records]


def test_a_duplicate_rule_at_sales_makes_a_crossing_create_one_record(town: Town) -> None:
    """Where Salesforce's own duplicate rule blocks the second record, ours is not made and theirs is adopted."""
    town.open()
    town.salesforce.switches.duplicate_rules["Lead"] = "block"
    lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.before(SALESFORCE, "create", lambda: town.record(Email=ADDRESS, LastName="Ito"))
    town.quiet()
    (same,), (record,) = on_both_sides(town)
    assert same == lead
    assert town.entity(record) == town.entity(lead)
    assert town.value(record, "Marketo_Id__c") == lead.id


def test_a_person_typed_at_marketing_while_we_create_is_met(town: Town) -> None:
    """Marketo answers «exists»: the lead that a person has just typed is adopted and filled, not doubled."""
    town.open()
    record = town.record(Email=ADDRESS, LastName="Ito", Title="Buyer")
    town.before(MARKETO, "create", lambda: town.lead(email=ADDRESS, lastName="Ito"))
    town.quiet()
    (lead,), (same,) = on_both_sides(town)
    assert same == record
    assert town.entity(lead) == town.entity(record)
    assert town.value(lead, "title") == "Buyer"


def test_two_newcomers_with_one_address_make_one_record(town: Town) -> None:
    """Two new Marketo leads with one address: one of them is created at sales, the other one becomes its twin."""
    town.open()
    first = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    second = town.lead(email=ADDRESS, lastName="Ito", leadScore=90)
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.value(record, "Marketo_Id__c") == first.id
    assert [town.row(ref).role for ref in (first, second)] == [LEADING, TWIN]
    assert town.entity(first) == town.entity(second) == town.entity(record)


def test_a_twin_is_never_written_and_never_a_source(town: Town) -> None:
    """A second Marketo lead of a linked person is linked and left alone, whatever is typed into it."""
    first = town.lead(email=ADDRESS, lastName="Ito", title="Buyer")
    record = town.record(Email=ADDRESS, LastName="Ito")
    town.open()
    second = town.lead(email=ADDRESS, lastName="Ito", leadScore=95)
    town.quiet()
    town.edit(second, title="Somebody else")
    town.edit(record, Title="Head of Purchasing")
    town.quiet()
    assert town.live(SALESFORCE) == [record]
    assert town.value(first, "title") == "Head of Purchasing"
    assert town.value(second, "title") == "Somebody else"
    assert town.writes_to(second) == []


def test_the_lead_that_is_linked_stays_the_leading_one(town: Town) -> None:
    """An older lead that turns up later under the same address does not take over a standing link."""
    older = town.lead(email="other@firm.example", lastName="Ito")
    linked = town.lead(email=ADDRESS, lastName="Ito")
    record = town.record(Email=ADDRESS, LastName="Ito")
    town.open()
    town.edit(older, email=ADDRESS)
    town.quiet()
    assert town.value(record, "Marketo_Id__c") == linked.id
    assert town.row(linked).role == LEADING


@pytest.mark.parametrize("address", ["info@firm.example", "sales@firm.example"])
def test_role_addresses_never_link(town: Town, address: str) -> None:
    """A desk's mailbox on both sides identifies nobody: the records are not linked and not written into each other."""
    lead = town.lead(email=address, lastName="Ito", title="Buyer")
    record = town.record(Email=address, LastName="Mori", Title="Clerk")
    town.open()
    assert town.entity(lead) != town.entity(record)
    assert (town.value(lead, "lastName"), town.value(record, "LastName")) == ("Ito", "Mori")
    assert town.writes_to(lead) == []
    assert town.writes_to(record) == []
    ((create, _work),) = town.open_work(record)
    assert (create.action, create.state, create.reason) == ("create", FAILED, "exists")


def test_people_behind_one_desk_stay_apart(town: Town) -> None:
    """Two people at sales behind one role address: each is a person of his own, and Marketo, which knows addresses
    only, comes to rest."""
    records = [town.record(Email="info@firm.example", LastName=name) for name in ("Ito", "Mori")]
    town.open()
    assert town.entity(records[0]) != town.entity(records[1])
    before = town.write_calls
    town.cycles(3)
    assert town.write_calls == before


def test_someone_below_the_score_waits_until_it_is_reached(town: Town) -> None:
    """A lead is created at sales when its score arrives, not before, and only once."""
    town.open()
    lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=30)
    town.quiet()
    assert town.live(SALESFORCE) == []
    town.edit(lead, leadScore=75)
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.value(record, "MA_Score__c") == 75
    assert town.value(record, "MA_Grade__c") == "B"


def test_an_incomplete_person_is_listed_and_created_once_complete(town: Town) -> None:
    """A lead without a last name waits as «incomplete», is no error, and is created when somebody fills it in."""
    town.open()
    lead = town.lead(email=ADDRESS, leadScore=80)
    town.quiet()
    assert town.live(SALESFORCE) == []
    assert [hold.kind for hold in town.holds(lead)] == ["incomplete"]
    town.edit(lead, lastName="Ito")
    town.quiet()
    assert len(town.live(SALESFORCE)) == 1
    assert town.holds(lead) == []
