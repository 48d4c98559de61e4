"""What all REST resources share: the call at hand, the shapes of errors, the request headers that steer.

Top-level errors are an array with `errorCode`; rows of a collection carry `statusCode`. Knows no
resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import msgspec

from simulators.http import Request, Response, json_response
from simulators.salesforce.errors import RequestError, RowError, SaveResult
from simulators.salesforce.state import SalesforceState
from simulators.salesforce.writes import Options

_ALLOW_SAVE = re.compile(r"\ballowsave\s*=\s*true\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request: the organisation, the API version (`68.0`), the path behind the version."""

    state: SalesforceState
    request: Request
    version: str
    parts: tuple[str, ...]

    @property
    def base(self) -> str:
        """The path up to the version, without a slash at its end."""
        return f"/services/data/v{self.version}"


def body_of(request: Request) -> dict[str, Any]:
    """Read a JSON object; RequestError 415 for another content type, 400 JSON_PARSER_ERROR for bad JSON."""
    if "json" not in request.headers.get("content-type", "application/json"):
        raise RequestError(
            415, "UNSUPPORTED_MEDIA_TYPE", "The content type is not supported; send application/json"
        )
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise RequestError(400, "JSON_PARSER_ERROR", f"{error}") from error
    if not isinstance(body, dict):
        raise RequestError(400, "JSON_PARSER_ERROR", "The request body is no JSON object")
    return body


def options_of(request: Request, *, all_or_none: bool = False) -> Options:
    """Read the headers that steer a save; lead assignment is on unless it is switched off."""
    auto_assign = request.headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE"
    allow = _ALLOW_SAVE.search(request.headers.get("sforce-duplicate-rule-header", "")) is not None
    return Options(all_or_none=all_or_none, auto_assign=auto_assign, allow_duplicates=allow)


def wrong_method(request: Request) -> RequestError:
    """The refusal of a method that a resource does not have."""
    return RequestError(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed on this resource."
    )


def not_found() -> RequestError:
    """The refusal of a resource or record that is not there."""
    return RequestError(404, "NOT_FOUND", "The requested resource does not exist")


def refusal(error: RequestError) -> Response:
    """Write a refused request as the array that the vendor sends."""
    item: dict[str, Any] = {"message": error.message, "errorCode": error.code}
    if error.fields is not None:
        item["fields"] = list(error.fields)
    return json_response([item], status=error.status)


def single_refusal(call: Call, object_name: str, errors: tuple[RowError, ...]) -> Response:
    """Write why a single record was refused, with the duplicates that a rule found."""
    gone = {"ENTITY_IS_DELETED", "NOT_FOUND"}
    status = 404 if errors[0].code in gone else 400
    items = [
        {"message": error.message, "errorCode": error.code, "fields": list(error.fields)}
        | ({"duplicateResult": _duplicates(call, object_name, error)} if error.matches else {})
        for error in errors
    ]
    return json_response(items, status=status)


def _duplicates(call: Call, object_name: str, error: RowError) -> dict[str, Any]:
    by_object: dict[str, list[str]] = {}
    for name, key in error.matches:
        by_object.setdefault(name, []).append(key)
    return {
        "allowSave": call.state.switches.duplicate_rules.get(object_name) == "alert",
        "duplicateRule": f"Standard_{object_name}_Rule",
        "duplicateRuleEntityType": object_name,
        "errorMessage": error.message,
        "matchResults": [_matches(call, name, keys) for name, keys in by_object.items()],
    }


def _matches(call: Call, name: str, keys: list[str]) -> dict[str, Any]:
    return {
        "entityType": name,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "rule": f"Standard_{name}_Match_Rule",
        "size": len(keys),
        "success": True,
        "matchRecords": [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": attributes(call, name, key), "Id": key},
            }
            for key in keys
        ],
    }


def attributes(call: Call, name: str, key: str) -> dict[str, str]:
    """Type and address of a record, as every record carries them."""
    return {"type": name, "url": f"{call.base}/sobjects/{name}/{key}"}


def row_result(result: SaveResult, *, upsert: bool = False) -> dict[str, Any]:
    """Write one row of a collection's answer."""
    errors = [{"statusCode": e.code, "message": e.message, "fields": list(e.fields)} for e in result.errors]
    out: dict[str, Any] = {} if result.id is None else {"id": result.id}
    out |= {"success": result.success, "errors": errors}
    if upsert:
        out["created"] = result.created
    return out


def http_date(seconds: float) -> str:
    """Write unix seconds as an HTTP date (whole seconds)."""
    return formatdate(int(seconds), usegmt=True)


def header_date(headers: Mapping[str, str], name: str) -> float | None:
    """Read an HTTP date header into unix seconds; None when it is missing or no date."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
