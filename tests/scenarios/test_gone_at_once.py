"""What the engine has just created becomes something else, or nothing, before its answer is known: it ends with one
record or with a word that says why there is none, and never with the same request again and again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from renkei.first import deliver_these
from sync.record import Ref
from sync.rows import APPLIED
from tests.support.town import SALESFORCE, Town

DAY = 86_400.0
Gone = Callable[[Town, Ref], None]


def converted(town: Town, lead: Ref) -> None:
    """It becomes a contact."""
    town.convert(lead)


def converted_and_deleted(town: Town, lead: Ref) -> None:
    """It becomes a contact, which is deleted."""
    town.delete(town.convert(lead))


def deleted(town: Town, lead: Ref) -> None:
    """It is deleted."""
    town.delete(lead)


def merged(town: Town, lead: Ref) -> None:
    """It becomes part of a record of the same person."""
    town.merge(town.record(Email="a@firm.example", LastName="Ito"), lead)


def merged_and_deleted(town: Town, lead: Ref) -> None:
    """It becomes part of a record of the same person, which is deleted."""
    winner = town.record(Email="other@firm.example", LastName="Ito")
    town.merge(winner, lead)
    town.delete(winner)


def converted_moved_and_deleted(town: Town, lead: Ref) -> None:
    """It becomes a contact, which gets another address and is deleted."""
    contact = town.convert(lead)
    town.edit(contact, Email="other@firm.example")
    town.delete(contact)


FATES: tuple[Gone, ...] = (
    converted, converted_and_deleted, converted_moved_and_deleted, deleted, merged, merged_and_deleted,
)  # fmt: skip


def meets_its_fate(town: Town, fate: Gone, kind: str, address: str = "a@firm.example") -> Ref:
    """A person of marketing is created at sales; before that is settled, the new record meets its fate."""
    town.open()
    lead = town.lead(email=address, lastName="Ito", company="Acme", leadScore=80)
    if kind:
        town.strike(SALESFORCE, kind, "create")
    town.cycle()
    (made,) = [ref for ref in town.live(SALESFORCE) if ref.object == "Lead"]
    fate(town, made)
    town.wait()
    return lead


@pytest.mark.parametrize("kind", ["", "lost_after_commit"])
@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.__name__)
def test_a_create_whose_record_is_gone_at_once_comes_to_rest(town: Town, fate: Gone, kind: str) -> None:
    """At most one record leads at sales, and it is the person's; days later nothing is sent any more."""
    lead = meets_its_fate(town, fate, kind)
    check_rest(town, lead)


@pytest.mark.parametrize("kind", ["", "lost_after_commit"])
@pytest.mark.parametrize("fate", FATES[:3], ids=lambda fate: fate.__name__)
def test_a_desk_that_is_gone_at_once_comes_to_rest(town: Town, fate: Gone, kind: str) -> None:
    """The same where the address identifies nobody: the new record is known by the id that it bears."""
    lead = meets_its_fate(town, fate, kind, "info@firm.example")
    check_rest(town, lead)


def check_rest(town: Town, lead: Ref) -> None:
    """Days go by, and then nothing is asked or written for the person."""
    town.quiet()
    for seconds in (3_700.0, DAY, DAY):
        town.wait(seconds)
        town.quiet()
    town.cycle()
    calls, asked = town.write_calls, town.salesforce.calls["retrieve"]
    for _ in range(3):
        town.wait()
        town.cycle()
    assert (town.write_calls, town.salesforce.calls["retrieve"]) == (calls, asked)
    live = town.live(SALESFORCE)
    assert len(live) <= 1
    assert {town.entity(ref) for ref in live} <= {town.entity(lead)}


def restore(town: Town, ref: Ref) -> None:
    """Somebody takes a record out of the bin."""
    with town.salesforce_api.lock:
        town.salesforce.human_undelete(ref.object, ref.id)


def test_a_converted_lead_that_still_bears_the_address_hinders_nobody(town: Town) -> None:
    """The contact that it became has another address by now: who bears the old one at marketing is created, though
    a look-up by address still shows the lead."""
    town.open()
    contact = town.convert(town.record(Email="a@firm.example", LastName="Abe"))
    town.edit(contact, Email="abe@firm.example")
    town.quiet()
    lead = town.lead(email="a@firm.example", lastName="Ito", company="Acme", leadScore=80)
    town.cycle(send=False)
    town.wait(7_200)
    planned = [row.id for row, _work in town.open_work(lead)]
    deliver_these(town.world, planned, "apply", lambda: None)
    assert [row.state for row in map(town.store.operations.get, planned) if row] == [APPLIED]
    assert len(town.having(SALESFORCE, "LastName", "Ito")) == 1


def test_a_create_that_was_planned_while_a_person_was_gone_does_not_leave_when_the_person_is_back(
    town: Town,
) -> None:
    """A second record of a person whose counterpart lay in the bin is a twin as soon as it is taken out again."""
    first = town.lead(email="old@firm.example", lastName="Ito", company="Acme", leadScore=80)
    town.open()
    (made,) = town.live(SALESFORCE)
    town.delete(made)
    town.edit(first, email="a@firm.example")
    town.wait()
    town.quiet()
    second = town.lead(email="a@firm.example", lastName="Ito", company="Acme", leadScore=80)
    town.cycle(send=False)
    assert [row.action for row, _work in town.open_work(second)] == ["create"]
    restore(town, made)
    town.wait()
    town.quiet()
    assert town.live(SALESFORCE) == [made]
    assert town.entity(second) == town.entity(first) == town.entity(made)


def test_whichever_of_two_lost_creates_has_arrived_its_values_are_nobodys_edit(town: Town) -> None:
    """The first one arrived and was deleted before anybody looked, the second one never did; when the record is
    taken out of the bin, what the first one sent is not brought back over what was typed since."""
    town.open()
    lead = town.lead(email="a@firm.example", lastName="Ito", firstName="Jun", company="Acme", leadScore=80)
    town.strike(SALESFORCE, "lost_after_commit", "create")
    town.cycle()
    (made,) = town.live(SALESFORCE)
    town.delete(made)
    town.edit(lead, firstName="Jin")
    town.wait()
    town.strike(SALESFORCE, "dropped_before", "create")
    town.cycle()
    assert town.in_doubt == 1
    town.wait()
    town.cycle(send=False)
    restore(town, made)
    town.wait()
    town.quiet()
    assert town.live(SALESFORCE) == [made]
    assert town.value(lead, "firstName") == town.value(made, "FirstName") == "Jin"
