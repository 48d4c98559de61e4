"""The journal of a schedule: the store in memory, with something that may happen around each commit, and an observer of
what is committed.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple, Protocol

import msgspec

from state.memory import MemoryStore
from sync.copied import unconfirmed_of_copy, work_of_copy
from sync.rows import BatchRow, OperationRow, Patch, RecordRow, Row
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
        """Take the place of a journal that is lost, as a copy that knows that it is one; only for one that is empty."""
        patch = Patch()
        left = {n for row in backup.rows if isinstance(row, BatchRow) for n in msgspec.json.decode(row.body)}
        for row in backup.rows:
            patch.put(_of_copy(row, left))
        super().commit(patch)
        self._next = self._end = backup.next


def _of_copy(row: Row, left: Container[int]) -> Row:
    """A row as the first owner of a copy finds it; `left`: the operations that were on their way."""
    if isinstance(row, RecordRow):
        return row._replace(unconfirmed=unconfirmed_of_copy(row.unconfirmed))
    if isinstance(row, OperationRow) and row.id in left:
        return row._replace(body=work_of_copy(row.body))
    return row
