"""A copy of the journal that was put back in its place: what it may not say of our own writes is taken from it.

It decides which rows say such things, and that all of them change in the transaction that makes somebody its first
owner, so that nothing is decided by them before. How a row reads afterwards is `sync.copied`'s.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from state.sql import Statement, as_list, by_keys
from state.tables import table_of
from sync.copied import unconfirmed_of_copy, work_of_copy
from sync.rows import BatchRow, OperationRow, RecordRow


def put_back(connection: Connection) -> None:
    """Have no value that is awaited, and no operation that was on its way, count as our latest write to its record."""
    _records(connection)
    _operations(connection)


def _records(connection: Connection) -> None:
    record = table_of(RecordRow)
    name = (record.c.system, record.c.object, record.c.id)
    found = connection.execute(
        select(record.c.unconfirmed, *name).where(record.c.unconfirmed != "")
    ).fetchall()
    change = update(record).values(unconfirmed=bindparam("fresh"))
    for column in name:
        change = change.where(column == bindparam(f"its_{column.name}"))
    rows = [(unconfirmed_of_copy(unconfirmed), *names) for unconfirmed, *names in found]
    if rows:
        Statement(change, connection.dialect).run_many(connection, rows)


def _operations(connection: Connection) -> None:
    operation = table_of(OperationRow)
    bodies = connection.execute(select(table_of(BatchRow).c.body)).scalars()
    numbers = [[number] for body in bodies for number in msgspec.json.decode(body)]
    left = Statement(by_keys(operation, 1), connection.dialect).run(connection, keys=as_list(numbers))
    change = update(operation).values(body=bindparam("fresh")).where(operation.c.id == bindparam("number"))
    rows = [(work_of_copy(row.body), row.id) for row in map(OperationRow._make, left)]
    if rows:
        Statement(change, connection.dialect).run_many(connection, rows)
