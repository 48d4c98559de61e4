"""A query ready to run: found rows in order, and rows as the vendor writes them into JSON.

Puts filter, plan and projection together; knows no HTTP and no paging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.soql import parse
from simulators.salesforce.soql_filter import Column, Names, Test, compile_condition
from simulators.salesforce.soql_plan import Source, source
from simulators.salesforce.soql_tree import Query
from simulators.salesforce.table import Row, Table

Project = Callable[[Row], dict[str, Any]]
Related = tuple[
    str, tuple[tuple[Table, Project], ...]
]  # the referring field; where to look and how to write it


class Plan(NamedTuple):
    """A compiled query; `keys` are its sort columns with (descending, nulls last)."""

    query: Query
    spec: ObjectSpec
    test: Test | None
    source: Source
    sorted: bool
    keys: tuple[tuple[Column, bool, bool], ...]
    project: Project


def compile_query(names: Names, text: str, version: str) -> Plan:
    """Compile a query's text; RequestError 400 as the vendor words it. `version` stands in the records' URLs."""
    query = parse(text)
    spec = names.object(query.object)
    test = None if query.where is None else compile_condition(names, spec, query.where)
    columns = [names.column(spec, path) for path in query.paths]
    keys = tuple((names.column(spec, o.path), o.descending, o.nulls_last) for o in query.order)
    found, in_order = source(spec, query)
    project = projection(names, spec, columns, version)
    return Plan(query, spec, test, found, in_order, keys, project)


def run(plan: Plan, table: Table, *, deleted: bool) -> list[Row]:
    """Give all rows of the result in order; `deleted` lets rows of the recycle bin in."""
    rows: Iterable[Row] = plan.source(table)
    if not deleted:
        rows = (row for row in rows if not row["IsDeleted"])
    if plan.test is not None:
        rows = filter(plan.test, rows)
    limit, offset = plan.query.limit, plan.query.offset
    stop = None if limit is None else limit + offset
    if plan.sorted:
        return list(islice(rows, offset, stop))
    return _sorted(list(rows), plan.keys)[offset:stop]


def _sorted(rows: list[Row], keys: tuple[tuple[Column, bool, bool], ...]) -> list[Row]:
    for column, descending, nulls_last in reversed(keys):
        get = column.get
        empty = [row for row in rows if get(row) is None]
        full = [row for row in rows if get(row) is not None]
        full.sort(key=lambda row, get=get: _comparable(get(row)), reverse=descending)  # type: ignore[misc]
        rows = [*full, *empty] if nulls_last else [*empty, *full]
    return rows


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def projection(names: Names, spec: ObjectSpec, columns: Iterable[Column], version: str) -> Project:
    """Make the function that writes a row with these columns, related records nested."""
    own: list[str] = []
    near: dict[str, tuple[Field, list[Column]]] = {}
    for column in columns:
        if not column.hops:
            if column.field.name in own:
                raise RequestError(400, "MALFORMED_QUERY", f"duplicate field selected: {column.field.name}")
            own.append(column.field.name)
        else:
            first = column.hops[0]
            rest = Column(column.field, column.get, column.hops[1:])
            near.setdefault(first.relationship or first.name, (first, []))[1].append(rest)
    related: dict[str, Related] = {}
    for name, (reference, inner) in near.items():
        ways = {
            target.name: _remembering(projection(names, target, inner, version))
            for target in names.targets(reference)
        }
        related[name] = (reference.name, tuple((names.tables[kind], way) for kind, way in ways.items()))
    return _writer(spec, tuple(own), related, version)


def _writer(spec: ObjectSpec, own: tuple[str, ...], related: Mapping[str, Related], version: str) -> Project:
    kind, base = spec.name, f"/services/data/v{version}/sobjects/{spec.name}/"
    values = _getter(own)

    def write(row: Row) -> dict[str, Any]:
        out: dict[str, Any] = {"attributes": {"type": kind, "url": base + row["Id"]}}
        out.update(zip(own, values(row), strict=True))
        for relation, (reference, ways) in related.items():
            key = row[reference]
            out[relation] = next((way(table.rows[key]) for table, way in ways if key in table.rows), None)
        return out

    return write


def _remembering(project: Project) -> Project:
    """Write a related record once, however many rows point to it; a record is never changed in place."""
    written: dict[str, tuple[Row, dict[str, Any]]] = {}

    def write(row: Row) -> dict[str, Any]:
        known = written.get(row["Id"])
        if known is None or known[0] is not row:
            known = written[row["Id"]] = (row, project(row))
        return known[1]

    return write


def _getter(own: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    if len(own) == 1:
        only = own[0]
        return lambda row: (row[only],)
    return itemgetter(*own) if own else lambda _: ()
