"""What a long-running owner of the journal, and whoever stands beside it, ask of it between cycles.

It decides how each question stays cheap however large the journal is. It may not know what commands mean or when
anything is overdue.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, text

from state.answers import RouteScope
from state.reader import Reader
from state.sql import among, as_list
from state.tables import IS_OPEN, LEASE, table_of
from sync.rows import (
    PENDING,
    PLANNED,
    CommandRow,
    CursorRow,
    HoldRow,
    OperationRow,
    RecordRow,
    RunRow,
)


class Owner(NamedTuple):
    """Who holds the journal's lease ("" = nobody) and until when (unix seconds)."""

    name: str
    expires: float


class Backlog(NamedTuple):
    """Since when a route's oldest operation that could leave (planned or pending; not what was refused or waits for
    another) and its oldest undecided record wait (unix seconds, 0.0 = none)."""

    operation: float
    record: float


def owner(reader: Reader) -> Owner:
    """Who holds the lease."""
    with reader.snapshot():
        for name, expires in reader.ask(select(LEASE.c.owner, LEASE.c.expires).where(LEASE.c.id == 1)):
            return Owner(str(name), float(expires))
    return Owner("", 0.0)


def commands(
    reader: Reader, kinds: Iterable[str], states: Iterable[str] = (), *, after: int = 0
) -> list[CommandRow]:
    """Commands of these kinds by number; `states` empty = in any state, `after`: only those put in later than this one.
    Whoever puts one in takes its number in the same transaction, so later ones have higher numbers."""
    table = table_of(CommandRow)
    query = select(*table.c).where(among(table.c.kind, "kinds"), table.c.id > bindparam("after"))
    query = query.order_by(table.c.id)
    values: dict[str, object] = {"kinds": as_list(kinds), "after": after}
    wanted = tuple(states)
    if wanted:
        query = query.where(among(table.c.state, "states"))
        values["states"] = as_list(wanted)
    with reader.snapshot():
        return reader.rows(CommandRow, query, **values)


def command(reader: Reader, number: int) -> CommandRow | None:
    """One command, None if it was never made."""
    with reader.snapshot():
        return next(iter(reader.get(CommandRow, [(number,)])), None)


def notes(reader: Reader, kind: str) -> dict[str, CursorRow]:
    """The rows that one part of the program keeps for itself under a kind, by name."""
    table = table_of(CursorRow)
    query = select(*table.c).where(table.c.system == "", table.c.kind == kind)
    with reader.snapshot():
        return {row.name: row for row in reader.rows(CursorRow, query)}


def brakes(reader: Reader) -> list[HoldRow]:
    """The brakes that stand, of all routes."""
    table = table_of(HoldRow)
    query = select(*table.c).where(table.c.entity == 0, table.c.kind == "brake")
    with reader.snapshot():
        return reader.rows(HoldRow, query)


def backlog(reader: Reader, scope: RouteScope) -> Backlog:
    """Since when a route's oldest work waits. Records bear numbers, no times: what was noted after a run began is as
    old as that run."""
    with reader.snapshot():
        return Backlog(_oldest_operation(reader, scope.route), _oldest_record(reader, scope))


def _oldest_operation(reader: Reader, route: str) -> float:
    operation = table_of(OperationRow).c
    moving = as_list((PLANNED, PENDING))
    query = select(func.min(operation.id)).where(
        operation.route == route, text(IS_OPEN), among(operation.state, "moving")
    )
    ((number,),) = list(reader.ask(query, moving=moving))
    if number is None:
        return 0.0
    ((at,),) = list(reader.ask(select(operation.made_at).where(operation.id == bindparam("id")), id=number))
    return float(at)


def _oldest_record(reader: Reader, scope: RouteScope) -> float:
    record, run = table_of(RecordRow).c, table_of(RunRow).c
    mark = next(iter(reader.get(CursorRow, [("", scope.kind, scope.route)])), None)
    oldest = select(func.min(record.noted)).where(
        record.kind == scope.kind, record.noted > bindparam("after"), among(record.system, "systems")
    )
    after = int(mark.value or 0) if mark is not None else 0
    ((noted,),) = list(reader.ask(oldest, after=after, systems=as_list(scope.systems)))
    if noted is None:
        return 0.0
    began = select(run.started).where(run.id <= bindparam("noted")).order_by(run.id.desc()).limit(1)
    return next((float(started) for (started,) in reader.ask(began, noted=noted)), 0.0)
