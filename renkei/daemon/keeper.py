"""The journal's keeping beside the routes: once a day, or when somebody asks, a little whenever nothing else is due.

It decides when a keeping begins and that each of its parts is short; what goes is `renkei.keep`'s. When it was done
last stands in the journal, so a restart neither forgets it nor does it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from renkei.daemon.notes import DONE, NEW, TAKEN, Notes
from renkei.keep import COMPACT, DAY, Compaction, Figures, horizons
from sync.normalise import encode
from sync.rows import CommandRow, Patch

if TYPE_CHECKING:
    from renkei.wire import Wired
    from state.reader import Reader

KEPT = "kept"  # the note of the last keeping
PART = 0.05  # seconds of work in one go, at most one part more
REST = 0.05  # seconds until the next go


@dataclass(slots=True)
class Keeper:
    """The service's keeping of the journal. `asked`: the words of those who wait for it."""

    wired: Wired
    reader: Reader
    notes: Notes
    log: Callable[..., None]
    _work: Compaction | None = None
    _before: Figures | None = None
    _asked: list[CommandRow] = field(default_factory=list)
    _last: float = -1.0

    def hear(self) -> None:
        """Take up what somebody asked for. Raises Fatal, LeaseLost."""
        from state.service import commands

        patch = Patch()
        for row in commands(self.reader, (COMPACT,), (NEW, TAKEN)):
            if row.id not in {each.id for each in self._asked}:
                self._asked.append(row._replace(state=TAKEN))
                patch.put(self._asked[-1])
        if patch:
            self.wired.store.commit(patch)

    def waits(self, now: float) -> bool:
        """True if there is something to do (`now` in unix seconds)."""
        if self._last < 0:
            self._last = float(self.notes.read(KEPT).get("at", 0.0))
        return self._work is not None or bool(self._asked) or now - self._last >= DAY

    def step(self, now: float) -> None:
        """Do a little of it, if there is anything to do. Raises Fatal, LeaseLost."""
        if not self.waits(now):
            return
        if self._work is None:
            self._before = Figures.of(self.wired.store)
            self._work = Compaction(self.reader, self.wired.store, horizons(self.wired.project.keep, now))
        until = time.monotonic() + PART
        while self._work.step():
            if time.monotonic() >= until:
                return
        self._end(self._work, now)

    def _end(self, work: Compaction, now: float) -> None:
        self._work, self._last = None, now
        self.notes.write(KEPT, {"at": now}, now)
        after = Figures.of(self.wired.store)
        before = self._before or after
        if any(work.gone.values()):
            self.log("journal kept", gone=work.gone, bytes_before=before.size, bytes_after=after.size)
        patch = Patch()
        for row in self._asked:
            body = {"gone": work.gone, "before": before._asdict(), "after": after._asdict()}
            patch.put(row._replace(state=DONE, body=encode(body)))
        self._asked = []
        if patch:
            self.wired.store.commit(patch)
