"""What happens to a record as a whole, kept among the observed changes: links, conversions, merges, deletions.

Pure over rows. It decides under which names such things stand there (no vendor has a path that begins so) and that a
record's chain of observed pages leads to them. What follows from any of it is decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sync.normalise import encode
from sync.record import Ref
from sync.rows import ObservedRow, Patch, RecordRow

MARK = "@"  # before the name of what happened, where a path stands otherwise
LINKED = "@linked"  # the entity before and after; the evidence says by what both were taken for one
DELETED, RESTORED, MERGED, CONVERTED = "@deleted", "@restored", "@merged", "@converted"


class Linked(NamedTuple):
    """A record has joined another entity: the one that it belonged to before, and by what it was recognised."""

    gone: int
    by: str


class Told:
    """The entries of one page in the making; its number is drawn when the first one comes."""

    def __init__(self, numbers: Callable[[], int]) -> None:
        self._numbers = numbers
        self._number = 0
        self._entries: list[object] = []

    def add(self, row: RecordRow, what: Mapping[str, tuple[object, object]], by: str = "") -> RecordRow:
        """Note what happened to a record; the record with its chain leading here."""
        self._number = self._number or self._numbers()
        evidence = [by] if by else []
        self._entries.append([row.object, row.id, row.observed, what, -1, *evidence])
        return row._replace(observed=self._number)

    def close(self, patch: Patch, system: str, kind: str, *, now: float, run: int) -> None:
        """Keep the page, if there is anything on it."""
        if self._entries:
            patch.put(ObservedRow(self._number, now, system, kind, run, encode(self._entries)))


def tell_links(
    linked: Mapping[Ref, Linked],
    records: Mapping[Ref, RecordRow],
    numbers: Callable[[], int],
    patch: Patch,
    *,
    now: float,
    run: int,
) -> list[RecordRow]:
    """Keep who has joined whom, a page for each system; the records as they stand then, to be put."""
    pages: defaultdict[str, list[RecordRow]] = defaultdict(list)
    for ref, each in linked.items():
        if records[ref].entity != each.gone:
            pages[ref.system].append(records[ref])
    found: list[RecordRow] = []
    for system, rows in pages.items():
        told = Told(numbers)
        for row in rows:
            gone, by = linked[row.ref]
            found.append(told.add(row, {LINKED: (gone, row.entity)}, by))
        told.close(patch, system, rows[0].kind, now=now, run=run)
    return found
