"""What a query is made of; frozen data without behaviour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal as Choice
from typing import NamedTuple

ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "%": "%",
    "_": "_",
}


class Literal(NamedTuple):
    """A value in the query; strings are kept as written, with their escapes."""

    kind: Choice["string", "number", "boolean", "null", "datetime", "date"]
    text: str

    @property
    def unescaped(self) -> str:
        return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], self.text, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Compare:
    """`path op literal`; op is one of = != < > <= >= LIKE."""

    path: str
    op: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Among:
    """`path IN (…)` or, negated, `path NOT IN (…)`."""

    path: str
    values: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Both:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The part does not hold."""

    part: Condition


Condition = Compare | Among | Both | Either | Negated


class Order(NamedTuple):
    """One sort key; nulls stand first unless asked otherwise."""

    path: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query; `paths` is empty for COUNT()."""

    paths: tuple[str, ...]
    object: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
