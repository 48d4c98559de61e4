"""How records stood at any moment, rebuilt from a vendor's ledger.

Values only: versions of records by time, questions about a stretch of time. Knows neither what a deal nor what a score
means, and calls no vendor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from simulators.ledger import Entry

Values = Mapping[str, Any]
FOREVER = float("inf")


class Version(NamedTuple):
    """What a record held from `time` (unix seconds) on; None = it was gone."""

    time: float
    values: Values | None


class Life:
    """One record's versions, oldest first; `made_by` is who wrote the first one."""

    def __init__(self, object_name: str, key: str) -> None:
        self.object, self.key, self.made_by = object_name, key, ""
        self.versions: list[Version] = []
        self._last: dict[str, Any] = {}

    def read(self, entry: Entry) -> None:
        """Take the next entry of the ledger in; a converted record stays readable, a merged one is gone."""
        self.made_by = self.made_by or entry.actor
        if entry.verb in ("delete", "merge"):
            self.versions.append(Version(entry.time, None))
            return
        self._last = self._last | {name: new for name, (_, new) in entry.changes.items()}
        self.versions.append(Version(entry.time, self._last))

    def at(self, time: float) -> Values | None:
        """What it held at a moment, as of all commits up to and at that time; None before its birth and when gone."""
        place = bisect_right(self.versions, time, key=lambda version: version.time)
        return self.versions[place - 1].values if place else None

    def during(self, start: float, end: float) -> list[Values | None]:
        """Everything that it was from `start` to `end`, both included."""
        inside = [version.values for version in self.versions if start < version.time <= end]
        return [self.at(start), *inside]

    def ever(self, start: float, end: float, test: Callable[[Values], bool]) -> bool:
        """Whether a test held at some moment; a record that is gone passes none."""
        return any(values is not None and test(values) for values in self.during(start, end))

    def always(self, start: float, end: float, test: Callable[[Values], bool]) -> bool:
        """Whether a test held all the time."""
        return all(values is not None and test(values) for values in self.during(start, end))


class Past:
    """All records of one vendor, by object and id."""

    def __init__(self, ledger: Iterable[Entry]) -> None:
        self.lives: dict[tuple[str, str], Life] = {}
        for entry in ledger:
            key = (entry.object, entry.id)
            if key not in self.lives:
                self.lives[key] = Life(*key)
            self.lives[key].read(entry)

    def of(self, object_name: str) -> list[Life]:
        """Every record of an object that there ever was."""
        return [life for (name, _), life in self.lives.items() if name == object_name]

    def get(self, object_name: str, key: object) -> Life | None:
        """One record, or None when the ledger never heard of it."""
        return self.lives.get((object_name, str(key)))


class Stay(NamedTuple):
    """A person's time on a list, from and to in unix seconds, and who put them there."""

    list: str
    record: str
    start: float
    end: float
    by: str


def stays(lists: Mapping[str, Sequence[tuple[float, Any, str, str]]]) -> list[Stay]:
    """Turn each list's changes (time, record, added or removed, by whom) into stays, oldest first."""
    found: list[Stay] = []
    for name, changes in lists.items():
        here: dict[str, tuple[float, str]] = {}
        for time, record, change, by in changes:
            if change == "added":
                here.setdefault(str(record), (time, by))
            elif str(record) in here:
                since, entered = here.pop(str(record))
                found.append(Stay(name, str(record), since, time, entered))
        found += [Stay(name, record, since, FOREVER, by) for record, (since, by) in here.items()]
    return sorted(found, key=lambda stay: stay.start)
