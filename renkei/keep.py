"""How long the journal keeps its past, and the keeping itself: old rows go a little at a time, then their room.

It decides what `keep:` in renkei.yaml may say and in which order parts are taken; each part is one short transaction,
so that whoever owns the journal can do anything else between two of them, and a kill between two leaves a whole
journal. What may never go is `state.retention`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.serving import span

if TYPE_CHECKING:
    from state.reader import Reader
    from state.retention import Horizons, Part
    from state.store import SqlStore
    from sync.rows import Row

DAY = 86_400.0
LEAST = DAY  # the brakes count what was written within a day
GIVE = 500  # pages given back at once
RESERVE = 256  # empty pages that stay for what is written next
COMPACT = "compact"  # the word by which the service is asked to do it now
_NAMES = ("writes", "changes", "runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """For how long the past is kept, in seconds: `writes` finished writes with what people said to them, `changes` what
    reads have found changed, `runs` runs in which nothing happened."""

    writes: float = 400 * DAY
    changes: float = 400 * DAY
    runs: float = 30 * DAY


def read_keep(document: Mapping[str, Any]) -> Keep:
    """The `keep:` block. Raises ValueError with one sentence of what is wrong."""
    for name in document:
        if name not in _NAMES:
            raise ValueError(f"keep.{name} means nothing; known here: {', '.join(_NAMES)}")
    found = Keep(**{name: span(value, f"keep.{name}") for name, value in document.items()})
    for name in _NAMES:
        if getattr(found, name) < LEAST:
            raise ValueError(f"keep.{name} must be a day or more, because the brakes count what a day wrote")
    if found.changes < found.writes:
        raise ValueError(
            "keep.changes must not be shorter than keep.writes: an undo asks whether a value was changed since"
        )
    return found


class Figures(NamedTuple):
    """The file in bytes, and how much of it is empty."""

    size: int
    empty: int

    @classmethod
    def of(cls, store: SqlStore) -> Figures:
        """The file as it stands."""
        room = store.room()
        return cls(room.pages * room.page_size, room.empty * room.page_size)


@dataclass(slots=True)
class Compaction:
    """One keeping from its beginning to its end, part by part. `store` None = it only counts."""

    reader: Reader
    store: SqlStore | None
    horizons: Horizons
    gone: dict[str, int] = field(default_factory=dict)
    _place: int = 0
    _after: int = 0
    _given: bool = False

    def step(self) -> bool:
        """One part; False once nothing is left to do. Raises LeaseLost, Fatal."""
        tasks = _tasks()
        if self._place < len(tasks):
            name, kind, find, told = tasks[self._place]
            part = find(self.reader, self._after, self.horizons)
            self._let_go(name, kind, part, told)
            self._after = part.after
            if not part.more:
                self._place, self._after = self._place + 1, 0
            return True
        return self._give_room()

    def _let_go(self, name: str, kind: type[Row], part: Part, told: str) -> None:
        from state.retention import without

        self.gone[name] = self.gone.get(name, 0) + len(part.numbers)
        if self.store is not None and part.numbers:
            since = getattr(self.horizons, told) if told else 0.0
            self.store.commit(without(kind, part.numbers, name=told, since=since))

    def _give_room(self) -> bool:
        if self.store is None:
            return False
        room = self.store.room()
        if not room.gives or room.empty <= RESERVE:
            return False
        self.store.give_room(min(GIVE, room.empty - RESERVE))
        return True


def _tasks() -> tuple[tuple[str, type[Row], Callable[[Reader, int, Horizons], Part], str], ...]:
    """What is looked through, writes before the runs that they name; and the horizon from which on the past is whole
    once it has gone ("" = no past is told by it)."""
    from state.retention import old_changes, old_runs, old_words, old_writes, quiet_runs
    from sync.rows import CommandRow, ObservedRow, OperationRow, RunRow

    return (
        ("writes", OperationRow, old_writes, "writes"),
        ("changes", ObservedRow, old_changes, "changes"),
        ("runs", RunRow, quiet_runs, ""),
        ("runs", RunRow, old_runs, "writes"),
        ("words", CommandRow, old_words, "writes"),
    )


def horizons(keep: Keep, now: float) -> Horizons:
    """What is older than this goes."""
    from state.retention import Horizons

    return Horizons(writes=now - keep.writes, changes=now - keep.changes, runs=now - keep.runs)
