"""Reading parameters the way the fake Marketo reads them, with its codes for what is wrong.

Knows query strings and JSON bodies, no lead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from simulators.clock import parse_iso
from simulators.http import Request
from simulators.marketo.upsert import RequestError

PAGE = 300
BODY_LIMIT = 1024 * 1024
TARGET_LIMIT = 8 * 1024


def required(request: Request, name: str) -> str:
    """Give a parameter, or refuse with 1002."""
    value = request.first(name)
    if not value:
        raise RequestError("1002", f"Required parameter '{name}' is missing")
    return value


def listed(request: Request, name: str, most: int) -> list[str]:
    """Give a required comma-separated list of at most `most` values."""
    values = [part for part in required(request, name).split(",") if part]
    if len(values) > most:
        raise RequestError("1003", f"Parameter '{name}' takes no more than {most} values")
    return values


def numbers(values: Collection[str], name: str) -> list[int]:
    """Read whole numbers, or refuse with 1001."""
    try:
        return [int(value) for value in values]
    except ValueError as error:
        raise RequestError("1001", f"Invalid value in '{name}'. Required of type 'integer'") from error


def batch_size(request: Request) -> int:
    """Give the page size: 300 unless a smaller one is asked for."""
    (size,) = numbers([request.first("batchSize") or str(PAGE)], "batchSize")
    return max(1, min(size, PAGE))


def field_names(request: Request, known: Collection[str], default: tuple[str, ...] | None) -> tuple[str, ...]:
    """Give the asked field names; 1006 for an unknown one, 1002 when they are missing and have no default."""
    text = request.first("fields")
    if not text:
        if default is None:
            raise RequestError("1002", "Required parameter 'fields' is missing")
        return default
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise RequestError("1006", f"Field '{name}' not found")
    return names


def moment(text: str) -> float:
    """Read a filter time: with offset and without milliseconds, or refuse with 704."""
    refusal = RequestError("704", f"Invalid date format: {text}")
    if "." in text:
        raise refusal
    try:
        return parse_iso(text)
    except ValueError as error:
        raise refusal from error


def json_body(request: Request) -> Mapping[str, Any]:
    """Read a JSON object; 612 for another content type, 609 for what is no JSON object."""
    if "json" not in request.headers.get("content-type", ""):
        raise RequestError("612", "Invalid Content Type")
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise RequestError("609", "Invalid JSON") from error
    if not isinstance(body, dict):
        raise RequestError("609", "Invalid JSON")
    return body


def input_rows(body: Mapping[str, Any]) -> list[Mapping[str, object]]:
    """Give the rows of a write: at least one, at most 300."""
    rows = body.get("input")
    if not isinstance(rows, list) or not rows:
        raise RequestError("1002", "Required parameter 'input' is missing")
    if len(rows) > PAGE:
        raise RequestError("1003", f"No more than {PAGE} records are allowed in one call")
    if not all(isinstance(row, dict) for row in rows):
        raise RequestError("609", "Invalid JSON")
    return rows


def form(request: Request) -> dict[str, list[str]]:
    """Read a form body, or nothing when the body is no form."""
    if "x-www-form-urlencoded" not in request.headers.get("content-type", ""):
        return {}
    return parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
