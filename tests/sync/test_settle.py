"""Settling answers: the rows «applied», «refused», «transient» and «exists» of the protocol's event table."""

from __future__ import annotations

import msgspec
import pytest

from sync.around import Around
from sync.confirm import Sent, waiting
from sync.normalise import decode_body
from sync.plan import FieldWork, Work, decode_base, decode_work, encode_work, jobs_of
from sync.ports import FieldError, Outcome
from sync.record import Ref
from sync.rows import (
    APPLIED,
    DELETED,
    FAILED,
    LANE_DELTA,
    MOVED,
    PENDING,
    SUPERSEDED,
    UNSEEN,
    BaseRow,
    KeyRow,
    OperationRow,
    Patch,
    RecordRow,
)  # fmt: skip
from sync.rules import ActionKind
from sync.settle import Settlement
from tests.support.people import NOW, base_row, lens, numbers, row

LENS = lens()
MA = row("ma", "1", 9, {"email": "a@x.example", "lastName": "山田", "title": "new"})
SFA = row("sfa", "7", 9, {"Email": "a@x.example", "LastName": "山田", "Title": "old"})
BASE = base_row(LENS, 9, MA, SFA, {"title": ("old", "old"), "last_name": ("山田", "山田")})
TITLE = {"Title": FieldWork("title", "old", "new", "new", "new")}


def operation(action: ActionKind = ActionKind.UPDATE, **work: object) -> OperationRow:
    body = encode_work(msgspec.structs.replace(Work(fields=TITLE, source=MA.ref), **work))
    target = Ref("sfa", "Lead", "") if action is ActionKind.CREATE else SFA.ref
    return OperationRow(
        40,
        9,
        "people",
        7,
        action.value,
        *target,
        LANE_DELTA,
        PENDING,
        0.0,
        0,
        0,
        "d",
        "h",
        "",
        NOW,
        0.0,
        "",
        body,
    )


def settle(
    row_: OperationRow, outcome: Outcome, records: tuple[RecordRow, ...] = (MA, SFA)
) -> tuple[Settlement, Patch]:
    patch = Patch()
    settlement = Settlement(LENS, Around(records, [BASE]), numbers(), NOW, patch)
    settlement.settle(jobs_of([row_])[0], outcome)
    return settlement, patch


def operations(patch: Patch) -> list[OperationRow]:
    return [found for found in patch.puts[OperationRow].values() if isinstance(found, OperationRow)]


def the_record(patch: Patch, ref: Ref) -> RecordRow:
    found = patch.puts[RecordRow][ref]
    assert isinstance(found, RecordRow)
    return found


def test_an_answer_with_the_id_only_leaves_what_was_sent_unconfirmed() -> None:
    """The target is seen as sent, the pair (decided from, sent) is base, and the value waits to be read back."""
    _settlement, patch = settle(operation(), Outcome("applied", id="7"))
    target = the_record(patch, SFA.ref)
    assert decode_body(target.body)["Title"] == "new"
    assert waiting(target) == {"Title": Sent(40, "old", "new", 0)}
    assert target.settled > 0
    (base,) = patch.puts[BaseRow].values()
    assert isinstance(base, BaseRow)
    half = decode_base(base.body).halves["title"]
    assert (half.ma, half.sfa) == ("new", "new")
    assert operations(patch)[0].state == APPLIED


def test_returned_values_are_the_targets_half_at_once() -> None:
    """Where the vendor answers with the stored value, that value is seen and is the half, confirmed."""
    _settlement, patch = settle(operation(), Outcome("applied", id="7", values={"Title": "NEW"}))
    target = the_record(patch, SFA.ref)
    assert decode_body(target.body)["Title"] == "NEW"
    assert target.unconfirmed == ""
    (base,) = patch.puts[BaseRow].values()
    assert isinstance(base, BaseRow)
    assert decode_base(base.body).halves["title"].sfa == "NEW"


def test_the_half_comes_from_the_operation_not_from_what_is_seen_by_then() -> None:
    """An edit on the source while the write was on its way stays a change against the new base."""
    edited = row("ma", "1", 9, {"email": "a@x.example", "lastName": "山田", "title": "newer"})
    _settlement, patch = settle(operation(), Outcome("applied", id="7"), (edited, SFA))
    (base,) = patch.puts[BaseRow].values()
    assert isinstance(base, BaseRow)
    assert decode_base(base.body).halves["title"].ma == "new"


def test_what_was_passed_over_meanwhile_is_asked_again() -> None:
    """An operation that something waited behind marks its record dirty when it is settled."""
    _settlement, patch = settle(operation()._replace(again=1), Outcome("applied", id="7"))
    assert the_record(patch, SFA.ref).noted > SFA.noted


def test_a_created_record_joins_its_entity_and_turns_the_claim_into_a_key() -> None:
    """A new id is stored with its settlement: entity, base, key, and the claim is gone."""
    fields = {"LastName": FieldWork("last_name", None, "山田", "山田", "山田"),
              "Email": FieldWork("email", None, "a@x.example", "a@x.example", "a@x.example")}  # fmt: skip
    create = operation(ActionKind.CREATE, fields=fields, claims=("c",))
    settlement, patch = settle(create._replace(again=1), Outcome("applied", id="70"), (MA,))
    new = the_record(patch, Ref("sfa", "Lead", "70"))
    assert (new.entity, decode_body(new.body)["LastName"], decode_body(new.body)["Title"]) == (
        9,
        "山田",
        None,
    )
    assert ("sfa", "person", "c", "", "") in patch.drops[KeyRow]
    assert [key[3:5] for key in patch.puts[KeyRow]] == [("Lead", "70")]
    assert settlement.done.freed == {"c", LENS.known(MA).address, *LENS.id_look_ups(MA)}


def test_exists_adopts_and_goes_back_to_decide() -> None:
    """An existing record is never overwritten by a create: it is read, and both are decided again."""
    _settlement, patch = settle(operation(ActionKind.CREATE), Outcome("exists", id="70"), (MA,))
    found = the_record(patch, Ref("sfa", "Lead", "70"))
    assert (found.state, found.refetch_at) == (UNSEEN, NOW)
    assert operations(patch)[0].state == SUPERSEDED
    assert the_record(patch, MA.ref).noted > MA.noted
    assert not patch.puts[BaseRow]


def test_a_refusal_that_names_a_field_fails_that_field_alone() -> None:
    """The named field fails with the vendor's code; the rest is sent once more without it."""
    both = {**TITLE, "LastName": FieldWork("last_name", "山田", "佐藤", "佐藤", "佐藤")}
    refused = Outcome("refused", errors=(FieldError("Title", "STRING_TOO_LONG", "too long"),))
    _settlement, patch = settle(operation(fields=both), refused)
    states = {tuple(decode_work(found.body).fields): found.state for found in operations(patch)}
    assert states == {("Title",): FAILED, ("LastName",): PENDING}


def test_a_refusal_that_names_none_goes_on_singly() -> None:
    """When the vendor does not say which field it dislikes, each is sent alone."""
    both = {**TITLE, "LastName": FieldWork("last_name", "山田", "佐藤", "佐藤", "佐藤")}
    _settlement, patch = settle(
        operation(fields=both), Outcome("refused", errors=(FieldError("", "X", "no"),))
    )
    assert sorted(tuple(decode_work(found.body).fields) for found in operations(patch)) == [
        ("LastName",),
        ("Title",),
    ]
    assert {found.state for found in operations(patch)} == {PENDING}


def test_a_failed_operation_stays_open_and_is_tried_later() -> None:
    """After a refusal the operation waits an hour, with its cause."""
    refused = Outcome("refused", errors=(FieldError("Title", "STRING_TOO_LONG", "too long"),))
    _settlement, patch = settle(operation(), refused)
    (failed,) = operations(patch)
    assert (failed.state, failed.reason, failed.at) == (FAILED, "STRING_TOO_LONG", NOW + 3_600)


def test_only_refusals_make_the_wait_of_a_failed_operation_longer() -> None:
    """An hour, six hours, then a day each time; that the vendor had no time for it before does not count."""
    refused = Outcome("refused", errors=(FieldError("Title", "STRING_TOO_LONG", "too long"),))
    each, waits = operation()._replace(attempts=5), []
    for _ in range(4):
        _settlement, patch = settle(each, refused)
        (each,) = operations(patch)
        waits.append(each.at - NOW)
    assert waits == [3_600, 21_600, 86_400, 86_400]


@pytest.mark.parametrize("attempts", [0, 3])
def test_a_transient_answer_waits_longer_each_time(attempts: int) -> None:
    """Transient: pending again, later, with its attempts counted."""
    _settlement, patch = settle(operation()._replace(attempts=attempts), Outcome("retry"))
    (again,) = operations(patch)
    assert (again.state, again.attempts) == (PENDING, attempts + 1)
    assert again.at == NOW + 2.0**attempts


def test_a_transient_answer_after_thousands_of_tries_still_only_waits() -> None:
    """However long a vendor says «later», the wait has an upper bound and the settlement goes through."""
    _settlement, patch = settle(operation()._replace(attempts=5_000), Outcome("retry"))
    (again,) = operations(patch)
    assert (again.state, again.at) == (PENDING, NOW + 300.0)


def test_gone_asks_the_vendor_what_became_of_the_record() -> None:
    """A record that is gone is read again and stays linked; deleted is only what the vendor says is deleted."""
    _settlement, patch = settle(operation(), Outcome("gone"))
    assert (the_record(patch, SFA.ref).state, the_record(patch, SFA.ref).refetch_at) == (UNSEEN, NOW)
    assert operations(patch)[0].state == SUPERSEDED


def test_a_base_that_belongs_to_other_records_is_left_alone() -> None:
    """When the link has moved since, the answer no longer makes a base."""
    moved = base_row(LENS, 9, MA, row("sfa", "8", 9, {}), {"title": ("x", "x")})
    patch = Patch()
    Settlement(LENS, Around((MA, SFA), [moved]), numbers(), NOW, patch).settle(
        jobs_of([operation()])[0], Outcome("applied", id="7")
    )
    assert not patch.puts[BaseRow]


CREATE = operation(ActionKind.CREATE)


def test_what_somebody_typed_into_a_created_record_before_it_was_settled_is_known_as_somebodys() -> None:
    """Once we write there again the vendor names us, and what is read back is no alteration all the same."""
    typed = row("sfa", "8", 12, {"LastName": "山田", "Title": "theirs"}, own=0)
    _settlement, patch = settle(CREATE, Outcome("applied", id="8"), (MA, typed))
    assert waiting(the_record(patch, typed.ref))["Title"].others


CONVERTED = row("sfa", "70", 12, {"LastName": "佐藤"}, state=MOVED, moved_to="Contact/71")


def test_exists_that_names_a_converted_record_asks_for_what_it_became() -> None:
    """The old record is left alone; the record that it went on as is read and identified instead."""
    _settlement, patch = settle(CREATE, Outcome("exists", id="70"), (MA, CONVERTED))
    assert CONVERTED.ref not in patch.puts[RecordRow]
    assert the_record(patch, Ref("sfa", "Contact", "71")).refetch_at == NOW
    assert operations(patch)[0].state == SUPERSEDED


def test_exists_that_names_what_became_of_a_known_record_fails_instead_of_turning_in_circles() -> None:
    """Where decide knew the surviving record already, to adopt it again would decide the same again."""
    contact = row("sfa", "71", 12, {"LastName": "佐藤"}, object="Contact", noted=1)
    _settlement, patch = settle(CREATE, Outcome("exists", id="70"), (MA, CONVERTED, contact))
    assert operations(patch)[0].state == FAILED


def test_gone_takes_back_nothing_that_the_vendor_has_told() -> None:
    """A record known to be deleted or moved does not become unseen by a late answer."""
    _settlement, patch = settle(operation(), Outcome("gone"), (MA, SFA._replace(state=DELETED)))
    assert SFA.ref not in patch.puts[RecordRow]
