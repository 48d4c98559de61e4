"""A system's new name, written over the old one wherever the journal keeps it.

It decides which rows name a system, and that all of them change in the caller's one transaction, so that a crash leaves
the old name everywhere. How a row reads under the new name is `sync.called`'s; it may not know whether the name is
right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, func, select, update

from state.reader import Reader
from state.sql import Statement, delete_by_key, upsert
from state.tables import Table, table_of
from sync.called import renamed_hold, renamed_key, renamed_note, renamed_operation, renamed_rules
from sync.rows import KEY, LIVE, CursorRow, HoldRow, KeyRow, OperationRow, RecordRow, Row, RulesRow
from sync.scene import LATCH, NOWHERE

R = TypeVar("R", bound=Row)
CHUNK = 5_000


def rename_in(connection: Connection, old: str, new: str) -> dict[str, int]:
    """Call a system otherwise in every table; how many rows each of them has changed."""
    counted = count_in(connection, old)
    changed = {"hold": _holds(connection, old, new), "latch": _latches(connection, old, new)}
    _rules(connection, old, new)
    _notes(connection, old, new)
    _operations(connection, old, new)
    for table in Table.metadata.sorted_tables:
        if "system" in table.c:
            connection.execute(update(table).where(table.c.system == old).values(system=new))
    return counted | {name: count for name, count in changed.items() if count}


def systems_in(connection: Connection) -> set[str]:
    """Every name under which records, work or cursors are held."""
    found: set[str] = set()
    for table in Table.metadata.sorted_tables:
        if "system" in table.c:
            found |= {row[0] for row in connection.execute(select(table.c.system).distinct())}
    return found - {NOWHERE}


def count_in(connection: Connection, system: str) -> dict[str, int]:
    """How many rows each table holds under a name."""
    found: dict[str, int] = {}
    for table in Table.metadata.sorted_tables:
        if "system" in table.c:
            query = select(func.count()).select_from(table).where(table.c.system == system)
            found[table.name] = int(connection.execute(query).scalar_one())
    return {name: count for name, count in found.items() if count}


def some_records(reader: Reader, system: str, kind: str, most: int) -> list[RecordRow]:
    """A few live records that are held under a name, from all over the journal."""
    column = table_of(RecordRow).c
    query = select(*column).where(column.system == system, column.kind == kind, column.state == LIVE)
    with reader.snapshot():
        return reader.rows(RecordRow, query.order_by(func.random()).limit(most))


def _notes(connection: Connection, old: str, new: str) -> int:
    """What an unfinished backfill or a service has noted by system."""
    column = table_of(CursorRow).c
    rows = [
        CursorRow._make(row) for row in connection.execute(select(*column).where(column.system == NOWHERE))
    ]
    return _rewrite(connection, rows, lambda row: renamed_note(row, old, new))


def _operations(connection: Connection, old: str, new: str) -> int:
    """Bodies name the record that work was decided from, and the content's name covers the target too."""
    return sum(
        _rewrite(connection, rows, lambda row: renamed_operation(row, old, new))
        for rows in _operations_by_number(connection)
    )


def _holds(connection: Connection, old: str, new: str) -> int:
    rows = [HoldRow._make(row) for row in connection.execute(select(*table_of(HoldRow).c))]
    return _rewrite(connection, rows, lambda row: renamed_hold(row, old, new))


def _rules(connection: Connection, old: str, new: str) -> int:
    rows = [RulesRow._make(row) for row in connection.execute(select(*table_of(RulesRow).c))]
    return _rewrite(connection, rows, lambda row: renamed_rules(row, old, new))


def _latches(connection: Connection, old: str, new: str) -> int:
    """Latches stand nowhere, and name the record that said so."""
    column = table_of(KeyRow).c
    query = select(*column).where(column.system == NOWHERE, column.kind == LATCH)
    rows = [KeyRow._make(row) for row in connection.execute(query)]
    return _rewrite(connection, rows, lambda row: renamed_key(row, old, new))


def _operations_by_number(connection: Connection) -> Iterator[list[OperationRow]]:
    column = table_of(OperationRow).c
    query = select(*column).where(column.id > bindparam("after")).order_by(column.id).limit(CHUNK)
    after = 0
    while found := [OperationRow._make(row) for row in connection.execute(query, {"after": after})]:
        after = found[-1].id
        yield found


def _rewrite(connection: Connection, rows: Iterable[R], change: Callable[[R], R]) -> int:
    """Put every row that reads otherwise by now, and drop those whose key has changed; how many there were."""
    changed = [(row, fresh) for row in rows if (fresh := change(row)) != row]
    if changed:
        kind: Any = type(changed[0][0])
        width, table = KEY[kind], table_of(kind)
        gone = [row[:width] for row, fresh in changed if row[:width] != fresh[:width]]
        if gone:
            Statement(delete_by_key(table, width), connection.dialect).run_many(connection, gone)
        fresh_rows = [fresh for _row, fresh in changed]
        Statement(upsert(table, width), connection.dialect).run_many(connection, fresh_rows)
    return len(changed)
