"""Is what we hold whole? Records that their system does not show now, and names that nobody could read yet.

It decides how both are counted without walking through everything. What is done about them is the engine's affair.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, func, select, text

from state.answers import RouteScope
from state.reader import Reader
from state.sql import among, as_list
from state.tables import IS_REFETCH, table_of
from sync.rows import UNSEEN, HoldRow, RecordRow

_RECORD, _HOLD = table_of(RecordRow).c, table_of(HoldRow).c


def unseen(reader: Reader, scope: RouteScope) -> dict[str, int]:
    """Records by system that were asked for and not given; they are asked for again."""
    query = (
        select(_RECORD.system, func.count())
        .where(text(IS_REFETCH), _RECORD.kind == bindparam("kind"), _RECORD.state == UNSEEN)
        .where(among(_RECORD.system, "systems"))
        .group_by(_RECORD.system)
    )
    with reader.snapshot():
        found = reader.ask(query, kind=scope.kind, systems=as_list(scope.systems))
        return {str(system): int(count) for system, count in found}


def brakes_of(reader: Reader, routes: Iterable[str]) -> list[HoldRow]:
    """The brakes that stand on these routes."""
    query = select(*_HOLD).where(_HOLD.entity == 0, _HOLD.kind == "brake", among(_HOLD.route, "routes"))
    with reader.snapshot():
        return reader.rows(HoldRow, query, routes=as_list(routes))
