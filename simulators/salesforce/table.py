"""The records of one object: by id, by stamp, by looked-up value, and what queries may see of them.

A record is a dict that is never changed: a write replaces it, so whoever holds an old one keeps a
snapshot. Reads by id and by unique key see the latest version; feeds and queries see the *visible*
version, which lags behind while a commit is held back. Decides nothing about validity.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simulators.salesforce.fields import ObjectSpec

Row = Mapping[str, Any]
LAST = "\U0010ffff"  # sorts behind every id and stamp


class Table:
    """All records of one object; `hidden` maps an id to (visible from, version that queries see till then)."""

    __slots__ = ("binned", "deleted_log", "feed", "hidden", "ids", "index", "rows", "spec")

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.rows: dict[str, Row] = {}
        self.ids: list[str] = []
        self.feed: list[tuple[str, str]] = []  # (stamp, id); entries of superseded versions are skipped
        self.hidden: dict[str, tuple[float, Row | None]] = {}
        self.index: dict[str, dict[str, list[str]]] = {name: {} for name in spec.indexed}
        self.deleted_log: list[tuple[float, str]] = []  # (unix seconds, id), kept when the record is gone
        self.binned: deque[tuple[float, str]] = deque()  # (unix seconds, id) of the recycle bin's contents

    def put(self, row: Row, hide_until: float | None = None) -> None:
        """Commit a version of a record; with `hide_until` (unix seconds) queries keep seeing the old one."""
        key: str = row["Id"]
        old = self.rows.get(key)
        self.rows[key] = row
        if old is None:
            self.ids.append(key)
        for name, entries in self.index.items():
            if old is None or old[name] != row[name]:
                _reindex(entries, key, None if old is None else old[name], row[name])
        if key in self.hidden:
            return
        if hide_until is not None:
            self.hidden[key] = (hide_until, old)
        else:
            self._announce(row)

    def _announce(self, row: Row) -> None:
        """Enter a version into the feed, unless it stands there under the same stamp already."""
        feed, entry = self.feed, (row["SystemModstamp"], row["Id"])
        if not feed or entry > feed[-1]:
            feed.append(entry)
            return
        place = bisect_left(feed, entry)
        if feed[place] != entry:
            feed.insert(place, entry)

    def restore(self, key: str, old: Row | None) -> None:
        """Take back the last `put` of a record, made in a transaction that is rolled back."""
        current = self.rows[key]
        for name, entries in self.index.items():
            _reindex(entries, key, current[name], None if old is None else old[name])
        if key in self.hidden and self.hidden[key][1] is old:
            del self.hidden[key]
        if old is None:
            del self.rows[key]
        else:
            self.rows[key] = old

    def erase(self, key: str) -> None:
        """Forget a record for good; only the log of deletions remembers it."""
        row = self.rows.pop(key)
        self.hidden.pop(key, None)
        for name, entries in self.index.items():
            _reindex(entries, key, row[name], None)

    def reveal(self, now: float) -> None:
        """Let queries see the commits whose time has come."""
        if not self.hidden:
            return
        due = [key for key, (until, _) in self.hidden.items() if until <= now]
        for key in due:
            del self.hidden[key]
            self._announce(self.rows[key])

    def visible(self, key: str) -> Row | None:
        """Give the version that queries see, or None."""
        held = self.hidden.get(key)
        return self.rows.get(key) if held is None else held[1]

    def looked_up(self, name: str, values: Iterable[Any]) -> list[str]:
        """Give the ids of records whose indexed field has one of these values (case is not told)."""
        entries = self.index[name]
        found: dict[str, None] = {}
        for value in values:
            for key in entries.get(str(value).lower(), ()):
                found[key] = None
        return list(found)

    def since(self, stamp: str, key: str = "", until: str = LAST) -> Iterator[Row]:
        """Walk the visible versions behind (stamp, key) and up to stamp `until`, oldest stamp first."""
        self._compact()
        feed, hidden, rows = self.feed, self.hidden, self.rows
        for place in range(bisect_right(feed, (stamp, key)), len(feed)):
            entry_stamp, entry_id = feed[place]
            if entry_stamp > until:
                return
            held = hidden.get(entry_id)
            row = rows.get(entry_id) if held is None else held[1]
            if row is not None and row["SystemModstamp"] == entry_stamp:
                yield row

    def by_id(self, after: str = "") -> Iterator[Row]:
        """Walk the visible versions in order of id, behind `after`."""
        for place in range(bisect_right(self.ids, after), len(self.ids)):
            row = self.visible(self.ids[place])
            if row is not None:
                yield row

    def versions(self, keys: Sequence[str], *, latest: bool) -> Iterator[Row]:
        """Give the records with these ids, as committed (`latest`) or as queries see them."""
        for key in keys:
            row = self.rows.get(key) if latest else self.visible(key)
            if row is not None:
                yield row

    def deleted_between(self, start: float, end: float) -> list[tuple[float, str]]:
        """Give the log of deletions from `start` up to before `end`, in unix seconds."""
        log = self.deleted_log
        return log[bisect_left(log, (start, "")) : bisect_left(log, (end, ""))]

    def _compact(self) -> None:
        """Drop the entries of superseded versions once they are the greater part."""
        if len(self.feed) <= 2 * len(self.rows) + 64:
            return
        self.feed = [
            (stamp, key)
            for stamp, key in self.feed
            if (row := self.visible(key)) is not None and row["SystemModstamp"] == stamp
        ]


def _reindex(entries: dict[str, list[str]], key: str, old: Any, new: Any) -> None:
    if old is not None:
        holders = entries[str(old).lower()]
        holders.remove(key)
        if not holders:
            del entries[str(old).lower()]
    if new is not None:
        entries.setdefault(str(new).lower(), []).append(key)
