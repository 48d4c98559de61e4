"""Read a side and note it: feeds and single records (protocol §1, §2). I/O through ports only.

A page and its cursor are one transaction; a page's events are noted after its records. The sequence number
of a read is drawn before its request leaves. The next page is asked for while this one is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sync.brought import heard_until, overtaken, tell
from sync.errors import RequestRefused
from sync.halves import in_halves
from sync.life import Family, note_events
from sync.normalise import Lens
from sync.note import Noted, Reading, is_news, mark_dirty, note
from sync.ports import Clock, Connector, Executor, Store
from sync.pulse import LOSS
from sync.record import LifeEvent, Page, Record, Ref, Side
from sync.rows import LIVE, MOVED, UNSEEN, BaseRow, CursorRow, Patch, RecordRow
from sync.rules import Rules
from sync.scene import on_their_way
from sync.source import feel, lives
from sync.unseen import is_unread, note_refused, note_unseen

FRONT, ANEW = "front", "anew"
DAY = 86_400.0
CHUNK = 1_000


class Numbering:
    """Sequence numbers from the store, taken in blocks."""

    def __init__(self, store: Store, block: int = 1_000) -> None:
        self._store = store
        self._block = block
        self._left: Iterator[int] = iter(())

    def __call__(self) -> int:
        """The next number."""
        number = next(self._left, None)
        if number is None:
            self._left = iter(self._store.numbers(self._block))
            number = next(self._left)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One route's surroundings: its rules, its systems, the journal, time and threads.

    `channels`: where effects go that name a channel of the installation. `routes`: the rules of all routes, by which
    a route finds whom its records concern and what its references point at.
    """

    lens: Lens
    connectors: dict[Side, Connector]
    store: Store
    clock: Clock
    executor: Executor
    numbers: Numbering
    channels: Mapping[str, Connector] = field(default_factory=dict)
    routes: tuple[Rules, ...] = ()
    progress: Callable[[str, int], None] = field(default=lambda _what, _count: None)

    @property
    def kind(self) -> str:
        """The canonical kind of the route."""
        return self.lens.rules.kind

    @property
    def places(self) -> tuple[str, ...]:
        """Where operations leave for: the systems of the route, and the channels."""
        return (*self.lens.rules.systems.values(), *self.channels)

    def connector(self, place: str) -> Connector | None:
        """The system or channel of this name; None where no such channel is configured (any more)."""
        if place in self.lens.rules.systems.values():
            return self.connectors[self.lens.side(place)]
        return self.channels.get(place)

    def paths(self, side: Side) -> Mapping[str, tuple[str, ...]]:
        """What is read on a side."""
        return self.lens.reading(side)


@dataclass(slots=True)
class ReadCount:
    """What reading came to. `lost`: deleted of what we held, or asked for by id and not given."""

    read: int = 0
    new: int = 0
    changed: int = 0
    events: int = 0
    lost: int = 0

    def add(self, noted: Noted) -> None:
        """Count a noted page."""
        self.read += noted.read
        self.new += noted.new
        self.changed += noted.changed


def read_front(world: World, side: Side, run: int) -> ReadCount:
    """Read a side's feed from its cursor to its end; the first read takes everything. Where the cursor is older than
    the vendor remembers deletions, every record that we hold is asked for by id before the cursor moves on."""
    lost = _compare_ids(world, side, run) if _was_away(world, side) else 0
    done = _read_feed(world, side, run, FRONT)
    done.lost += lost
    return done


def _was_away(world: World, side: Side) -> bool:
    cursor = _cursor(world, world.lens.system(side), FRONT)
    memory = world.connectors[side].capabilities.deletion_memory_days * DAY
    return bool(cursor.complete) and world.clock.now() - cursor.at > memory


def _compare_ids(world: World, side: Side, run: int) -> int:
    """Read by id every record of a side that we hold; how many were not given."""
    done = ReadCount()
    for refs in held_parts(world, side):
        read_refs(world, side, run, refs, done)
    return done.lost


def held_parts(world: World, side: Side) -> Iterator[list[Ref]]:
    """Every record of a side that we hold and that is not known to be gone, part by part, whoever made it. Found
    through all dirty marks ever set, because each entity bears at least one."""
    after, entities = 0, set[int]()
    system = world.lens.system(side)
    while marks := world.store.dirty(world.kind, world.lens.rules.systems.values(), after, CHUNK):
        after = marks[-1].noted
        fresh = {mark.entity for mark in marks} - entities
        entities |= fresh
        held = world.store.records_of(fresh)
        yield [row.ref for row in held if row.system == system and row.state in (LIVE, UNSEEN)]


def read_anew(world: World, side: Side, run: int) -> ReadCount | None:
    """Read everything once more where that was asked for (else None), beside the feed, which loses nothing
    meanwhile. It stays asked for until `end_anew`."""
    asked = world.store.get(CursorRow, [(world.lens.system(side), world.kind, ANEW)])
    return _read_feed(world, side, run, ANEW) if asked else None


def end_anew(world: World, side: Side) -> None:
    """Everything was read once more, and whom that did not list was asked for."""
    patch = Patch()
    patch.drop(CursorRow(world.lens.system(side), world.kind, ANEW, "", 0, 0, 0.0))
    for mark in world.store.get(CursorRow, [("", world.kind, world.lens.rules.route)]):
        patch.put(mark._replace(as_of=world.numbers()))  # what reading anew has changed is no news
    world.store.commit(patch)


def _read_feed(world: World, side: Side, run: int, name: str) -> ReadCount:
    system = world.lens.system(side)
    done = ReadCount()
    cursor = _cursor(world, system, name)
    heard = 0
    if name == FRONT and world.lens.rules.standing:
        heard = heard_until(world.store, cursor, world.connectors[side].capabilities.visibility_lag)
    pages = world.connectors[side].changes(world.kind, cursor.value or None, world.paths(side))
    for page, reading in _pages(world, side, run, pages):
        complete = int(page.last or cursor.complete)
        cursor = cursor._replace(
            value=page.cursor, complete=complete, as_of=reading.as_of, at=reading.asked_at
        )
        _note_page(world, page, reading, done, cursor, heard)
    return done


def note_late(world: World, side: Side, run: int, events: Sequence[LifeEvent]) -> None:
    """Note what became of records that we did not hold when a page of keys told it; they are read by now."""
    if events:
        patch = Patch()
        _note_events(world, events, _reading(world, side, run, indexed=True), patch)
        world.store.commit(patch)


def refetch(world: World, side: Side, run: int) -> ReadCount:
    """Read by id what asked to be read again, each record once: one that asks anew waits for the next cycle."""
    done = ReadCount()
    system = world.lens.system(side)
    asked: set[Ref] = set()
    while True:
        rows = world.store.refetch_due(system, world.kind, world.clock.now(), 2_000 + len(asked))
        due = [row.ref for row in rows if row.ref not in asked]
        if not due:
            return done
        asked.update(due)
        read_refs(world, side, run, due, done)


def read_refs(
    world: World,
    side: Side,
    run: int,
    refs: Sequence[Ref],
    done: ReadCount,
    refused: dict[Ref, RequestRefused] | None = None,
) -> dict[Ref, Record]:
    """Read records by id and note them; one that is not given is unseen, never deleted. One that the vendor refuses
    to read is put into `refused`, and asked for again in an hour if it had asked to be read. `refused` not given: whom
    these records are read for has nothing else that asks again, so that each of them does."""
    found: dict[Ref, Record] = {}
    named, refused = refused is None, {} if refused is None else refused
    size = world.connectors[side].capabilities.fetch_batch

    def ask(part: Sequence[Ref]) -> list[Record | None]:
        return world.connectors[side].fetch(world.kind, part, world.paths(side))

    for start in range(0, len(refs), size):
        batch = refs[start : start + size]
        reading = _reading(world, side, run, indexed=False)
        given = [record for record in in_halves(ask, batch, refused) if record is not None]
        patch = Patch()
        held = _held(world, batch)
        noted = note(given, held, reading, world.lens, world.numbers, patch)
        found.update((record.ref, record) for record in given)
        missing = set(batch) - found.keys() - refused.keys()
        noted.pulse.add(LOSS, number=sum(held[ref].state == LIVE for ref in missing & held.keys()))
        done.lost += note_unseen(held, missing, reading, world.numbers, patch)
        barred = refused.keys() & set(batch)
        note_refused(held, barred, reading, world.numbers, patch, named=named)
        feel(world, reading, noted.pulse, patch, noted.left)
        _wake(world, noted, patch)
        world.store.commit(patch)
        done.add(noted)
    return found


def note_found(world: World, records: Sequence[Record], reading: Reading) -> Noted:
    """Note records that a look-up found. Its index may lag behind what we have read by id since: what it shows
    different of a record that we know is read by id. Of whom only the id is known it is the first that is read."""
    patch = Patch()
    held = _held(world, [record.ref for record in records])
    named = {ref: row for ref, row in held.items() if row.state == UNSEEN and is_unread(row)}
    new = [record for record in records if record.ref not in held or record.ref in named]
    noted = note(new, named, reading, world.lens, world.numbers, patch)
    for record in records:
        row = held.get(record.ref)
        if row is not None and is_news(record, row):
            seen = patch.puts[RecordRow].get(record.ref, row)
            assert isinstance(seen, RecordRow)
            patch.put(seen._replace(refetch_at=reading.now))
    _wake(world, noted, patch)
    world.store.commit(patch)
    return noted


def moved(world: World, records: Iterable[Record]) -> dict[Ref, RecordRow]:
    """Those of some records that have gone on as others, though a vendor may show them still (a converted lead)."""
    held = _held(world, [record.ref for record in records])
    return {ref: row for ref, row in held.items() if row.state == MOVED}


def _cursor(world: World, system: str, name: str) -> CursorRow:
    rows = world.store.get(CursorRow, [(system, world.kind, name)])
    return rows[0] if rows else CursorRow(system, world.kind, name, "", 0, 0, 0.0)


def _reading(world: World, side: Side, run: int, *, indexed: bool) -> Reading:
    now = world.clock.now()
    lag = world.connectors[side].capabilities.visibility_lag
    return Reading(
        system=world.lens.system(side), kind=world.kind, as_of=world.numbers(), asked_at=now, now=now,
        indexed=indexed, lag=lag, run=run,
    )  # fmt: skip


look_up_reading, cursor_of = _reading, _cursor


def _pages(world: World, side: Side, run: int, pages: Iterator[Page]) -> Iterator[tuple[Page, Reading]]:
    """Pages with the circumstances of each, the next one asked for while the caller works on this one."""
    waiting = _ask(world, side, run, pages)
    while True:
        future, reading = waiting
        page = future.result()
        if page is None:
            return
        if not page.last:
            waiting = _ask(world, side, run, pages)
        yield page, Reading(
            system=reading.system, kind=reading.kind, as_of=reading.as_of, asked_at=reading.asked_at,
            now=world.clock.now(), indexed=page.indexed, lag=reading.lag, run=run,
        )  # fmt: skip
        if page.last:
            return


def _ask(world: World, side: Side, run: int, pages: Iterator[Page]) -> tuple[Future[Page | None], Reading]:
    reading = _reading(world, side, run, indexed=True)
    return world.executor.submit(next, pages, None), reading


def _held(world: World, refs: Sequence[Ref]) -> dict[Ref, RecordRow]:
    return {row.ref: row for row in world.store.get(RecordRow, refs)} if refs else {}


def _note_page(
    world: World, page: Page, reading: Reading, done: ReadCount, cursor: CursorRow | None, heard: int = 0
) -> None:
    patch = Patch()
    held = _held(world, [record.ref for record in page.records])
    noted = note(page.records, held, reading, world.lens, world.numbers, patch)
    if late := overtaken(held.values(), heard):
        tell(late, world.store.standings({row.entity for row in late}), world.numbers, patch)
    feel(world, reading, noted.pulse, patch, noted.left)
    _wake(world, noted, patch)
    if page.events:
        world.store.commit(patch)
        patch = Patch()
        done.lost += _note_events(world, page.events, reading, patch)
    if cursor is not None:
        patch.put(cursor)
    if patch:
        world.store.commit(patch)
    done.add(noted)
    done.events += len(page.events)
    world.progress(f"read {reading.system}", noted.read)


def _note_events(world: World, events: Sequence[LifeEvent], reading: Reading, patch: Patch) -> int:
    """Note what became of records as a whole; how many were lost, which a sweep that tells it again does not say."""
    refs = [event.ref for event in events] + [event.into for event in events if event.into is not None]
    rows = list(_held(world, refs).values())
    entities = {row.entity for row in rows}
    records = world.store.records_of(entities)
    feel(world, reading, ended := lives(events, records), patch)
    family = Family(
        records=records,
        bases=world.store.get(BaseRow, [(entity, world.lens.rules.route) for entity in entities]),
        operations=world.store.open_operations(entities),
        sent=sent_operations(world),
        standings=world.store.standings(entities) if world.lens.rules.standing else (),
        holds=world.store.holds_of(entities),
    )
    noted = Noted([], set(), again=[])
    note_events(events, family, reading, world.lens, world.numbers, patch, noted)
    _wake(world, noted, patch)
    return ended.of(LOSS)


def sent_operations(world: World) -> frozenset[int]:
    """Operations that left and are not settled."""
    return on_their_way(world.store, world.places)


def _wake(world: World, noted: Noted, patch: Patch) -> None:
    """Mark everybody who shares a lost key: what held or barred them may be gone."""
    wake_sharing(world, noted.lost_keys, patch)


def wake_sharing(
    world: World, keys: set[str], patch: Patch, besides: Collection[Ref] = (), named: Collection[Ref] = ()
) -> None:
    """Mark dirty all live records that have one of these keys, or are `named`, besides those that freed it."""
    if not (keys or named):
        return
    refs = set(named).difference(besides)
    for side in world.lens.rules.sides:
        for key in world.store.holders(world.lens.system(side), world.kind, keys):
            ref = Ref(key.system, key.object, key.id)
            if not key.operation and ref not in besides:
                refs.add(ref)
    mark_dirty(
        (row for row in _held(world, sorted(refs)).values() if row.state == LIVE), world.numbers, patch
    )


ask_page, note_page, pages_of, held_rows = _ask, _note_page, _pages, _held
