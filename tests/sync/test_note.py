"""Noting what was read: the rows «read» of the protocol's event table."""

from __future__ import annotations

import msgspec

from sync.confirm import Sent, confirm, pack
from sync.normalise import decode_body
from sync.note import Noted, Reading, note, note_keys
from sync.record import Raw, Record
from sync.rows import KeyRow, ObservedRow, Patch, RecordRow
from tests.support.people import NOW, keys_of, lens, numbers, reading, record, row

LENS = lens()


def noted(records: list[Record], held: list[RecordRow], how: Reading) -> tuple[Noted, Patch]:
    patch = Patch()
    found = note(records, {each.ref: each for each in held}, how, LENS, numbers(), patch)
    return found, patch


def only(patch: Patch) -> RecordRow:
    (found,) = patch.puts[RecordRow].values()
    assert isinstance(found, RecordRow)
    return found


def test_a_new_record_is_dirty_an_entity_of_its_own_and_findable() -> None:
    """A first read stores what was seen, marks it dirty, and stores its address as a key."""
    found, patch = noted(
        [record("ma", "1", {"email": "A@x.example", "lastName": "山田"})], [], reading("ma", 5)
    )
    new = only(patch)
    assert found.new == 1
    assert new.entity == new.noted > 0
    assert decode_body(new.body)["lastName"] == "山田"
    assert {key.hash for key in patch.puts[KeyRow].values() if isinstance(key, KeyRow)} == {
        key.hash for key in keys_of(LENS, new, {"email": "a@x.example"})
    }
    assert not patch.puts[ObservedRow], "a first read is not repeated among the observed changes"


def test_an_unchanged_record_costs_no_row() -> None:
    """Reading again what we hold writes nothing."""
    held = row("ma", "1", 9, {"title": "部長"})
    _found, patch = noted([record("ma", "1", {"title": "部長"})], [held], reading("ma", 5))
    assert not patch


def test_a_change_is_seen_dirty_and_observed() -> None:
    """A changed value replaces what was seen, marks the record, and is kept with old and new value."""
    held = row("ma", "1", 9, {"title": "部長"}, observed=3)
    _found, patch = noted([record("ma", "1", {"title": "課長"})], [held], reading("ma", 5))
    new = only(patch)
    assert decode_body(new.body)["title"] == "課長"
    assert new.noted > held.noted
    (page,) = patch.puts[ObservedRow].values()
    assert isinstance(page, ObservedRow)
    assert msgspec.json.decode(page.body) == [["Lead", "1", 3, {"title": ["部長", "課長"]}, -1]]
    assert new.observed == page.id


def test_a_read_older_than_the_last_settlement_changes_nothing_and_asks_again() -> None:
    """A stale page after a settle never brings the old value back; the record is read by id instead."""
    held = row("sfa", "7", 9, {"Title": "sent"}, settled=50, settled_at=NOW)
    found, patch = noted(
        [record("sfa", "7", {"Title": "before"})], [held], reading("sfa", 49, asked_at=NOW + 9)
    )
    new = only(patch)
    assert decode_body(new.body)["Title"] == "sent"
    assert new.refetch_at > 0
    assert found.again == [held.ref]


def test_an_indexed_read_within_the_lag_after_a_settlement_is_stale() -> None:
    """A feed may lag behind a write: within that lag a different value only asks for a read by id."""
    held = row("sfa", "7", 9, {"Title": "sent"}, settled=50, settled_at=NOW)
    late = reading("sfa", 60, asked_at=NOW + 0.5, lag=1.0)
    assert (
        decode_body(only(noted([record("sfa", "7", {"Title": "old"})], [held], late)[1]).body)["Title"]
        == "sent"
    )
    by_id = reading("sfa", 60, asked_at=NOW + 0.5, lag=1.0, indexed=False)
    assert (
        decode_body(only(noted([record("sfa", "7", {"Title": "old"})], [held], by_id)[1]).body)["Title"]
        == "old"
    )


def test_seen_never_goes_back_to_an_older_version() -> None:
    """Where the vendor gives a version, an older one is never taken for news."""
    held = row("sfa", "7", 9, {"Title": "new"}, version="2026-02")
    _found, patch = noted(
        [record("sfa", "7", {"Title": "old"}, version="2026-01")], [held], reading("sfa", 9)
    )
    assert decode_body(only(patch).body)["Title"] == "new"


def test_reading_back_what_was_sent_confirms_it_in_one_row() -> None:
    """Equal to sent: the value is confirmed and nothing has to be decided."""
    sent = pack({"Title": Sent(3, "old", "sent", 0)})
    held = row("sfa", "7", 9, {"Title": "sent"}, settled=2, settled_at=NOW - 60, unconfirmed=sent)
    found, patch = noted([record("sfa", "7", {"Title": "sent"})], [held], reading("sfa", 9))
    assert only(patch).unconfirmed == ""
    assert not found.dirty


def _judged(value: Raw, path: str = "Title", *, looked: int = 0, own: int = -1) -> tuple[str, ...]:
    sent = pack({path: Sent(3, "before", "sent", looked)})
    held = row("sfa", "7", 9, {path: value}, settled=2, as_of=9, settled_at=NOW, unconfirmed=sent, own=own)
    return tuple(verdict.fate for verdict in confirm(held, LENS, now=NOW, lag=1.0).verdicts)


def test_the_value_before_is_looked_at_twice_and_then_ignored() -> None:
    """A vendor that keeps the old value is asked once more after its lag, and then listed as ignoring us."""
    assert _judged("before") == ()
    assert _judged("before", looked=1) == ("ignored",)


def test_another_value_is_the_vendors_alteration_only_with_evidence() -> None:
    """On a two-way field anything else is somebody's change, unless the vendor's evidence shows only us."""
    assert _judged("other") == ("changed",)
    assert _judged("other", own=0) == ("changed",)
    assert _judged("other", own=1) == ("altered",)


def test_a_one_way_field_is_altered_not_changed() -> None:
    """On a field that flows one way only, a different value is the vendor's alteration; not of what it kept before."""
    for before, fate in ((1, "altered"), (12, "changed")):
        sent = pack({"MA_Score__c": Sent(3, before, 12, 0)})
        held = row("sfa", "7", 9, {"MA_Score__c": 10}, settled=2, as_of=9, unconfirmed=sent)
        (verdict,) = confirm(held, LENS, now=NOW, lag=1.0).verdicts
        assert (verdict.fate, verdict.half) == (fate, 10)


def test_a_changed_address_gives_up_the_old_key() -> None:
    """Changing the address moves the key, and the old one is reported so that its neighbours are asked."""
    held = row("ma", "1", 9, {"email": "old@x.example"})
    found, patch = noted([record("ma", "1", {"email": "new@x.example"})], [held], reading("ma", 5))
    assert found.lost_keys == {key.hash for key in keys_of(LENS, held, {"email": "old@x.example"})}
    assert len(patch.drops[KeyRow]) == len(patch.puts[KeyRow]) == 1


def test_a_sweep_by_versions_asks_only_for_what_is_newer() -> None:
    """A keys-only page names the records whose version we do not hold, and no others."""
    known = row("sfa", "7", 9, {}, version="2026-02")
    page = [Record(known.ref, {}, "2026-02"), Record(known.ref._replace(id="8"), {}, "2026-01")]
    assert [ref.id for ref in note_keys(page, {known.ref: known})] == ["8"]


def test_a_newer_version_without_news_is_kept_in_one_row_and_nothing_is_decided() -> None:
    """Where something that we do not map was edited, the version is stored, and the record is not dirty."""
    held = row("sfa", "7", 9, {"Title": "old"}, version="v1")
    found, patch = noted([record("sfa", "7", {"Title": "old"}, "v2")], [held], reading("sfa", 5))
    assert (only(patch).version, only(patch).noted) == ("v2", held.noted)
    assert (found.dirty, found.changed) == ([], 0)
