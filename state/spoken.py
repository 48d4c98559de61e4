"""What people said that concerns one person: answers about them, and words that name operations of theirs.

It decides which operations a word is about: those that it names, those of a plan that stood as they were seen, and
those that a run still had to send when it was let go. It may not know how a word is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from state.answers import Said
from state.reader import Reader, decoded
from state.sql import among, as_list
from state.tables import table_of
from sync.rows import CommandRow, OperationRow
from sync.said import ANSWER, APPROVE, EVERYTHING, KINDS, UNDO


def spoken(reader: Reader, entities: Collection[int], operations: Iterable[OperationRow]) -> Iterator[Said]:
    """The words about an entity (under all numbers that it has borne) and its operations, oldest first."""
    own = {row.id: row for row in operations}
    table = table_of(CommandRow)
    query = select(*table.c).where(among(table.c.kind, "kinds")).order_by(table.c.id)
    for row in reader.rows(CommandRow, query, kinds=as_list(KINDS)):
        body = decoded(row.body)
        named = tuple(_named(row, body, own))
        if named or _is_about(row, body, entities):
            yield Said(float(row.at), row.state, body, row.kind, row.route, named)


def _is_about(row: CommandRow, body: Mapping[str, Any], entities: Collection[int]) -> bool:
    if row.kind == ANSWER:
        return body.get("entity") in entities
    return row.kind == UNDO and any(each in entities for each in body.get("relink", ()))


def _named(row: CommandRow, body: Mapping[str, Any], own: Mapping[int, OperationRow]) -> Iterator[int]:
    """The operations among these that a word is about."""
    taken_back = [item[0] for item in body.get("items", ())]
    ready = body.get("result", {}).get("ready", ())
    yield from dict.fromkeys(id_ for id_ in (*body.get("operations", ()), *taken_back, *ready) if id_ in own)
    if row.kind == APPROVE:
        runs, action = body.get("runs", ()), body.get("action")
        yield from (
            each.id
            for each in own.values()
            if each.run in runs and action in (EVERYTHING, each.action) and not 0.0 < each.done_at < row.at
        )
