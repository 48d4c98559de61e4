"""A system that lives in dictionaries: the whole contract of a connector on one page, to be read before writing one.

It decides nothing that a vendor would not: ids, versions, who wrote last, what is unique, what shows up when. People
there have hands of their own, `edit` and `remove`. It is not safe to share between threads.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from connectors.stamps import iso
from sync.errors import Fatal
from sync.ports import Capabilities, Clock, Feed, FieldError, Outcome, Paths, Write
from sync.record import EventKind, LifeEvent, Page, Raw, Record, Ref, Schema

KIND = "person"
Unique: TypeAlias = Mapping[str, frozenset[str]]


class _Line(NamedTuple):
    """One commit: its time, when feeds show it, whose it is, and the event if the record ended."""

    time: float
    visible: float
    ref: Ref
    event: LifeEvent | None = None


class Memory:
    """A connector (`sync.ports.Connector`) with the objects of `schemas`; `unique` names unique paths per object."""

    def __init__(
        self, system: str, clock: Clock, schemas: Sequence[Schema], unique: Unique, page_size: int = 200
    ) -> None:
        self._clock, self._page_size, self._unique = clock, page_size, unique
        self._schemas = {each.object: each for each in schemas}
        self._records: dict[Ref, Record] = {}
        self._log: list[_Line] = []
        self.capabilities = Capabilities(
            system=system, feeds={KIND: Feed.FEED},
            write_batch=page_size, fetch_batch=page_size, find_batch=page_size,
            returns_values=True, tells_author=True, feed_versions=True, deletes=frozenset({KIND}),
            unique_keys=unique, find_paths={each.object: frozenset(each.fields) for each in schemas},
        )  # fmt: skip

    def edit(self, ref: Ref, values: Mapping[str, Raw], *, own: bool = False, late: float = 0.0) -> Ref:
        """Create (`ref.id` empty) or change a record; feeds show it `late` seconds later."""
        now, number = self._clock.now(), len(self._log) + 1
        old = self._records.get(ref) or Record(ref._replace(id=ref.id or f"{number:09d}"), {}, "", iso(now))
        new = old._replace(values={**old.values, **values}, version=f"{number:012d}", own=own)
        self._records[new.ref] = new
        self._log.append(_Line(now, now + late, new.ref))
        return new.ref

    def remove(self, ref: Ref, kind: EventKind = "deleted", into: Ref | None = None) -> None:
        """End a record: deleted, merged into another, converted to another. KeyError when it is gone."""
        del self._records[ref]
        self._log.append(_Line(self._clock.now(), 0.0, ref, LifeEvent(kind, ref, into)))

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The schemas given at the start."""
        if kind != KIND:
            raise Fatal(f"There is no kind {kind} here.", f"use {KIND}")
        return tuple(self._schemas.values())

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The log from a position on (the cursor) or from a time on (`back`); each record once a page."""
        self.describe(kind)
        if since is not None and not since.isdigit():
            raise Fatal("A stored cursor cannot be read.", "read everything again")
        end, now, start = len(self._log), self._clock.now(), int(since or 0)
        if back > 0:
            start = next((n for n, line in enumerate(self._log) if line.time >= now - back), end)
        asked = dict.fromkeys(paths, ()) if keys_only else paths
        for place in range(start, max(end, start + 1), self._page_size):
            stop = min(place + self._page_size, end)
            lines = [x for x in self._log[place:stop] if x.visible <= now and x.ref.object in paths]
            refs = list(dict.fromkeys(line.ref for line in lines))
            records = tuple(filter(None, self.fetch(kind, refs, asked)))
            events = tuple(filter(None, (line.event for line in lines)))
            yield Page(records, events, str(stop), last=stop == end, keys_only=keys_only)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by name, None where there is none."""
        self.describe(kind)
        found = ((self._records.get(ref), paths.get(ref.object, ())) for ref in refs)
        return [r and r._replace(values={path: r.values.get(path) for path in asked}) for r, asked in found]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records whose text at `path` equals one of the values, letter case aside."""
        wanted = {value.casefold() for value in values}
        hits = [r.ref for r in self._records.values() if str(r.values.get(path)).casefold() in wanted]
        return list(filter(None, self.fetch(kind, [ref for ref in hits if ref.object == object_], paths)))

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update, each write for itself."""
        self.describe(kind)
        return [self._refusal(write) or self._applied(write) for write in writes]

    def close(self) -> None:
        """Nothing to release."""

    def _refusal(self, write: Write) -> Outcome | None:
        ref, fields = write.ref, self._schemas[write.ref.object].fields
        if ref.id and ref not in self._records:
            return Outcome("gone")
        wrong = [path for path in write.values if path not in fields or not fields[path].updateable]
        if wrong:
            return Outcome("refused", errors=tuple(FieldError(path, "read_only", "") for path in wrong))
        for path in self._unique.get(ref.object, frozenset()) & write.values.keys():
            key = write.values[path]
            for other in self._records.values() if key is not None else ():
                if other.ref.object == ref.object and other.ref != ref and other.values.get(path) == key:
                    taken = (FieldError(path, "taken", "another record has it"),)
                    return Outcome("refused" if ref.id else "exists", other.ref.id, errors=taken)
        return None

    def _applied(self, write: Write) -> Outcome:
        if write.delete:
            self.remove(write.ref)
            return Outcome("applied", write.ref.id)
        return Outcome("applied", self.edit(write.ref, write.values, own=True).id, dict(write.values))
