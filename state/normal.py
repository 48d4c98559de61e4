"""How much of what a route usually writes: the figures that limits are set by.

It counts applied operations by hour and by run over some days, and what waits to be let go, each question one
statement; what a person agreed to as a whole is left out, as the brakes do. It may not know limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, cast, func, or_, select, text

from state.questions import planned as unreleased
from state.reader import Reader
from state.tables import IS_APPLIED, IS_OPEN, table_of
from sync.beats import BEATS
from sync.rows import AGREED_TRIGGERS, BACKFILL, PENDING, CursorRow, OperationRow, RunRow
from sync.rules import ActionKind

HOUR = 3_600
_OPERATION, _RUN = table_of(OperationRow).c, table_of(RunRow).c


class Applied(NamedTuple):
    """Operations of one kind that one run has planned and that were applied within one hour (`hour` x 3,600 = unix
    seconds of its beginning)."""

    action: str
    run: int
    hour: int
    number: int


def applied(reader: Reader, route: str, since: float, until: float) -> list[Applied]:
    """What was applied of a route in a time, by action, run and hour."""
    hour = cast(_OPERATION.done_at / HOUR, Integer)
    agreed = select(_RUN.id).where(
        _RUN.id == _OPERATION.run, or_(*(_RUN.trigger == each for each in AGREED_TRIGGERS))
    )
    query = (
        select(_OPERATION.action, _OPERATION.run, hour, func.count())
        .where(
            _OPERATION.route == bindparam("route"),
            text(IS_APPLIED),
            _OPERATION.done_at >= bindparam("since"),
            _OPERATION.done_at < bindparam("until"),
            ~agreed.exists(),
        )
        .group_by(_OPERATION.action, _OPERATION.run, hour)
    )
    with reader.snapshot():
        return [Applied(*row) for row in reader.ask(query, route=route, since=since, until=until)]


def taken(reader: Reader, route: str, since: float, lane: int | None = None) -> dict[str, int]:
    """What systems took of a route from a time on, by system, answers that were lost and found again included; `lane`:
    only of this one."""
    query = select(_OPERATION.system, func.count()).where(
        _OPERATION.route == bindparam("route"), text(IS_APPLIED), _OPERATION.done_at >= bindparam("since")
    )
    if lane is not None:
        query = query.where(_OPERATION.lane == lane)
    rows = reader.ask(query.group_by(_OPERATION.system), route=route, since=since)
    return {str(system): int(number) for system, number in rows}


def planned(reader: Reader, route: str) -> dict[str, int]:
    """By action what is planned of a route and nobody has let go. What an unfinished backfill wants leaves by that
    backfill, behind its own canary."""
    rows = list(reader.ask(unreleased(), route=route))
    apart = set[int]()
    if rows and reader.get(CursorRow, [("", BACKFILL, route)]):
        runs = reader.get(RunRow, [(run,) for run in {run for run, _action, _number in rows}])
        apart = {row.id for row in runs if row.trigger == BACKFILL}
    found = Counter[str]()
    for run, action, number in rows:
        found[action] += 0 if run in apart else number
    return dict(found)


def leaving(reader: Reader, route: str) -> int:
    """Opt-outs of a route that were let go and are not applied."""
    query = select(func.count()).where(
        _OPERATION.route == bindparam("route"),
        text(IS_OPEN),
        _OPERATION.state == PENDING,
        _OPERATION.action == ActionKind.OPT_OUT.value,
    )
    ((number,),) = reader.ask(query, route=route)
    return int(number)


def beats(reader: Reader, systems: Iterable[str], kind: str) -> dict[str, str]:
    """What is kept of the sources' last day, by system."""
    rows = reader.get(CursorRow, [(system, kind, BEATS) for system in systems])
    return {row.system: row.value for row in rows}
