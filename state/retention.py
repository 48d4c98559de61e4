"""What of the journal is older than its keeping, found a part at a time, and the room that it leaves behind.

It decides what may never go: work that is open or listed, effects (their keys make them happen once), whatever is held
by entity, key or record, the answers that lifted an opt-out, and runs that anything kept still names. Everything is
found in the order of numbers, which is the order of time, so a part is a short read and nothing needs an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, func, select

from state.reader import Reader, decoded
from state.sql import among, as_list
from state.tables import table_of
from state.trace import KEPT
from sync.rows import (
    APPLIED,
    DISCARDED,
    DONE,
    REFUSED,
    SUPERSEDED,
    CommandRow,
    CursorRow,
    ObservedRow,
    OperationRow,
    Patch,
    Row,
    RunRow,
)
from sync.said import ANSWER, KINDS
from sync.undo import TRIGGER

PART = 500
LOOK = 2_000  # rows looked at in one part
CLOSED = (APPLIED, SUPERSEDED, DISCARDED)
_OPEN_RUN = "open"
_LIFT = "lift"
_OPERATION, _RUN, _OBSERVED, _COMMAND = (
    table_of(kind).c for kind in (OperationRow, RunRow, ObservedRow, CommandRow)
)


class Horizons(NamedTuple):
    """What is older goes (unix seconds): finished writes with their runs and people's words; observed changes; runs in
    which nothing happened."""

    writes: float
    changes: float
    runs: float


class Part(NamedTuple):
    """Numbers of rows that may go, where to look on, and whether there may be more."""

    numbers: list[int]
    after: int
    more: bool


def old_writes(reader: Reader, after: int, horizons: Horizons) -> Part:
    """Finished operations."""
    columns = (_OPERATION.id, _OPERATION.state, _OPERATION.effect, _OPERATION.made_at, _OPERATION.done_at)
    query = select(*columns).where(_OPERATION.id > bindparam("after")).order_by(_OPERATION.id).limit(LOOK)
    found, last, more = list[int](), after, False
    for number, state, effect, made_at, done_at in _rows(reader, query, after):
        if made_at >= horizons.writes:
            return Part(found, last, more=False)
        last, more = number, True
        if state in CLOSED and not effect and done_at < horizons.writes:
            found.append(number)
            if len(found) == PART:
                break
    return Part(found, last, more)


def old_changes(reader: Reader, after: int, horizons: Horizons) -> Part:
    """Observed pages; each holds many changes, so few go at a time."""
    query = select(_OBSERVED.id, _OBSERVED.at).where(_OBSERVED.id > bindparam("after"))
    rows = _rows(reader, query.order_by(_OBSERVED.id).limit(PART // 5), after)
    found = [number for number, at in rows if at < horizons.changes]
    return Part(found, found[-1] if found else after, more=len(found) == PART // 5)


def quiet_runs(reader: Reader, after: int, horizons: Horizons) -> Part:
    """Runs in which nothing was read, decided or done: nobody's past is told by them."""
    return _runs(reader, after, horizons.runs, quiet=True)


def old_runs(reader: Reader, after: int, horizons: Horizons) -> Part:
    """Runs as old as the writes that go; since when a record is held is told by them."""
    return _runs(reader, after, horizons.writes, quiet=False)


def _runs(reader: Reader, after: int, before: float, *, quiet: bool) -> Part:
    """Those that nothing kept names. The last run of a route stays, and so do undos, because they can be undone."""
    query = select(_RUN.id, _RUN.trigger, _RUN.started, _RUN.state, _RUN.body)
    query = query.where(_RUN.id > bindparam("after")).order_by(_RUN.id).limit(PART)
    found, last, more = list[int](), after, False
    for number, trigger, started, state, body in _rows(reader, query, after):
        if started >= before:
            more = False
            break
        last, more = number, True
        nothing = state != _OPEN_RUN and _is_quiet(decoded(body))
        if trigger != TRIGGER and nothing is quiet:
            found.append(number)
    kept = _named(reader, found) | _last_runs(reader)
    return Part([number for number in found if number not in kept], last, more)


def _is_quiet(figures: dict[str, Any]) -> bool:
    """True if a run found nothing new and did nothing. A read's figures: read, new, changed, events, lost."""
    reads = (any(each[1:]) for each in figures.get("read", {}).values())
    rest = (value for name, value in figures.items() if name != "read")
    return bool(figures) and not any(reads) and not any(rest)


def _named(reader: Reader, runs: Collection[int]) -> set[int]:
    if not runs:
        return set()
    query = select(_OPERATION.run).distinct().where(among(_OPERATION.run, "runs"))
    with reader.snapshot():
        return {int(number) for (number,) in reader.ask(query, runs=as_list(runs))}


def _last_runs(reader: Reader) -> set[int]:
    with reader.snapshot():
        return {int(number) for (number,) in reader.ask(select(func.max(_RUN.id)).group_by(_RUN.route))}


def old_words(reader: Reader, after: int, horizons: Horizons) -> Part:
    """Persons' words that were done or refused, but for the evidence by which an opt-out was lifted."""
    query = select(_COMMAND.id, _COMMAND.kind, _COMMAND.state, _COMMAND.at, _COMMAND.body)
    query = query.where(_COMMAND.id > bindparam("after")).order_by(_COMMAND.id).limit(PART)
    found, last, more = list[int](), after, False
    for number, kind, state, at, body in _rows(reader, query, after):
        last, more = number, True
        lifts = kind == ANSWER and decoded(body).get("answer") == _LIFT
        if at < horizons.writes and kind in KINDS and state in (DONE, REFUSED) and not lifts:
            found.append(number)
    return Part(found, last, more)


def _rows(reader: Reader, query: Any, after: int) -> Iterable[tuple[Any, ...]]:
    with reader.snapshot():
        return list(reader.ask(query, after=after))


def without(kind: type[Row], numbers: Iterable[int], *, name: str = "", since: float = 0.0) -> Patch:
    """The patch that lets rows go. Where the past is told by them, it says in the same breath from when on it is
    whole: `name` of what goes, `since` (unix seconds)."""
    patch = Patch()
    patch.drops[kind].update(((number,), None) for number in numbers)
    if name:
        patch.put(CursorRow("", KEPT, name, msgspec.json.encode(since).decode(), 1, 0, since))
    return patch
