"""What the journal holds of a route's entities, each beside its records as both sides gave them.

It decides how far the journal may be behind what was read, and which records are named across by a reference. What
a difference is, is decided in sync.compare.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from renkei.spool import PAGE, Spool
from sync.compare import Progress, Sight
from sync.normalise import Lens
from sync.plan import Base, decode_base
from sync.read import FRONT
from sync.record import Record, Ref, Side
from sync.refer import references
from sync.rows import LEADING, LIVE, HoldRow, OperationRow, RecordRow
from sync.rules import FieldRule, Rules

if TYPE_CHECKING:
    from state.reader import Reader

Owned = TypeVar("Owned", RecordRow, HoldRow, OperationRow)

YOUNG = 60.0  # seconds before the last reading of a feed within which it may not have told everything yet


class Sights:
    """The journal beside what was read; `every`: the rules of all routes."""

    def __init__(self, lens: Lens, every: Sequence[Rules], reader: Reader, spool: Spool) -> None:
        self._lens, self._every, self._reader, self._spool = lens, every, reader, spool

    def held(self, refs: Collection[Ref]) -> dict[Ref, RecordRow]:
        """Those of these records that the journal holds."""
        from state.compared import known

        return {row.ref: row for row in known(self._reader, refs)}

    def progress(self) -> Progress:
        """How far the journal has read and decided."""
        from connectors.stamps import iso
        from state.compared import cursors

        route, kind = self._lens.rules.route, self._lens.rules.kind
        systems = [self._lens.system(side) for side in self._lens.rules.sides]
        rows = cursors(self._reader, [("", kind, route), *((name, kind, FRONT) for name in systems)])
        told = {row.system: iso(row.at - YOUNG) for row in rows if row.system}
        return Progress(next((int(row.value or 0) for row in rows if not row.system), 0), told)

    def pages(self) -> Iterator[Sequence[int]]:
        """The numbers of all entities, in their order."""
        from renkei.wire import scopes
        from state.compared import entities

        (scope,) = scopes((self._lens.rules,))
        after = 0
        while numbers := entities(self._reader, scope, after, PAGE):
            yield numbers
            after = numbers[-1]

    def of(self, numbers: Sequence[int]) -> Iterator[Sight]:
        """What is known of some entities, each with its records as read."""
        from state.compared import held

        rules = self._lens.rules
        found = held(self._reader, rules.route, numbers)
        rows = [row for row in found.records if row.kind == rules.kind]
        live = self._spool.live(row.ref for row in rows)
        bases = {row.entity: decode_base(row.body) for row in found.bases}
        counterparts = {
            rule.name: self._counterparts(rule, side, rows, live) for rule, side in references(rules)
        }
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
        self, rule: FieldRule, side: Side, rows: Iterable[RecordRow], live: Mapping[Ref, Record]
    ) -> dict[str, str]:
        """Of a field that refers to another kind: the ids across of what is named here."""
        from state.compared import held

        here, across, cell = self._lens.system(side), self._lens.system(side.other), rule.cells[side]
        ids = {
            str(live[row.ref].values.get(cell.paths[row.object]) or "")
            for row in rows
            if row.ref in live and row.system == here and row.object in cell.paths
        }
        objects = {
            name
            for each in self._every
            if each.kind == rule.refers and each.systems.get(side) == here
            for name in (each.objects[side].all if side in each.objects else ())
        }
        named = self.held([Ref(here, name, id_) for name in sorted(objects) for id_ in sorted(ids - {""})])
        far = held(self._reader, self._lens.rules.route, {row.entity for row in named.values()}).records
        ends = {
            row.entity: row.id for row in far if (row.system, row.role, row.state) == (across, LEADING, LIVE)
        }
        return {row.id: ends[row.entity] for row in named.values() if row.entity in ends}


def _by_entity(rows: Iterable[Owned]) -> dict[int, list[Owned]]:
    found: dict[int, list[Owned]] = {}
    for row in rows:
        found.setdefault(row.entity, []).append(row)
    return found
