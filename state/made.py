"""Operations by when they were made, one by one, however many they are. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, select

from state.reader import Reader
from state.sql import among, as_list
from state.tables import table_of
from sync.rows import PLANNED, SUPERSEDED, OperationRow

_OPERATION = table_of(OperationRow).c


def wanted(
    reader: Reader, route: str, begin: float, end: float
) -> Iterator[tuple[int, str, str, str, str, str, bytes]]:
    """Number, action, system, object, record, state and body of what a route wanted to do and has not sent, made from
    `begin` and before `end` (unix seconds); oldest first."""
    columns = (
        _OPERATION.id, _OPERATION.action, _OPERATION.system, _OPERATION.object, _OPERATION.record,
        _OPERATION.state, _OPERATION.body,
    )  # fmt: skip
    query = (
        select(*columns)
        .where(_OPERATION.route == bindparam("route"), among(_OPERATION.state, "states"))
        .where(_OPERATION.made_at >= bindparam("begin"), _OPERATION.made_at < bindparam("end"))
        .order_by(_OPERATION.id)
    )
    with reader.snapshot():
        rows: Any = reader.ask(
            query, route=route, states=as_list((PLANNED, SUPERSEDED)), begin=begin, end=end
        )
        yield from rows
