"""Everything that waits for a person, one by one, however much it is: questions, and work that a system did not take.

It decides nothing; what an entry means and what can be answered is known above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import or_, select, text

from state.reader import Reader
from state.sql import among, as_list
from state.tables import IS_OPEN, table_of
from sync.rows import BACKFILL, FAILED, IGNORED, PLANNED, WAITING, CursorRow, HoldRow, OperationRow, RunRow
from sync.rules import ActionKind

_HOLD, _OPERATION, _RUN = table_of(HoldRow).c, table_of(OperationRow).c, table_of(RunRow).c


def holds(reader: Reader, route: str = "") -> Iterator[HoldRow]:
    """Questions of a route ("" = of all), the longest waiting first."""
    query = select(*_HOLD).order_by(_HOLD.since, _HOLD.entity, _HOLD.field, _HOLD.kind)
    with reader.snapshot():
        rows: Any = reader.ask(query.where(_HOLD.route == route) if route else query)
        for row in rows:
            yield HoldRow._make(row)


def stuck(reader: Reader, route: str = "") -> Iterator[tuple[int, str, str, str, str, float]]:
    """Number, route, state, content hash, reason and time of operations that were refused, wait for another, or were
    ignored by a vendor; oldest first."""
    found: list[tuple[Any, ...]] = []
    columns = (
        _OPERATION.id, _OPERATION.route, _OPERATION.state, _OPERATION.hash, _OPERATION.reason,
        _OPERATION.made_at,
    )  # fmt: skip
    for condition in (text(IS_OPEN), _OPERATION.state == IGNORED):
        query = select(*columns).where(condition, among(_OPERATION.state, "states")).order_by(_OPERATION.id)
        query = query.where(_OPERATION.route == route) if route else query
        with reader.snapshot():
            found += reader.ask(query, states=as_list((FAILED, WAITING, IGNORED)))
    for number, of, state, name, reason, at in sorted(found):
        yield int(number), str(of), str(state), str(name), str(reason), float(at)


def stopped(reader: Reader, route: str, action: str = "") -> list[tuple[int, str, str]]:
    """Number, action and content hash of what the brakes of a route stop ("" = of every kind). What an unfinished
    backfill wants waits for its canary, opt-outs excepted."""
    query = select(_OPERATION.id, _OPERATION.action, _OPERATION.hash).order_by(_OPERATION.id)
    query = query.where(text(IS_OPEN), _OPERATION.state == PLANNED, _OPERATION.route == route)
    query = query.where(_OPERATION.action == action) if action else query
    apart = select(_RUN.id).where(_RUN.route == route, _RUN.trigger == BACKFILL)
    at_once = or_(_OPERATION.action == ActionKind.OPT_OUT.value, _OPERATION.run.not_in(apart))
    with reader.snapshot():
        begun = reader.get(CursorRow, [("", BACKFILL, route)])
        return [(row[0], row[1], row[2]) for row in reader.ask(query.where(at_once) if begun else query)]


def operations_by_number(reader: Reader, numbers: Iterable[int]) -> list[OperationRow]:
    """Operations by their numbers."""
    with reader.snapshot():
        return sorted(reader.get(OperationRow, [(number,) for number in numbers]))
