"""What happens to records as a whole: merges on both sides, conversions, deletions, restorations."""

from __future__ import annotations

import pytest

from sync.record import Ref
from sync.rows import DELETED, LEADING, MOVED, TWIN, UNSEEN
from tests.support.town import MARKETO, SALESFORCE, Town


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest) -> str:
    """Both kinds of journal."""
    return str(request.param)


def pair(town: Town, number: int = 1) -> tuple[Ref, Ref]:
    """One linked person at rest."""
    mail = f"p{number}@firm.example"
    lead = town.lead(email=mail, lastName="Ito", leadScore=80)
    record = town.record(Email=mail, LastName="Ito")
    town.open()
    return lead, record


def created(town: Town) -> int:
    """Records that we made, at both vendors together."""
    return sum(entry.verb == "create" for entry in town.api_entries)


def writes_after_death(town: Town) -> list[object]:
    """What we changed at records after they were deleted, merged away or converted."""
    found: list[object] = []
    for ledger in town.ledgers.values():
        dead: set[tuple[str, str]] = set()
        for entry in ledger:
            if entry.verb in ("delete", "merge", "convert"):
                dead.add((entry.object, entry.id))
            elif entry.verb == "restore":
                dead.discard((entry.object, entry.id))
            elif entry.actor == "api" and (entry.object, entry.id) in dead:
                found.append(entry)
    return found


def test_a_merge_at_sales_keeps_the_winners_link(town: Town) -> None:
    """Sales merges two leads that were both linked: the two people become one, the winner's lead leads at Marketo,
    the other lead is its twin, and nothing is created anew."""
    lead, record = pair(town, 1)
    other_lead, other_record = pair(town, 2)
    before = created(town)
    town.merge(record, other_record)
    town.quiet()
    assert town.row(other_record).state == MOVED
    assert town.entity(lead) == town.entity(other_lead) == town.entity(record)
    assert [town.row(ref).role for ref in (lead, other_lead)] == [LEADING, TWIN]
    town.edit(lead, title="Buyer")
    town.edit(other_lead, title="Twin")
    town.quiet()
    assert town.value(record, "Title") == "Buyer"
    assert created(town) == before
    assert writes_after_death(town) == []


def test_a_merge_at_sales_into_an_unlinked_record_moves_the_link(town: Town) -> None:
    """The linked lead loses a merge against one that nobody at marketing knew: the link goes on with the winner."""
    lead, record = pair(town)
    winner = town.record(Email="ito.private@mail.example", LastName="Ito", Title="Director")
    town.merge(winner, record)
    before = created(town)
    town.quiet()
    assert town.entity(winner) == town.entity(lead)
    assert town.value(lead, "sfaId") == winner.id
    assert town.value(winner, "Marketo_Id__c") == lead.id
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.value(winner, "Title") == "Buyer"
    assert (created(town), len(town.live(MARKETO)), len(town.live(SALESFORCE))) == (before, 1, 1)
    assert writes_after_death(town) == []


def test_a_merge_at_marketing_keeps_one_person(town: Town) -> None:
    """Marketing merges two linked leads: the winner goes on with its record, and the loser's record at sales is
    neither written nor replaced by a new lead."""
    lead, record = pair(town, 1)
    other_lead, other_record = pair(town, 2)
    before = created(town)
    town.merge(lead, other_lead)
    town.quiet()
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.value(record, "Title") == "Buyer"
    assert town.value(other_record, "Title") is None
    assert town.entity(lead) == town.entity(record) == town.entity(other_record)
    assert created(town) == before
    assert town.live(MARKETO) == [lead]


@pytest.mark.parametrize("linked_wins", [True, False])
def test_a_merge_of_a_twin_at_marketing_keeps_the_link(town: Town, *, linked_wins: bool) -> None:
    """Marketing cleans up a duplicate, whichever of the two wins: the record at sales keeps one living lead."""
    lead, record = pair(town)
    twin = town.lead(email="p1@firm.example", lastName="Ito")
    town.quiet()
    winner, loser = (lead, twin) if linked_wins else (twin, lead)
    before = created(town)
    town.merge(winner, loser)
    town.quiet()
    assert town.value(record, "Marketo_Id__c") == winner.id
    assert town.value(winner, "sfaId") == record.id
    town.edit(winner, title="Buyer")
    town.quiet()
    assert town.value(record, "Title") == "Buyer"
    assert created(town) == before


def test_a_conversion_into_a_new_contact_moves_the_link(town: Town) -> None:
    """Sales converts the lead: the contact takes its place, edits go on in both directions, nothing is made anew."""
    lead, record = pair(town)
    before = created(town)
    contact = town.convert(record)
    town.quiet()
    assert town.entity(contact) == town.entity(lead)
    assert town.value(lead, "sfaId") == contact.id
    town.edit(lead, title="Buyer")
    town.edit(contact, FirstName="Hanako")
    town.quiet()
    assert town.value(contact, "Title") == "Buyer"
    assert town.value(lead, "firstName") == "Hanako"
    assert created(town) == before
    assert writes_after_death(town) == []


def test_a_conversion_with_work_under_way_loses_no_edit(town: Town) -> None:
    """Marketing's edit was decided for the lead when sales converted it: it arrives at the contact."""
    lead, record = pair(town)
    town.edit(lead, title="Buyer")
    made: list[Ref] = []
    town.before(SALESFORCE, "write", lambda: made.append(town.convert(record)))
    town.quiet()
    assert town.value(made[0], "Title") == "Buyer"
    assert town.value(lead, "title") == "Buyer"
    assert writes_after_death(town) == []


def test_a_conversion_into_a_known_contact_joins_the_people(town: Town) -> None:
    """The lead is converted into a contact of another linked person: one person with one leading lead remains."""
    lead, record = pair(town, 1)
    contact = town.record("Contact", Email="p2@firm.example", LastName="Ito")
    town.quiet()
    (other,) = town.having(MARKETO, "email", "p2@firm.example")
    before = created(town)
    town.convert(record, contact)
    town.quiet()
    assert town.entity(lead) == town.entity(other) == town.entity(contact)
    assert [town.row(ref).role for ref in (other, lead)] == [LEADING, TWIN]
    town.edit(contact, Title="Director")
    town.quiet()
    assert town.value(other, "title") == "Director"
    assert created(town) == before
    assert writes_after_death(town) == []


def test_a_conversion_into_an_unlinked_contact_moves_the_link(town: Town) -> None:
    """The contact had an address that identifies nobody, so it was not linked; now it is the person's record."""
    lead, record = pair(town)
    contact = town.record("Contact", LastName="Ito", Title="Director")
    town.quiet()
    before = created(town)
    town.convert(record, contact)
    town.quiet()
    assert town.entity(contact) == town.entity(lead)
    assert town.value(lead, "sfaId") == contact.id
    assert created(town) == before
    assert writes_after_death(town) == []


@pytest.mark.parametrize("side", [MARKETO, SALESFORCE])
def test_a_deleted_record_is_not_made_again(town: Town, side: str) -> None:
    """Somebody deletes the person on one side: the other record stays as it is, and edits of it make nothing anew."""
    lead, record = pair(town)
    gone, rest = (lead, record) if side == MARKETO else (record, lead)
    before = created(town)
    town.delete(gone)
    town.quiet()
    town.edit(rest, **({"Title": "Buyer"} if rest is record else {"title": "Buyer"}))
    town.quiet()
    assert town.row(gone).state == DELETED
    assert town.live(gone.system) == []
    assert town.live(rest.system) == [rest]
    assert created(town) == before
    assert writes_after_death(town) == []


@pytest.mark.parametrize("side", [MARKETO, SALESFORCE])
def test_a_newcomer_with_the_address_of_a_deleted_one_waits_for_a_word(town: Town, side: str) -> None:
    """Typed anew where the person still lives, nobody who was deleted comes back by our hand; a person is asked."""
    lead, record = pair(town)
    gone, rest = (lead, record) if side == MARKETO else (record, lead)
    town.delete(gone)
    town.quiet()
    town.delete(rest)
    town.quiet()
    before = created(town)
    if side == MARKETO:
        again = town.record(Email="p1@firm.example", LastName="Ito")
    else:
        again = town.lead(email="p1@firm.example", lastName="Ito", leadScore=80)
    town.quiet()
    assert created(town) == before
    assert [hold.kind for hold in town.holds(again)] == ["tombstone"]


def test_somebody_typed_anew_after_a_deletion_is_linked(town: Town) -> None:
    """Sales deletes a lead and types the person once more: the new record takes the old one's place."""
    lead, record = pair(town)
    town.delete(record)
    town.quiet()
    again = town.record(Email="p1@firm.example", LastName="Ito", Title="Buyer")
    town.quiet()
    assert town.entity(again) == town.entity(lead)
    assert town.value(lead, "title") == "Buyer"
    assert town.value(lead, "sfaId") == again.id
    assert town.live(MARKETO) == [lead]


def test_a_restored_record_takes_its_place_again(town: Town) -> None:
    """A lead comes back from Salesforce's recycle bin: the link stands as before, and edits go on."""
    lead, record = pair(town)
    town.delete(record)
    town.quiet()
    town.salesforce.human_undelete("Lead", record.id)
    town.quiet()
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.value(record, "Title") == "Buyer"
    assert town.live(SALESFORCE) == [record]
    assert town.live(MARKETO) == [lead]


def test_a_record_deleted_while_a_write_is_on_its_way_ends_quietly(town: Town) -> None:
    """The vendor says that the record is gone: nothing is sent again, nothing is made anew."""
    lead, record = pair(town)
    before = created(town)
    town.edit(lead, title="Buyer")
    town.before(SALESFORCE, "write", lambda: town.delete(record))
    town.quiet()
    assert town.live(SALESFORCE) == []
    assert created(town) == before
    assert writes_after_death(town) == []


def test_a_lead_erased_past_the_bin_is_known_as_deleted(town: Town) -> None:
    """No query shows the record any more: until the log of deletions, which knows whole minutes only, names it, it is
    unseen and work waits; then it is deleted."""
    lead, record = pair(town)
    town.wait(60.0 - town.clock.now() % 60.0)
    town.salesforce.human_hard_delete("Lead", record.id)
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.row(record).state == UNSEEN
    town.wait(60.0)
    town.quiet()
    assert town.row(record).state == DELETED
    assert town.open_work(lead) == []
    assert town.live(SALESFORCE) == []


@pytest.mark.parametrize("side", [MARKETO, SALESFORCE])
def test_a_twin_takes_the_place_of_a_deleted_record(town: Town, side: str) -> None:
    """Somebody cleans up a duplicate by deleting the one that was linked: the other one is linked instead."""
    lead, record = pair(town)
    if side == MARKETO:
        gone, rest, twin = lead, record, town.lead(email="p1@firm.example", lastName="Ito")
    else:
        gone, rest, twin = record, lead, town.record(Email="p1@firm.example", LastName="Ito")
    town.quiet()
    before = created(town)
    town.delete(gone)
    town.quiet()
    assert town.row(twin).role == LEADING
    ma, sfa = (twin, rest) if side == MARKETO else (rest, twin)
    assert (town.value(ma, "sfaId"), town.value(sfa, "Marketo_Id__c")) == (sfa.id, ma.id)
    town.edit(rest, **({"Title": "Buyer"} if rest == record else {"title": "Buyer"}))
    town.quiet()
    assert town.value(ma, "title") == town.value(sfa, "Title") == "Buyer"
    assert created(town) == before


def test_merges_on_both_sides_in_opposite_directions_end_as_one_pair(town: Town) -> None:
    """The same duplicate is cleaned up by both departments at once, each keeping another one of the two."""
    lead, record = pair(town, 1)
    other_lead, other_record = pair(town, 2)
    town.merge(lead, other_lead)
    town.merge(other_record, record)
    town.quiet()
    assert (town.live(MARKETO), town.live(SALESFORCE)) == ([lead], [other_record])
    assert (town.value(lead, "sfaId"), town.value(other_record, "Marketo_Id__c")) == (
        other_record.id,
        lead.id,
    )
    town.edit(lead, title="Buyer")
    town.quiet()
    assert town.value(other_record, "Title") == "Buyer"
    assert writes_after_death(town) == []


def test_a_chain_of_merges_and_conversions_is_followed_to_its_end(town: Town) -> None:
    """Within one cycle a lead is merged away, its winner converted, and the contact merged into another contact."""
    (one, first), (two, second), (three, third) = (pair(town, number) for number in (1, 2, 3))
    town.merge(first, second)
    contact, last = town.convert(first), town.convert(third)
    town.merge(last, contact)
    town.quiet()
    assert {town.entity(lead) for lead in (one, two, three)} == {town.entity(last)}
    assert town.value(last, "Marketo_Id__c") == three.id
    town.edit(three, title="Buyer")
    town.quiet()
    assert town.value(last, "Title") == "Buyer"
    assert town.live(SALESFORCE) == [last]
    assert writes_after_death(town) == []
