"""The journal of a schedule: the store in memory, with something that may happen around each commit, and an observer of
what is committed.
"""

from __future__ import annotations

from typing import Protocol

from state.memory import MemoryStore
from sync.rows import Patch
from tests.sim.coverage import Coverage


class Stage(Protocol):
    """Whose journal it is."""

    coverage: Coverage

    def point(self, *label: str) -> None:
        """Something may happen here."""


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
