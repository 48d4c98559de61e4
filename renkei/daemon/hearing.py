"""What people say to the running service: pause, resume, sync now; heard from the journal, answered there.

It decides what each word changes at the desks and when it counts as answered. Words of other kinds are the engine's: a
cycle reads them, and is due when there are any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from renkei.daemon.board import State
from renkei.daemon.desk import Desk, Wish
from renkei.daemon.notes import DONE, DROPPED, NEW, PAUSE, RESUME, SYNC_NOW, TAKEN, body_of, read_paused
from renkei.syncing import Result, as_data, look_around
from sync.doubted import REREAD
from sync.normalise import encode
from sync.rows import CommandRow, Patch
from sync.said import KINDS

if TYPE_CHECKING:
    from renkei.wire import Wired
    from state.reader import Reader

LONGEST = 120.0
OLD = 600.0
FORGOTTEN = 86_400.0


@dataclass(slots=True)
class _Asked:
    """A wish for several routes, until all of them are done."""

    row: CommandRow
    began: float
    waiting: set[str]
    results: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Hearing:
    """Hears words; `reopen` signs in anew for a route that stood still."""

    wired: Wired
    reader: Reader
    log: Callable[..., None]
    reopen: Callable[[str], None]
    _asked: dict[int, _Asked] = field(default_factory=dict)
    _heard_to: int = 0

    def begin(self, desks: Mapping[str, Desk]) -> None:
        """Take up what stands from before; wishes of which nobody waits for the answer any more are dropped, old ones
        and their answers forgotten."""
        from state.service import commands

        now = time.time()
        patch = Patch()
        for row in commands(self.reader, (SYNC_NOW,)):
            if now - row.at > FORGOTTEN:
                patch.drop(row)
            elif row.state == TAKEN or (row.state == NEW and now - row.at > OLD):
                patch.put(row._replace(state=DROPPED))
        if patch:
            self.wired.store.commit(patch)
        self._pauses(desks)

    def hear(self, desks: Mapping[str, Desk]) -> None:
        """Act on every new word. Raises Fatal."""
        from state.service import commands

        for row in commands(self.reader, (*KINDS, REREAD), (NEW,)):
            if row.route in desks:
                desks[row.route].soon = 0.0  # a cycle reads it
        rows = commands(self.reader, (PAUSE, RESUME, SYNC_NOW), (NEW,), after=self._heard_to)
        if not rows:
            return
        patch = Patch()
        for row in rows:
            patch.put(self._heard(row, desks))
        self.wired.store.commit(patch)
        self._heard_to = rows[-1].id
        self._pauses(desks)

    def _heard(self, row: CommandRow, desks: Mapping[str, Desk]) -> CommandRow:
        meant = [desk for name, desk in desks.items() if row.route in ("", name)]
        self.log(row.kind, route=row.route or "all", number=row.id)
        if not meant:
            return row._replace(state=DROPPED, body=encode({**body_of(row), "why": "there is no such route"}))
        if row.kind == SYNC_NOW:
            until = time.monotonic() + LONGEST
            for desk in meant:
                desk.wishes.append(Wish(row.id, until))
                desk.try_now()
            self._asked[row.id] = _Asked(row, time.monotonic(), {desk.route for desk in meant})
            return row._replace(state=TAKEN)
        for desk in meant if row.kind == RESUME else ():
            if desk.state is State.STOPPED:
                self.reopen(desk.route)
            desk.try_now()
        return row._replace(state=DONE)

    def _pauses(self, desks: Mapping[str, Desk]) -> None:
        found = read_paused(self.reader, desks)
        for name, desk in desks.items():
            desk.pause = found.get(name)

    def answer(self, desk: Desk) -> None:
        """Answer the wishes that are over at this desk. Raises Fatal."""
        for wish in [wish for wish in desk.wishes if wish.over]:
            desk.wishes.remove(wish)
            asked = self._asked.get(wish.number)
            if asked is None:
                continue
            rules = desk.world.lens.rules
            result = Result(route=rules.route, digest=rules.digest, total=wish.total, shadow=rules.shadow)
            look_around(self.wired, desk.world, result, asked.row.at)
            result.seconds = time.monotonic() - asked.began
            asked.results[desk.route] = as_data(result)
            asked.waiting.discard(desk.route)
            self._finish(asked)

    def end(self, desks: Iterable[Desk]) -> None:
        """Nobody will answer what is still wished. Raises Fatal."""
        patch = Patch()
        for asked in self._asked.values():
            patch.put(asked.row._replace(state=DROPPED))
        for desk in desks:
            desk.wishes.clear()
        self._asked.clear()
        if patch:
            self.wired.store.commit(patch)

    def forget(self, gone: Iterable[str]) -> None:
        """Routes that are no more need not be waited for. Raises Fatal."""
        for asked in list(self._asked.values()):
            asked.waiting -= set(gone)
            self._finish(asked)

    def _finish(self, asked: _Asked) -> None:
        if asked.waiting:
            return
        del self._asked[asked.row.id]
        patch = Patch()
        patch.put(asked.row._replace(state=DONE, body=encode({"routes": list(asked.results.values())})))
        self.wired.store.commit(patch)
