"""What a town is made of: its clock, faults on demand, journals that count, and a window on a real connector.

Each decides when something happens, never what it means. The town itself stands in `tests.support.town`.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from simulators.clock import ManualClock
from simulators.faults import Faults
from state.memory import MemoryStore
from state.store import SqlStore
from sync.ports import Capabilities, Connector, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema
from sync.rows import OperationRow, Patch

START = 1_795_305_600.0  # 2026-11-22T00:00:00Z


class TownClock(ManualClock):
    """Everybody's clock; each look at it takes a millisecond, and who waits lets the time pass at once."""

    def __init__(self) -> None:
        super().__init__(START)
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time, a little later than at the last look."""
        with self._lock:
            self._now += 0.001
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        with self._lock:
            self._now += max(seconds, 0.0)


class Strikes(Faults):
    """Faults by share as usual, and single ones that strike at the next chance."""

    def __init__(self, seed: str) -> None:
        super().__init__(random.Random(seed))
        self.waiting: list[str] = []

    @property
    def shares(self) -> dict[str, float]:
        return super().shares | dict.fromkeys(self.waiting, 1.0)

    def fires(self, kind: str) -> bool:
        if kind not in self.waiting:
            return super().fires(kind)
        self.waiting.remove(kind)
        self.fired[kind] = self.fired.get(kind, 0) + 1
        return True

    def first(self, kinds: Iterable[str]) -> str | None:
        return next((kind for kind in kinds if self.fires(kind)), None)


class ProcessDied(BaseException):
    """The end of the process; nothing of ours may catch it."""


class Tally:
    """Counts the row writes of a journal by table, and keeps every operation in its last state."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.row_writes: Counter[str] = Counter()
        self.operations: dict[int, OperationRow] = {}
        self.fuse: tuple[int, str] | None = None

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Commit, then count; where the fuse ends, the process dies `before` or `after` it."""
        left, when = self.fuse or (1, "")
        self.fuse = (left - 1, when) if self.fuse else None
        if left == 0 and when == "before":
            raise ProcessDied
        super().commit(patch, durable=durable)  # type: ignore[misc]
        if left == 0 and when == "after":
            raise ProcessDied
        for rows in (patch.puts, patch.drops):
            self.row_writes.update({kind.__name__: len(keys) for kind, keys in rows.items() if keys})
        for row in patch.puts.get(OperationRow, {}).values():
            assert isinstance(row, OperationRow)
            self.operations[row.id] = row


class MemoryJournal(Tally, MemoryStore):
    """A journal in memory, with a tally."""


class FileJournal(Tally, SqlStore):
    """A journal in a file, with a tally."""


class Window:
    """A real connector, and what happens just before its calls leave: a person acts, a fault strikes."""

    def __init__(self, inner: Connector) -> None:
        self.inner = inner
        self.before: list[tuple[str, Callable[[], object]]] = []

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def describe(self, kind: str) -> tuple[Schema, ...]:
        return self.inner.describe(kind)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        self._happens("changes")
        return self.inner.changes(kind, since, paths, back=back, keys_only=keys_only)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        self._happens("fetch")
        return self.inner.fetch(kind, refs, paths)

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        self._happens("find")
        return self.inner.find(kind, object_, path, values, paths)

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        self._happens("write")
        self._happens("write" if writes[0].ref.id else "create")
        return self.inner.write(kind, writes)

    def close(self) -> None:
        self.inner.close()

    def _happens(self, call: str) -> None:
        for entry in [entry for entry in self.before if entry[0] == call]:
            self.before.remove(entry)
            entry[1]()
