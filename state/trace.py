"""Everything that the journal knows of one person: records, operations, what reads changed, what people answered.

It decides how the observed pages of a record are followed back: each entry names the page before it. It may not
know what a change means.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from state.answers import Change, First, Trace
from state.reader import Reader, decoded, hold_info, operation_info, record_info
from state.spoken import spoken
from state.sql import among, as_list
from state.tables import table_of
from sync.happened import LINKED
from sync.record import Ref
from sync.rows import (
    APPLIED,
    BaseRow,
    CursorRow,
    EntityRow,
    HoldRow,
    KeyRow,
    ObservedRow,
    OperationRow,
    RecordRow,
    RunRow,
)
from sync.scene import LATCH, NOWHERE

KEPT = "kept"  # the kind of the notes that say from when on a table is whole (sync.rows.CursorRow, `at`)
MOST = 10_000
_CREATE = "create"


def trace(
    reader: Reader, *, refs: Iterable[Ref] = (), hashes: Iterable[str] = (), limit: int = MOST
) -> tuple[Trace, ...]:
    """The entities of records named by ref or by hash of a match key (all systems); at most `limit`
    operations and changes each, the newest."""
    with reader.snapshot():
        records = reader.get(RecordRow, [*refs, *_refs_of(reader, hashes)])
        return tuple(_trace(reader, entity, limit) for entity in sorted({row.entity for row in records}))


def _refs_of(reader: Reader, hashes: Iterable[str]) -> list[tuple[Any, ...]]:
    """Records that hold a key; every feed's (system, kind) is looked up, because keys are found by them."""
    key, cursor = table_of(KeyRow), table_of(CursorRow)
    feeds = select(cursor.c.system, cursor.c.kind).distinct().subquery()
    query = select(key.c.system, key.c.object, key.c.id).where(
        key.c.system == feeds.c.system,
        key.c.kind == feeds.c.kind,
        among(key.c.hash, "hashes"),
        key.c.operation == 0,
    )
    return list(reader.ask(query, hashes=as_list(hashes)))


def _trace(reader: Reader, entity: int, limit: int) -> Trace:
    former = _merged_into(reader, entity)
    entities = [entity, *former]
    rows = sorted(reader.of_entities(RecordRow, entities))
    records = tuple(map(record_info, rows))
    bases = reader.of_entities(BaseRow, [entity])
    holds = sorted(reader.of_entities(HoldRow, entities))
    operations = _operations(reader, entities, limit)
    changes = _changes(reader, rows, limit)
    begins = kept_since(reader)
    return Trace(
        entity=entity,
        former=tuple(former),
        records=records,
        bases={row.route: decoded(row.body) for row in bases},
        holds=tuple(hold_info(row, {row.entity: records}) for row in holds),
        operations=tuple(map(operation_info, operations)),
        changes=tuple(changes),
        firsts=_firsts(reader, rows, operations, changes, begins),
        said=tuple(spoken(reader, entities, operations)),
        begins=begins,
        cut=len(operations) == limit or len(changes) == limit,
    )


def kept_since(reader: Reader) -> float:
    """From when on everything is kept that a trace is made of (unix seconds, 0.0 = from the beginning)."""
    table = table_of(CursorRow)
    query = select(table.c.at).where(table.c.system == "", table.c.kind == KEPT)
    return max((float(at) for (at,) in reader.ask(query)), default=0.0)


def latches(reader: Reader, names: Iterable[str]) -> list[KeyRow]:
    """The opt-outs that are remembered under these names."""
    key = table_of(KeyRow)
    query = select(*key.c).where(key.c.system == NOWHERE, key.c.kind == LATCH, among(key.c.hash, "names"))
    with reader.snapshot():
        return sorted(reader.rows(KeyRow, query, names=as_list(names)))


def _merged_into(reader: Reader, entity: int) -> list[int]:
    """Entities that were merged into this one, through any number of merges."""
    table = table_of(EntityRow)
    query = select(table.c.id).where(among(table.c.merged_into, "into")).order_by(table.c.id)
    found = [entity]
    wave = [entity]
    while wave:
        wave = [id_ for (id_,) in reader.ask(query, into=as_list(wave)) if id_ not in found]
        found += wave
    return found[1:]


def _operations(reader: Reader, entities: list[int], limit: int) -> list[OperationRow]:
    table = table_of(OperationRow)
    query = select(*table.c).where(among(table.c.entity, "entities"))
    query = query.order_by(table.c.id.desc()).limit(bindparam("limit"))
    return reader.rows(OperationRow, query, entities=as_list(entities), limit=limit)


def _changes(reader: Reader, records: list[RecordRow], limit: int) -> list[Change]:
    """Follow every record's observed pages back, one page a step for all of them; newest first."""
    found: list[Change] = []
    heads = {row.ref: row.observed for row in records if row.observed}
    while heads and len(found) < limit:
        pages = {page.id: page for page in reader.get(ObservedRow, [(id_,) for id_ in heads.values()])}
        heads = dict(chain.from_iterable(_step(ref, pages.get(id_), found) for ref, id_ in heads.items()))
    found.sort(key=lambda change: change.at, reverse=True)
    return found[:limit]


def _step(ref: Ref, page: ObservedRow | None, found: list[Change]) -> list[tuple[Ref, int]]:
    """Note what a page says of a record; the record with the page before it, if there is one."""
    if page is None:  # older than what is kept
        return []
    begins = msgspec.json.encode([ref.object, ref.id])[:-1] + b","  # of hundreds of entries few are decoded
    entries = [msgspec.json.decode(raw) for raw in _entries(page.body) if bytes(raw).startswith(begins)]
    for _object, _id, _previous, values, own, *by in reversed(entries):
        pairs = {path: (old, new) for path, (old, new) in values.items()}
        found.append(Change(at=page.at, ref=ref, values=pairs, own=own, run=page.run, by=by[0] if by else ""))
    # A record that changed twice within one page names that page itself in its second entry.
    earlier = [entry[2] for entry in entries if 0 < entry[2] < page.id]
    return [(ref, earlier[0])] if earlier else []


_entries = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _firsts(
    reader: Reader,
    records: list[RecordRow],
    operations: list[OperationRow],
    changes: list[Change],
    begins: float,
) -> dict[Ref, First]:
    """Since when each record is held: a record of our making since its create was settled, any other one since the
    run under whose numbers it was first seen. An entity bears the number of its first record's first mark."""
    made = {
        Ref(row.system, row.object, row.record): row
        for row in reversed(operations)
        if row.action == _CREATE and row.state == APPLIED
    }
    found = {row.ref: row.entity for row in records}
    named: dict[Ref, First] = {}
    for change in changes:  # newest first: the oldest one stands in the end
        if LINKED in change.values:
            before = change.values[LINKED][0]
            named.pop(change.ref, None)
            found[change.ref] = int(before or 0)
            if before is None:
                named[change.ref] = First(change.at, change.run, change.by)
    named |= {ref: First(row.done_at, row.run, _CREATE) for ref, row in made.items()}
    return {ref: named.get(ref) or _run_of(reader, number, begins) for ref, number in found.items()}


def _run_of(reader: Reader, number: int, begins: float) -> First:
    run = table_of(RunRow).c
    query = select(run.id, run.started, run.trigger).where(run.id <= bindparam("number"))
    for id_, started, trigger in reader.ask(query.order_by(run.id.desc()).limit(1), number=number):
        return First(float(started), int(id_), str(trigger)) if started >= begins else First(0.0, 0, "")
    return First(0.0, 0, "")
