"""One route at work in the service: its cycles, and what follows from how each of them ended.

It decides when a route is tried again after an outage or a refusal, when more work follows at once, and what a paused
route may send. It runs cycles with the very function that every command uses. When its bell rings is not its affair.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from renkei.daemon.board import RoutePicture, State
from renkei.daemon.notes import Pause
from renkei.drain import Total, next_moment, progressed, remember_sweep, sweep_reach
from renkei.telling import is_outage
from sync.cycle import Bounds, CycleReport, run_cycle
from sync.errors import LeaseLost, RenkeiError, Retryable
from sync.narrow import opt_outs_only
from sync.normalise import encode
from sync.read import World
from sync.rows import Patch, RunRow
from sync.send import Delivery

TRIGGER = "service"
FOREVER = float("inf")
LONGEST_OUTAGE = 300.0
LONGEST_STOP = 900.0
REST = 10.0  # seconds for what may leave although one system could not be read
PATIENCE = 60.0
MOST = 12
KEPT = 60


@dataclass(slots=True)
class Wish:
    """A person's wish for this route to be brought up to date now; `number` is that of the command. `until`: the
    steady time at which it is answered whatever is left."""

    number: int
    until: float
    total: Total = field(default_factory=Total)
    over: bool = False


@dataclass(slots=True)
class Desk:
    """What is known of a route's work. Times on the steady clock; `since` and `done_at` in unix seconds."""

    world: World
    every: float
    own_error: Callable[[BaseException], str]
    state: State = State.NEW
    reason: str = ""
    since: float = 0.0
    again: float = 0.0
    soon: float = 0.0
    tries: int = 0
    idle: int = 0
    done: float = 0.0
    done_at: float = 0.0
    seconds: float = 0.0
    reach: float = 0.0
    pause: Pause | None = None
    wishes: list[Wish] = field(default_factory=list)
    quiet: list[int] = field(default_factory=list)
    swept: bool = False

    @property
    def route(self) -> str:
        """Its name."""
        return self.world.lens.rules.route

    def is_due(self, rung: bool, now: float) -> bool:
        """True if there is something to do: its bell rang, work is left, somebody wishes it; never before `again`."""
        return now >= self.again and (rung or now >= self.soon or bool(self.wishes))

    def at(self) -> float:
        """When it wants to be asked without any bell."""
        return (
            max(self.again, 0.0 if self.wishes else self.soon)
            if self.wishes or self.soon < FOREVER
            else FOREVER
        )

    def picture(self) -> RoutePicture:
        """It, for others to look at."""
        return RoutePicture(
            route=self.route, every=self.every, state=self.state, reason=self.reason, since=self.since,
            again=self.again, done=self.done, done_at=self.done_at, seconds=self.seconds,
            paused=self.pause.reason if self.pause is not None else None,
        )  # fmt: skip

    def work(self, stop: Callable[[], bool]) -> CycleReport | None:
        """Run one cycle; None = it did not come to its end. Raises LeaseLost, KeyboardInterrupt."""
        world = self._narrowed()
        began, started = time.monotonic(), world.clock.now()
        self.soon = FOREVER
        try:
            bounds = Bounds(sweep=max(sweep_reach(world), self.reach), trigger=TRIGGER)
            report = run_cycle(world, bounds, stop)
            self.swept = bool(bounds.sweep)
            if report.swept:
                remember_sweep(world, started)
                self.reach = 0.0
            self._follow(world, report, time.monotonic() - began)
        except LeaseLost:
            raise
        except RenkeiError as error:
            if not stop():
                self._failed(error, stop)
            return None
        except Exception as error:  # noqa: BLE001 - one route's trouble is not the others'
            self._stand_still(
                State.STOPPED, self.own_error(error), self._longer(10 * self.every, LONGEST_STOP)
            )
            return None
        return report

    def try_now(self) -> None:
        """Forget any pause between tries: what was in the way may be gone."""
        self.again = self.soon = 0.0
        self.tries = 0

    def _narrowed(self) -> World:
        return (
            self.world if self.pause is None else replace(self.world, store=opt_outs_only(self.world.store))
        )

    def _follow(self, world: World, report: CycleReport, seconds: float) -> None:
        """A cycle came to its end: note how, and when there is more to do."""
        now, clock = time.monotonic(), world.clock.now()
        stopped = report.delivered.stopped
        # A lane that waits for calls holds up no other one.
        if stopped.keys() - report.delivered.waits.keys():
            why = "; ".join(stopped.values())
            self._stand_still(State.AWAY, why, self._longer(self.every, LONGEST_OUTAGE))
        else:
            self._become(State.WELL, "")
            self.tries, self.again = 0, 0.0
            self.done, self.done_at, self.seconds = now, clock, seconds
        moment = None if self.pause is not None else next_moment(world, report, PATIENCE, sending=True)
        if moment is not None and moment <= clock + max(self.every, PATIENCE):
            self.idle = 0 if moment > clock or progressed(report) else self.idle + 1
            pause = 0.0 if not self.idle else min(self.every, 0.1 * 2.0**self.idle)
            self.soon = now + max(moment - clock, pause)
        self._forget_quiet(world, report)
        for wish in self.wishes:
            wish.total.add(report)
            nothing_left = moment is None or moment > clock + PATIENCE or self.idle > MOST
            wish.over = nothing_left or self.state is not State.WELL or now > wish.until

    def _forget_quiet(self, world: World, report: CycleReport) -> None:
        """A cycle in which nothing happened says no more than the next one like it: of many the last is kept."""
        news = any(any((each.read, each.events, each.lost)) for each in report.read.values())
        if (
            news
            or progressed(report)
            or report.brakes
            or report.decided.operations
            or world.store.planned(self.route)
        ):
            return
        self.quiet.append(report.run)
        if len(self.quiet) > KEPT:
            patch = Patch()
            for number in self.quiet[:-1]:
                patch.drop(RunRow(number, "", "", "", 0.0, 0.0, "", "", b""))
            world.store.commit(patch)
            del self.quiet[:-1]

    def _failed(self, error: RenkeiError, stop: Callable[[], bool]) -> None:
        """An outage passes by itself; anything else waits for a person, and is tried again now and then."""
        for wish in self.wishes:
            wish.total.gave_up = error if isinstance(error, Retryable) else Retryable(str(error))
            wish.over = True
        if not is_outage(error):
            step = f" Next: {error.next_step}" if error.next_step else ""
            pause = self._longer(10 * self.every, LONGEST_STOP)
            self._stand_still(State.STOPPED, f"{error.message}{step}", pause)
            return
        # More calls may be had before the day is over, and to ask our own budget costs none.
        asked = min(error.after, LONGEST_STOP) if isinstance(error, Retryable) else 0.0
        self._stand_still(State.AWAY, error.message, max(asked, self._longer(self.every, LONGEST_OUTAGE)))
        try:
            self._send_the_rest(error)
        except LeaseLost:
            raise
        except RenkeiError as other:
            if not stop() and not is_outage(other):
                self.reason = f"{self.reason} {other.message}"

    def _send_the_rest(self, error: RenkeiError) -> None:
        """What was let go earlier still leaves for whichever system can be reached. What the cycle has read until it
        ended is not decided: creates are looked up."""
        world = self._narrowed()
        if not world.store.due(self.route, world.clock.now(), 1):
            return
        rules, now, run = world.lens.rules, world.clock.now(), world.numbers()
        row = RunRow(
            run, rules.route, TRIGGER, rules.digest, now, 0.0, "failed", "", encode({"why": error.message})
        )
        Delivery(world, run, left=True).deliver(now + REST)
        patch = Patch()
        patch.put(row._replace(ended=world.clock.now()))
        world.store.commit(patch)

    def _longer(self, base: float, most: float) -> float:
        """A pause that grows with every try in a row."""
        self.tries += 1
        return float(min(most, base * 2.0 ** min(self.tries - 1, 20)))

    def _stand_still(self, state: State, reason: str, pause: float) -> None:
        self._become(state, reason)
        self.again = time.monotonic() + pause
        self.soon = self.again

    def _become(self, state: State, reason: str) -> None:
        if state is not self.state:
            self.since = self.world.clock.now()
        self.state, self.reason = state, reason
