"""Both sides of a route read whole and compared: with each other through the journal's links, and with the journal.

It decides how the readings are put aside and looked at again before anything is called a gap: what moved while both
sides were read is no gap. Nothing is written to a vendor and nothing that the journal believes is changed; what is
wanted of the engine is one row of words (sync.doubted). What a difference is, is decided in sync.compare.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from renkei.buckets import bucket_of
from renkei.counting import uneven_buckets
from renkei.reconciled import Report
from renkei.spool import PAGE, Spool
from sync.compare import (
    DIFFERENT,
    DOUBLE,
    MISSING,
    UNKNOWN,
    Finding,
    Progress,
    Sight,
    compare,
    double,
    identities,
    is_on_its_way,
)
from sync.doubted import reread
from sync.errors import Retryable
from sync.normalise import Lens
from sync.plan import Base, decode_base
from sync.ports import Clock, Connector
from sync.read import FRONT
from sync.record import Record, Ref, Side
from sync.refer import references
from sync.rows import LEADING, LIVE, MOVED, HoldRow, OperationRow, RecordRow
from sync.rules import Rules

if TYPE_CHECKING:
    from state.answers import RouteScope
    from state.reader import Reader

Owned = TypeVar("Owned", RecordRow, HoldRow, OperationRow)

YOUNG = 60.0  # seconds before the last reading of a feed within which it may not have told everything yet
SURE = 300.0  # seconds before everything was read: who stood there by then must have been given
LOOKS = 3
_NAMED = 500  # records in one word to the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a reconciliation reads: the two systems, and the journal from beside its owner. `pause` waits until the
    journal may have caught up with what was read; `looks`: how often a doubt is looked at before it is a gap."""

    connectors: Mapping[Side, Connector]
    reader: Reader
    clock: Clock
    progress: Callable[[str, int], None] = lambda _what, _count: None
    pause: Callable[[], None] = lambda: None
    looks: int = 1


def reconcile(
    rules: Rules, every: Iterable[Rules], sources: Sources, *, show: int = 0, mend: Path | None = None
) -> Report:
    """Read both sides of a route whole and compare them. `show`: name so many gaps; `mend`: the journal into which the
    request goes to read them again. Raises Retryable, Fatal where anything could not be read."""
    comparing = _Comparing(rules, tuple(every), sources)
    try:
        return comparing.run(show, mend)
    finally:
        comparing.spool.close()


class _Comparing:
    def __init__(self, rules: Rules, every: tuple[Rules, ...], sources: Sources) -> None:
        self.lens, self.rules, self.every, self.sources = Lens(rules), rules, every, sources
        self.spool = Spool()
        self.report = Report(route=rules.route)
        self.began = sources.clock.now()
        self.differing: set[tuple[str, int]] = set()
        self.withheld: dict[str, int] = {}

    def run(self, show: int, mend: Path | None) -> Report:
        for side in self.rules.sides:
            self._read(side)
        self._buckets()
        self._strangers()
        self._entities()
        self._doubles()
        for look in range(1, self.sources.looks + 1):
            self.sources.pause()
            self._again(look, last=look == self.sources.looks)
            self._require_whole()
        self.report.named = list(self.spool.found(most=show)) if show else []
        if mend is not None:
            self._mend(mend)
        return self.report

    # --- the first look -----------------------------------------------------------------------------------

    def _read(self, side: Side) -> None:
        """Everything that a side has now."""
        system, lens = self.lens.system(side), self.lens
        whole = False
        for page in self.sources.connectors[side].changes(self.rules.kind, None, lens.reading(side)):
            self.spool.put((record, identities(lens, record)) for record in page.records)
            self.sources.progress(f"read {system}", len(page.records))
            whole = page.last
            if whole:
                break
        if not whole:
            raise Retryable(f"{system} was not read to its end, so nothing is known for certain.", 60.0)
        self.report.read[system] = self.spool.count(system)

    def _buckets(self) -> None:
        """Only what lies in buckets that differ is compared with the journal one by one."""
        found = uneven_buckets(self.lens, self.spool, self.sources.reader, self.sources.progress)
        self.report.buckets.update(found)
        self.differing = {(system, each.bucket) for system, each_of in found.items() for each in each_of}

    def _strangers(self) -> None:
        """Records that the journal does not hold; in equal buckets there are none."""
        for refs in self.spool.pages():
            doubted = [ref for ref in refs if (ref.system, bucket_of(ref)) in self.differing]
            held = self._held(doubted)
            for ref in doubted:
                if ref not in held:
                    self.spool.suspect(1, 0, ref)

    def _held(self, refs: Collection[Ref]) -> dict[Ref, RecordRow]:
        from state.compared import known

        return {row.ref: row for row in known(self.sources.reader, refs)}

    def _entities(self) -> None:
        from state.compared import entities

        after, scope = 0, self._scope()
        while numbers := entities(self.sources.reader, scope, after, PAGE):
            after = numbers[-1]
            progress = self._progress()
            for sight in self._sights(numbers):
                self._keep(sight.entity, sight, compare(self.lens, self._known(sight), progress), 1)
            self.sources.progress("compare records", len(numbers))

    def _known(self, sight: Sight) -> Sight:
        """It, with the records that lie in equal buckets: what the journal holds of them is what was given."""
        same = (
            row.ref
            for row in sight.held
            if row.ref in sight.live and (row.system, bucket_of(row.ref)) not in self.differing
        )
        return replace(sight, same=frozenset(same))

    def _scope(self) -> RouteScope:
        from renkei.wire import scopes

        (scope,) = scopes((self.rules,))
        return scope

    def _progress(self) -> Progress:
        from connectors.stamps import iso
        from state.compared import cursors

        route, kind = self.rules.route, self.rules.kind
        systems = [self.lens.system(side) for side in self.rules.sides]
        rows = cursors(self.sources.reader, [("", kind, route), *((name, kind, FRONT) for name in systems)])
        told = {row.system: iso(row.at - YOUNG) for row in rows if row.system}
        return Progress(next((int(row.value or 0) for row in rows if not row.system), 0), told)

    def _sights(self, numbers: Sequence[int]) -> Iterator[Sight]:
        """What is known of some entities, each with its records as read."""
        from state.compared import held

        found = held(self.sources.reader, self.rules.route, numbers)
        rows = [row for row in found.records if row.kind == self.rules.kind]
        live = self.spool.live(row.ref for row in rows)
        bases = {row.entity: decode_base(row.body) for row in found.bases}
        counterparts = self._counterparts(rows, live)
        records, holds, operations = _by_entity(rows), _by_entity(found.holds), _by_entity(found.operations)
        for number in numbers:
            yield Sight(
                entity=number,
                held=records.get(number, ()),
                live=live,
                base=bases.get(number, Base()),
                holds=holds.get(number, ()),
                operations=operations.get(number, ()),
                lifted=found.lifted,
                counterparts=counterparts,
            )

    def _counterparts(
        self, rows: Iterable[RecordRow], live: Mapping[Ref, Record]
    ) -> dict[str, Mapping[str, str]]:
        """By field that refers to another kind: the ids across of what is named here."""
        from state.compared import held

        found: dict[str, Mapping[str, str]] = {}
        listed = [row for row in rows if row.ref in live]
        for rule, side in references(self.rules):
            here, across, cell = self.lens.system(side), self.lens.system(side.other), rule.cells[side]
            ids = {
                str(live[row.ref].values.get(cell.paths[row.object]) or "")
                for row in listed
                if row.system == here and row.object in cell.paths
            }
            objects = {
                name
                for each in self.every
                if each.kind == rule.refers and each.systems.get(side) == here
                for name in (each.objects[side].all if side in each.objects else ())
            }
            named = self._held(
                [Ref(here, name, id_) for name in sorted(objects) for id_ in sorted(ids - {""})]
            )
            far = held(self.sources.reader, self.rules.route, {row.entity for row in named.values()}).records
            ends = {
                row.entity: row.id
                for row in far
                if (row.system, row.role, row.state) == (across, LEADING, LIVE)
            }
            found[rule.name] = {row.id: ends[row.entity] for row in named.values() if row.entity in ends}
        return found

    def _doubles(self) -> None:
        progress = self._progress()
        for system, key in self.spool.doubles():
            found = self._double(system, key, progress)
            if found is not None:
                self._count(found, 1)

    def _double(self, system: str, key: str, progress: Progress) -> Finding | None:
        """Records that share an identity, but for those that have gone on as others."""
        refs = self.spool.sharing(system, key)
        held = self._held(refs)
        refs = [ref for ref in refs if ref not in held or held[ref].state != MOVED]
        if len(refs) < 2:
            return None
        sights = list(self._sights(sorted({row.entity for row in held.values()})))
        return double(refs, sights, self.lens, progress)

    # --- what nothing explains is looked at again ----------------------------------------------------------

    def _keep(
        self, entity: int, sight: Sight, found: Iterable[Finding], look: int, *, last: bool = False
    ) -> None:
        """Count an entity's findings; one with a gap, or with a record that was not given, is looked at again first."""
        listed = list(found)
        gaps = any(not each.why for each in listed)
        not_given = any(each.kind == MISSING and each.refs[0] not in sight.live for each in listed)
        if (gaps and not last) or (not_given and look == 1):
            self.spool.suspect(look, entity)
            return
        sides = {row.system for row in sight.held if row.ref in sight.live and row.state != MOVED}
        if len(sides) == 2:
            self.report.compared += 1
            self.report.equal += not any(each.kind == DIFFERENT for each in listed)
        for each in listed:
            self._tell(each)

    def _count(self, found: Finding, look: int, *, last: bool = False) -> None:
        """Count a finding about records that are no entity of ours."""
        if found.why or last:
            self._tell(found)
        else:
            for ref in found.refs:
                self.spool.suspect(look, -1, ref)

    def _tell(self, found: Finding) -> None:
        if found.why:
            self.report.explained[found.kind][found.why] += 1
        else:
            self.report.gaps[found.kind] += 1
            self.spool.find(found)

    def _again(self, look: int, *, last: bool) -> None:
        """Read by id what is doubted, and compare with what the journal holds by then."""
        shared: set[tuple[str, str]] = set()
        while taken := self.spool.suspects(look, PAGE):
            entities = sorted({entity for entity, ref in taken if ref is None})
            named = [ref for _entity, ref in taken if ref is not None]
            held_rows = [row for each in self._sights(entities) for row in each.held]
            expected = [row.ref for row in held_rows if row.state == LIVE] if look == 1 else []
            missed = set(expected) - self.spool.live(expected).keys()
            self._read_again([row.ref for row in held_rows] + named)
            self._mind_withheld(missed)
            progress = self._progress()
            for sight in self._sights(entities):
                if sight.held:
                    self._keep(sight.entity, sight, compare(self.lens, sight, progress), look + 1, last=last)
            held = self._held(named)
            for ref, record in self.spool.live(
                ref for entity, ref in taken if ref is not None and not entity
            ).items():
                if ref not in held:
                    why = "on_its_way" if is_on_its_way(record, progress) else ""
                    found = Finding(UNKNOWN, why, 0, (ref,))
                    if why or last:
                        self._tell(found)
                    else:
                        self.spool.suspect(look + 1, 0, ref)
            for record in self.spool.live(
                ref for entity, ref in taken if ref is not None and entity
            ).values():
                shared.update((record.ref.system, key) for key in identities(self.lens, record))
        progress = self._progress()
        for system, key in sorted(shared & set(self.spool.doubles())):
            found_double = self._double(system, key, progress)
            if found_double is not None and found_double.kind == DOUBLE:
                self._count(found_double, look + 1, last=last)

    def _mind_withheld(self, missed: Collection[Ref]) -> None:
        """Count records that are given by id, were not given when everything was read, and stood there long before."""
        from connectors.stamps import iso

        before = iso(self.began - SURE)
        for ref, record in self.spool.live(missed).items():
            stamp = max(record.version, record.created)
            if stamp and stamp < before:
                self.withheld[ref.system] = self.withheld.get(ref.system, 0) + 1

    def _require_whole(self) -> None:
        """Raises Retryable where a reading that claimed to be whole was not."""
        for system, count in self.withheld.items():
            raise Retryable(
                f"{system} did not list {count:,} records that it gives by id, so it was not read whole and nothing "
                "is known for certain.",
                60.0,
                next_step="run `renkei reconcile` again; if it stays so, the reading of everything ends too early: "
                "see docs/operations.md",
            )

    def _read_again(self, refs: Sequence[Ref]) -> None:
        for side in self.rules.sides:
            system, connector = self.lens.system(side), self.sources.connectors[side]
            ours = sorted({ref for ref in refs if ref.system == system})
            size = connector.capabilities.fetch_batch
            for start in range(0, len(ours), size):
                batch = ours[start : start + size]
                given = connector.fetch(self.rules.kind, batch, self.lens.reading(side))
                records = [record for record in given if record is not None]
                self.spool.drop(set(batch) - {record.ref for record in records})
                self.spool.put((record, identities(self.lens, record)) for record in records)
                self.sources.progress(f"read {system}", 0)

    def _mend(self, place: Path) -> None:
        """Ask the engine to read every gap again."""
        from state.post import post_command

        refs: dict[Ref, None] = {}
        for found in self.spool.found():
            refs.update(dict.fromkeys(found.refs))
            if len(refs) >= _NAMED:
                self._ask(post_command, place, refs)
        self._ask(post_command, place, refs)

    def _ask(self, post: Callable[..., int], place: Path, refs: dict[Ref, None]) -> None:
        if refs:
            post(place, reread(self.sources.clock.now(), self.rules.route, refs))
            self.report.asked += len(refs)
            refs.clear()


def _by_entity(rows: Iterable[Owned]) -> dict[int, list[Owned]]:
    found: dict[int, list[Owned]] = {}
    for row in rows:
        found.setdefault(row.entity, []).append(row)
    return found
