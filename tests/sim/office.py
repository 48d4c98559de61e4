"""What administrators have set up at the moment: which mapping is in force, and which fields our user may not see or
may not write. People change it while the engine runs.

A field that our user may not see is refused as real connectors refuse it, the whole request, never given as a null:
`docs/connectors.md`. One that may only be read is refused at each record that would write it, by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sync.errors import RequestRefused
from sync.ports import FieldError, Outcome, Paths, Write
from sync.record import Page, Record, Ref
from tests.sim.wire import Now, Vendor


class Office:
    """The settings of both systems and of the route, as they are just now."""

    def __init__(self, mapping: str) -> None:
        self.mapping = mapping
        self.hidden: dict[str, set[str]] = {}
        self.sealed: dict[str, set[str]] = {}
        self.turned_away: Counter[str] = Counter()

    def give_back(self) -> None:
        """Our user may see and write everything again."""
        self.hidden.clear()
        self.sealed.clear()

    def look(self, side: str, paths: Mapping[str, Sequence[str]]) -> None:
        """A read that names these fields. Raises RequestRefused for one that our user may not see."""
        lost = self.hidden.get(side, set()) & {path for each in paths.values() for path in each}
        if lost:
            self.turned_away[side] += 1
            raise RequestRefused(f"{side} shows our user no field {min(lost)!r}.", "INVALID_FIELD")

    def denied(self, side: str, write: Write) -> Outcome | None:
        """What the vendor says to a write that names a field which our user may not write; None = nothing."""
        shut = self.hidden.get(side, set()) | self.sealed.get(side, set())
        lost = sorted(shut & write.values.keys())
        if not lost:
            return None
        found = tuple(
            FieldError(path, "INVALID_FIELD_FOR_INSERT_UPDATE", "may not be written") for path in lost
        )
        return Outcome("refused", errors=found)


class Permitted:
    """A vendor (`tests.sim.wire.Vendor`) as our user may use it."""

    def __init__(self, side: str, vendor: Vendor, office: Office) -> None:
        self._side, self._vendor, self._office = side, vendor, office

    def changes(self, since: str | None, paths: Paths, now: Now, back: float, keys: bool) -> Iterator[Page]:
        """Pages, each a request of its own."""
        pages = self._vendor.changes(since, paths, now, back, keys)
        while True:
            if not keys:
                self._office.look(self._side, paths)
            page = next(pages)
            yield page
            if page.last:
                return

    def fetch(self, refs: Sequence[Ref], paths: Paths) -> list[Record]:
        """Records by id."""
        self._office.look(self._side, {name: each for name, each in paths.items() if name == refs[0].object})
        return self._vendor.fetch(refs, paths)

    def find(self, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records by a field."""
        self._office.look(self._side, {object_: (path, *paths[object_])})
        return self._vendor.find(object_, path, values, paths)

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Creates or updates; those that name a field which our user may not write are refused one by one."""
        said = {number: self._office.denied(self._side, write) for number, write in enumerate(writes)}
        let = [write for number, write in enumerate(writes) if said[number] is None]
        done = iter(self._vendor.write(let)) if let else iter(())
        return [said[number] or next(done) for number in range(len(writes))]
