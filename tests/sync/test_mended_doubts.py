"""Answers that were lost: who waited is asked again, and every field is settled for itself."""

from __future__ import annotations

import pytest

from tests.support.town import SALESFORCE, Town


@pytest.mark.parametrize("fault", ["lost_after_commit", "dropped_before"])
def test_who_waited_for_a_create_in_doubt_is_asked_when_the_doubt_is_settled(fault: str) -> None:
    """Two leads with one address become one person, whether or not the answer to the create was lost."""
    with Town() as town:
        town.open()
        first = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        second = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, fault, "create")
        town.quiet()
        assert len(town.live(SALESFORCE)) == 1
        assert town.entity(first) == town.entity(second) == town.entity(town.live(SALESFORCE)[0])
        assert town.holds(second) == []


def test_each_field_of_a_write_in_doubt_is_settled_for_itself() -> None:
    """What arrived is agreed on, so that a newer value at the source is a change there alone; what somebody
    changed at the target meanwhile is decided again, and is not written over."""
    with Town() as town:
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        town.edit(lead, title="Buyer", phone="03-1234-5678")
        town.strike(SALESFORCE, "lost_after_commit")
        town.cycle()
        assert town.in_doubt == 1
        town.edit(sales, Phone="03-9999-0000")
        town.edit(lead, title="Head of IT")
        town.wait()
        town.quiet()
        assert (town.value(lead, "title"), town.value(sales, "Title")) == ("Head of IT", "Head of IT")
        assert town.value(sales, "Phone") == "03-9999-0000"
        states = {tuple(work.fields): row.state for row, work in town.all_work(sales)}
        assert (states["Title",], states["Phone",]) == ("applied", "superseded")


def test_fields_that_did_not_arrive_are_sent_once_more_without_the_one_that_moved() -> None:
    """A field that stands as before becomes one new operation; it is not held up by another field's change."""
    with Town() as town:
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        town.edit(lead, title="Buyer", phone="03-1234-5678")
        town.strike(SALESFORCE, "dropped_before")
        town.cycle()
        assert town.in_doubt == 1
        town.edit(sales, Phone="03-9999-0000")
        town.wait()
        town.quiet()
        assert (town.value(sales, "Title"), town.value(sales, "Phone")) == ("Buyer", "03-9999-0000")
        assert [row.attempts for row, work in town.all_work(sales) if tuple(work.fields) == ("Title",)] == [1]
