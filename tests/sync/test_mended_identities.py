"""A link follows the record that leads, an opt-out the record that it is for, whoever borrows an address."""

from __future__ import annotations

from sync.around import Around
from sync.consent import opt_out_work
from sync.life import Family, note_events
from sync.note import Noted
from sync.plan import Job, Work, encode_work
from sync.ports import FieldError
from sync.record import LifeEvent, Ref, Side
from sync.refuse import after_refusal
from sync.rows import FAILED, LANE_OPT_OUT, LEADING, MOVED, PENDING, TWIN, OperationRow, Patch, RecordRow
from sync.rules import ActionKind
from sync.settle import Settlement
from tests.support.people import NOW, base_row, lens, numbers, reading, row

MAIL = {"Email": "a@x.example"}


def told(event: LifeEvent, *held: RecordRow) -> dict[Ref, RecordRow]:
    """The rows of everybody concerned once an event is noted; entities 8 and 9 are linked."""
    patch = Patch()
    bases = [
        base_row(lens(), each.entity, each, each, {})
        for each in held
        if each.system == "ma" and not each.role
    ]
    found = Noted(dirty=[], lost_keys=set(), again=[])
    note_events(
        [event], Family(held, bases, [], frozenset()), reading("sfa", 50), lens(), numbers(), patch, found
    )
    rows = {each.ref: each for each in held}
    for each in patch.puts[RecordRow].values():
        assert isinstance(each, RecordRow)
        rows[each.ref] = each
    return rows


def test_a_twin_that_is_converted_leads_nobody_afterwards() -> None:
    """Whoever is linked stays linked when a second record with the address becomes a contact."""
    ma, leader = row("ma", "1", 8, {}), row("sfa", "L", 8, MAIL)
    twin, contact = row("sfa", "T", 8, MAIL, role=TWIN), Ref("sfa", "Contact", "C")
    rows = told(LifeEvent("converted", twin.ref, contact), ma, leader, twin)
    assert (rows[leader.ref].role, rows[contact].role) == (LEADING, TWIN)
    assert (rows[contact].entity, rows[twin.ref].state) == (8, MOVED)


def test_a_leading_record_that_is_converted_hands_its_lead_on() -> None:
    """The link follows the record that bears it, also into a contact that nobody has read yet."""
    ma, leader, contact = row("ma", "1", 8, {}), row("sfa", "L", 8, MAIL), Ref("sfa", "Contact", "C")
    rows = told(LifeEvent("converted", leader.ref, contact), ma, leader)
    assert (rows[contact].role, rows[contact].entity, rows[leader.ref].role) == (LEADING, 8, TWIN)


def test_a_twin_that_is_merged_into_somebody_else_goes_over_alone() -> None:
    """Two linked persons stay two when a record that was a twin of the one by its address becomes the other's."""
    ours, mine = row("ma", "1", 8, {}), row("sfa", "L", 8, MAIL)
    theirs, other = row("ma", "2", 9, {}), row("sfa", "M", 9, {"Email": "b@x.example"})
    twin = row("sfa", "T", 8, MAIL, role=TWIN)
    rows = told(LifeEvent("merged", twin.ref, other.ref), ours, mine, theirs, other, twin)
    assert [rows[each.ref].entity for each in (ours, mine, theirs, other, twin)] == [8, 8, 9, 9, 9]
    assert [rows[each.ref].role for each in (ours, mine, theirs, other)] == [LEADING] * 4


def opting_out(action: str, record: str) -> tuple[OperationRow, Work]:
    """An opt-out on its way to a record of entity 9, heard of from one of entity 8."""
    field = opt_out_work("all", None, lens().topic["all"].cells[Side.SFA])
    work = Work(fields={"HasOptedOutOfEmail": field, "Email": field}, source=Ref("ma", "Lead", "1"))
    if record:
        work = Work(fields={"HasOptedOutOfEmail": field}, source=work.source)
    made = OperationRow(
        40, 9, "people", 7, action, "sfa", "Lead", record, LANE_OPT_OUT, "sent", 0.0, 0, 0, lens().rules.digest,
        "h", "", NOW, 0.0, "", encode_work(work),
    )  # fmt: skip
    return made, work


def test_an_opt_out_that_is_sent_again_stays_with_the_record_that_it_is_for() -> None:
    """Heard of from somebody else, lost on the way and sent again, it is not dropped as already done at the source."""
    made, work = opting_out(ActionKind.OPT_OUT, "L")
    patch = Patch()
    around = Around([row("ma", "1", 8, {}), row("sfa", "L", 9, MAIL)], [])
    Settlement(lens(), around, numbers(), NOW, patch).again(Job(made, work))
    (again,) = patch.puts[OperationRow].values()
    assert isinstance(again, OperationRow)
    assert (again.state, again.entity) == (PENDING, 9)


def test_nobody_who_is_opted_out_is_made_without_the_opt_out() -> None:
    """Where our user may not write that field the create fails and says so, instead of making somebody to write to."""
    made, work = opting_out(ActionKind.CREATE, "")
    refused = [FieldError("HasOptedOutOfEmail", "INVALID_FIELD_FOR_INSERT_UPDATE", "may not be written")]
    (after,) = after_refusal(made, work, refused, numbers(), NOW)
    assert (after.state, after.reason) == (FAILED, "INVALID_FIELD_FOR_INSERT_UPDATE")
