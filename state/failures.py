"""What a system did not take, one by one, however much it is: refused, taken and not kept, or of unknown outcome.

It decides when a value that was not kept is no more news: as soon as the record has another one, or both sides have
come to agree. What a refusal means and what can be done is known above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import bindparam, select, text

from state.reader import Reader
from state.sql import among, as_list
from state.tables import IS_OPEN, table_of
from sync.normalise import decode_body
from sync.plan import Work, decode_base, decode_work, target_of
from sync.rows import FAILED, IGNORED, UNCERTAIN, BaseRow, OperationRow, RecordRow

_CHUNK = 1_000
_OPERATION = table_of(OperationRow).c


def failures(reader: Reader, route: str = "") -> Iterator[tuple[OperationRow, Work]]:
    """Operations of a route ("" = of all) that failed, were not kept or may have happened; refused ones first, each
    oldest first."""
    with reader.snapshot():
        found = _in_states(reader, route, (FAILED,), open_=True)
        found += _in_states(reader, route, (IGNORED, UNCERTAIN), open_=False)
        for start in range(0, len(found), _CHUNK):
            part = [(row, decode_work(row.body)) for row in found[start : start + _CHUNK]]
            news = _still_news(reader, [each for each in part if each[0].state == IGNORED])
            yield from (each for each in part if each[0].state != IGNORED or each[0].id in news)


def _in_states(reader: Reader, route: str, states: Iterable[str], *, open_: bool) -> list[OperationRow]:
    query = select(*_OPERATION).where(among(_OPERATION.state, "states")).order_by(_OPERATION.id)
    query = query.where(text(IS_OPEN)) if open_ else query
    if not route:
        return reader.rows(OperationRow, query, states=as_list(states))
    query = query.where(_OPERATION.route == bindparam("route"))
    return reader.rows(OperationRow, query, states=as_list(states), route=route)


def _still_news(reader: Reader, ignored: list[tuple[OperationRow, Work]]) -> set[int]:
    """Those whose record still has the value before, while the other side still has the one that was sent."""
    if not ignored:
        return set()
    records = {row.ref: row for row in reader.get(RecordRow, [target_of(row) for row, _work in ignored])}
    keys = [(record.entity, row.route) for row, _ in ignored if (record := records.get(target_of(row)))]
    bases = {(row.entity, row.route): decode_base(row.body).halves for row in reader.get(BaseRow, keys)}
    news: set[int] = set()
    for row, work in ignored:
        record = records.get(target_of(row))
        body = decode_body(record.body) if record is not None else {}
        halves = bases.get((record.entity, row.route), {}) if record is not None else {}
        for error in work.errors:
            field = work.fields.get(error.path)
            half = halves.get(field.name) if field is not None else None
            if field is None or half is None or body.get(error.path) != field.expected:
                continue
            if field.source in (half.ma, half.sfa):
                news.add(row.id)
    return news
