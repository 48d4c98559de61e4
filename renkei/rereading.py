"""Reading one side of a route again, a part at a time, from a cursor of its own that is kept with every page.

It decides which of the records read are noted: those that a person chose by time of creation and by condition. An
opt-out is noted whoever bears it. What follows from a record is the engine's affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace

from sync.errors import UnknownValue
from sync.normalise import Lens, encode
from sync.note import Reading
from sync.read import ReadCount, World, ask_page, cursor_of, note_page
from sync.record import Page, Record, Side
from sync.rows import LEADING, LIVE, CursorRow, Patch, RecordRow
from sync.rules import Condition

_SECOND = len("2026-11-22T00:00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who is meant: created from `since` and before `until` (ISO, UTC, "" = open), who meets `test`, at most `limit`
    records of a side (0 = all)."""

    lens: Lens
    since: str = ""
    until: str = ""
    test: Condition | None = None
    limit: int = 0

    @property
    def everybody(self) -> bool:
        """True if nobody is left out."""
        return not (self.since or self.until or self.test)

    def means(self, record: Record) -> bool:
        """True if a record as read is meant; one whose time of creation is not told is."""
        created = record.created[:_SECOND]
        since, until = self.since[:_SECOND], self.until[:_SECOND]
        if created and ((since and created < since) or (until and created >= until)):
            return False
        return self.test is None or self.test(self.lens.known(_as_row(self.lens, record)).values)

    def opted_out(self, record: Record) -> frozenset[str]:
        """The topics of which a record says «opted out»."""
        found: set[str] = set()
        for rule in self.lens.rules.consent:
            cell = rule.cells.get(self.lens.side(record.ref.system))
            path = cell.paths.get(record.ref.object) if cell is not None else None
            try:
                if cell is not None and path is not None and cell.read(record.values.get(path)) is True:
                    found.add(rule.topic)
            except UnknownValue:
                continue
        return frozenset(found)

    def consent_only(self, record: Record) -> Record:
        """The same record, knowing nothing but its opt-outs."""
        side, object_ = self.lens.side(record.ref.system), record.ref.object
        cells = [rule.cells[side] for rule in self.lens.rules.consent if side in rule.cells]
        paths = {cell.paths[object_] for cell in cells if object_ in cell.paths}
        return record._replace(
            values={path: raw for path, raw in record.values.items() if path in paths}, version=""
        )


def _as_row(lens: Lens, record: Record) -> RecordRow:
    ref, body = record.ref, encode(record.values)
    return RecordRow(
        ref.system, ref.object, ref.id, lens.rules.kind, 0, LEADING, LIVE, "", 0, 0, 0.0, record.version,
        record.created, -1, 0, 0.0, 0, body, "",
    )  # fmt: skip


@dataclass(slots=True)
class Part:
    """What one part of a reading came to: records seen, those meant, and what noting them found."""

    seen: int = 0
    meant: int = 0
    noted: ReadCount = field(default_factory=ReadCount)

    @property
    def news(self) -> bool:
        """True if anything has to be decided now."""
        return bool(self.noted.new or self.noted.changed or self.noted.events)


class Rereading:
    """One side, read through once; what was noted is not read again, whoever goes on with it.

    The next page is asked for while this one is worked on, and a page that takes long (a vendor's own job) is left
    alone until it is there.
    """

    def __init__(self, world: World, side: Side, choice: Choice, name: str, meant: int = 0) -> None:
        self.world, self.side, self.choice = world, side, choice
        self._meant = meant
        self._pages: Iterator[Page] | None = None
        self._asked: tuple[Future[Page | None], Reading] | None = None
        self._cursor = cursor_of(world, world.lens.system(side), name)

    @property
    def done(self) -> bool:
        """True once its end was reached."""
        return bool(self._cursor.complete)

    def part(self, until: float, most: int, run: int) -> Part:
        """Read and note pages until a time (unix seconds) or a number of records. Raises Retryable, Fatal."""
        found = Part()
        try:
            while not self.done and found.seen < most and self._page(found, until, run):
                if self.world.clock.now() >= until:
                    break
        except BaseException:
            self._pages = self._asked = None  # whoever goes on begins at the cursor
            raise
        return found

    def _page(self, found: Part, until: float, run: int) -> bool:
        """Note the next page; False if it is not there yet."""
        world = self.world
        future, reading = self._asked or self._ask(run)
        self._asked = future, reading
        wait([future], timeout=max(0.0, until - world.clock.now()))
        if not future.done():
            return False
        self._asked, page = None, future.result()
        if page is None:
            self._keep(self._cursor._replace(complete=1))
            return True
        chosen, meant = self._chosen(page)
        self._meant += meant
        full = 0 < self.choice.limit <= self._meant
        if not (page.last or full):
            self._asked = self._ask(run)
        self._cursor = self._cursor._replace(
            value=page.cursor, complete=int(page.last or full), as_of=reading.as_of, at=reading.asked_at
        )
        told = replace(reading, now=world.clock.now(), indexed=page.indexed)
        note_page(world, chosen, told, found.noted, self._cursor)
        world.progress(f"read {reading.system}", len(page.records) - len(chosen.records))
        found.seen += len(page.records)
        found.meant += meant
        return True

    def _ask(self, run: int) -> tuple[Future[Page | None], Reading]:
        world = self.world
        if self._pages is None:
            start = self._cursor.value or self._start()
            self._pages = world.connectors[self.side].changes(world.kind, start, world.paths(self.side))
        return ask_page(world, self.side, run, self._pages)

    def _start(self) -> str | None:
        """Where to begin: where a connector can choose by time of creation, there; else at the very beginning."""
        choice, connector = self.choice, self.world.connectors[self.side]
        created = getattr(connector, "created", None)
        if created is None or not (choice.since or choice.until):
            return None
        found: str | None = created(self.world.kind, choice.since, choice.until)
        return found

    def _keep(self, cursor: CursorRow) -> None:
        self._cursor = cursor
        patch = Patch()
        patch.put(cursor)
        self.world.store.commit(patch)

    def _chosen(self, page: Page) -> tuple[Page, int]:
        """The page as it is noted, and how many of its records are meant."""
        choice = self.choice
        left = choice.limit - self._meant if choice.limit else len(page.records)
        if choice.everybody and left >= len(page.records):
            return page, len(page.records)
        kept: list[Record] = []
        others: list[Record] = []
        for record in page.records:
            if len(kept) < left and choice.means(record):
                kept.append(record)
            elif choice.opted_out(record):
                others.append(record)
        return page._replace(records=(*kept, *self._opt_outs(others))), len(kept)

    def _opt_outs(self, records: list[Record]) -> Iterator[Record]:
        """Of people who are not meant: the opt-outs that we do not know of."""
        rows = self.world.store.get(RecordRow, [tuple(record.ref) for record in records]) if records else []
        held = {row.ref: row for row in rows}
        for record in records:
            row = held.get(record.ref)
            if row is None:
                yield record
            elif any(
                self.choice.lens.known(row).consent.get(each) is not True
                for each in self.choice.opted_out(record)
            ):
                yield self.choice.consent_only(record)
