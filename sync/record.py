"""The vocabulary of what vendors hold: refs, records, pages of changes and events in a record's life.

Nothing here decides anything. Values of vendors (`Raw`) are JSON-ready scalars; a connector turns
its vendor's stamps into ISO-8601 UTC text with a trailing `Z` and leaves numbers numbers. Canonical
values (`Value`) are what rules compare: decimals, dates and stamps travel as canonical text, so that
they are hashable, exact and need no conversion on their way into the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

Raw: TypeAlias = bool | int | float | str | None
Value: TypeAlias = bool | int | str | None


class Side(StrEnum):
    """The two roles a system can play in a route."""

    MA = "ma"
    SFA = "sfa"

    @property
    def other(self) -> Side:
        """The side across."""
        return Side.SFA if self is Side.MA else Side.MA


SIDES = (Side.MA, Side.SFA)


class Ref(NamedTuple):
    """The name of one vendor record: system, object and the vendor's id (`""` = not created yet)."""

    system: str
    object: str
    id: str


class Record(NamedTuple):
    """One vendor record as read.

    `values` holds exactly the paths that were asked for (null where the vendor has none). `version`
    sorts as text within one record (`""` = the vendor has none). `created` is an ISO-8601 UTC stamp.
    `own` says whether the last modification was made by our own API user (None = no evidence), `by` who or what made
    it, in the vendor's own words and for a trace only ("" = the vendor does not say).
    """

    ref: Ref
    values: Mapping[str, Raw]
    version: str = ""
    created: str = ""
    own: bool | None = None
    by: str = ""


EventKind: TypeAlias = Literal["deleted", "merged", "converted", "restored"]


class LifeEvent(NamedTuple):
    """What the vendor says happened to a record as a whole; `into` is the surviving record, if any."""

    kind: EventKind
    ref: Ref
    into: Ref | None = None


class Page(NamedTuple):
    """One page of a change feed.

    `cursor` covers everything up to and including this page. `last` means that the feed was read to
    its end (the vendor's present), not merely that this call returned no more.
    `keys_only` pages carry records with empty values, whose versions alone are meaningful.
    """

    records: tuple[Record, ...]
    events: tuple[LifeEvent, ...]
    cursor: str
    last: bool
    keys_only: bool = False
    indexed: bool = True


class SchemaField(NamedTuple):
    """One vendor field as the vendor describes it to our API user.

    `type` is one of text, integer, decimal, boolean, date, datetime, email, phone, picklist,
    multi_picklist, reference, id, other. `length` is in characters (0 = unlimited or unknown).
    `moves_stamp` is False for values that change without moving the record's modification stamp.
    """

    path: str
    type: str
    label: str = ""
    length: int = 0
    scale: int = 0
    createable: bool = True
    updateable: bool = True
    required: bool = False
    unique: bool = False
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    moves_stamp: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What one vendor object offers to our API user: its fields by path."""

    system: str
    object: str
    fields: Mapping[str, SchemaField]
