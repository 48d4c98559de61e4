"""Resources of many records: sObject Collections.

Always 200 with one result per row, in order, unless the request itself is malformed. Limits (200 rows to
write, 2,000 ids to read, 10 runs of types) follow the vendor's pages on sObject Collections.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, TypeGuard

from simulators.http import Response, json_response
from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.ids import PREFIXES, normalise
from simulators.salesforce.rest import Call, body_of, options_of, row_result, wrong_method
from simulators.salesforce.soql_filter import Names
from simulators.salesforce.soql_run import projection
from simulators.salesforce.writes import ApiVerb, Item

MAX_ROWS = 200
MAX_IDS = 2000
MAX_RUNS = 10


def mixed(call: Call) -> Response:
    """`/composite/sobjects`: create (POST), update (PATCH), delete (DELETE with `ids`)."""
    match call.request.method:
        case "POST":
            return _write(call, "create")
        case "PATCH":
            return _write(call, "update")
        case "DELETE":
            return _delete(call)
        case _:
            raise wrong_method(call.request)


def upsert(call: Call, spec: ObjectSpec, key_field: str) -> Response:
    """`PATCH /composite/sobjects/{O}/{field}`: insert or update rows of one type by an external id."""
    if call.request.method != "PATCH":
        raise wrong_method(call.request)
    body = body_of(call.request)
    records = _records(body)
    if any(_type(row) != spec.name for row in records):
        raise RequestError(400, "INVALID_ARGUMENT", f"All records must be of type {spec.name}")
    items = [Item("upsert", spec.name, row, key_field) for row in records]
    results = call.state.save(items, options_of(call.request, all_or_none=_all_or_none(body)))
    return json_response([row_result(result, upsert=True) for result in results])


def retrieve(call: Call, spec: ObjectSpec) -> Response:
    """`/composite/sobjects/{O}`: read by ids (POST with a body, or GET), null for what is not there."""
    keys, fields = _asked(call)
    if len(keys) > MAX_IDS:
        raise RequestError(400, "EXCEEDED_ID_LIMIT", f"Only {MAX_IDS} records can be retrieved at once")
    for key in keys:
        if normalise(key) is None:
            raise RequestError(400, "MALFORMED_ID", f"malformed id {key}")
    names = Names(call.state.schema, call.state.tables)
    wanted = dict.fromkeys(
        ["Id", *(names.column(spec, name).field.name for name in fields if "." not in name)]
    )
    columns = [names.column(spec, name) for name in [*wanted, *(name for name in fields if "." in name)]]
    write = projection(names, spec, columns, call.version)
    rows = call.state.by_ids(spec.name, keys)
    return json_response([None if row is None else write(row) for row in rows])


def _asked(call: Call) -> tuple[list[str], list[str]]:
    """Give the ids and fields that a retrieve asks for."""
    if call.request.method == "POST":
        body = body_of(call.request)
        keys, fields = body.get("ids"), body.get("fields")
    elif call.request.method == "GET":
        keys = (call.request.first("ids") or "").split(",")
        fields = (call.request.first("fields") or "").split(",")
    else:
        raise wrong_method(call.request)
    if not _texts(keys) or not _texts(fields):
        raise RequestError(400, "MISSING_ARGUMENT", "Both ids and fields must be given as lists")
    return keys, fields


def _write(call: Call, verb: ApiVerb) -> Response:
    body = body_of(call.request)
    records = _records(body)
    if sum(1 for _ in groupby(records, _type)) > MAX_RUNS:
        raise RequestError(400, "INVALID_ARGUMENT", f"Records may change their type at most {MAX_RUNS} times")
    items = [Item(verb, _type(row), row) for row in records]
    results = call.state.save(items, options_of(call.request, all_or_none=_all_or_none(body)))
    return json_response([row_result(result) for result in results])


def _delete(call: Call) -> Response:
    keys = [key for key in (call.request.first("ids") or "").split(",") if key]
    if not 0 < len(keys) <= MAX_ROWS:
        raise _too_many()
    by_prefix = {prefix: name for name, prefix in PREFIXES.items()}
    items = [Item("delete", by_prefix.get(key[:3], "Lead"), {"Id": key}) for key in keys]
    all_or_none = (call.request.first("allOrNone") or "").lower() == "true"
    results = call.state.save(items, options_of(call.request, all_or_none=all_or_none))
    return json_response([row_result(result) for result in results])


def _records(body: dict[str, Any]) -> list[dict[str, Any]]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        raise RequestError(400, "JSON_PARSER_ERROR", "records must be a list of objects")
    if not 0 < len(records) <= MAX_ROWS:
        raise _too_many()
    return records


def _too_many() -> RequestError:
    return RequestError(
        400,
        "EXCEEDED_ID_LIMIT",
        f"record limit reached. cannot submit more than {MAX_ROWS} records into this collection",
    )


def _type(row: dict[str, Any]) -> str:
    described = row.get("attributes")
    kind = described.get("type") if isinstance(described, dict) else None
    if not isinstance(kind, str):
        raise RequestError(400, "INVALID_ARGUMENT", "Each record needs attributes with its type")
    return kind


def _all_or_none(body: dict[str, Any]) -> bool:
    return body.get("allOrNone") is True


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
