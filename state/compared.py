"""Everything that the journal holds of a route, some entities at a time, for whoever compares it with the vendors.

It decides how it is walked through without being held in memory, each step from one snapshot. It compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, tuple_

from state.answers import RouteScope
from state.reader import Reader
from state.sql import among, as_list
from state.tables import table_of
from sync.record import Ref
from sync.rows import OPEN_STATES, BaseRow, CursorRow, HoldRow, KeyRow, OperationRow, RecordRow
from sync.scene import LATCH, NOWHERE, lifted_name

_RECORD, _KEY = table_of(RecordRow).c, table_of(KeyRow).c


class Held(NamedTuple):
    """What is held of some entities; `lifted`: opt-outs that a person has lifted, by record and topic."""

    records: Sequence[RecordRow]
    bases: Sequence[BaseRow]
    holds: Sequence[HoldRow]
    operations: Sequence[OperationRow]
    lifted: frozenset[tuple[Ref, str]]


def entities(reader: Reader, scope: RouteScope, after: int, most: int) -> list[int]:
    """Entities of a route by their numbers, those after a number."""
    query = (
        select(_RECORD.entity)
        .distinct()
        .where(_RECORD.entity > bindparam("after"), _RECORD.kind == bindparam("kind"))
        .where(among(_RECORD.system, "systems"))
        .order_by(_RECORD.entity)
        .limit(bindparam("most"))
    )
    with reader.snapshot():
        found = reader.ask(query, after=after, kind=scope.kind, systems=as_list(scope.systems), most=most)
        return [int(number) for (number,) in found]


def seen(reader: Reader, scope: RouteScope, most: int) -> Iterator[list[tuple[Ref, int, bytes]]]:
    """Name, state and body of a route's records, so many at a time, each part from a snapshot of its own."""
    name = tuple_(_RECORD.system, _RECORD.object, _RECORD.id)
    query = (
        select(_RECORD.system, _RECORD.object, _RECORD.id, _RECORD.state, _RECORD.body)
        .where(name > tuple_(bindparam("system"), bindparam("object"), bindparam("after")))
        .where(_RECORD.kind == bindparam("kind"), among(_RECORD.system, "systems"))
        .order_by(_RECORD.system, _RECORD.object, _RECORD.id)
        .limit(bindparam("most"))
    )
    last, systems = Ref("", "", ""), as_list(scope.systems)
    while True:
        where = {"system": last.system, "object": last.object, "after": last.id}
        with reader.snapshot():
            rows = list(reader.ask(query, **where, kind=scope.kind, systems=systems, most=most))
        if not rows:
            return
        yield [(Ref(*row[:3]), row[3], row[4]) for row in rows]
        last = Ref(*rows[-1][:3])


def held(reader: Reader, route: str, numbers: Iterable[int]) -> Held:
    """All that is held of these entities."""
    wanted = set(numbers)
    latches = select(*_KEY).where(_KEY.system == NOWHERE, _KEY.kind == LATCH, among(_KEY.hash, "hashes"))
    with reader.snapshot():
        records = sorted(reader.of_entities(RecordRow, wanted))
        names = {lifted_name(row): row.ref for row in records}
        keys = reader.rows(KeyRow, latches, hashes=as_list(names))
        return Held(
            records=records,
            bases=reader.get(BaseRow, [(number, route) for number in wanted]),
            holds=[row for row in reader.of_entities(HoldRow, wanted) if row.route == route],
            operations=[
                row
                for row in reader.of_entities(OperationRow, wanted)
                if row.route == route and row.state in OPEN_STATES
            ],
            lifted=frozenset((names[key.hash], key.object) for key in keys),
        )


def known(reader: Reader, refs: Iterable[Ref]) -> list[RecordRow]:
    """The records of these names that are held."""
    with reader.snapshot():
        return reader.get(RecordRow, refs)


def cursors(reader: Reader, names: Iterable[tuple[str, str, str]]) -> list[CursorRow]:
    """Cursors by system, kind and name."""
    with reader.snapshot():
        return reader.get(CursorRow, names)
