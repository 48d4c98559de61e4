"""Answers that were lost: who waited is asked again, and every field is settled for itself."""

from __future__ import annotations

import pytest

from sync.around import Around
from sync.confirm import confirm
from sync.normalise import encode
from sync.plan import FieldWork, Work, encode_work
from sync.possible import with_doubt
from sync.record import Ref
from sync.rows import LANE_DELTA, OperationRow
from tests.support.people import NOW, lens, row
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


def test_what_was_seen_typed_after_a_write_had_left_is_not_what_stood_before_it() -> None:
    """Nobody may look whether a write over «Buyer» has arrived; that «Head» was typed there meanwhile is known, and is
    a change once it shows again, measured by what stood there when the write was decided."""
    work = Work({"Title": FieldWork("title", "Buyer", "Chief", "Chief", "Chief")}, Ref("ma", "Lead", "1"))
    sent = OperationRow(
        40, 9, "people", 7, "update", "sfa", "Lead", "L", LANE_DELTA, "sent", 0.0, 0, 0, "", "h", "", NOW, 0.0,
        "", encode_work(work),
    )  # fmt: skip
    held = row("sfa", "L", 9, {"Title": "Head"})
    doubted = with_doubt(lens(), Around([held], []), held, sent, work)
    shown = doubted._replace(body=encode({"Title": "Head"}))
    (verdict,) = confirm(shown, lens(), now=NOW, lag=1.0).verdicts
    assert (verdict.fate, verdict.half) == ("undone", "Buyer")


@pytest.mark.parametrize(
    ("read", "name", "path", "typed"),
    [(True, "firstName", "FirstName", "Anna"), (False, "email", "Email", "b@firm.example")],
)
def test_what_was_typed_into_a_record_in_doubt_stays_somebodys_when_we_write_there_again(
    read: bool, name: str, path: str, typed: str
) -> None:
    """While a create's answer is missing somebody types a name there, or another address over one that the vendor has
    altered. An opt-out leaves before the doubt is settled, so that the vendor names us as the last writer by then: what
    was typed is no alteration, whether or not it was read before."""
    with Town() as town:
        town.open()
        lead = town.lead(email="a@firm.example", lastName="Ito", firstName="Ann", leadScore=80)
        town.strike(SALESFORCE, "altered_value", "create")
        town.strike(SALESFORCE, "lost_after_commit", "create")
        town.cycle()
        (made,) = town.live(SALESFORCE)
        town.edit(lead, unsubscribed=True)
        if read:
            town.edit(made, **{path: typed})
        town.wait(1.5)
        town.strike(SALESFORCE, "lost_after_commit")
        if not read:
            town.before(SALESFORCE, "write", lambda: town.edit(made, **{path: typed}))
        town.cycle()
        assert town.in_doubt == 2
        town.wait(2.5)
        town.cycle()
        assert town.in_doubt == 1
        town.wait()
        town.quiet()
        assert town.value(made, "HasOptedOutOfEmail") is True
        assert (town.value(lead, name), town.value(made, path)) == (typed, typed)
