"""What waits in one lane of a route, read one by one, however much it is. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, select, text

from state.reader import Reader
from state.sql import among, as_list
from state.tables import IS_OPEN, table_of
from sync.rows import OPEN_STATES, OperationRow

_OPERATION = table_of(OperationRow).c


def in_lane(
    reader: Reader, route: str, lane: int, states: tuple[str, ...] = OPEN_STATES
) -> Iterator[tuple[int, str, str, str]]:
    """Number, system, action and content hash of the open operations of a route in a lane, oldest first."""
    query = (
        select(_OPERATION.id, _OPERATION.system, _OPERATION.action, _OPERATION.hash)
        .where(_OPERATION.route == bindparam("route"), _OPERATION.lane == bindparam("lane"), text(IS_OPEN))
        .where(among(_OPERATION.state, "states"))
        .order_by(_OPERATION.id)
    )
    with reader.snapshot():
        rows: Any = reader.ask(query, route=route, lane=lane, states=as_list(states))
        yield from rows
