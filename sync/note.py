"""Note what was read: seen, dirty marks, observed changes (protocol §1, table of §3, rows «read»).

Pure: a page and the rows that we hold of its records go in, row changes come out. It does not know
what follows from a change. A read that left before the record's last settlement or a newer read never
changes what is seen; it only asks for the record to be read again by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sync.confirm import pack, waiting
from sync.normalise import Lens, decode_body, encode
from sync.pulse import SAME, Pulse
from sync.record import Raw, Record, Ref
from sync.rows import LEADING, LIVE, MOVED, TWIN, KeyRow, ObservedRow, Patch, RecordRow

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
    """What noting found: dirty records, key hashes that are gone, records to read again, their number, and what their
    changes have in common. `left`: who has just left the scope."""

    dirty: list[Ref]
    lost_keys: set[str]
    again: list[Ref]
    read: int = 0
    new: int = 0
    changed: int = 0
    pulse: Pulse = field(default_factory=Pulse)
    left: list[RecordRow] = field(default_factory=list)


def note(
    records: Iterable[Record],
    held: Mapping[Ref, RecordRow],
    reading: Reading,
    lens: Lens,
    numbers: Numbers,
    patch: Patch,
) -> Noted:
    """Put into `patch` everything that these records change in what we hold."""
    page = _Page(reading, lens, numbers, patch)
    for record in records:
        page.found.read += 1
        row = patch.puts[RecordRow].get(record.ref) or held.get(record.ref)
        if row is None:
            page.add(record)
        else:
            assert isinstance(row, RecordRow)
            page.compare(record, row)
    page.close()
    return page.found


class _Page:
    """One page while it is noted: what is found in it, and what it observes."""

    def __init__(self, reading: Reading, lens: Lens, numbers: Numbers, patch: Patch) -> None:
        self.reading = reading
        self.lens = lens
        self.numbers = numbers
        self.patch = patch
        self.found = Noted(dirty=[], lost_keys=set(), again=[])
        self.number = numbers()
        self.observed: list[object] = []

    def close(self) -> None:
        """Keep what was observed."""
        if self.observed:
            where = self.reading
            body = encode(self.observed)
            self.patch.put(ObservedRow(self.number, where.now, where.system, where.kind, where.run, body))

    def add(self, record: Record) -> None:
        """Note a record that we do not hold: an entity of its own, dirty, findable by its keys."""
        ref, where = record.ref, self.reading
        mark = self.numbers()
        self.patch.put(
            RecordRow(
                ref.system, ref.object, ref.id, where.kind, mark, LEADING, LIVE, "", where.as_of, 0, 0.0,
                record.version, record.created, _own(record), mark, 0.0, 0, encode(record.values), "",
            )
        )  # fmt: skip
        for key in self.lens.stored_keys(ref.system, ref.object, record.values):
            self.patch.put(KeyRow(ref.system, where.kind, key, ref.object, ref.id, 0))
        self.found.dirty.append(ref)
        self.found.new += 1

    def compare(self, record: Record, row: RecordRow) -> None:
        """Note a record that we hold."""
        if row.state == MOVED and not self._is_back(record, row):
            return
        seen = decode_body(row.body)
        changes = differences(row, seen, record.values)
        if row.state == MOVED:
            self._renew(record, row._replace(moved_to="", role=TWIN), seen, changes)
        elif not _is_stale(record, row, self.reading):
            self._renew(record, row, seen, changes)
        elif changes or row.state != LIVE or self._is_undated(row):
            self._look_again(row)

    def _is_undated(self, row: RecordRow) -> bool:
        """True if ours is still to be read back, and the clock was set back since it was written: until it has come to
        where it was, every page is doubted, and no read by id is due."""
        return row.unconfirmed != "" and row.settled_at > self.reading.now

    def _is_back(self, record: Record, row: RecordRow) -> bool:
        """True if a record that was merged away is there again, out of its vendor's bin: read by id, after the merge
        was told. A feed that shows it under a newer version has it read by id; a converted record is never back."""
        where = self.reading
        back = is_merged(row) and where.as_of > row.as_of
        if back and not where.indexed:
            return True
        if back and record.version > row.version:
            self._look_again(row)
        elif row.refetch_at:
            self.patch.put(row._replace(refetch_at=0.0))
        return False

    def _look_again(self, row: RecordRow) -> None:
        """Read by id what a read gave too early; what a read by id gave too early is given no better at once."""
        where = self.reading
        soonest = where.now if where.indexed else where.now + where.lag
        # where the clock was set back since, nobody knows how long ago that was: a read by id shows it as it is
        settled = row.settled_at + where.lag if row.settled_at <= where.now else 0.0
        self.patch.put(row._replace(refetch_at=max(soonest, settled)))
        self.found.again.append(row.ref)

    def _renew(
        self, record: Record, row: RecordRow, seen: dict[str, Raw], changes: dict[str, list[Raw]]
    ) -> None:
        """Bring what we hold up to this read; an unchanged record costs no row."""
        unconfirmed, awaited = _confirm(row, record)
        restored, first_look = row.state != LIVE, row.as_of == 0
        newer = (
            bool(record.version) and record.version != row.version
        )  # or every sweep would read it once more
        same = unconfirmed == row.unconfirmed
        if same and not (changes or restored or first_look or newer or row.refetch_at):
            return
        dirty = bool(changes) or restored or awaited or (unconfirmed != "" and row.refetch_at > 0)
        # Of whom only the name was known this is the first read, which is not repeated among the changes.
        told = bool(changes) and row.as_of + row.settled > 0
        self._count(row, seen, changes)
        seen.update(record.values)
        fresh = row._replace(
            state=LIVE, as_of=self.reading.as_of, version=record.version or row.version,
            created=record.created or row.created, own=_own(record), refetch_at=0.0,
            noted=self.numbers() if dirty else row.noted, observed=self.number if told else row.observed,
            body=encode(seen) if changes or first_look else row.body, unconfirmed=unconfirmed,
        )  # fmt: skip
        if first_look and not dirty and _enters(self.lens, row, fresh):
            dirty, fresh = True, fresh._replace(noted=self.numbers())
        self.patch.put(fresh)
        if dirty:
            self.found.dirty.append(record.ref)
        if restored:  # who waited for it is asked again
            self.found.lost_keys |= self.lens.keys(row.system, row.object, record.values)
        if told:
            evidence = [record.by] if record.by else []
            self.observed.append([row.object, row.id, row.observed, changes, fresh.own, *evidence])
        if changes:
            if row.as_of > 0 and _leaves(self.lens, row, fresh):
                self.found.left.append(fresh)
            self.found.changed += 1
            _move_keys(row, fresh, self.lens, self.patch, self.found)

    def _count(self, row: RecordRow, seen: Mapping[str, Raw], changes: Mapping[str, list[Raw]]) -> None:
        """Count what others have done to what we had read: no echo of ours, nothing read for the first time."""
        if row.as_of > 0:
            ours = waiting(row)
            others = {path: each for path, each in changes.items() if path in seen and path not in ours}
            self.found.pulse.change(row.object, others)
            if others:
                self.found.pulse.altered.append(row.observed)
            else:
                self.found.pulse.add(SAME)


def _enters(lens: Lens, before: RecordRow, after: RecordRow) -> bool:
    """Whether a record that we created shows only now, when it is first read, on which side of its scope it is."""
    scope = lens.rules.scope.get(lens.side(before.system))
    return scope is not None and scope(lens.known(before).values) != scope(lens.known(after).values)


def _leaves(lens: Lens, before: RecordRow, after: RecordRow) -> bool:
    """Whether a record that others have changed is outside its scope from now on."""
    scope = lens.rules.scope.get(lens.side(before.system))
    return scope is not None and not scope(lens.known(after).values) and scope(lens.known(before).values)


def note_keys(records: Iterable[Record], held: Mapping[Ref, RecordRow]) -> list[Ref]:
    """Names the records of a keys-only page whose version differs from the one we hold: to be read by id."""
    stale: list[Ref] = []
    for record in records:
        row = held.get(record.ref)
        gone = row is not None and row.state == MOVED and not is_merged(row)
        if row is None or (record.version > row.version and not gone):
            stale.append(record.ref)
    return stale


def is_merged(row: RecordRow) -> bool:
    """True if a record went on as one of its own object: it was merged, and may come back out of the bin."""
    return row.state == MOVED and row.moved_to.partition("/")[0] == row.object


def is_news(record: Record, row: RecordRow) -> bool:
    """True if a record reads different from what we hold of it."""
    gone = row.state not in (LIVE, MOVED)
    return gone or (row.state == LIVE and bool(differences(row, decode_body(row.body), record.values)))


def differences(row: RecordRow, seen: Mapping[str, Raw], values: Mapping[str, Raw]) -> dict[str, list[Raw]]:
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


def _confirm(row: RecordRow, record: Record) -> tuple[str, bool]:
    """The unconfirmed without those that were read back as sent, and whether one of these was awaited. That somebody
    else wrote to the record last is kept of what reads otherwise than we left it, and of what the rules do not read at
    present: once we write there again, the vendor shows it no more."""
    if not row.unconfirmed:
        return "", False
    sent, values = waiting(row), record.values
    left = {path: each for path, each in sent.items() if path not in values or values[path] != each.sent}
    if record.own is False:
        left |= {
            path: each._replace(others=True)
            for path, each in left.items()
            if path not in values or values[path] != each.before
        }
    return pack(left), any(each.awaited for path, each in sent.items() if path not in left)


def _move_keys(old: RecordRow, new: RecordRow, lens: Lens, patch: Patch, found: Noted) -> None:
    seen = decode_body(old.body)
    before = lens.stored_keys(old.system, old.object, seen)
    after = lens.stored_keys(new.system, new.object, decode_body(new.body))
    for key in before - after:
        patch.drop(KeyRow(old.system, old.kind, key, old.object, old.id, 0))
    found.lost_keys |= (before - after) & lens.keys(old.system, old.object, seen)
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
