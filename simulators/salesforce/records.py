"""Resources of one record: by id and by external id.

Statuses follow the vendor's pages on sObject Rows and sObject Rows by External ID: 201 created, 200
updated, 204 nothing to say, 300 several, 404 gone, 412 changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Request, Response, json_response
from simulators.salesforce.errors import RequestError, SaveResult
from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.ids import normalise
from simulators.salesforce.rest import (
    Call,
    attributes,
    body_of,
    header_date,
    not_found,
    options_of,
    single_refusal,
    wrong_method,
)
from simulators.salesforce.soql_filter import no_such_column
from simulators.salesforce.stamps import seconds_of
from simulators.salesforce.table import Row
from simulators.salesforce.writes import Item

BODY_SINCE = 46.0  # older versions answer an upsert's update with 204


def object_resource(call: Call, spec: ObjectSpec) -> Response:
    """`/sobjects/{O}`: create a record, or describe the object briefly."""
    if call.request.method == "GET":
        recent: list[object] = []
        brief = {"name": spec.name, "keyPrefix": spec.prefix, "createable": True, "updateable": True}
        return json_response({"objectDescribe": brief, "recentItems": recent})
    if call.request.method != "POST":
        raise wrong_method(call.request)
    row = body_of(call.request)
    result = _saved(call, Item("create", spec.name, row))
    return _created(result) if result.success else single_refusal(call, spec.name, result.errors)


def by_id(call: Call, spec: ObjectSpec, text: str) -> Response:
    """`/sobjects/{O}/{id}`: read, update, delete."""
    key = normalise(text)
    if key is None:
        raise RequestError(
            404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {text}"
        )
    return _on_record(call, spec, key)


def _on_record(call: Call, spec: ObjectSpec, key: str) -> Response:
    row = call.state.table(spec.name).rows.get(key)
    if row is None:
        raise not_found()
    if row["IsDeleted"]:
        raise RequestError(404, "ENTITY_IS_DELETED", "entity is deleted", ())
    unchanged = _preconditions(call.request, row)
    if unchanged is not None:
        return unchanged
    match call.request.method:
        case "GET":
            call.state.calls["retrieve"] += 1
            return json_response(_written(call, spec, row))
        case "PATCH":
            result = _saved(call, Item("update", spec.name, {**body_of(call.request), "Id": key}))
        case "DELETE":
            result = _saved(call, Item("delete", spec.name, {"Id": key}))
        case _:
            raise wrong_method(call.request)
    return Response(status=204) if result.success else single_refusal(call, spec.name, result.errors)


def by_external_id(call: Call, spec: ObjectSpec, name: str, value: str) -> Response:
    """`/sobjects/{O}/{field}/{value}`: read, upsert, delete by an external id; 300 when several have it."""
    field = spec.find(name)
    if field is None or not field.external_id:
        raise RequestError(
            404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}"
        )
    holders = call.state.holders(call.state.table(spec.name), field.name, value)
    if len(holders) > 1:
        return json_response([attributes(call, spec.name, key)["url"] for key in holders], status=300)
    if call.request.method == "PATCH":
        return _upserted(call, spec, field.name, value)
    if not holders:
        raise not_found()
    return _on_record(call, spec, holders[0])


def _upserted(call: Call, spec: ObjectSpec, key_field: str, value: str) -> Response:
    body = body_of(call.request)
    if any(name.lower() == key_field.lower() for name in body):
        raise RequestError(
            400,
            "INVALID_FIELD",
            f"The {key_field} field should not be specified in the sobject data.",
            (key_field,),
        )
    only = (call.request.first("updateOnly") or "").lower() == "true"
    result = _saved(call, Item("upsert", spec.name, {**body, key_field: value}, key_field, only))
    if not result.success:
        return single_refusal(call, spec.name, result.errors)
    if not result.created and float(call.version) < BODY_SINCE:
        return Response(status=204)
    return _created(result, status=201 if result.created else 200, tell=True)


def _saved(call: Call, item: Item) -> SaveResult:
    return call.state.save([item], options_of(call.request))[0]


def _created(result: SaveResult, *, status: int = 201, tell: bool = False) -> Response:
    payload: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if tell:
        payload["created"] = result.created
    return json_response(payload, status=status)


def _preconditions(request: Request, row: Row) -> Response | None:
    """Compare a record's last change with the request's dates, in whole seconds as HTTP dates are."""
    modified = int(seconds_of(row["LastModifiedDate"]))
    before = header_date(request.headers, "if-unmodified-since")
    if before is not None and modified > before:
        raise RequestError(412, "PRECONDITION_FAILED", "The record was changed since the given time")
    since = header_date(request.headers, "if-modified-since")
    if since is not None and request.method == "GET" and modified <= since:
        return Response(status=304)
    return None


def _written(call: Call, spec: ObjectSpec, row: Row) -> Mapping[str, Any]:
    asked = call.request.first("fields")
    names = list(spec.fields) if asked is None else _known(spec, asked.split(","))
    return {"attributes": attributes(call, spec.name, row["Id"])} | {name: row[name] for name in names}


def _known(spec: ObjectSpec, names: list[str]) -> list[str]:
    known = ["Id"]
    for name in names:
        field = spec.find(name.strip())
        if field is None:
            raise no_such_column(spec, name)
        if field.name != "Id":
            known.append(field.name)
    return known
