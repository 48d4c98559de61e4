"""What a page of changes says of its source as a whole: how many records lost a value, changed a key, or all made the
same change.

Pure: pairs of old and new raw values go in, named counts come out. It knows no limits, no rules and no route; whether
a count is normal is decided elsewhere (sync.watch). Its memory does not grow with the number of records: of the
changes that are told apart only the most frequent ones of a field are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sync.record import Raw

Group: TypeAlias = tuple[str, str]  # the sign, and the field that it is about ("" = the source as a whole)
Counts: TypeAlias = dict[Group, dict[str, int]]

LOSS, MERGES, CLONES, CHANGED, FILLED = "loss", "merges", "clones", "changed", "filled"
UNLINKS = "unlinks"
ALTERED, SAME = "altered", "same"  # records: changed by others, or touched and read as they were
EMPTIED, RENAMED, TIME_SHIFT, COLUMN_SHIFT = "emptied", "renamed", "time_shift", "column_shift"
KEPT = 32
LONGEST = 60


class Pulse:
    """Counts by sign and field; what they are counts of stands in the group's own names. `altered`: of each record
    that others have changed the page that told of its change before (0 = none)."""

    __slots__ = ("altered", "counts")

    def __init__(self) -> None:
        self.counts: Counts = {}
        self.altered: list[int] = []

    def __bool__(self) -> bool:
        return bool(self.counts or self.altered)

    def add(self, sign: str, field: str = "", what: str = "", number: int = 1) -> None:
        """Count. Of more than KEPT different changes of a field the rare ones are forgotten; a change that is more than
        a thirty-third of all is never among them, and is at most so much too small (Misra and Gries, 1982)."""
        if number <= 0:
            return
        group = self.counts.setdefault((sign, field), {})
        if what in group or len(group) < KEPT:
            group[what] = group.get(what, 0) + number
            return
        least = min(number, *group.values())
        left = {each: count - least for each, count in group.items() if count > least}
        if number > least:
            left[what] = number - least
        self.counts[sign, field] = left

    def change(self, object_: str, changes: Mapping[str, Sequence[Raw]]) -> None:
        """Count what one record's fields have become: path -> (old, new)."""
        for path, (old, new) in changes.items():
            name = f"{object_}.{path}"
            self.add(CHANGED, name)
            if is_blank(old):
                self.add(FILLED, name)
                continue
            if is_blank(new):
                self.add(EMPTIED, name)
                continue
            for sign, what in _same(path, old, new, changes):
                self.add(sign, name, what)

    def drop(self, sign: str, number: int) -> None:
        """Count so many fewer of the source as a whole, none where there are no more."""
        left = self.of(sign) - number
        self.counts.pop((sign, ""), None)
        self.add(sign, number=left)

    def forget_rare(self, least: int) -> None:
        """Forget what fewer than `least` records have in common; it may be a person's own value."""
        for group, names in list(self.counts.items()):
            left = {what: count for what, count in names.items() if not what or count >= least}
            self.counts[group] = left
            if not left:
                del self.counts[group]

    def of(self, sign: str, field: str = "") -> int:
        """How many records bear a sign."""
        return sum(self.counts.get((sign, field), {}).values())

    def greatest(self) -> int:
        """The greatest count of any sign."""
        return max((sum(names.values()) for names in self.counts.values()), default=0)

    def take(self, other: Pulse) -> None:
        """Add another pulse's counts."""
        for (sign, field), group in other.counts.items():
            for what, number in group.items():
                self.add(sign, field, what, number)


def is_blank(raw: Raw) -> bool:
    """True if a vendor has nothing there."""
    return raw is None or raw == ""


def _same(path: str, old: Raw, new: Raw, changes: Mapping[str, Sequence[Raw]]) -> Iterator[tuple[str, str]]:
    """By which names this change is one that others may have made too."""
    if not isinstance(old, str) or not isinstance(new, str):
        return
    for other, (before, _now) in changes.items():
        if other != path and before == new:
            yield COLUMN_SHIFT, other
    step = _step(old, new)
    if step is not None:
        yield TIME_SHIFT, step
    elif len(old) <= LONGEST and len(new) <= LONGEST:
        yield RENAMED, f"{old} → {new}"


def _step(old: str, new: str) -> str | None:
    """By how much a time or a day has moved, in words; None where these are none."""
    if not (old[4:5] == old[7:8] == new[4:5] == new[7:8] == "-"):
        return None
    try:
        moved = datetime.fromisoformat(new) - datetime.fromisoformat(old)
    except (ValueError, TypeError):
        return None
    return step_in_words(moved.total_seconds())


def step_in_words(seconds: float) -> str:
    """A step in time as people say it: days, hours or minutes, with its sign."""
    sign, size = ("+" if seconds > 0 else "-"), abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size >= length and size % length == 0:
            return f"{sign}{int(size // length)} {unit}"
    return f"{sign}{size:g} s"
