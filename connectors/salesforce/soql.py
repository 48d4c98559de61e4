"""Queries as text. Decides how values become literals, so that no value can become anything else.

Field names come from the organisation's own description (see `schema`), never from records. Source: the vendor's
pages "SOQL SELECT" and "Quoted String Escape Sequences".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from connectors.salesforce.ids import is_id
from sync.errors import RequestRefused

LIMIT = 2_000
LONGEST = 10_000
MOST_VALUES = 200
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*\Z")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?\Z")
NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})


class Place(NamedTuple):
    """A place in an object's order of change: modification stamp (`…Z`) and id; both empty = the beginning."""

    stamp: str = ""
    id: str = ""


def literal(text: str) -> str:
    """A quoted string."""
    return "'" + text.translate(_ESCAPES) + "'"


def any_row(object_: str) -> str:
    """A query that only shows whether the object may be read."""
    return f"{_select(['Id'], object_)} LIMIT 1"


def changed_after(object_: str, columns: Sequence[str], place: Place) -> str:
    """The rows behind a place in order of change, one page of them."""
    return f"{_select(columns, object_)}{_behind(place)} ORDER BY SystemModstamp ASC, Id ASC LIMIT {LIMIT}"


def _select(columns: Sequence[str], object_: str) -> str:
    """The head of a query. Raises RequestRefused where a name is more than a name."""
    for name in (object_, *columns):
        if not _NAME.match(name):
            raise RequestRefused(f"{name[:80]!r} cannot be the name of a field.", "INVALID_FIELD")
    return f"SELECT {', '.join(columns)} FROM {object_}"  # noqa: S608 - names were checked above


def _behind(place: Place) -> str:
    if not place.stamp:
        return ""
    if not place.id:
        return f" WHERE SystemModstamp >= {place.stamp}"
    return (
        f" WHERE (SystemModstamp > {place.stamp} "
        f"OR (SystemModstamp = {place.stamp} AND Id > {literal(place.id)}))"
    )


def having(
    object_: str, columns: Sequence[str], path: str, kind: str, values: Sequence[str]
) -> Iterator[str]:
    """Queries for the rows whose field has one of the values, cut to what fits into an address. `kind` is the
    vendor's type of the field; values that the field cannot hold are left out."""
    head = f"{_select(columns, object_)} WHERE {path} IN ("
    room = LONGEST - len(quote(head))
    part: list[str] = []
    size = 0
    for text in dict.fromkeys(values):
        value = _literal_for(kind, text)
        if value is None:
            continue
        more = len(quote(value, safe="")) + 3
        if part and (len(part) == MOST_VALUES or size + more > room):
            yield f"{head}{','.join(part)})"
            part, size = [], 0
        part.append(value)
        size += more
    if part:
        yield f"{head}{','.join(part)})"


def _literal_for(kind: str, text: str) -> str | None:
    if not text:
        return None
    if kind in {"id", "reference"}:
        return literal(text) if is_id(text) else None
    if kind in NUMBERS:
        return text if _NUMBER.match(text) else None
    return literal(text)
