"""People edit on both sides; vendors store what they are given in their own way, or do not store it at all."""

from __future__ import annotations

import pytest

from sync.record import Ref
from sync.rows import IGNORED
from tests.support.town import MARKETO, SALESFORCE, Town


def pair(town: Town, number: int = 1) -> tuple[Ref, Ref]:
    """One person known to both sides, linked and at rest."""
    lead = town.lead(email=f"p{number}@firm.example", lastName="Sato", title="Buyer", leadScore=70)
    record = town.record(Email=f"p{number}@firm.example", LastName="Sato", Title="Buyer")
    town.open()
    return lead, record


def test_edits_of_different_fields_both_survive(town: Town) -> None:
    """Marketing changes the telephone while sales changes the title: both sides end with both."""
    lead, record = pair(town)
    town.edit(lead, phone="03-1234-5678")
    town.edit(record, Title="Head of Purchasing")
    town.quiet()
    assert town.value(lead, "title") == town.value(record, "Title") == "Head of Purchasing"
    assert town.value(lead, "phone") == "03-1234-5678"
    assert town.value(record, "Phone") == "+81312345678"


def test_edits_of_one_field_end_with_the_named_side(town: Town) -> None:
    """Both sides change the title between two cycles: sales wins, and the journal keeps marketing's word."""
    lead, record = pair(town)
    town.edit(lead, title="Marketing Title")
    town.edit(record, Title="Sales Title")
    town.quiet()
    assert town.value(lead, "title") == town.value(record, "Title") == "Sales Title"
    lost = [work.fields["title"].lost for _row, work in town.all_work(lead) if "title" in work.fields]
    assert lost == ["Marketing Title"]
    assert town.writes_to(record)[-1].changes.get("Title") is None


def test_an_edit_while_the_other_one_travels_is_not_lost(town: Town) -> None:
    """A person edits the target after it was verified and before the write arrives: the next cycles settle on one
    value, and the other one stands in the journal or in the vendor's own history."""
    lead, record = pair(town)
    town.edit(lead, title="From Marketing")
    town.before(SALESFORCE, "write", lambda: town.edit(record, FirstName="Taro"))
    town.quiet()
    assert town.value(record, "FirstName") == town.value(lead, "firstName") == "Taro"
    assert town.value(lead, "title") == town.value(record, "Title") == "From Marketing"


def test_an_edit_of_the_target_before_verify_moves_the_operation(town: Town) -> None:
    """A person edits the same field of the target after the decision: verify sees it, and sales wins."""
    lead, record = pair(town)
    town.edit(lead, title="From Marketing")
    town.before(SALESFORCE, "fetch", lambda: town.edit(record, Title="From Sales"))
    town.cycle()
    assert town.value(record, "Title") == "From Sales"
    town.wait()
    town.quiet()
    assert town.value(lead, "title") == town.value(record, "Title") == "From Sales"


def test_an_emptied_field_empties_nothing(town: Town) -> None:
    """A blank is kept to its own side, and a later value of the other side fills it again."""
    lead, record = pair(town)
    town.edit(record, Title=None)
    town.quiet()
    assert (town.value(lead, "title"), town.value(record, "Title")) == ("Buyer", None)
    town.edit(lead, title="Senior Buyer")
    town.quiet()
    assert town.value(record, "Title") == "Senior Buyer"


@pytest.mark.parametrize(
    ("path", "typed", "there", "stored"),
    [
        ("title", "head  of   sales", "Title", "head of sales"),  # trimmed
        ("leadScore", 77, "MA_Score__c", 80.0),  # rounded
        ("lastName", "yamada", "LastName", "Yamada"),  # another case
    ],
)
def test_what_the_vendor_alters_is_not_sent_again(
    town: Town, path: str, typed: object, there: str, stored: object
) -> None:
    """A vendor that trims, rounds or changes the case is taken at its word: nothing goes to and fro."""
    lead, record = pair(town)
    town.faults[SALESFORCE].set("altered_value", 1.0)
    before = len(town.writes_to(record))
    town.edit(lead, **{path: typed})
    town.quiet()
    assert town.value(record, there) == stored
    assert town.value(lead, path) == typed
    tries = [entry for entry in town.writes_to(record)[before:] if there in entry.changes]
    assert len(tries) == 1
    before = len(town.api_entries)
    town.cycles(4)
    assert len(town.api_entries) == before


def test_a_whole_first_sync_against_an_altering_vendor_comes_to_rest(town: Town) -> None:
    """With every text altered on both sides, each record is written a bounded number of times and then rests."""
    for faults in town.faults.values():
        faults.set("altered_value", 1.0)
    for number in range(12):
        mail, name = f"p{number}@firm.example", f"tanaka  {number}"
        if number < 8:
            town.lead(email=mail, lastName=name, firstName="hana  k", title="chief  buyer", leadScore=71)
        if number > 3:
            town.record(Email=mail, LastName=name, FirstName="Ken  J", Title="vice  president")
    town.open()
    assert len(town.live(MARKETO)) == len(town.live(SALESFORCE)) == 12
    for system in (MARKETO, SALESFORCE):
        assert max(len(town.writes_to(ref)) for ref in town.live(system)) <= 3


def test_a_field_that_the_vendor_ignores_is_listed_and_left(town: Town) -> None:
    """Sales' system says «updated» and keeps the old title: the operation is listed as ignored, marketing's value
    stays where it is, nothing is sent again, and the next edit is tried as usual."""
    lead, record = pair(town)
    town.edit(lead, title="Chief Buyer")
    town.strike(SALESFORCE, "ignored_field")
    town.quiet()
    assert (town.value(lead, "title"), town.value(record, "Title")) == ("Chief Buyer", "Buyer")
    states = [row.state for row, work in town.all_work(record) if "Title" in work.fields]
    assert states == [IGNORED]
    town.edit(lead, title="Chief Buyer Asia")
    town.quiet()
    assert town.value(record, "Title") == "Chief Buyer Asia"


def test_an_ignored_field_does_not_drag_the_source_back(town: Town) -> None:
    """The target's old value is not mistaken for an edit that has to travel back, on either side."""
    lead, record = pair(town)
    town.edit(record, Title="Chief Buyer")
    town.strike(MARKETO, "ignored_field")
    town.quiet()
    assert (town.value(lead, "title"), town.value(record, "Title")) == ("Buyer", "Chief Buyer")
    assert not [entry for entry in town.writes_to(record) if "Title" in entry.changes]


def test_a_field_that_flows_one_way_is_left_alone_at_its_target(town: Town) -> None:
    """Sales overwrites the score: it stands, is not carried back, and gives way at the source's next change."""
    lead, record = pair(town)
    town.edit(record, MA_Score__c=5)
    town.quiet()
    assert (town.value(lead, "leadScore"), town.value(record, "MA_Score__c")) == (70, 5)
    town.edit(lead, leadScore=85)
    town.quiet()
    assert (town.value(record, "MA_Score__c"), town.value(record, "MA_Grade__c")) == (85, "A")


def test_a_field_for_new_records_only_is_never_updated(town: Town) -> None:
    """The source of a lead is written when the record is made, and not when marketing changes it later."""
    town.open()
    lead = town.lead(email="p@firm.example", lastName="Ito", leadScore=80, leadSource="Web")
    town.quiet()
    (record,) = town.live(SALESFORCE)
    town.edit(lead, leadSource="Other")
    town.quiet()
    assert town.value(record, "LeadSource") == "Web"


def test_a_word_that_no_rule_lists_holds_one_field(town: Town) -> None:
    """An unknown industry waits for a person; the rest of the person goes on, and a known word closes the question."""
    lead, record = pair(town)
    town.edit(lead, industry="宇宙開発", title="Astronaut")
    town.quiet()
    assert (town.value(record, "Title"), town.value(record, "Industry")) == ("Astronaut", None)
    assert [(hold.field, hold.kind) for hold in town.holds(lead)] == [("industry", "unknown_value")]
    town.edit(lead, industry="製造業")
    town.quiet()
    assert town.value(record, "Industry") == "Manufacturing"
    assert town.holds(lead) == []


def test_words_of_one_meaning_do_not_correct_each_other(town: Town) -> None:
    """Two words of marketing mean one of sales: neither is replaced by the other one."""
    lead, record = pair(town)
    town.edit(lead, industry="建設業", country="JP")
    town.quiet()
    assert (town.value(record, "Industry"), town.value(record, "Country")) == ("Construction", "Japan")
    assert (town.value(lead, "industry"), town.value(lead, "country")) == ("建設業", "JP")


def test_the_company_of_a_contact_is_read_and_not_written(town: Town) -> None:
    """A contact's company is its account's name: it fills marketing's blank, and marketing's edit stays at home."""
    account = town.salesforce.human_create("Account", {"Name": "Acme", "Industry": "Retail"})
    contact = town.record("Contact", LastName="Ito", Email="p@firm.example", AccountId=account)
    lead = town.lead(email="p@firm.example", lastName="Ito")
    town.open()
    assert (town.value(lead, "company"), town.value(lead, "industry")) == ("Acme", "小売")
    town.edit(lead, company="Acme Holdings", title="Buyer")
    town.quiet()
    assert town.value(contact, "Title") == "Buyer"
    assert town.value(contact, "AccountId") == account
    assert town.value(lead, "company") == "Acme Holdings"


def test_many_edits_of_one_field_between_cycles_are_one(town: Town) -> None:
    """Only what stands at the end travels, in one write."""
    lead, record = pair(town)
    before = len(town.writes_to(record))
    for number in range(9):
        town.edit(lead, title=f"T{number}")
    town.quiet()
    assert town.value(record, "Title") == "T8"
    assert len(town.writes_to(record)) == before + 1


def test_an_edit_and_its_undoing_between_cycles_are_nothing(town: Town) -> None:
    """A title that was changed and changed back is written nowhere."""
    lead, record = pair(town)
    before = town.write_calls
    town.edit(lead, title="Oops")
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.write_calls == before
    assert town.value(record, "Title") == "Buyer"


def test_people_who_edit_in_turn_are_not_mistaken_for_a_loop(town: Town) -> None:
    """Both sides set the title in turn, a cycle each, ten times: every word arrives."""
    lead, record = pair(town)
    for number in range(10):
        if number % 2:
            town.edit(lead, title=f"T{number}")
        else:
            town.edit(record, Title=f"T{number}")
        town.quiet()
        assert town.value(lead, "title") == town.value(record, "Title") == f"T{number}"


def test_two_automations_that_fight_are_stopped(town: Town) -> None:
    """A workflow on each side insists on its own word: after a few rounds the field is held, and all is quiet."""
    lead, record = pair(town)
    for _ in range(8):
        if town.value(lead, "title") != "Mr. A":
            town.edit(lead, title="Mr. A")
        town.cycles(2)
        if town.value(record, "Title") != "Mr. B":
            town.edit(record, Title="Mr. B")
        town.cycles(2)
    assert [(hold.field, hold.kind) for hold in town.holds(lead)] == [("title", "loop")]
    assert len([entry for entry in town.api_entries if {"title", "Title"} & set(entry.changes)]) <= 6


@pytest.mark.parametrize("side", [MARKETO, SALESFORCE])
def test_a_word_put_back_before_we_looked_is_taken_for_ignored(town: Town, side: str) -> None:
    """A value that reads as before our write counts as ignored, since a vendor that ignores looks the same: it is
    listed, neither side is dragged to the other's value, and the next edit crosses."""
    lead, record = pair(town)
    (source, there), (target, here) = (record, "Title"), (lead, "title")
    if side == SALESFORCE:
        (source, there), (target, here) = (lead, "title"), (record, "Title")
    town.edit(source, **{there: "Head of Purchasing"})
    town.cycle()
    assert town.value(target, here) == "Head of Purchasing"
    town.edit(target, **{here: "Buyer"})
    town.wait()
    town.quiet()
    assert (town.value(target, here), town.value(source, there)) == ("Buyer", "Head of Purchasing")
    assert [row.state for row, work in town.all_work(target) if here in work.fields] == [IGNORED]
    town.edit(target, **{here: "Senior Buyer"})
    town.quiet()
    assert town.value(source, there) == "Senior Buyer"
