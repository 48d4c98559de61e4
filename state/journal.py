"""Writing the journal: one connection, whole transactions, patches as one statement per kind of row.

It decides that every write checks in its own transaction that this process still owns the journal, and that
a transaction that fails leaves nothing. It may not know what rows mean, claims excepted: two open creates
never hold one match key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection, Engine, bindparam, exists, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ClauseElement

from state import migrate
from state.copied import put_back
from state.lease import Lease
from state.sql import (
    BEGIN_WRITE,
    Statement,
    as_fatal,
    as_list,
    by_keys,
    delete_by_key,
    in_transaction,
    insert_first,
    upsert,
)
from state.tables import IS_CLAIM, IS_OPEN, SEQUENCE, table_of
from sync.errors import Fatal
from sync.rows import KEY, KeyRow, OperationRow, Patch, Row

# Operations before the keys that claim for them, so that a claim is judged by what its operation has become.
_ORDER: tuple[type[Row], ...] = (OperationRow, *(kind for kind in KEY if kind is not OperationRow))


class Journal:
    """The write connection of one owner. Raises Fatal when it cannot be opened or another owner lives."""

    def __init__(self, engine: Engine, lease: Lease, *, block: int) -> None:
        self._engine = engine
        self._lease = lease
        self._block = block
        self._next = self._end = 0
        try:
            self.connection = engine.connect()
        except DBAPIError as error:
            raise as_fatal(error) from error
        try:
            self._open()
        except BaseException:
            self._disconnect()
            raise

    def _open(self) -> None:
        with transaction(self.connection):
            self._lease.prepare(self.connection)
            if migrate.revision(self.connection):
                self._lease.refuse_if_owned(self.connection)
            migrate.upgrade(self.connection)
            if self._lease.acquire(self.connection):
                put_back(self.connection)
        dialect = self.connection.dialect
        self._puts = {kind: Statement(upsert(table_of(kind), width), dialect) for kind, width in KEY.items()}
        self._drops = {
            kind: Statement(delete_by_key(table_of(kind), width), dialect) for kind, width in KEY.items()
        }
        self._claims = Statement(_standing_claims(), dialect)
        self._first = Statement(insert_first(SEQUENCE, name="main", next=1), dialect)
        self._reached = Statement(select(SEQUENCE.c.next).where(SEQUENCE.c.name == "main"), dialect)
        self._advance = Statement(update(SEQUENCE).values(next=bindparam("reached")), dialect)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction of the owner: kept whole if the block ends, not at all if it raises."""
        with transaction(self.connection):
            self._lease.check(self.connection)
            yield

    def commit(self, patch: Patch) -> None:
        """Apply a patch in one transaction, durable when this returns."""
        with self.writing():
            for kind, keys in patch.drops.items():
                if keys:
                    self._drops[kind].run_many(self.connection, keys)
            for kind in _ORDER:
                rows = patch.puts.get(kind)
                if rows:
                    self._put(kind, rows.values())

    def put_now(self, row: Row) -> None:
        """Write a row within a transaction that is open."""
        self._put(type(row), [row])

    def _put(self, kind: type[Row], rows: Iterable[Row]) -> None:
        if kind is KeyRow:
            self._refuse_taken_claims(cast("Iterable[KeyRow]", rows))
        self._puts[kind].run_many(self.connection, rows)

    def _refuse_taken_claims(self, rows: Iterable[KeyRow]) -> None:
        claims: dict[tuple[object, ...], KeyRow] = {}
        for row in rows:
            if row.operation and claims.setdefault(row[:3], row) is not row:
                raise _taken()
        if not claims:
            return
        for *key, operation, is_open in self._claims.run(self.connection, keys=as_list(claims)):
            ours = claims[tuple(key[:3])]
            if tuple(key) != ours[:5] or (is_open and operation != ours.operation):
                raise _taken()

    def numbers(self, count: int) -> range:
        """Fresh sequence numbers; leases a block of them when the last one is used up."""
        if self._next + count > self._end:
            self._lease_block(count)
        first = self._next
        self._next += count
        return range(first, self._next)

    def _lease_block(self, count: int) -> None:
        with self.writing():
            self._first.run(self.connection)
            ((reached,),) = self._reached.run(self.connection)
            first = self._next if reached == self._end else reached
            end = max(first + count, reached + self._block)
            self._advance.run(self.connection, reached=end)
        self._next, self._end = first, end

    def close(self) -> None:
        """Give the lease back and disconnect; once more is nothing."""
        if self.connection.closed:
            return
        try:
            with transaction(self.connection):
                self._lease.release(self.connection)
        finally:
            self._disconnect()

    def _disconnect(self) -> None:
        self.connection.close()
        self._engine.dispose()


@contextmanager
def transaction(connection: Connection, begin: str = BEGIN_WRITE) -> Iterator[None]:
    """One transaction: committed if the block ends, rolled back if it raises; database errors become Fatal."""
    try:
        connection.exec_driver_sql(begin)
        yield
        connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        _roll_back(connection)
        raise as_fatal(error) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: Connection) -> None:
    if in_transaction(connection):
        connection.exec_driver_sql("ROLLBACK")


def _standing_claims() -> ClauseElement:
    """Claims of some hashes, whatever they are called, and whether their operations are still open."""
    key, operation = table_of(KeyRow), table_of(OperationRow)
    opened = exists().where(operation.c.id == key.c.operation, text(IS_OPEN))
    return by_keys(key, 3).add_columns(opened).where(text(IS_CLAIM))


def _taken() -> Fatal:
    return Fatal("Two creates would claim one match key.", "report this with the log; nothing was kept")
