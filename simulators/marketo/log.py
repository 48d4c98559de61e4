"""The activity log of one instance: append-only rows with rising integer ids.

Decides what a reader sees from a position on; a row that is committed but not yet visible is passed over
by a reader who comes by in the meantime, exactly what makes an overlap necessary. Knows no lead and no
HTTP.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from typing import NamedTuple

NEW_LEAD = 12
DATA_VALUE_CHANGED = 13
CHANGE_SCORE = 22
ADD_TO_LIST = 24
REMOVE_FROM_LIST = 25
MERGE_LEADS = 32
DELETE_LEAD = 37
TYPE_NAMES = {
    NEW_LEAD: "New Lead",
    DATA_VALUE_CHANGED: "Change Data Value",
    CHANGE_SCORE: "Change Score",
    ADD_TO_LIST: "Add to List",
    REMOVE_FROM_LIST: "Remove from List",
    MERGE_LEADS: "Merge Leads",
    DELETE_LEAD: "Delete Lead",
}
SCAN_LIMIT = 20_000
FIRST_ID = 70_001


class Activity(NamedTuple):
    """One row: `field` is the changed field's REST name, old and new are texts or None; `others` =
    merged-away ids; `reason` is why a score changed, `asset` the id and name of a list.
    """

    id: int
    time: float
    lead: int
    type: int
    field: str = ""
    old: str | None = None
    new: str | None = None
    others: tuple[int, ...] = ()
    visible: float = 0.0
    reason: str = ""
    asset: tuple[int, str] | None = None


class Page(NamedTuple):
    """Rows in order of id, the position behind the last row looked at, and whether rows remain behind it."""

    rows: list[Activity]
    position: int
    more: bool


class ActivityLog:
    """Rows of one instance; a position is the number of rows passed, so position 0 is the very beginning."""

    def __init__(self) -> None:
        self.rows: list[Activity] = []

    def add(self, row: Activity) -> None:
        """Append a row whose id was taken from `next_id`."""
        self.rows.append(row)

    @property
    def next_id(self) -> int:
        """The id that the next row has to bear."""
        return FIRST_ID + len(self.rows)

    def position_of(self, since: float) -> int:
        """Give the position of the first row committed at or after `since` (unix seconds)."""
        return bisect_left(self.rows, since, key=lambda row: row.time)

    def read(
        self,
        position: int,
        limit: int,
        now: float,
        types: Collection[int],
        wanted: Callable[[Activity], bool] | None = None,
    ) -> Page:
        """Read up to `limit` visible rows of these types; a page may be short although more remains."""
        rows: list[Activity] = []
        end = min(len(self.rows), position + SCAN_LIMIT)
        while position < end and len(rows) < limit:
            row = self.rows[position]
            position += 1
            if row.type in types and row.visible <= now and (wanted is None or wanted(row)):
                rows.append(row)
        return Page(rows, position, position < len(self.rows))
