"""How a query finds its rows without looking at all of them.

Decides from the condition's outermost parts: by id, by a looked-up field, from a place in the feed of
stamps, or by walking. Reads by id and by unique key see what is committed; everything else sees what is
visible (see `table`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.soql_filter import constant
from simulators.salesforce.soql_tree import Among, Both, Compare, Condition, Either, Query
from simulators.salesforce.table import LAST, Row, Table

Source = Callable[[Table], Iterator[Row]]
Place = tuple[str, str]  # (stamp, id): rows behind it


def by_feed(query: Query) -> bool:
    """Say whether the wanted order is that of the feed (stamp, then id)."""
    return _ascending(query) in (["systemmodstamp"], ["systemmodstamp", "id"])


def by_id(query: Query) -> bool:
    """Say whether the wanted order is that of ids; also when none is wanted."""
    return _ascending(query) in ([], ["id"])


def _ascending(query: Query) -> list[str] | None:
    if any(order.descending for order in query.order):
        return None
    return [order.path.lower() for order in query.order]


def source(spec: ObjectSpec, query: Query) -> tuple[Source, bool]:
    """Choose where rows come from, and say whether they come in the wanted order."""
    parts = query.where.parts if isinstance(query.where, Both) else (query.where,) if query.where else ()
    for part in parts:
        found = _looked_up(spec, part)
        if found is not None:
            return found, by_id(query)
    start, end = _behind(spec, query.where), _until(spec, query.where)
    if by_feed(query) or (start > ("", "") and not query.order):
        return (lambda table: table.since(*start, end)), True
    after = _after_id(spec, query.where)
    return (lambda table: table.by_id(after)), by_id(query)


def _looked_up(spec: ObjectSpec, part: Condition) -> Source | None:
    """A part that names ids or values of an indexed field."""
    match part:
        case Compare(path, "=", value):
            literals: tuple[Any, ...] = (value,)
        case Among(path, literals, negated=False):
            pass
        case _:
            return None
    field = spec.find(path)
    if field is None or field.name not in ("Id", *spec.indexed):
        return None
    values = [constant(field, literal) for literal in literals]
    if None in values:
        return None
    if field.name == "Id":
        return lambda table: table.versions(sorted(set(values)), latest=True)
    name, latest = field.name, field.unique

    def look_up(table: Table) -> Iterator[Row]:
        late = () if latest else table.hidden
        return table.versions(sorted({*table.looked_up(name, values), *late}), latest=latest)

    return look_up


def _stamps(spec: ObjectSpec, condition: Condition | None, ops: tuple[str, ...], name: str) -> str | None:
    """The constant of `SystemModstamp op constant` (or of Id), when the condition is that."""
    if isinstance(condition, Compare) and condition.op in ops and condition.path.lower() == name:
        field = spec.find(condition.path)
        value = None if field is None else constant(field, condition.value)
        return None if value is None else str(value)
    return None


def _behind(spec: ObjectSpec, condition: Condition | None) -> Place:
    """A place in the feed before which no row can satisfy the condition."""
    match condition:
        case Either(parts):
            return min(_behind(spec, part) for part in parts)
        case Both(parts):
            pinned = [s for part in parts if (s := _stamps(spec, part, ("=",), "systemmodstamp")) is not None]
            keys = [k for part in parts if (k := _stamps(spec, part, (">",), "id")) is not None]
            places = [_behind(spec, part) for part in parts]
            return max([*places, (pinned[0], keys[0])]) if pinned and keys else max(places)
        case _:
            return _behind_one(spec, condition)


def _behind_one(spec: ObjectSpec, condition: Condition | None) -> Place:
    if (stamp := _stamps(spec, condition, (">",), "systemmodstamp")) is not None:
        return (stamp, LAST)
    if (stamp := _stamps(spec, condition, (">=", "="), "systemmodstamp")) is not None:
        return (stamp, "")
    return ("", "")


def _until(spec: ObjectSpec, condition: Condition | None) -> str:
    """The last stamp that a row may have."""
    match condition:
        case Either(parts):
            return max(_until(spec, part) for part in parts)
        case Both(parts):
            return min(_until(spec, part) for part in parts)
        case _:
            return _stamps(spec, condition, ("<", "<=", "="), "systemmodstamp") or LAST


def _after_id(spec: ObjectSpec, condition: Condition | None) -> str:
    """The id behind which all rows lie that can satisfy the condition."""
    if isinstance(condition, Both):
        return max(_after_id(spec, part) for part in condition.parts)
    return _stamps(spec, condition, (">",), "id") or ""
