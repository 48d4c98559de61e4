"""Backfills as guests of the running service: begun by a person's word, moved a step when nothing else is due.

It decides when a step may be taken and what becomes of one that fails; the steps themselves are `renkei.backfill`'s,
and where a backfill stands is kept in the journal, so that the next service goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from renkei.backfill import Backfill, Stand, Wish, begin, end, standing
from renkei.backfill import keep as keep_stand
from renkei.backfilling import condition_of, outcome
from renkei.daemon.board import State
from renkei.daemon.desk import Desk
from renkei.daemon.notes import DONE, DROPPED, NEW, TAKEN, body_of
from renkei.telling import is_outage
from sync.errors import LeaseLost, RenkeiError
from sync.normalise import encode
from sync.read import World
from sync.rows import BACKFILL, CommandRow, Patch

if TYPE_CHECKING:
    from renkei.wire import Wired
    from state.reader import Reader

AGAIN, LONG = 30.0, 900.0


@dataclass(slots=True)
class Guest:
    """The service's backfills. `stop`: the end was asked for, nothing long is begun any more."""

    wired: Wired
    reader: Reader
    log: Callable[..., None]
    stop: Callable[[], bool]
    _works: dict[str, Backfill] = field(default_factory=dict)
    _looked: bool = False

    def hear(self, desks: Mapping[str, Desk]) -> None:
        """Begin what is newly wished, and take up what stands from before. Raises Fatal."""
        from state.service import commands

        if not self._looked:
            self._looked = True
            for desk in desks.values():
                self._take_up(desk.world, standing(desk.world))
        patch = Patch()
        for row in commands(self.reader, (BACKFILL,), (NEW,)):
            patch.put(self._heard(row, desks.get(row.route)))
        if patch:
            self.wired.store.commit(patch)

    def _heard(self, row: CommandRow, desk: Desk | None) -> CommandRow:
        self.log(row.kind, route=row.route, number=row.id)
        body = body_of(row)
        if desk is None:
            return row._replace(state=DROPPED, body=encode({**body, "why": "there is no such route"}))
        if body.pop("stop", False):
            self._works.pop(row.route, None)
            held = standing(desk.world)
            if held is not None:
                end(desk.world, held, "stopped")
            return row._replace(state=DONE, body=encode({"routes": [], "was": held is not None}))
        try:
            wish = msgspec.convert(body, Wish)
            condition_of(self.wired.project, row.route, wish.where)
        except (RenkeiError, msgspec.ValidationError) as error:
            return row._replace(state=DROPPED, body=encode({**body, "why": str(error)}))
        stand = begin(desk.world, wish, row.id)
        stand.command = row.id
        keep_stand(desk.world, stand)
        self._take_up(desk.world, stand)
        return row._replace(state=TAKEN)

    def _take_up(self, world: World, stand: Stand | None) -> None:
        if stand is None or stand.over:
            return
        route, project = world.lens.rules.route, self.wired.project
        try:
            test = condition_of(project, route, stand.wish.where)
        except RenkeiError as error:  # the mapping has changed: what was meant cannot be asked any more
            self._works.pop(route, None)
            self.log("backfill waits", route=route, reason=error.message, outage=False)
            return
        self._works[route] = Backfill(project, world, stand, test, self.wired.store.renew, self.stop)

    def has(self, route: str) -> bool:
        """True while a backfill of the route is not over."""
        return route in self._works

    def waits(self, desks: Mapping[str, Desk]) -> bool:
        """True if a step could be taken now."""
        return any(self._ready(desks))

    def step(self, desks: Mapping[str, Desk]) -> None:
        """One step of one backfill whose route is well and not paused. Raises Fatal, LeaseLost."""
        for work, desk in self._ready(desks):
            if work.world is not desk.world:  # the mapping or the sign-in has changed
                self._take_up(desk.world, work.stand)
            if desk.route in self._works:
                before = sum(work.stand.sent.values())
                self._move(desk.route, self._works[desk.route])
                if sum(work.stand.sent.values()) > before:
                    desk.soon = (
                        0.0  # what comes back is decided in small parts: nobody waits behind all of it
                    )
            return

    def _ready(self, desks: Mapping[str, Desk]) -> Iterator[tuple[Backfill, Desk]]:
        for route, work in list(self._works.items()):
            desk = desks.get(route)
            if desk is None or desk.state is not State.WELL or desk.pause is not None:
                continue
            if work.rest <= desk.world.clock.now():
                yield work, desk

    def _move(self, route: str, work: Backfill) -> None:
        try:
            stand = work.step()
        except LeaseLost:
            raise
        except RenkeiError as error:
            if self.stop():
                return
            work.rest = max(work.rest, work.world.clock.now() + AGAIN)
            self.log("backfill waits", route=route, reason=error.message, outage=is_outage(error))
            return
        except Exception as error:  # noqa: BLE001 - a guest's trouble is not the house's
            work.rest = work.world.clock.now() + LONG
            self.log("backfill waits", route=route, reason=type(error).__name__, outage=False)
            return
        if stand.over:
            del self._works[route]
            self.log("backfill ends", route=route, phase=stand.phase, read=stand.read, sent=stand.sent)
            self._answer(work)

    def _answer(self, work: Backfill) -> None:
        from state.service import command

        data: dict[str, Any] = outcome(self.wired, work.world, work.stand)
        row = command(self.reader, work.stand.command) if work.stand.command else None
        if row is not None and row.state == TAKEN:
            patch = Patch()
            patch.put(row._replace(state=DONE, body=encode({"routes": [data]})))
            self.wired.store.commit(patch)
