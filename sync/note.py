"""Note what was read: seen, dirty marks, observed changes (protocol §1, table of §3, rows «read»).

Pure: a page and the rows that we hold of its records go in, row changes come out. It does not know
what follows from a change. A read that left before the record's last settlement or a newer read never
changes what is seen; it only asks for the record to be read again by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sync.confirm import pack, waiting
from sync.normalise import Lens, decode_body, encode
from sync.record import Raw, Record, Ref
from sync.rows import DELETED, LEADING, LIVE, MOVED, KeyRow, ObservedRow, Patch, RecordRow

Numbers = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The circumstances of one read.

    `as_of` was drawn before the request left, `asked_at` is when it left. `indexed`: the read may lag
    behind writes by `lag` seconds (feeds and look-ups), a read by id does not.
    """

    system: str
    kind: str
    as_of: int
    asked_at: float
    now: float
    indexed: bool
    lag: float
    run: int


@dataclass(slots=True)
class Noted:
    """What noting found: dirty records, key hashes that are gone, records to read again, and their number."""

    dirty: list[Ref]
    lost_keys: set[str]
    again: list[Ref]
    read: int = 0
    new: int = 0
    changed: int = 0


def note(
    records: Iterable[Record],
    held: Mapping[Ref, RecordRow],
    reading: Reading,
    lens: Lens,
    numbers: Numbers,
    patch: Patch,
) -> Noted:
    """Put into `patch` everything that these records change in what we hold."""
    found = Noted(dirty=[], lost_keys=set(), again=[])
    page = numbers()
    observed: list[object] = []
    for record in records:
        found.read += 1
        row = patch.puts[RecordRow].get(record.ref) or held.get(record.ref)
        if row is None:
            _add(record, reading, lens, numbers, patch, found)
        else:
            _compare(record, row, reading, lens, numbers, patch, found, page, observed)  # type: ignore[arg-type]
    if observed:
        body = encode(observed)
        patch.put(ObservedRow(page, reading.now, reading.system, reading.kind, reading.run, body))
    return found


def note_keys(records: Iterable[Record], held: Mapping[Ref, RecordRow]) -> list[Ref]:
    """Names the records of a keys-only page whose version differs from the one we hold: to be read by id."""
    stale: list[Ref] = []
    for record in records:
        row = held.get(record.ref)
        if row is None or (record.version > row.version and row.state != MOVED):
            stale.append(record.ref)
    return stale


def _add(record: Record, reading: Reading, lens: Lens, numbers: Numbers, patch: Patch, found: Noted) -> None:
    ref = record.ref
    mark = numbers()
    patch.put(
        RecordRow(
            ref.system, ref.object, ref.id, reading.kind, mark, LEADING, LIVE, "", reading.as_of, 0, 0.0,
            record.version, record.created, _own(record), mark, 0.0, 0, encode(record.values), "",
        )
    )  # fmt: skip
    for key in lens.keys(ref.system, ref.object, record.values):
        patch.put(KeyRow(ref.system, reading.kind, key, ref.object, ref.id, 0))
    found.dirty.append(ref)
    found.new += 1


def _compare(
    record: Record,
    row: RecordRow,
    reading: Reading,
    lens: Lens,
    numbers: Numbers,
    patch: Patch,
    found: Noted,
    page: int,
    observed: list[object],
) -> None:
    if row.state == MOVED:
        if row.refetch_at:
            patch.put(row._replace(refetch_at=0.0))
        return
    seen = decode_body(row.body)
    changes = _changes(row, seen, record.values)
    restored = row.state != LIVE
    if _is_stale(record, row, reading):
        if changes or restored:
            # what a read by id gave too early is given no better at once
            soonest = reading.now if reading.indexed else reading.now + reading.lag
            patch.put(row._replace(refetch_at=max(soonest, row.settled_at + reading.lag)))
            found.again.append(record.ref)
        return
    unconfirmed, awaited = _confirm(row, record.values)
    first_look = row.as_of == 0
    newer = bool(record.version) and record.version != row.version  # or every sweep would read it once more
    if not (changes or restored or first_look or newer or row.refetch_at) and unconfirmed == row.unconfirmed:
        return
    dirty = bool(changes) or restored or awaited or (unconfirmed != "" and row.refetch_at > 0)
    seen.update(record.values)
    fresh = row._replace(
        state=LIVE, as_of=reading.as_of, version=record.version or row.version,
        created=record.created or row.created, own=_own(record), refetch_at=0.0,
        noted=numbers() if dirty else row.noted, observed=page if changes else row.observed,
        body=encode(seen) if changes or first_look else row.body, unconfirmed=unconfirmed,
    )  # fmt: skip
    patch.put(fresh)
    if changes:
        observed.append([row.object, row.id, row.observed, changes, fresh.own])
        found.changed += 1
    if dirty:
        found.dirty.append(record.ref)
    if changes:
        _move_keys(row, fresh, lens, patch, found)


def _changes(row: RecordRow, seen: Mapping[str, Raw], values: Mapping[str, Raw]) -> dict[str, list[Raw]]:
    """What differs from what we saw, old and new. In a record that we created and never read, a blank or a
    false in a field that we did not send is what the vendor always puts there, and no news."""
    unread = row.as_of == 0 and row.settled > 0
    return {
        path: [seen.get(path), raw]
        for path, raw in values.items()
        if (path not in seen or _differs(seen[path], raw))
        and not (unread and seen.get(path) is None and (raw is False or raw == ""))
    }


def _differs(seen: Raw, now: Raw) -> bool:
    """True unless both are the same value; 1 and 1.0 are, 1 and true are not."""
    return seen != now or isinstance(seen, bool) != isinstance(now, bool)


def _is_stale(record: Record, row: RecordRow, reading: Reading) -> bool:
    if reading.as_of < row.as_of or reading.as_of < row.settled:
        return True
    if record.version and row.version and record.version < row.version:
        return True
    return reading.indexed and row.settled > 0 and reading.asked_at < row.settled_at + reading.lag


def _confirm(row: RecordRow, values: Mapping[str, Raw]) -> tuple[str, bool]:
    """The unconfirmed without those that were read back as sent, and whether one of these was awaited."""
    if not row.unconfirmed:
        return "", False
    sent = waiting(row)
    left = {path: each for path, each in sent.items() if path not in values or values[path] != each.sent}
    return pack(left), any(each.awaited for path, each in sent.items() if path not in left)


def _move_keys(old: RecordRow, new: RecordRow, lens: Lens, patch: Patch, found: Noted) -> None:
    before = lens.keys(old.system, old.object, decode_body(old.body))
    after = lens.keys(new.system, new.object, decode_body(new.body))
    for key in before - after:
        patch.drop(KeyRow(old.system, old.kind, key, old.object, old.id, 0))
        found.lost_keys.add(key)
    for key in after - before:
        patch.put(KeyRow(new.system, new.kind, key, new.object, new.id, 0))


def _own(record: Record) -> int:
    return -1 if record.own is None else int(record.own)


def mark_dirty(rows: Iterable[RecordRow], numbers: Numbers, patch: Patch) -> None:
    """Mark records dirty whose own values did not change, but whose situation did."""
    for row in rows:
        current = patch.puts[RecordRow].get(row.ref, row)
        assert isinstance(current, RecordRow)
        patch.put(current._replace(noted=numbers()))


def is_gone(row: RecordRow) -> bool:
    """True if the vendor says that the record no longer exists under this id."""
    return row.state in (DELETED, MOVED)
