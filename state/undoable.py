"""Which applied operations somebody means who wants something taken back, read from beside the owner.

It decides how operations are chosen, and which ones were applied to the same records since. It may not know what may
be taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import select

from state.reader import Reader
from state.sql import among, as_list
from state.tables import table_of
from sync.holds import UNDO, UNLINKED
from sync.plan import target_of
from sync.rows import APPLIED, OPEN_STATES, UNCERTAIN, HoldRow, OperationRow, RecordRow
from sync.rules import ActionKind
from sync.undo import is_of

_HOLD, _OPERATION = table_of(HoldRow).c, table_of(OperationRow).c


class Meant(NamedTuple):
    """Applied operations of a run (0 = any), under rules whose digest begins so ("" = any), of these entities (None =
    anybody), settled at `since` (unix seconds) or later."""

    run: int = 0
    digest: str = ""
    entities: Collection[int] | None = None
    since: float = 0.0


def applied(reader: Reader, meant: Meant) -> list[OperationRow]:
    """The operations that are meant, by number; inside a snapshot."""
    query = select(*_OPERATION).where(_OPERATION.state == APPLIED, _OPERATION.done_at >= meant.since)
    if meant.run:
        query = query.where(_OPERATION.run == meant.run)
    if meant.digest:
        query = query.where(_OPERATION.digest.startswith(meant.digest, autoescape=True))
    values: dict[str, object] = {}
    if meant.entities is not None:
        query = query.where(among(_OPERATION.entity, "entities"))
        values["entities"] = as_list(meant.entities)
    return reader.rows(OperationRow, query.order_by(_OPERATION.id), **values)


def entities_of(reader: Reader, rows: Iterable[OperationRow]) -> dict[int, int]:
    """Whose record each operation wrote, by the operation's number, under the name that they bear now; inside a
    snapshot."""
    wrote = {row.id: target_of(row) for row in rows}
    names = {each.ref: each.entity for each in reader.get(RecordRow, set(wrote.values()))}
    return {number: names[ref] for number, ref in wrote.items() if ref in names}


def announced(reader: Reader, entities: Iterable[int]) -> set[int]:
    """Of these entities those of whom something was announced, or may have been; inside a snapshot."""
    wanted = set(entities)
    if not wanted:
        return set()
    query = select(_OPERATION.entity).where(
        among(_OPERATION.entity, "entities"),
        _OPERATION.action == ActionKind.EFFECT.value,
        among(_OPERATION.state, "states"),
    )
    states = (APPLIED, UNCERTAIN, *OPEN_STATES)
    return {int(each) for (each,) in reader.ask(query, entities=as_list(wanted), states=as_list(states))}


def since_then(reader: Reader, chosen: Iterable[OperationRow]) -> list[OperationRow]:
    """Whatever was applied to the records of these operations since the first of them; inside a snapshot."""
    rows = list(chosen)
    if not rows:
        return []
    query = select(*_OPERATION).where(
        _OPERATION.state == APPLIED,
        _OPERATION.id >= min(row.id for row in rows),
        among(_OPERATION.record, "records"),
    )
    return reader.rows(OperationRow, query, records=as_list({row.record for row in rows}))


def of_run(reader: Reader, run: int) -> list[OperationRow]:
    """Everything that a run wanted written, whatever became of it, by number; inside a snapshot."""
    return reader.rows(OperationRow, select(*_OPERATION).where(_OPERATION.run == run).order_by(_OPERATION.id))


def marks_of(reader: Reader, run: int) -> list[HoldRow]:
    """What an undo has written down that is not settled yet: records let go, and values still to go back; inside a
    snapshot."""
    query = select(*_HOLD).where(among(_HOLD.kind, "kinds"))
    return [row for row in reader.rows(HoldRow, query, kinds=as_list((UNDO, UNLINKED))) if is_of(row, run)]
