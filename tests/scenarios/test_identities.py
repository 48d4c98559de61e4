"""Who is who over time: addresses that change, candidates that come and go, creates that wait for one another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sync.record import Ref
from sync.rows import LEADING, TWIN
from sync.rules import ActionKind, Limit, Rules
from tests.support.town import MARKETO, SALESFORCE, Town

ADDRESS = "hanako@firm.example"
LONG = "x" * 90  # Salesforce takes eighty characters of a last name, and no lead without one


def pair(town: Town, address: str = ADDRESS) -> tuple[Ref, Ref]:
    """One linked person at rest."""
    lead = town.lead(email=address, lastName="Ito", leadScore=80)
    record = town.record(Email=address, LastName="Ito")
    town.open()
    return lead, record


def kinds(town: Town, ref: Ref) -> list[str]:
    """What a person's word is waited for."""
    return [hold.kind for hold in town.holds(ref)]


def test_a_changed_address_travels_and_keeps_the_link(town: Town) -> None:
    """The person marries and gets another address: it crosses like any field, and nobody is created for it."""
    lead, record = pair(town)
    town.edit(record, Email="hanako.mori@firm.example", LastName="Mori")
    town.quiet()
    assert town.value(lead, "email") == "hanako.mori@firm.example"
    assert (town.live(MARKETO), town.live(SALESFORCE)) == ([lead], [record])


def test_two_people_who_swap_addresses_keep_their_links(town: Town) -> None:
    """Sales corrects two addresses that had been mixed up: each person stays who he is."""
    first, first_record = pair(town)
    second, second_record = pair(town, "taro@firm.example")
    town.edit(first_record, Email="taro@firm.example")
    town.edit(second_record, Email=ADDRESS)
    town.quiet()
    assert (town.value(first, "email"), town.value(second, "email")) == ("taro@firm.example", ADDRESS)
    assert town.entity(first) == town.entity(first_record) != town.entity(second)
    assert len(town.live(MARKETO)) == len(town.live(SALESFORCE)) == 2


def test_an_address_that_somebody_else_left_may_be_taken(town: Town) -> None:
    """A linked person gives an address up, and a newcomer gets it: the newcomer is a person of his own."""
    lead, record = pair(town)
    town.edit(lead, email="hanako.private@mail.example")
    town.quiet()
    newcomer = town.lead(email=ADDRESS, lastName="Abe", leadScore=80)
    town.quiet()
    assert town.entity(newcomer) != town.entity(lead)
    assert town.value(record, "Email") == "hanako.private@mail.example"
    (made,) = town.having(SALESFORCE, "Email", ADDRESS)
    assert town.value(made, "LastName") == "Abe"


def test_two_candidates_are_a_question_and_one_is_an_answer(town: Town) -> None:
    """Sales has the address twice: nobody is linked and nobody created. When sales deletes one, the other links."""
    records = [town.record(Email=ADDRESS, LastName=name) for name in ("Ito", "Itoh")]
    town.lead(email=ADDRESS, lastName="Ito", title="Buyer", leadScore=80)
    town.open()
    (lead,) = town.live(MARKETO)
    assert kinds(town, lead) == ["ambiguous"]
    assert len(town.live(SALESFORCE)) == 2
    town.delete(records[1])
    town.quiet()
    assert town.entity(lead) == town.entity(records[0])
    assert town.value(records[0], "Title") == "Buyer"
    assert kinds(town, lead) == []


def test_two_candidates_become_one_by_another_address(town: Town) -> None:
    """The same, answered by correcting the second record's address; it is then a person of its own."""
    records = [town.record(Email=ADDRESS, LastName=name) for name in ("Ito", "Abe")]
    lead = town.lead(email=ADDRESS, lastName="Ito", title="Buyer")
    town.open()
    town.edit(records[1], Email="abe@firm.example")
    town.quiet()
    assert town.entity(lead) == town.entity(records[0])
    (made,) = town.having(MARKETO, "email", "abe@firm.example")
    assert town.entity(made) == town.entity(records[1])
    assert len(town.live(MARKETO)) == 2


def test_an_opt_out_reaches_all_candidates(town: Town) -> None:
    """Whoever of them it is: with one address opted out, all records under it are opted out while they wait."""
    records = [town.record(Email=ADDRESS, LastName=name) for name in ("Ito", "Itoh")]
    lead = town.lead(email=ADDRESS, lastName="Ito")
    town.open()
    town.edit(lead, unsubscribed=True)
    town.quiet()
    assert [town.value(record, "HasOptedOutOfEmail") for record in records] == [True, True]


def test_ids_that_stand_on_both_sides_beat_addresses(town: Town) -> None:
    """People who were linked years ago by hand stay linked, although their addresses say something else."""
    record = town.record(Email="old@firm.example", LastName="Ito")
    other = town.record(Email=ADDRESS, LastName="Abe")
    lead = town.lead(email=ADDRESS, lastName="Ito", sfaId=record.id)
    town.open()
    assert town.entity(lead) == town.entity(record)
    assert town.value(record, "Marketo_Id__c") == lead.id
    assert town.value(other, "LastName") == "Abe"


def test_a_twin_waits_for_a_create_that_fails(town: Town) -> None:
    """Two new leads with one address; the first one's create is refused. The second waits and is not created beside
    it; when the first is put right, both are one person with one record."""
    town.open()
    first = town.lead(email=ADDRESS, lastName=LONG, leadScore=80)
    second = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.quiet()
    assert town.live(SALESFORCE) == []
    assert kinds(town, second) == ["waiting"]
    town.edit(first, lastName="Ito")
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.entity(first) == town.entity(second) == town.entity(record)
    assert [town.row(ref).role for ref in (first, second)] == [LEADING, TWIN]


def test_a_twin_goes_ahead_when_the_first_one_leaves(town: Town) -> None:
    """The same, but the first lead is deleted: its claim is given up, and the second one is created."""
    town.open()
    first = town.lead(email=ADDRESS, lastName=LONG, leadScore=80)
    second = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.quiet()
    town.delete(first)
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.value(record, "Marketo_Id__c") == second.id
    assert kinds(town, second) == []


def test_a_twin_goes_ahead_when_the_first_one_gets_another_address(town: Town) -> None:
    """The same, but the first lead turns out to be somebody else: each of them is created."""
    town.open()
    first = town.lead(email=ADDRESS, lastName=LONG, leadScore=80)
    second = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.quiet()
    town.edit(first, email="taro@firm.example", lastName="Abe")
    town.quiet()
    owners = {town.value(record, "Marketo_Id__c") for record in town.live(SALESFORCE)}
    assert owners == {first.id, second.id}
    assert len(town.live(SALESFORCE)) == 2


def test_a_create_behind_a_brake_gives_way_to_a_person_who_types(tmp_path: Path) -> None:
    """A planned create stands behind a brake when sales types the person: the two are linked, the create is gone."""

    def braked(rules: Rules) -> Rules:
        return replace(rules, limits={**rules.limits, ActionKind.CREATE: Limit(number=0, share=0.0)})

    with Town(tmp_path, braked) as town:
        town.open()
        lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
        assert [brake.action for brake in town.cycle().brakes] == ["create"]
        record = town.record(Email=ADDRESS, LastName="Ito")
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [record]
        assert town.entity(lead) == town.entity(record)
        assert [row for row, _work in town.open_work(lead) if row.action == "create"] == []


def test_marketo_doubles_made_by_overlapping_requests_end_as_twins(town: Town) -> None:
    """Another program's upsert crosses ours and Marketo overlooks it: two leads, one person, one of them leading."""
    town.open()
    town.record(Email=ADDRESS, LastName="Ito")
    row = {"email": ADDRESS, "lastName": "Ito"}
    town.marketo.races = True
    town.before(
        MARKETO, "create", lambda: town.marketo.sync_leads("createOnly", "email", [row], snapshot=0.0)
    )
    town.marketo.races = False
    town.quiet()
    (record,) = town.live(SALESFORCE)
    leads = town.live(MARKETO)
    assert {town.entity(lead) for lead in leads} == {town.entity(record)}
    assert sum(town.row(lead).role == LEADING for lead in leads) == 1
