"""The running service: one thread that keeps the journal, does one thing after another, and ends when it is told to.

It decides the order within a lap: the lease, the host's clock, people's words, mapping files, routes that are due,
alarms. It holds no rule about persons or fields, and a cycle here is the cycle of every other command.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from renkei import telling
from renkei.daemon.alarms import Alarm, Alarms
from renkei.daemon.bells import Bells
from renkei.daemon.board import Board, Picture, State
from renkei.daemon.comparing import Comparing
from renkei.daemon.comparison import told_of
from renkei.daemon.daily import Daily
from renkei.daemon.desk import Desk
from renkei.daemon.folder import Folder, Refused
from renkei.daemon.guest import Guest
from renkei.daemon.hearing import Hearing
from renkei.daemon.keeper import REST, Keeper
from renkei.daemon.memory import LARGE, give_back
from renkei.daemon.metrics import Metrics
from renkei.daemon.notes import MAPPING, QUOTA, ROUTE, ROUTES, Notes
from renkei.daemon.phrases import say
from renkei.daemon.quota import Forecast, Spent, in_shares
from renkei.dayscalls import keep
from renkei.drain import LATE
from renkei.first import was_applied
from renkei.threads import Stop
from renkei.wire import Wired, scopes
from renkei.words import Words
from sync.cycle import CycleReport
from sync.errors import Fatal, LeaseLost, RenkeiError
from sync.read import World
from sync.rules import Rules

if TYPE_CHECKING:
    from state.reader import Reader

LAP = 1.0
KEEP = 5.0
LOOK = 15.0
STEP = 2.0
# What a person belongs to stands before the person does.
ORDER = {"account": 0, "opportunity": 1}


@dataclass(slots=True)
class Service:
    """Everything that a lap needs; made by `renkei.daemon.house`. `rebuild` makes worlds of rules."""

    wired: Wired
    stop: Stop
    board: Board
    bells: Bells
    folder: Folder
    notes: Notes
    alarms: Alarms
    hearing: Hearing
    metrics: Metrics
    reader: Reader
    rebuild: Callable[[tuple[Rules, ...]], dict[str, World]]
    quota: Callable[[], dict[str, Spent]]
    daily: Daily
    clean: Callable[[str], str]
    log: Any
    desks: dict[str, Desk] = field(default_factory=dict)
    guest: Guest = field(init=False)
    keeper: Keeper = field(init=False)
    comparing: Comparing = field(init=False)
    started: float = 0.0
    _rung: set[str] = field(default_factory=set)
    _kept: float = 0.0
    _version: int = -1
    _looked: float = 0.0
    _drift: float = 0.0
    _mapping: str = ""
    _trouble: str = ""
    _forecast: Forecast = field(default_factory=Forecast)

    def begin(self) -> None:
        """Take up what stands from before, and put a desk for every route. Raises Fatal."""
        self.started = self._clock()
        self._drift = self._clock() - time.monotonic()
        self.alarms.remember()
        self.notes.read(MAPPING)
        self._furnish(self.wired.worlds)
        self.hearing.begin(self.desks)
        self.guest = Guest(self.wired, self.reader, self.log.info, lambda: self.stop.wished)
        self.keeper = Keeper(self.wired, self.reader, self.notes, self.log.info)
        self.comparing = Comparing(
            self.wired, self.notes, self.log.info, lambda: self.stop.wished, self.guest.has, self.clean
        )
        self.comparing.begin(self.desks)
        self._draw()

    def run(self) -> None:
        """Laps until the end is asked for. Raises LeaseLost, KeyboardInterrupt."""
        while not self.stop.wished:
            self.lap()
            self._safely(lambda: self.comparing.step(self.desks, self._clock()))
            self._rung |= self.bells.wait(self._nap())

    def lap(self) -> None:
        """Everything once. Raises LeaseLost, KeyboardInterrupt."""
        self.board.live()
        self.keep()
        self._mind_the_clock()
        self._safely(self._hear)
        self._safely(self._mind_the_mappings)
        for desk in self.in_order():
            rung = desk.route in self._rung
            if self.stop.wished:
                return
            if desk.is_due(rung, time.monotonic()):
                self._rung.discard(desk.route)
                self.turn(desk)
                self._safely(self._hear)
        self._rung.clear()  # whoever may not be tried yet is heard again by itself
        if time.monotonic() - self._looked >= min(LOOK, *(each.every for each in self.desks.values())):
            self._looked = time.monotonic()
            self._safely(self._look)
        if not any(desk.at() <= time.monotonic() for desk in self.desks.values()):
            self._safely(lambda: self.guest.step(self.desks))
            self._safely(lambda: self.keeper.step(self._clock()))

    def in_order(self) -> list[Desk]:
        """Accounts, deals, persons; within a kind in the order of the files."""
        return sorted(self.desks.values(), key=lambda desk: ORDER.get(desk.world.kind, len(ORDER)))

    def turn(self, desk: Desk) -> None:
        """One cycle of one route, told to whoever listens."""
        before, began = desk.state, time.monotonic()
        with self.comparing.aside():
            report = desk.work(lambda: self.stop.wished)
        self.board.live()
        desk.reason = self.clean(desk.reason)
        if report is None:
            if not self.stop.wished:
                self.metrics.failed(desk.route, desk.state)
        else:
            self.metrics.cycle(desk.route, report, time.monotonic() - began)
            self._tell(desk, report, time.monotonic() - began)
            if desk.swept or sum(count.read for count in report.read.values()) > LARGE:
                give_back()
        if desk.state is not before or desk.state in (State.AWAY, State.STOPPED):
            self._tell_state(desk)
        self._draw()
        self._safely(lambda: self._keep_note(desk))
        self._safely(lambda: self.hearing.answer(desk))

    def end(self) -> None:
        """Say goodbye. What cannot be kept any more is not missed."""
        self.board.picture = replace(self.board.picture, stopping=True)
        self._safely(lambda: self.hearing.end(self.desks.values()))
        self._safely(lambda: self.alarms.close(self._clock()))
        keep(self.wired.store, self.wired.connectors, self._clock())

    def keep(self) -> None:
        """Keep the lease now and then. Raises LeaseLost."""
        if time.monotonic() - self._kept >= KEEP:
            self._kept = time.monotonic()
            self._safely(self.wired.store.renew)

    # --- what a lap looks at --------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Ask for words only if anybody has committed anything."""
        version = self.reader.version()
        if version == self._version:
            return
        self.hearing.hear(self.desks)
        self.guest.hear(self.desks)
        self.keeper.hear()
        self._version = version

    def _mind_the_clock(self) -> None:
        """If the host's clock was set, ring anew and look further back for what was read under the other time."""
        drift = self._clock() - time.monotonic()
        step, self._drift = drift - self._drift, drift
        if abs(step) > STEP:
            self.log.warning("the clock was set", seconds=round(step, 1))
            self.bells.begin_anew()
            for desk in self.desks.values():
                desk.reach = max(desk.reach, abs(step) + LATE)
                desk.try_now()

    def _mind_the_mappings(self) -> None:
        found = self.folder.changed()
        if found is None:
            return
        if isinstance(found, Refused):
            self._mapping = self.clean(found.text)
            self.log.warning("mapping refused", reason=self._mapping, findings=len(found.lines))
        else:
            try:
                self._furnish(self.rebuild(found))
            except RenkeiError as error:
                self._mapping = self.clean(str(error))
                self.log.warning("mapping refused", reason=self._mapping, findings=1)
            else:
                self._mapping = ""
                digests = {name: desk.world.lens.rules.digest for name, desk in self.desks.items()}
                self.log.info("mapping taken", routes=digests)
        self._draw()
        note = {"reason": self._mapping, "since": self._clock()} if self._mapping else {}
        self.notes.write(MAPPING, note, self._clock())

    def _furnish(self, worlds: Mapping[str, World]) -> None:
        """One desk for each world: who was there keeps what is known, and is tried at once."""
        gone = self.desks.keys() - worlds.keys()
        settings = self.wired.project.service
        desks: dict[str, Desk] = {}
        for name, world in worlds.items():
            desk = self.desks.get(name) or Desk(world, settings.interval(name), self._own_error)
            desk.world = world
            desk.try_now()
            desks[name] = desk
        self.desks = desks
        self.wired = replace(self.wired, worlds=worlds)
        self.bells.hang({name: desk.every for name, desk in desks.items()})
        self.hearing.forget(gone)
        for name in gone:
            self.notes.write(f"{ROUTE}{name}", {}, self._clock())
        at_work = scopes(tuple(world.lens.rules for world in worlds.values()))
        self.notes.write(ROUTES, {each.route: [each.kind, *each.systems] for each in at_work}, self._clock())

    def _look(self) -> None:
        self.alarms.update(self._alarms(), self._clock())
        self.daily.look([desk.world.lens.rules for desk in self.in_order()], self._clock())

    def _alarms(self) -> Iterable[Alarm]:
        """Everything that a person should know now."""
        from state.service import brakes

        found = [Alarm("mapping", "", self._mapping)] if self._mapping else []
        for row in brakes(self.reader):
            body = msgspec.json.decode(row.body) if row.body else {}
            reason = telling.brake(Words(self.alarms.language), str(body.get("reason", "")))
            found.append(Alarm("brake", row.field, reason))
        counts = self.quota()
        ending = self._forecast.running_out(counts, time.monotonic())
        found += [Alarm("quota", *pair) for pair in ending.items()]
        full = {name: self._clock() + left for name, left in self._forecast.left.items()}
        if self.notes.write(QUOTA, in_shares(counts, ending, full), self._clock()):
            keep(self.wired.store, self.wired.connectors, self._clock())
        for desk in self.desks.values():
            found += self._alarms_of(desk)
        return found

    def _alarms_of(self, desk: Desk) -> list[Alarm]:
        from state.service import backlog

        now, language = self._clock(), self.alarms.language
        found = told_of(self.comparing.last(desk.route), desk.route, language)
        if desk.state is State.STOPPED:
            found.append(Alarm("stopped", desk.route, desk.reason))
        silent = now - (desk.done_at or self.started)
        if silent > self.wired.project.service.silent:
            found.append(Alarm("silent", desk.route, say(language, "ago", number=round(silent / 60))))
        if desk.pause is not None or desk.world.lens.rules.shadow or not was_applied(desk.world):
            return found
        (scope,) = scopes((desk.world.lens.rules,))
        waiting = [since for since in backlog(self.reader, scope) if since]
        if waiting and now - min(waiting) > self.wired.project.service.backlog:
            minutes = say(language, "minutes", number=round((now - min(waiting)) / 60))
            found.append(Alarm("backlog", desk.route, minutes))
        return found

    # --- telling --------------------------------------------------------------------------------------------

    def _tell(self, desk: Desk, report: CycleReport, seconds: float) -> None:
        settled = report.delivered.settled
        changed = {name: count.new + count.changed for name, count in report.read.items()}
        figures = {
            "changed": {name: number for name, number in changed.items() if number},
            "sent": dict(report.delivered.sent), "applied": settled.applied, "failed": settled.failed,
            "in_doubt": report.delivered.in_doubt, "moved": report.delivered.moved,
            "brakes": [brake.action for brake in report.brakes],
        }  # fmt: skip
        said = {name: number for name, number in figures.items() if number}
        if said:
            self.log.info("cycle", route=desk.route, run=report.run, seconds=round(seconds, 2), **said)

    def _tell_state(self, desk: Desk) -> None:
        if desk.state is State.WELL:
            self.log.info("route is well", route=desk.route)
        elif desk.state in (State.AWAY, State.STOPPED):
            again = round(max(0.0, desk.again - time.monotonic()), 1)
            self.log.warning(
                "route stands still",
                route=desk.route,
                state=desk.state.value,
                reason=desk.reason,
                again_in=again,
            )

    def _keep_note(self, desk: Desk) -> None:
        still = desk.state in (State.AWAY, State.STOPPED)
        note = {"state": desk.state.value, "reason": desk.reason, "since": desk.since} if still else {}
        self.notes.write(f"{ROUTE}{desk.route}", note, self._clock())

    def _draw(self) -> None:
        self.board.picture = Picture(
            routes=tuple(desk.picture() for desk in self.in_order()), stopping=self.stop.wished,
            mapping=self._mapping, started=self.started,
        )  # fmt: skip

    def _safely(self, step: Callable[[], None]) -> None:
        """Whatever cannot be kept now (a full disk) is said once and tried again; the service goes on."""
        try:
            step()
            return
        except LeaseLost:
            raise
        except Fatal as error:
            trouble = self.clean(error.message)
        if trouble != self._trouble:
            self.log.error("cannot keep the journal", reason=trouble)
        self._trouble = trouble

    def _own_error(self, error: BaseException) -> str:
        """An error of our own: its kind and place, no value."""
        trace, place = error.__traceback__, "?"
        while trace is not None:
            path = Path(trace.tb_frame.f_code.co_filename)
            place = f"{path.parent.name}/{path.name}:{trace.tb_lineno}"
            trace = trace.tb_next
        return f"renkei met an error of its own ({type(error).__name__}, {place})."

    def _nap(self) -> float:
        if self.guest.waits(self.desks):
            return 0.0
        soonest = min((desk.at() for desk in self.desks.values()), default=LAP) - time.monotonic()
        longest = REST if self.keeper.waits(self._clock()) else LAP
        return max(0.0, min(longest, soonest))

    def _clock(self) -> float:
        return next(iter(self.wired.worlds.values())).clock.now()
