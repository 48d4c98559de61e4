"""One bad row among two hundred: the others arrive, and what was refused is listed, kept and tried again."""

from __future__ import annotations

import pytest

from sync.record import Ref
from sync.rows import APPLIED, FAILED
from tests.support.town import MARKETO, SALESFORCE, Town

COUNT = 200
BAD = 77
LONG = "x" * 60  # Salesforce takes forty characters of a first name


def newcomers(town: Town) -> list[Ref]:
    """Two hundred leads that sales does not know, one of them with a name that sales cannot store."""
    return [
        town.lead(
            email=f"p{number}@firm.example",
            lastName="Sato",
            leadScore=80,
            firstName=LONG if number == BAD else "Ken",
        )
        for number in range(COUNT)
    ]


def known(town: Town) -> list[tuple[Ref, Ref]]:
    """Two hundred people known to both sides, at rest."""
    pairs = []
    for number in range(COUNT):
        mail = f"p{number}@firm.example"
        pairs.append((town.lead(email=mail, lastName="Sato"), town.record(Email=mail, LastName="Sato")))
    town.open()
    return pairs


def made_from(town: Town, lead: Ref) -> Ref:
    """The record at sales that was created from a lead."""
    (record,) = town.having(SALESFORCE, "Marketo_Id__c", lead.id)
    return record


def hour(town: Town) -> None:
    """An hour passes, and a little."""
    town.wait(3_700.0)


def test_a_value_too_long_keeps_nobody_from_being_created(town: Town) -> None:
    """All two hundred are created; the one name is missing, and its failure stands under the vendor's code."""
    leads = newcomers(town)
    town.open()
    assert len(town.live(SALESFORCE)) == COUNT
    record = made_from(town, leads[BAD])
    assert (town.value(record, "LastName"), town.value(record, "FirstName")) == ("Sato", None)
    failed = [(row, work) for row, work in town.open_work(leads[BAD]) if row.state == FAILED]
    ((row, work),) = failed
    assert list(work.fields) == ["FirstName"]
    assert work.errors[0][:2] == ("FirstName", "STRING_TOO_LONG")
    assert row.reason == "STRING_TOO_LONG"
    assert all(town.open_work(lead) == [] for lead in leads[:BAD])


def test_a_failed_field_of_a_create_is_tried_again(town: Town) -> None:
    """After an hour the field is tried again; when somebody shortens it, it goes out at once."""
    leads = newcomers(town)
    town.open()
    record = made_from(town, leads[BAD])
    asked = town.write_calls
    town.cycles(2)
    assert town.write_calls == asked
    hour(town)
    town.cycle()
    assert town.write_calls == asked + 1
    town.edit(leads[BAD], firstName="Ken")
    town.quiet()
    assert town.value(record, "FirstName") == "Ken"
    assert town.open_work(leads[BAD]) == []


def test_a_value_too_long_among_updates_fails_alone(town: Town) -> None:
    """Of two hundred updates one has a bad field: that field fails, its record's other field and all others arrive."""
    pairs = known(town)
    for number, (lead, _record) in enumerate(pairs):
        town.edit(lead, firstName=LONG if number == BAD else "Ken", title=f"T{number}")
    town.quiet()
    assert [town.value(record, "Title") for _lead, record in pairs] == [f"T{n}" for n in range(COUNT)]
    names = [town.value(record, "FirstName") for _lead, record in pairs]
    assert names == [None if number == BAD else "Ken" for number in range(COUNT)]
    ((row, work),) = town.open_work(pairs[BAD][0])
    assert (row.state, row.reason, list(work.fields)) == (FAILED, "STRING_TOO_LONG", ["FirstName"])


def test_the_rest_of_a_person_goes_on_while_a_field_is_failed(town: Town) -> None:
    """Other fields of the record are written on while one of them waits for its next try, which is not reset."""
    pairs = known(town)
    lead, record = pairs[BAD]
    town.edit(lead, firstName=LONG)
    town.quiet()
    ((before, _work),) = town.open_work(lead)
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.value(record, "Title") == "Buyer"
    ((after, work),) = town.open_work(lead)
    assert (after.id, after.state, after.at, list(work.fields)) == (
        before.id,
        FAILED,
        before.at,
        ["FirstName"],
    )


def test_a_word_that_the_picklist_does_not_allow_fails_alone(town: Town) -> None:
    """A restricted picklist refuses one word: the other records arrive, and when the administrator adds the word, it
    goes out within the hour."""
    pairs = known(town)
    words = town.salesforce.schema["Lead"].fields["Industry"].picklist
    less = tuple(word for word in words if word != "Retail")
    town.salesforce.alter_field("Lead", "Industry", picklist=less)
    for number, (lead, _record) in enumerate(pairs):
        town.edit(lead, industry="小売" if number == BAD else "製造業")
    town.quiet()
    lead, record = pairs[BAD]
    assert len(town.having(SALESFORCE, "Industry", "Manufacturing")) == COUNT - 1
    ((row, _work),) = town.open_work(lead)
    assert (row.state, row.reason) == (FAILED, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    town.salesforce.alter_field("Lead", "Industry", picklist=words)
    hour(town)
    town.quiet()
    assert town.value(record, "Industry") == "Retail"
    assert town.open_work(lead) == []


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
def test_a_row_that_is_refused_once_arrives_within_the_hour(town: Town, system: str) -> None:
    """A lock or a rule refuses one row of a batch: the others arrive at once, this one later, and none twice."""
    pairs = known(town)
    for lead, record in pairs:
        if system == SALESFORCE:
            town.edit(lead, title="Buyer")
        else:
            town.edit(record, Title="Buyer")
    town.strike(system, "row_refused")
    town.cycle()
    path, place = ("title", 0) if system == MARKETO else ("Title", 1)
    there = [town.value(pair[place], path) for pair in pairs]
    assert there.count("Buyer") == COUNT - 1
    town.wait()
    town.quiet()
    hour(town)
    town.quiet()
    assert {town.value(pair[place], path) for pair in pairs} == {"Buyer"}
    assert {row.state for pair in pairs for row, _work in town.all_work(pair[place])} == {APPLIED}


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
def test_a_create_that_is_refused_once_is_made_within_the_hour(town: Town, system: str) -> None:
    """Of twenty creates one is refused as a whole: nineteen at once, twenty within the hour, none twice."""
    town.open()
    for number in range(20):
        mail = f"p{number}@firm.example"
        if system == SALESFORCE:
            town.lead(email=mail, lastName="Sato", leadScore=80)
        else:
            town.record(Email=mail, LastName="Sato")
    town.strike(system, "row_refused")
    town.cycle()
    assert len(town.live(system)) == 19
    town.wait()
    town.quiet()
    hour(town)
    town.quiet()
    assert len(town.live(system)) == 20


def test_with_rows_refused_everywhere_everybody_arrives_in_the_end(town: Town) -> None:
    """With a tenth of all rows refused, some for good reasons and some in passing, a day brings everybody."""
    for faults in town.faults.values():
        faults.set("row_refused", 0.1)
    for number in range(60):
        mail = f"p{number}@firm.example"
        if number % 2:
            town.lead(email=mail, lastName="Sato", leadScore=80, title=f"T{number}")
        else:
            town.record(Email=mail, LastName="Sato", Title=f"T{number}")
    town.open()
    for faults in town.faults.values():
        faults.quiet()
    for _ in range(4):
        town.wait(22_000.0)
        town.quiet()
    leads, records = town.live(MARKETO), town.live(SALESFORCE)
    titles = {f"T{number}" for number in range(60)}
    assert (
        {town.value(ref, "title") for ref in leads} == {town.value(ref, "Title") for ref in records} == titles
    )
    assert len(leads) == len(records) == 60
