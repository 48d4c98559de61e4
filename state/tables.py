"""The tables of the journal: the rows of `sync.rows`, column by column, and the indexes of the store's questions.

It decides types, primary keys and indexes, nothing else; the columns stand in the order of the rows, so that
a fetched tuple is a row. Tables never leave `state`. Every index costs a write per row, so each one names the
question that it answers; none on values that move with every write unless a question of each cycle needs it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

from sqlalchemy import BigInteger, Double, Index, Integer, LargeBinary, MetaData, Text, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from sync.rows import (
    APPLIED,
    LIVE,
    NEW,
    OPEN_STATES,
    BaseRow,
    BatchRow,
    CommandRow,
    CursorRow,
    EntityRow,
    HoldRow,
    KeyRow,
    ObservedRow,
    OperationRow,
    RecordRow,
    Row,
    RulesRow,
    RunRow,
    StandingRow,
)

R = TypeVar("R", bound=Row)

# SQLite makes `INTEGER PRIMARY KEY` the row id itself; other databases need the 64 bits spelt out.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_OWN_NUMBER = {"autoincrement": False}

Words = Annotated[str, Field(sa_type=Text)]
Number = Annotated[int, Field(sa_type=_NUMBER)]
Stamp = Annotated[float, Field(sa_type=Double)]
Body = Annotated[bytes, Field(sa_type=LargeBinary)]
WordsKey = Annotated[str, Field(sa_type=Text, primary_key=True)]
NumberKey = Annotated[int, Field(sa_type=_NUMBER, primary_key=True, sa_column_kwargs=_OWN_NUMBER)]

IS_OPEN = "state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES))
IS_APPLIED = f"state = '{APPLIED}'"
IS_LIVE = f"state = {LIVE}"
IS_CLAIM = "operation <> 0"
IS_REFETCH = "refetch_at > 0"
IS_EFFECT = "effect <> ''"
IS_WAKE = "wake > 0"
IS_NEW = f"state = '{NEW}'"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows of one condition only, which a query must repeat word by word."""
    # Naming another database's option here would load that dialect at every start.
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


class Table(SQLModel, registry=registry(metadata=MetaData())):
    """Base of all tables, with metadata of its own."""


class RecordTable(Table, table=True):
    """Vendor records as seen."""

    __tablename__ = "record"
    __table_args__: ClassVar = (
        Index("record_noted", "kind", "noted"),  # dirty
        Index("record_entity", "entity"),  # records_of
        _partial("record_refetch", "system", "kind", "refetch_at", where=IS_REFETCH),  # refetch_due
        _partial("record_live", "system", "kind", "state", where=IS_LIVE),  # count_records
    )
    system: WordsKey
    object: WordsKey
    id: WordsKey
    kind: Words
    entity: Number
    role: Number
    state: Number
    moved_to: Words
    as_of: Number
    settled: Number
    settled_at: Stamp
    version: Words
    created: Words
    own: Number
    noted: Number
    refetch_at: Stamp
    observed: Number
    body: Body
    unconfirmed: Words


class KeyTable(Table, table=True):
    """Match keys of records, and the claims of open creates. That a hash is claimed once is checked in the writing
    transaction: hashes fall anywhere in a tree, so an index of claims would double what is written."""

    __tablename__ = "key"
    __table_args__: ClassVar = {"sqlite_with_rowid": False}  # all of it is key: one tree instead of two
    system: WordsKey
    kind: WordsKey
    hash: WordsKey
    object: WordsKey
    id: WordsKey
    operation: Number


class EntityTable(Table, table=True):
    """What is special about an entity."""

    __tablename__ = "entity"
    id: NumberKey
    merged_into: Number
    body: Body


class BaseTable(Table, table=True):
    """What both sides last agreed on; its primary key's index alone answers count_linked."""

    __tablename__ = "base"
    entity: NumberKey
    route: WordsKey
    body: Body


class StandingTable(Table, table=True):
    """What standing rules remember of an entity."""

    __tablename__ = "standing"
    __table_args__: ClassVar = (_partial("standing_wake", "route", "wake", where=IS_WAKE),)  # wakes
    entity: NumberKey
    rule: WordsKey
    route: Words
    wake: Stamp
    body: Body


class OperationTable(Table, table=True):
    """Frozen writes and their states."""

    __tablename__ = "operation"
    __table_args__: ClassVar = (
        Index("operation_entity", "entity", "state"),  # open_operations, trace
        Index("operation_run", "run"),  # plans
        # due walks it in order; planned and next_due read nothing but it
        _partial("operation_open", "route", "lane", "id", "state", "at", "run", "action", where=IS_OPEN),
        _partial(
            "operation_applied", "route", "done_at", "action", "state", "run", where=IS_APPLIED
        ),  # written
        _partial("operation_effect", "effect", where=IS_EFFECT, unique=True),
    )
    id: NumberKey
    entity: Number
    route: Words
    run: Number
    action: Words
    system: Words
    object: Words
    record: Words
    lane: Number
    state: Words
    at: Stamp
    attempts: Number
    again: Number
    digest: Words
    hash: Words
    effect: Words
    made_at: Stamp
    done_at: Stamp
    reason: Words
    body: Body


class BatchTable(Table, table=True):
    """What left and is not settled."""

    __tablename__ = "batch"
    id: NumberKey
    system: Words
    kind: Words
    sent_at: Stamp
    body: Body


class HoldTable(Table, table=True):
    """What waits for a person."""

    __tablename__ = "hold"
    entity: NumberKey
    field: WordsKey
    kind: WordsKey
    route: Words
    since: Stamp
    body: Body
    answer: Words


class CursorTable(Table, table=True):
    """How far feeds were read and routes were decided."""

    __tablename__ = "cursor"
    system: WordsKey
    kind: WordsKey
    name: WordsKey
    value: Words
    complete: Number
    as_of: Number
    at: Stamp


class ObservedTable(Table, table=True):
    """Noted pages: what changed in seen, with its evidence."""

    __tablename__ = "observed"
    id: NumberKey
    at: Stamp
    system: Words
    kind: Words
    run: Number
    body: Body


class RunTable(Table, table=True):
    """Cycles, plans and commands."""

    __tablename__ = "run"
    __table_args__: ClassVar = (Index("run_route", "route", "id"),)  # the last run of a route
    id: NumberKey
    route: Words
    trigger: Words
    digest: Words
    started: Stamp
    ended: Stamp
    state: Words
    released: Words
    body: Body


class RulesTable(Table, table=True):
    """The rules under which routes last worked."""

    __tablename__ = "rules"
    route: WordsKey
    reading: Words
    deciding: Words
    applied: Number
    since: Stamp
    source: Body


class CommandTable(Table, table=True):
    """Persons' words that decide reads."""

    __tablename__ = "command"
    __table_args__: ClassVar = (_partial("command_new", "route", "id", where=IS_NEW),)  # commands
    id: NumberKey
    at: Stamp
    kind: Words
    route: Words
    state: Words
    body: Body


class SequenceTable(Table, table=True):
    """The next number that no block holds."""

    __tablename__ = "sequence"
    name: WordsKey
    next: Number


class LeaseTable(Table, table=True):
    """The one owner of the journal: one row; `fence` grows with every owner."""

    __tablename__ = "lease"
    id: NumberKey
    owner: Words
    fence: Number
    expires: Stamp


TABLES: dict[type[Any], type[Table]] = {
    RecordRow: RecordTable, KeyRow: KeyTable, EntityRow: EntityTable, BaseRow: BaseTable,
    StandingRow: StandingTable, OperationRow: OperationTable, BatchRow: BatchTable,
    HoldRow: HoldTable, CursorRow: CursorTable, ObservedRow: ObservedTable, RunRow: RunTable,
    RulesRow: RulesTable, CommandRow: CommandTable,
}  # fmt: skip


def table_of(kind: type[R]) -> SqlTable:
    """The table that holds rows of a kind."""
    return Table.metadata.tables[str(TABLES[kind].__tablename__)]


SEQUENCE = Table.metadata.tables["sequence"]
LEASE = Table.metadata.tables["lease"]
