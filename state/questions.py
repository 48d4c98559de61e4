"""The questions of `sync.ports.Store` as statements: one statement each, however many rows are asked for.

It decides which rows answer which question, in which order. Conditions that an index was made for are repeated
word by word, because only then the database uses it. It runs nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, or_, select, text
from sqlalchemy.engine import Dialect

from state.sql import Statement, among, by_keys
from state.tables import IS_APPLIED, IS_EFFECT, IS_LIVE, IS_NEW, IS_OPEN, IS_REFETCH, IS_WAKE, table_of
from sync.rows import (
    AGREED_TRIGGERS,
    KEY,
    PLANNED,
    BaseRow,
    BatchRow,
    CommandRow,
    HoldRow,
    KeyRow,
    OperationRow,
    RecordRow,
    Row,
    RunRow,
    StandingRow,
)

_RECORD, _KEY, _HOLD = table_of(RecordRow).c, table_of(KeyRow).c, table_of(HoldRow).c
_OPERATION, _BATCH = table_of(OperationRow).c, table_of(BatchRow).c
_RUN, _BASE = table_of(RunRow).c, table_of(BaseRow).c
_STANDING, _COMMAND = table_of(StandingRow).c, table_of(CommandRow).c


class Questions:
    """Every statement that reads for the engine, compiled for one database."""

    def __init__(self, dialect: Dialect) -> None:
        def compiled(query: Select[Any]) -> Statement:
            return Statement(query, dialect)

        self.get: dict[type[Any], Statement] = {
            kind: compiled(by_keys(table_of(kind), width)) for kind, width in KEY.items()
        }
        self.records_of = compiled(_all(RecordRow).where(among(_RECORD.entity, "entities")))
        self.open_operations = compiled(
            _all(OperationRow).where(among(_OPERATION.entity, "entities"), text(IS_OPEN))
        )
        self.holds_of = compiled(_all(HoldRow).where(among(_HOLD.entity, "entities")))
        self.standings = compiled(_all(StandingRow).where(among(_STANDING.entity, "entities")))
        self.wakes = compiled(_wakes())
        self.commands = compiled(
            _all(CommandRow).where(_COMMAND.route == bindparam("route"), text(IS_NEW)).order_by(_COMMAND.id)
        )
        self.holders = compiled(_holders())
        self.dirty = compiled(_dirty())
        self.refetch_due = compiled(_refetch_due())
        self.away = compiled(select(_BATCH.body))
        self.due = compiled(_due())
        self.planned = compiled(planned())
        self.next_due = compiled(_next_due())
        self.batches = compiled(
            _all(BatchRow).where(_BATCH.system == bindparam("system")).order_by(_BATCH.id)
        )
        self.written = compiled(_written())
        self.effects = compiled(_all(OperationRow).where(text(IS_EFFECT), among(_OPERATION.effect, "keys")))
        self.count_linked = compiled(count_linked())
        self.count_records = compiled(count_records())


def _all(kind: type[Row]) -> Select[Any]:
    return select(*table_of(kind).c)


def _holders() -> Select[Any]:
    return _all(KeyRow).where(
        _KEY.system == bindparam("system"), _KEY.kind == bindparam("kind"), among(_KEY.hash, "hashes")
    )


def _dirty() -> Select[Any]:
    return (
        select(_RECORD.noted, _RECORD.entity, _RECORD.system, _RECORD.object, _RECORD.id)
        .where(
            _RECORD.kind == bindparam("kind"),
            _RECORD.noted > bindparam("after"),
            among(_RECORD.system, "systems"),
        )
        .order_by(_RECORD.noted, _RECORD.system, _RECORD.object, _RECORD.id)
        .limit(bindparam("limit"))
    )


def _wakes() -> Select[Any]:
    return (
        _all(StandingRow)
        .where(_STANDING.route == bindparam("route"), text(IS_WAKE), _STANDING.wake <= bindparam("now"))
        .order_by(_STANDING.wake, _STANDING.entity, _STANDING.rule)
        .limit(bindparam("limit"))
    )


def _refetch_due() -> Select[Any]:
    return (
        _all(RecordRow)
        .where(
            _RECORD.system == bindparam("system"),
            _RECORD.kind == bindparam("kind"),
            text(IS_REFETCH),
            _RECORD.refetch_at <= bindparam("now"),
        )
        .order_by(_RECORD.refetch_at, _RECORD.object, _RECORD.id)
        .limit(bindparam("limit"))
    )


def _released() -> ColumnElement[bool]:
    """The operation's run released its action: all of them, or named between commas."""
    listed = ("," + _RUN.released + ",").contains("," + _OPERATION.action + ",")
    return exists().where(_RUN.id == _OPERATION.run, or_(_RUN.released == "all", listed))


def _due() -> Select[Any]:
    ready = or_(
        and_(_OPERATION.state != PLANNED, _OPERATION.at <= bindparam("now")),
        and_(_OPERATION.state == PLANNED, _released()),
    )
    return (
        _all(OperationRow)
        .where(_OPERATION.route == bindparam("route"), text(IS_OPEN), ready, ~among(_OPERATION.id, "away"))
        .where(~among(_OPERATION.system, "besides"))
        .order_by(_OPERATION.lane, _OPERATION.id)
        .limit(bindparam("limit"))
    )


def planned() -> Select[Any]:
    """(run, action, number) of the planned operations of `route` that their runs have not released."""
    return (
        select(_OPERATION.run, _OPERATION.action, func.count())
        .where(
            _OPERATION.route == bindparam("route"),
            text(IS_OPEN),
            _OPERATION.state == PLANNED,
            ~_released(),
        )
        .group_by(_OPERATION.run, _OPERATION.action)
    )


def _next_due() -> Select[Any]:
    return select(func.min(_OPERATION.at)).where(
        _OPERATION.route == bindparam("route"),
        text(IS_OPEN),
        _OPERATION.state != PLANNED,
        ~among(_OPERATION.id, "away"),
    )


def _written() -> Select[Any]:
    return (
        select(_OPERATION.action, func.count())
        .where(
            _OPERATION.route == bindparam("route"),
            text(IS_APPLIED),
            _OPERATION.done_at >= bindparam("since"),
            ~exists().where(
                _RUN.id == _OPERATION.run,
                or_(*(_RUN.trigger == literal_column(f"'{each}'") for each in AGREED_TRIGGERS)),
            ),
        )
        .group_by(_OPERATION.action)
    )


def count_linked() -> Select[Any]:
    """Bases of `route`."""
    return select(func.count()).where(_BASE.route == bindparam("route"))


def count_records() -> Select[Any]:
    """Live records of `system` and `kind`."""
    return select(func.count()).where(
        _RECORD.system == bindparam("system"), _RECORD.kind == bindparam("kind"), text(IS_LIVE)
    )
