"""The one place that knows which database it is: connections, statements, and what its errors mean.

It decides how SQLite is opened (write-ahead log, every commit synced), how lists and keys travel as one
parameter, how whole rows are written, and which failure is whose. It may not know what any table is for.
Another database needs its own version of these functions and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    create_engine,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.expression import ClauseElement

from sync.errors import Fatal

BEGIN_WRITE = "BEGIN IMMEDIATE"
BEGIN_READ = "BEGIN"
_OWNER_PRAGMAS = (
    "auto_vacuum = INCREMENTAL",  # of a new file only: what goes gives its room back, a little at a time
    "journal_mode = WAL", "synchronous = FULL", "fullfsync = ON",
    "cache_size = -16384",  # KiB: most of what a large journal adds to the process
    "wal_autocheckpoint = 8000",  # pages: a page that many commits touch is copied home once
)  # fmt: skip


def open_database(place: str | Path, *, read_only: bool = False, wait: float = 10.0) -> Engine:
    """An engine on a SQLite file; `wait` seconds for another writer. Raises Fatal where it cannot be used.

    Readers neither create the file nor change it. Transactions are begun and ended by hand.
    """
    path = _path(place)
    if read_only and not path.exists():
        raise Fatal(f"There is no state at {path}.", "start renkei once with this settings file")
    if not path.parent.is_dir():
        raise Fatal(f"The folder of the state {path} does not exist.", "create it, or change the setting")

    def connect() -> sqlite3.Connection:
        return _connect(path, read_only=read_only, wait=wait)

    return create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT"
    )


def _path(place: str | Path) -> Path:
    text = str(place)
    if "://" not in text:
        return Path(text)
    scheme, _, rest = text.partition(":///")
    if scheme != "sqlite" or not rest:
        raise Fatal(
            "The state's address is not of a database that renkei knows.", "write sqlite:///path/to/file"
        )
    return Path(rest)


def _connect(path: Path, *, read_only: bool, wait: float) -> sqlite3.Connection:
    mode = "rw" if read_only else "rwc"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        _prepare(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    for pragma in ("query_only = ON",) if read_only else _OWNER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if not read_only and connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        raise Fatal(f"The disk of {path} cannot hold a write-ahead log.", "put the state on a local disk")


_INCREMENTAL = 2


class Statement:
    """SQL text compiled once, with the order of its parameters."""

    __slots__ = ("_constants", "_names", "sql")

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = clause.compile(dialect=dialect)
        self.sql = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        # A parameter without a value of its own must be named by the caller, or the call fails.
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, **values: object) -> list[tuple[Any, ...]]:
        """Execute with named values; all rows, as the driver gives them."""
        return list(self.each(connection, **values))

    def each(self, connection: Connection, **values: object) -> Iterable[tuple[Any, ...]]:
        """Execute with named values; rows one by one, to be read before the next statement."""
        given = {**self._constants, **values}
        result = connection.exec_driver_sql(self.sql, tuple(given[name] for name in self._names))
        driver: Any = result.cursor  # the driver's tuples, without a Row around each of them
        return driver if result.returns_rows else ()

    def run_many(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute once for each tuple of values, in one call; they must stand in the columns' order."""
        # Slices of named tuples are plain tuples, which the driver binds a microsecond faster.
        connection.exec_driver_sql(self.sql, [row[:] for row in rows])


def as_list(values: Iterable[object]) -> str:
    """The one parameter that `among` and `by_keys` read."""
    return msgspec.json.encode(list(values)).decode()


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """The column equals one of the values of a list parameter."""
    each = func.json_each(bindparam(parameter)).table_valued("value", name=f"each_{parameter}")
    return column.in_(select(each.c.value))


def by_keys(table: Table, width: int) -> Select[Any]:
    """Rows whose first `width` columns are in the list parameter `keys`."""
    each = func.json_each(bindparam("keys")).table_valued("value", name="each_key")
    parts = [func.json_extract(each.c.value, literal_column(f"'$[{place}]'")) for place in range(width)]
    return select(*table.c).select_from(each.join(table, _same(list(table.c)[:width], parts)))


def _same(columns: list[Column[Any]], parts: list[Any]) -> ColumnElement[bool]:
    return and_(*(column == part for column, part in zip(columns, parts, strict=True)))


def upsert(table: Table, width: int) -> Insert:
    """Write a whole row, new or not; `width` columns are its primary key."""
    statement = insert(table).values({column.name: bindparam(column.name) for column in table.c})
    columns = list(table.c)
    changed = {column.name: statement.excluded[column.name] for column in columns[width:]}
    return statement.on_conflict_do_update(index_elements=columns[:width], set_=changed)


def insert_first(table: Table, **values: object) -> Insert:
    """Write a row unless its primary key is there."""
    return insert(table).values(values).on_conflict_do_nothing()


def delete_by_key(table: Table, width: int) -> Delete:
    """Remove the row with a primary key of `width` columns."""
    columns = list(table.c)[:width]
    return delete(table).where(_same(columns, [bindparam(column.name) for column in columns]))


class Room(NamedTuple):
    """How large the file is and what of it is empty, in pages; `gives` = empty pages can be given back."""

    pages: int
    empty: int
    page_size: int
    gives: bool


def room(connection: Connection) -> Room:
    """The file as it stands."""
    names = ("page_count", "freelist_count", "page_size", "auto_vacuum")
    found = [int(connection.exec_driver_sql(f"PRAGMA {name}").fetchall()[0][0]) for name in names]
    pages, empty, size, vacuum = found
    return Room(pages, empty, size, gives=vacuum == _INCREMENTAL)


def give_room(connection: Connection, pages: int) -> None:
    """Give empty pages back to the disk, at most so many. Outside a transaction: it is one of its own."""
    driver: Any = connection.connection.driver_connection
    step = f"PRAGMA incremental_vacuum({int(pages)})"
    try:
        driver.executescript(step)  # `execute` would stop after the first page
    except sqlite3.Error as error:
        raise DBAPIError(step, None, error) from error


def rebuild(connection: Connection) -> None:
    """Write the file anew without empty pages, and so that it gives room back from now on. Outside a transaction."""
    connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
    connection.exec_driver_sql("VACUUM")


def in_transaction(connection: Connection) -> bool:
    """True if the database still holds a transaction open (some failures end it by themselves)."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)


def as_fatal(error: DBAPIError) -> Fatal:
    """What a failure of the database means for the person who runs it; never with any value of a row."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return Fatal(
                "The disk is full; nothing of this step was kept, and everything before it is safe.",
                "free space on the disk of the state, then start again",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Fatal("Another process holds the state's write lock.", "stop it, then start again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return Fatal(
                "The state cannot be opened or written.", "check the path, its owner and its permissions"
            )
        case sqlite3.SQLITE_IOERR:
            return Fatal("The disk of the state failed to read or write.", "check the disk, then start again")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Fatal("The state is damaged or is no state of renkei.", "restore it from a backup")
        case sqlite3.SQLITE_CONSTRAINT:
            return Fatal(
                "Two rows would hold what only one may: a claim, an effect or a key.", _report(error)
            )
        case _:
            return Fatal("The state refused a statement.", _report(error))


def _report(error: DBAPIError) -> str:
    name = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
    return f"report this with the log; the database calls it {name}"
