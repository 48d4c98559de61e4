"""Read-only answers for the command line and the console: status, inbox, runs, plans.

It decides what is counted for a screen, each answer from one snapshot. It may not know rules or vendors: which
kind and systems a route is about is the caller's knowledge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, text

from state.answers import (
    ActionCount,
    FeedInfo,
    FieldCount,
    HoldInfo,
    OperationInfo,
    PlanCounts,
    RouteScope,
    RouteStatus,
    RunInfo,
    Which,
)
from state.questions import count_linked, count_records, planned
from state.reader import Reader, decoded, hold_info, operation_info, records_by_entity, run_info
from state.sql import among, as_list
from state.tables import IS_APPLIED, IS_OPEN, table_of
from sync.rows import OPEN_STATES, BatchRow, CursorRow, HoldRow, OperationRow, RecordRow, RulesRow, RunRow

_OPERATION, _HOLD, _RUN = table_of(OperationRow).c, table_of(HoldRow).c, table_of(RunRow).c


def status(reader: Reader, scopes: Iterable[RouteScope], *, since: float) -> tuple[RouteStatus, ...]:
    """Each route at a glance; `since` begins the time over which applied operations are counted."""
    with reader.snapshot():
        return tuple(_status(reader, scope, since) for scope in scopes)


def inbox(
    reader: Reader, *, route: str = "", kind: str = "", limit: int = 100, offset: int = 0
) -> tuple[HoldInfo, ...]:
    """What waits for a person, the longest waiting first; empty `route` or `kind` = all."""
    query = select(*_HOLD).where(*_if_named((_HOLD.route, route), (_HOLD.kind, kind)))
    query = query.order_by(_HOLD.since, _HOLD.entity, _HOLD.field, _HOLD.kind).limit(limit).offset(offset)
    with reader.snapshot():
        rows = reader.rows(HoldRow, query)
        records = records_by_entity(reader, (row.entity for row in rows))
        return tuple(hold_info(row, records) for row in rows)


def runs(reader: Reader, *, route: str = "", before: int = 0, limit: int = 20) -> tuple[RunInfo, ...]:
    """Runs newest first; `before` > 0: those older than this one."""
    query = select(*_RUN).where(*_if_named((_RUN.route, route)))
    if before:
        query = query.where(_RUN.id < before)
    with reader.snapshot():
        return tuple(map(run_info, reader.rows(RunRow, query.order_by(_RUN.id.desc()).limit(limit))))


def plan(reader: Reader, which: Which) -> PlanCounts:
    """The chosen operations in figures, read one by one, however many they are."""
    actions: Counter[tuple[str, str, str]] = Counter()
    fields: Counter[tuple[str, str, str]] = Counter()
    columns = (_OPERATION.system, _OPERATION.action, _OPERATION.state, _OPERATION.body)
    with reader.snapshot():
        for system, action, state, body in reader.ask(_chosen(which, *columns), states=as_list(which.states)):
            names = decoded(body).get("fields", {})
            if which.field and which.field not in names:
                continue
            actions[system, action, state] += 1
            fields.update((system, action, name) for name in names)
    return PlanCounts(
        total=actions.total(),
        actions=tuple(ActionCount(*key, count) for key, count in _ranked(actions)),
        fields=tuple(FieldCount(*key, count) for key, count in _ranked(fields)),
    )


def operations(reader: Reader, which: Which, *, after: int = 0, limit: int = 50) -> tuple[OperationInfo, ...]:
    """The chosen operations by id, a page of them; `after`: the last id of the page before."""
    query = _chosen(which, *_OPERATION).where(_OPERATION.id > after).order_by(_OPERATION.id)
    with reader.snapshot():
        return tuple(_first(limit, which.field, reader.ask(query, states=as_list(which.states))))


def contents(reader: Reader, which: Which) -> Iterator[tuple[int, str, str, str]]:
    """Id, system, action and content hash of the chosen operations, read one by one, however many they are."""
    query = _chosen(which, _OPERATION.id, _OPERATION.system, _OPERATION.action, _OPERATION.hash)
    with reader.snapshot():
        rows: Any = reader.ask(query, states=as_list(which.states))
        yield from rows


def _first(limit: int, field: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[OperationInfo]:
    for row in rows:
        if limit <= 0:
            return
        info = operation_info(OperationRow._make(row))
        if not field or field in info.work.get("fields", {}):
            limit -= 1
            yield info


def _chosen(which: Which, *columns: ColumnElement[Any]) -> Select[Any]:
    named = (
        (_OPERATION.route, which.route),
        (_OPERATION.system, which.system),
        (_OPERATION.action, which.action),
    )
    query = select(*columns).where(*_if_named(*named))
    if which.states:
        query = query.where(among(_OPERATION.state, "states"))
    if set(which.states) <= set(OPEN_STATES) and which.states:
        query = query.where(text(IS_OPEN))
    return query.where(_OPERATION.run == which.run) if which.run else query


def _if_named(*pairs: tuple[ColumnElement[Any], str]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in pairs if value]


def _ranked(counts: Counter[tuple[str, str, str]]) -> list[tuple[tuple[str, str, str], int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _status(reader: Reader, scope: RouteScope, since: float) -> RouteStatus:
    route, cursor = scope.route, table_of(CursorRow).c
    feeds = reader.rows(
        CursorRow, select(*cursor).where(cursor.kind == scope.kind).order_by(cursor.system, cursor.name)
    )
    mark = next((row for row in feeds if not row.system and row.name == route), None)
    last = reader.rows(RunRow, select(*_RUN).where(_RUN.route == route).order_by(_RUN.id.desc()).limit(1))
    rules = reader.get(RulesRow, [(route,)])
    return RouteStatus(
        route=route,
        first_applied=any(row.applied for row in rules),
        last_run=run_info(last[0]) if last else None,
        decided_at=mark.at if mark else 0.0,
        feeds=tuple(
            FeedInfo(system=row.system, name=row.name, at=row.at, complete=bool(row.complete))
            for row in feeds
            if row.system in scope.systems
        ),
        dirty=_dirty(reader, scope, int(mark.value or 0) if mark else 0),
        operations=_counts(reader, _OPERATION.state, _OPERATION.route == route, text(IS_OPEN)),
        unreleased=_unreleased(reader, route),
        holds=_counts(reader, _HOLD.kind, _HOLD.route == route),
        applied=_counts(
            reader,
            _OPERATION.system,
            _OPERATION.route == route,
            text(IS_APPLIED),
            _OPERATION.done_at >= since,
        ),
        in_flight=_in_flight(reader, scope),
        records={
            system: _one(reader, count_records(), system=system, kind=scope.kind) for system in scope.systems
        },
        linked=_one(reader, count_linked(), route=route),
    )


def _dirty(reader: Reader, scope: RouteScope, watermark: int) -> int:
    record = table_of(RecordRow).c
    query = select(func.count()).where(
        record.kind == scope.kind, record.noted > bindparam("after"), among(record.system, "systems")
    )
    return _one(reader, query, after=watermark, systems=as_list(scope.systems))


def _unreleased(reader: Reader, route: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for _run, action, count in reader.ask(planned(), route=route):
        counts[action] += count
    return dict(counts)


def _in_flight(reader: Reader, scope: RouteScope) -> dict[str, int]:
    batch = table_of(BatchRow).c
    found = _counts(reader, batch.system, batch.kind == scope.kind)
    return {system: number for system, number in found.items() if system in scope.systems}


def _counts(reader: Reader, by: ColumnElement[Any], *conditions: Any) -> dict[str, int]:
    query = select(by, func.count()).where(*conditions).group_by(by).order_by(by)
    return {str(name): count for name, count in reader.ask(query)}


def _one(reader: Reader, query: Select[Any], **values: object) -> int:
    ((count,),) = reader.ask(query, **values)
    return int(count)
