"""The journal of a schedule: the store in memory, with something that may happen around each commit, and an observer of
what is committed.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from state.memory import MemoryStore
from sync.rows import Patch
from tests.sim.coverage import Coverage


class Stage(Protocol):
    """Whose journal it is."""

    coverage: Coverage

    def point(self, *label: str) -> None:
        """Something may happen here."""


class Backup(NamedTuple):
    """A copy of a journal: its rows, the number at which it had arrived, and when (seconds of the true time) it was
    made and its owner had last swept."""

    rows: tuple[Any, ...]
    next: int
    at: float
    swept: float


class Journal(MemoryStore):
    """Commits are points at which the process may die, before and after."""

    def __init__(self, schedule: Stage) -> None:
        super().__init__(forgetful=True)
        self.schedule = schedule

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Apply a patch, unless the process dies before it."""
        self.schedule.point("before commit")
        self.schedule.coverage.see(self, patch)
        super().commit(patch, durable=durable)
        self.schedule.point("after commit")

    def forget(self) -> int:
        """Stop as a machine stops; how many rows were changed by commits that were not durable, and are as before."""
        lost = len(self._undo)
        self.crash()
        return lost

    def copy(self, at: float, swept: float) -> Backup:
        """Make a backup."""
        return Backup(
            tuple(row for table in self._tables.values() for row in table.values()), self._end, at, swept
        )

    def load(self, backup: Backup) -> None:
        """Take the place of a journal that is lost; only for one that is empty."""
        patch = Patch()
        for row in backup.rows:
            patch.put(row)
        super().commit(patch)
        self._next = self._end = backup.next
