"""The recorded past as two systems: what people did there happens again at its time, and what the engine writes there
changes nothing anywhere else.

It decides which record a create makes: the one that was made then, where the two bear the same key, so that what people
did to it later finds it. Everything else is as in `connectors.memory`. It may not know rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from connectors.memory import Memory
from state.memory import MemoryStore
from sync.effects import KIND as EFFECT
from sync.normalise import Lens
from sync.ports import Feed, Outcome, Paths, Store, Write
from sync.record import LifeEvent, Page, Raw, Record, Ref, Schema, SchemaField, Side
from sync.rows import KEY, KeyRow, RecordRow, Row, StandingRow

R = TypeVar("R", bound=Row)
_ROOM = 1_000_000


class Then:
    """A clock that stands where the replay is."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """Unix seconds, UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Waiting is moving on."""
        self._now += seconds

    def set(self, moment: float) -> None:
        """It is that time now; never back."""
        self._now = max(self._now, moment)


class Written(NamedTuple):
    """One write of the replay: path -> what stood there, what was written."""

    operation: int
    ref: Ref
    fields: Mapping[str, tuple[Raw, Raw]]


class Recorded(Memory):
    """One side of a route, or a channel (without `lens`). `keys`: object -> paths by which a record that was made then
    is known again; `written` takes everything that the engine writes."""

    def __init__(self, system: str, clock: Then, kind: str, schemas: Sequence[Schema]) -> None:
        super().__init__(system, clock, schemas, {})
        self._kind = kind
        self.capabilities = replace(
            self.capabilities, feeds={kind: Feed.FEED}, visibility_lag=0.0, server_timeout=0.0
        )
        self.written: list[Written] = []
        self._keys: Mapping[str, Collection[str]] = {}
        self._made_then: dict[Ref, Mapping[str, Raw]] = {}

    def know_again(self, keys: Mapping[str, Collection[str]]) -> None:
        """By which paths of an object a record that was made then is known."""
        self._keys = keys

    def made_then(self, ref: Ref, values: Mapping[str, Raw]) -> None:
        """A record that was made by a create of ours then, with the values that it was made with."""
        self._made_then[ref] = values

    def begin_with(self, record: Record) -> None:
        """A record that was there before the replay begins."""
        self.edit(record.ref, record.values)
        self._records[record.ref] = self._records[record.ref]._replace(created=record.created)

    def happens(self, ref: Ref, values: Mapping[str, Raw]) -> None:
        """Somebody changes a record; one that is not there in this replay is not changed."""
        if ref in self._records:
            self.edit(ref, values)

    def ends(self, event: LifeEvent) -> None:
        """A record ends, if it is there in this replay."""
        if event.ref in self._records:
            self.remove(event.ref, event.kind, event.into)

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The schemas, whatever the kind is called."""
        return super().describe("person") if kind in (self._kind, EFFECT) else super().describe(kind)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The log from a place on."""
        return super().changes(kind, since, paths, back=back, keys_only=keys_only)

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records by a value; no effect stands anywhere."""
        return [] if kind == EFFECT else super().find(kind, object_, path, values, paths)

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Write, and keep what was written over what."""
        for write in writes:
            held = self._records.get(write.ref)
            before = held.values if held is not None else {}
            fields = {path: (before.get(path), value) for path, value in write.values.items()}
            self.written.append(Written(write.operation, write.ref, fields))
        if kind == EFFECT:
            return [Outcome("applied", id=f"replayed-{write.operation}") for write in writes]
        return super().write(kind, [self._named(write) for write in writes])

    def _named(self, write: Write) -> Write:
        """A create under the id of the record that was made then, where there is one."""
        if write.ref.id:
            return write
        for ref, values in self._made_then.items():
            paths = self._keys.get(ref.object, ())
            same = any(values.get(path) == write.values.get(path) is not None for path in paths)
            if ref.object == write.ref.object and same:
                del self._made_then[ref]
                self.begin_with(Record(ref, {}, "", ""))
                return write._replace(ref=ref)
        return write


def recorded(lens: Lens, side: Side, clock: Then) -> Recorded:
    """One side of a route, empty."""
    system, rules = lens.system(side), lens.rules
    paths: dict[str, set[str]] = {
        name: set(lens.reading(side).get(name, ())) for name in rules.objects[side].all
    }
    cells = [rule.cells for rule in rules.fields] + [rule.cells for rule in rules.consent]
    for object_, path in (pair for each in cells if side in each for pair in each[side].paths.items()):
        paths.setdefault(object_, set()).add(path)
    schemas = [
        Schema(system=system, object=name, fields={path: SchemaField(path, "text") for path in sorted(found)})
        for name, found in paths.items()
    ]
    made = Recorded(system, clock, rules.kind, schemas)
    named = {*lens.key_fields(), *(key.field for key in rules.match)}
    keys = [rule.cells[side] for rule in rules.fields if rule.name in named and side in rule.cells]
    made.know_again({name: [cell.paths[name] for cell in keys if name in cell.paths] for name in paths})
    return made


class Beside(MemoryStore):
    """A journal of the replay's own for one kind; records of other kinds are those of the journal behind it, as they
    are now."""

    def __init__(self, behind: Store, kind: str) -> None:
        super().__init__()
        self._behind, self._own_kind = behind, kind
        self._first = behind.numbers(1)[0] + _ROOM
        self.numbers(self._first)

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key."""
        wanted = [tuple(key) for key in keys]
        found = super().get(kind, wanted)
        if kind is not RecordRow:
            return found
        held = {row[: KEY[RecordRow]] for row in found}
        others = self._behind.get(kind, [key for key in wanted if key not in held])
        return [*found, *(row for row in others if isinstance(row, RecordRow) and row.kind != self._own_kind)]

    def records_of(self, entities: Iterable[int]) -> list[RecordRow]:
        """All records of these entities."""
        wanted = list(entities)
        others = [number for number in wanted if number < self._first]
        return [*super().records_of(wanted), *(self._behind.records_of(others) if others else ())]

    def standings(self, entities: Iterable[int]) -> list[StandingRow]:
        """What standing rules remember of these entities."""
        wanted = list(entities)
        others = [number for number in wanted if number < self._first]
        return [*super().standings(wanted), *(self._behind.standings(others) if others else ())]

    def holders(self, system: str, kind: str, hashes: Iterable[str]) -> list[KeyRow]:
        """Keys and claims with one of these hashes."""
        if kind == self._own_kind or not system:
            return super().holders(system, kind, hashes)
        return self._behind.holders(system, kind, hashes)
