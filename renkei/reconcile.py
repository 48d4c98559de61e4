"""Both sides of a route read whole and compared: with each other through the journal's links, and with the journal.

It decides what is looked at again, and how often, before it is called a gap: what moved while both sides were read is
no gap. Nothing is written to a vendor and nothing that the journal believes is changed; what is wanted of the engine is
one row of words (sync.doubted). What both sides give is in `readings`, what the journal holds in `sights`; what a
difference is, is decided in sync.compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from renkei.buckets import bucket_of
from renkei.counting import uneven_buckets
from renkei.readings import Readings
from renkei.reconciled import Report
from renkei.sights import Sights
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
from sync.normalise import Lens
from sync.ports import Clock, Connector
from sync.record import Record, Ref, Side
from sync.rows import LIVE, MOVED
from sync.rules import Rules

if TYPE_CHECKING:
    from state.reader import Reader

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
    """Read both sides of a route whole and compare them. `show`: name so many gaps, and at most so many
    explained findings; `mend`: the journal into which the
    request goes to read them again. Raises Retryable, Fatal where anything could not be read."""
    comparing = _Comparing(rules, tuple(every), sources, show)
    try:
        return comparing.run(mend)
    finally:
        comparing.spool.close()


class _Comparing:
    def __init__(self, rules: Rules, every: tuple[Rules, ...], sources: Sources, show: int) -> None:
        self.lens, self.sources, self.spool, self.show = Lens(rules), sources, Spool(), show
        self.report = Report(route=rules.route)
        began = sources.clock.now()
        self.readings = Readings(self.lens, sources.connectors, self.spool, began, sources.progress)
        self.sights = Sights(self.lens, every, sources.reader, self.spool)
        self.differing: set[tuple[str, int]] = set()

    def run(self, mend: Path | None) -> Report:
        self.report.read.update(self.readings.everything())
        self._buckets()
        self._strangers()
        self._entities()
        self._doubles()
        for look in range(1, self.sources.looks + 1):
            self.sources.pause()
            self._again(look, last=look == self.sources.looks)
            self.readings.require_whole()
        self.report.named = list(self.spool.found(most=self.show)) if self.show else []
        if mend is not None:
            self._mend(mend)
        return self.report

    # --- the first look -----------------------------------------------------------------------------------

    def _buckets(self) -> None:
        """Only what lies in buckets that differ is compared with the journal one by one."""
        found = uneven_buckets(self.lens, self.spool, self.sources.reader, self.sources.progress)
        self.report.buckets.update(found)
        self.differing = {(system, each.bucket) for system, each_of in found.items() for each in each_of}

    def _strangers(self) -> None:
        """Records that the journal does not hold; in equal buckets there are none."""
        for refs in self.spool.pages():
            doubted = [ref for ref in refs if (ref.system, bucket_of(ref)) in self.differing]
            held = self.sights.held(doubted)
            for ref in doubted:
                if ref not in held:
                    self.spool.suspect(1, 0, ref)

    def _entities(self) -> None:
        for numbers in self.sights.pages():
            progress = self.sights.progress()
            for sight in self.sights.of(numbers):
                self._keep(sight, compare(self.lens, self._known(sight), progress), 1)
            self.sources.progress("compare records", len(numbers))

    def _known(self, sight: Sight) -> Sight:
        """It, with the records that lie in equal buckets: what the journal holds of them is what was given."""
        same = (
            row.ref
            for row in sight.held
            if row.ref in sight.live and (row.system, bucket_of(row.ref)) not in self.differing
        )
        return replace(sight, same=frozenset(same))

    def _doubles(self) -> None:
        progress = self.sights.progress()
        for system, key in self.spool.doubles():
            found = self._double(system, key, progress)
            if found is not None:
                self._count(found, 1)

    def _double(self, system: str, key: str, progress: Progress) -> Finding | None:
        """Records that share an identity, but for those that have gone on as others."""
        refs = self.spool.sharing(system, key)
        held = self.sights.held(refs)
        refs = [ref for ref in refs if ref not in held or held[ref].state != MOVED]
        if len(refs) < 2:
            return None
        sights = list(self.sights.of(sorted({row.entity for row in held.values()})))
        return double(refs, sights, self.lens, progress)

    # --- what nothing explains is looked at again ----------------------------------------------------------

    def _again(self, look: int, *, last: bool) -> None:
        """Read by id what is doubted, and compare with what the journal holds by then."""
        shared: set[tuple[str, str]] = set()
        while taken := self.spool.suspects(look, PAGE):
            entities = sorted({entity for entity, ref in taken if ref is None})
            strangers = [ref for entity, ref in taken if ref is not None and not entity]
            doubled = [ref for entity, ref in taken if ref is not None and entity]
            self._read_again(entities, [*strangers, *doubled], look)
            progress = self.sights.progress()
            for sight in self.sights.of(entities):
                if sight.held:
                    self._keep(sight, compare(self.lens, sight, progress), look + 1, last=last)
            held = self.sights.held(strangers)
            for ref, record in self.spool.live(strangers).items():
                if ref not in held:
                    self._keep_stranger(record, progress, look + 1, last=last)
            for record in self.spool.live(doubled).values():
                shared.update((record.ref.system, key) for key in identities(self.lens, record))
        progress = self.sights.progress()
        for system, key in sorted(shared & set(self.spool.doubles())):
            found = self._double(system, key, progress)
            if found is not None and found.kind == DOUBLE:
                self._count(found, look + 1, last=last)

    def _read_again(self, entities: list[int], named: list[Ref], look: int) -> None:
        """Read the records of entities, and others, by id. What the first reading left out of them is minded."""
        held = [row for each in self.sights.of(entities) for row in each.held]
        expected = [row.ref for row in held if row.state == LIVE] if look == 1 else []
        missed = set(expected) - self.spool.live(expected).keys()
        self.readings.again([row.ref for row in held] + named)
        self.readings.mind_withheld(missed)
        self.report.by_id.update(ref.system for ref in self.spool.live(missed))

    def _keep_stranger(self, record: Record, progress: Progress, look: int, *, last: bool) -> None:
        """Count a record that the journal does not hold, or look at it again."""
        why = "on_its_way" if is_on_its_way(record, progress) else ""
        if why or last:
            self._tell(Finding(UNKNOWN, why, 0, (record.ref,)))
        else:
            self.spool.suspect(look, 0, record.ref)

    # --- what was found is counted -------------------------------------------------------------------------

    def _keep(self, sight: Sight, found: Iterable[Finding], look: int, *, last: bool = False) -> None:
        """Count an entity's findings; one with a gap, or with a record that was not given, is looked at again first."""
        listed = list(found)
        gaps = any(not each.why for each in listed)
        not_given = any(each.kind == MISSING and each.refs[0] not in sight.live for each in listed)
        if (gaps and not last) or (not_given and look == 1):
            self.spool.suspect(look, sight.entity)
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
            self.report.tell(found, self.show)
        else:
            self.report.gaps[found.kind] += 1
            self.spool.find(found)

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
            post(place, reread(self.sources.clock.now(), self.report.route, refs))
            self.report.asked += len(refs)
            refs.clear()
