"""What is kept in mind of writes and records that could not be looked at, so that nothing is doubled and nothing of
ours comes back as somebody's edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sync.life import Family, note_events
from sync.note import Noted
from sync.plan import Work, encode_work
from sync.ports import Paths
from sync.record import LifeEvent, Record, Ref
from sync.rows import LANE_DELTA, PENDING, UNSEEN, OperationRow, Patch
from sync.rules import ActionKind
from tests.support.people import NOW, lens, numbers, reading, row
from tests.support.town import SALESFORCE, Town

MAIL = "a@firm.example"
OUTLIVES = 310.0  # seconds after which a write in doubt is asked for again whose record did not show


def _withhold(town: Town, system: str) -> Callable[[], None]:
    """Reads by id give nothing until the function that this returns is called."""
    inner = town.windows[system].inner
    ask = inner.fetch

    def fetch(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        return [None for _ref in refs]

    def show() -> None:
        inner.fetch = ask  # type: ignore[method-assign]

    inner.fetch = fetch  # type: ignore[method-assign]
    return show


def _restore(town: Town, ref: Ref) -> None:
    with town.salesforce_api.lock:
        town.salesforce.human_undelete(ref.object, ref.id)


def test_a_record_that_a_read_withholds_keeps_a_second_one_from_being_made() -> None:
    """Asked for and not given is not gone: whoever bears its address waits, says so, and is linked when it shows."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        sales = town.record(Email=MAIL, LastName="Ito")
        town.open()
        town.edit(lead, title="Buyer")
        show = _withhold(town, SALESFORCE)
        town.wait()
        town.cycle()
        assert town.row(sales).state == UNSEEN
        town.delete(lead)
        second = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        town.wait()
        town.cycles(3)
        assert town.live(SALESFORCE) == [sales]
        assert [hold.kind for hold in town.holds(second)] == ["unseen"]
        show()
        town.wait(3_700)
        town.quiet()
        assert town.live(SALESFORCE) == [sales]
        assert town.entity(second) == town.entity(sales)
        assert town.holds(second) == []


def test_while_a_named_record_was_never_read_creates_are_looked_up_by_address() -> None:
    """A record that appears late and is withheld at its first read may be anybody: a key of ours does not stop us."""
    with Town() as town:
        town.open()
        late = {"Email": MAIL, "LastName": "Ito", "Company": "Acme"}
        with town.salesforce_api.lock:
            sales = Ref(SALESFORCE, "Lead", town.salesforce.human_create("Lead", late, commit_delay=60.0))
        town.wait()
        town.record(Email="b@firm.example", LastName="Abe")
        town.wait()
        town.cycles(5)
        town.record(Email="c@firm.example", LastName="Oda")
        town.wait(40)
        town.cycles(2)
        show = _withhold(town, SALESFORCE)
        town.cycle(sweep=900.0)
        assert town.row(sales).state == UNSEEN
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        show()
        town.wait()
        town.cycles(3)
        town.wait(3_700)
        town.quiet()
        assert town.having(SALESFORCE, "Email", MAIL) == [sales]
        assert town.entity(lead) == town.entity(sales)


def _lose_key(town: Town, sales: Ref) -> None:
    """The vendor has not kept the key that we sent."""
    table = town.salesforce.tables["Lead"]
    with town.salesforce_api.lock:
        table.put({**table.rows[sales.id], "Marketo_Id__c": None})


def test_a_create_whose_key_and_answer_were_lost_is_no_older_word_of_anybody() -> None:
    """Found by its address alone it shows what we sent: what was typed at the source since is the newer value."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, "lost_after_commit", "create")
        town.cycle(first=True)
        (sales,) = town.live(SALESFORCE)
        _lose_key(town, sales)
        town.edit(lead, lastName="Sato")
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [sales]
        assert (town.value(lead, "lastName"), town.value(sales, "LastName")) == ("Sato", "Sato")


def test_a_create_that_was_deleted_before_anybody_looked_is_known_when_it_is_restored() -> None:
    """What the restored record shows was agreed when it was created; a newer word at the source goes across."""
    with Town() as town:
        town.open()
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, "lost_after_commit", "create")
        town.cycle()
        (sales,) = town.live(SALESFORCE)
        town.delete(sales)
        town.wait()
        town.cycle(send=False)
        town.edit(lead, lastName="Sato")
        _restore(town, sales)
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [sales]
        assert (town.value(lead, "lastName"), town.value(sales, "LastName")) == ("Sato", "Sato")


@pytest.mark.parametrize("fault", ["lost_after_commit", "dropped_before"])
@pytest.mark.parametrize("later", ["Buyer", "Head of IT"])
def test_a_write_in_doubt_is_no_edit_when_its_record_comes_back(fault: str, later: str) -> None:
    """Deleted and restored, the record shows our value or the one before: the source's word stands either way."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80, title="Clerk")
        sales = town.record(Email=MAIL, LastName="Ito", Title="Clerk")
        town.open()
        town.edit(lead, title="Buyer")
        town.strike(SALESFORCE, fault)
        town.cycle()
        assert town.in_doubt == 1
        town.delete(sales)
        town.wait()
        town.cycle()
        town.wait(OUTLIVES)
        town.cycle()
        assert town.in_doubt == 0
        town.edit(lead, title=later)
        _restore(town, sales)
        town.wait()
        town.quiet()
        assert (town.value(lead, "title"), town.value(sales, "Title")) == (later, later)
        assert town.holds(lead) == []


def test_somebodys_edit_of_a_restored_record_is_theirs() -> None:
    """Neither our value nor the one before: it was typed there, and comes across; what it beat is listed, because
    nobody knows whether it ever stood there."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80, title="Clerk")
        sales = town.record(Email=MAIL, LastName="Ito", Title="Clerk")
        town.open()
        town.edit(lead, title="Buyer")
        town.strike(SALESFORCE, "lost_after_commit")
        town.cycle()
        town.delete(sales)
        town.wait()
        town.cycle()
        town.wait(OUTLIVES)
        town.cycle()
        _restore(town, sales)
        town.edit(sales, Title="Head of IT")
        town.wait()
        town.quiet()
        assert (town.value(lead, "title"), town.value(sales, "Title")) == ("Head of IT", "Head of IT")
        assert "Buyer" in [field.lost for _row, work in town.all_work(lead) for field in work.fields.values()]


def test_a_create_in_doubt_whose_person_was_deleted_does_not_leave_again() -> None:
    """It never happened, and by the time that this is known nobody wants it."""
    with Town() as town:
        town.open()
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, "dropped_before", "create")
        town.wait()
        town.cycle()
        assert town.in_doubt == 1
        town.delete(lead)
        town.cycle()
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == []


def test_what_has_left_goes_on_under_the_name_of_the_person_that_its_source_has_become() -> None:
    """A merge takes work along that nobody can call back, so that it is decided again with that person's."""
    loser, winner = row("ma", "1", 9, {}), row("ma", "2", 8, {})
    create = OperationRow(
        40, 8, "people", 7, ActionKind.CREATE.value, "sfa", "Lead", "", LANE_DELTA, PENDING, 0.0, 0, 0, "d", "h", "",
        NOW, 0.0, "", encode_work(Work(fields={}, source=winner.ref)),
    )  # fmt: skip
    patch, found = Patch(), Noted(dirty=[], lost_keys=set(), again=[])
    family = Family([loser, winner, row("sfa", "7", 9, {})], [], [create], frozenset((40,)))
    event = LifeEvent("merged", loser.ref, winner.ref)
    note_events([event], family, reading("ma", 50), lens(), numbers(), patch, found)
    (kept,) = patch.puts[OperationRow].values()
    assert isinstance(kept, OperationRow)
    assert (kept.state, kept.entity, kept.again) == (PENDING, 9, 1)


def test_an_id_that_somebody_has_changed_is_put_right() -> None:
    """The id of the record across is ours: whatever a person, a merge or a restore leaves there, it is restored."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        sales = town.record(Email=MAIL, LastName="Ito")
        town.open()
        for wrong in ("00Q5g0000009999EAA", None):
            town.edit(lead, sfaId=wrong)
            town.wait()
            town.quiet()
            assert town.value(lead, "sfaId") == sales.id
        town.edit(sales, Marketo_Id__c="4711")
        town.wait()
        town.quiet()
        assert town.value(sales, "Marketo_Id__c") == lead.id


def test_an_id_that_was_not_kept_and_then_filled_by_a_merge_is_put_right() -> None:
    """What stands there instead of our id was put there by somebody: no vendor alters an id."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        sales = town.record(Email=MAIL, LastName="Ito")
        town.cycle(first=True)
        with town.marketo_api.lock:
            town.marketo.human_edit(int(lead.id), {"sfaId": "00Q5g0000009999EAA"})
        town.wait()
        town.quiet()
        assert town.value(lead, "sfaId") == sales.id


def test_an_id_that_is_changed_again_and_again_waits_for_a_person() -> None:
    """The loop brake stops us where another program fills the field with ids of its own."""
    with Town() as town:
        lead = town.lead(email=MAIL, lastName="Ito", leadScore=80)
        town.record(Email=MAIL, LastName="Ito")
        town.open()
        for number in range(4):
            town.edit(lead, sfaId=f"00Q5g000000999{number}EAA")
            town.wait()
            town.quiet()
        assert [(hold.field, hold.kind) for hold in town.holds(lead)] == [("salesforce_id", "loop")]
        assert len(town.writes_to(lead)) == 3
