"""Reading a whole route again, once, beside everything else: in short steps of the lowest lane, behind a canary.

It decides the order of the steps (read and decide, canary, look back, send) and keeps in the journal where it stands,
so that whoever goes on, after a kill or in another process, does not begin anew. When a step may run is its
caller's affair: whoever calls has given everything that is due its turn before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec

from renkei import canary as canaries
from renkei.first import let_go
from renkei.rereading import Choice, Rereading
from renkei.settings import Project
from renkei.wire import look
from sync.brakes import standing_brake
from sync.cycle import Bounds, CycleReport, decide_noted
from sync.errors import QuotaSpent, Retryable
from sync.lanes import world_in_lane
from sync.narrow import opt_outs_only
from sync.normalise import encode
from sync.read import World, sent_operations
from sync.record import Side
from sync.rows import BACKFILL, LANE_BACKFILL, PENDING, PLANNED, CursorRow, Patch, RunRow
from sync.rules import Condition
from sync.send import Delivered, Delivery, resolve_doubts

STEP = 5.0  # seconds
MOST = 2_000  # records read in a step: what was read is decided in the same one
CHUNK = 1_000
BLOCKED = 5.0
SLOW = 0.5
LONGEST_PAUSE = 900.0
PATIENCE = 300.0  # for a canary that cannot leave
READING, CANARY, LOOKING, SENDING, DONE, STOPPED = (
    "reading", "canary", "looking", "sending", "done", "stopped",
)  # fmt: skip


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a backfill is about: created from `since` and before `until` (ISO, UTC), at most `limit` of each side,
    who meets the condition `where`; `canary`: records of each action sent ahead, 0 = none."""

    since: str = ""
    until: str = ""
    limit: int = 0
    where: str = ""
    canary: int = 100


class Stand(msgspec.Struct, omit_defaults=True):
    """Where a backfill stands. By system: records to be read as far as is known (`of`), read, and meant. `planned`:
    what is to be sent to each, known after reading; `worked`: seconds of work so far; `command`: who waits for it;
    `why`: what it waits for, `braked`: that is a brake."""

    wish: Wish
    began: float
    of: dict[str, int]
    phase: str = READING
    read: dict[str, int] = {}
    meant: dict[str, int] = {}
    changed: dict[str, int] = {}
    sent: dict[str, int] = {}
    linked: int = 0
    decided: int = 0
    conflicts: int = 0
    planned: dict[str, int] = {}
    applied: int = 0
    failed: int = 0
    in_doubt: int = 0
    moved: int = 0
    at: float = 0.0
    worked: float = 0.0
    command: int = 0
    why: str = ""
    braked: bool = False
    canary: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        """True if nothing more happens by itself."""
        return self.phase in (DONE, STOPPED)


def begin(world: World, wish: Wish, command: int = 0) -> Stand:
    """Take a backfill up: the one that is unfinished, else a new one, kept before anything is read."""
    held = standing(world)
    if held is not None and held.phase != STOPPED:
        return held
    systems = [world.lens.system(side) for side in world.lens.rules.sides]
    of = {system: world.store.count_records(system, world.kind) for system in systems}
    fresh = Stand(wish=wish, began=world.clock.now(), of=of, command=command)
    if held is not None:  # stopped by its canary: what was read and decided stands
        wish = msgspec.structs.replace(held.wish, canary=wish.canary)
        fresh = msgspec.structs.replace(held, phase=READING, wish=wish, at=0.0, why="", command=command)
    keep(world, fresh)
    return fresh


def standing(world: World) -> Stand | None:
    """The unfinished backfill of a route."""
    rows = world.store.get(CursorRow, [_place(world.lens.rules.route)])
    return msgspec.json.decode(rows[0].value, type=Stand) if rows else None


def keep(world: World, stand: Stand) -> None:
    """Keep where it stands."""
    patch = Patch()
    row = CursorRow(*_place(world.lens.rules.route), _text(stand), 0, 0, world.clock.now())
    patch.put(row)
    world.store.commit(patch)


def end(world: World, stand: Stand, state: str = "done") -> None:
    """Forget an unfinished backfill; what it wanted and has not sent is the next cycles' affair, within the brakes."""
    route, patch = world.lens.rules.route, Patch()
    patch.drop(CursorRow(*_place(route), "", 0, 0, 0.0))
    for side in world.lens.rules.sides:
        patch.drop(CursorRow(world.lens.system(side), world.kind, _name(route), "", 0, 0, 0.0))
    now, figures = world.clock.now(), encode(as_figures(stand))
    digest = world.lens.rules.digest
    patch.put(RunRow(world.numbers(), route, BACKFILL, digest, stand.began, now, state, "", figures))
    world.store.commit(patch)
    canaries.remember(world, ())


def as_figures(stand: Stand) -> dict[str, Any]:
    """Its counts with stable keys."""
    return {
        "phase": stand.phase, "began": stand.began, "to_read": stand.of, "read": stand.read,
        "meant": stand.meant, "to_send": stand.planned, "sent": stand.sent, "failed": stand.failed,
        "seconds": round(stand.worked, 1), "why": stand.why,
        "braked": stand.braked,
    }  # fmt: skip


def _place(route: str) -> tuple[str, str, str]:
    return "", BACKFILL, route


def _name(route: str) -> str:
    return f"{BACKFILL} {route}"


def _text(stand: Stand) -> str:
    return msgspec.json.encode(stand).decode()


@dataclass(slots=True)
class Backfill:
    """An unfinished backfill at work. `test`: the wish's condition, compiled; `keep`: renews the journal's lease."""

    project: Project
    world: World
    stand: Stand
    test: Condition | None
    keep: Callable[[], None]
    stop: Callable[[], bool] = lambda: False
    rest: float = 0.0
    _readings: dict[Side, Rereading] = field(default_factory=dict)

    def step(self, seconds: float = STEP) -> Stand:
        """Do a little and keep where it stands; `rest` says when (unix seconds) another step makes sense. Raises
        Retryable, Fatal; the step is taken again then."""
        clock = self.world.clock
        began = clock.now()
        self.rest = 0.0
        self.stand.braked = False
        if not self.stand.over:
            self.stand.why = ""
        try:
            match self.stand.phase:
                case "reading":
                    self._read(began + seconds)
                case "canary":
                    self._send_canary(began + seconds)
                case "looking":
                    self._look_back()
                case "sending":
                    self._send(began + seconds)
                case _:
                    return self.stand
        except QuotaSpent as error:
            self._pause(error.message, clock.now() + error.after)
            raise
        finally:
            self.stand.worked += max(0.0, clock.now() - began)
            if self.stand.phase != DONE:
                keep(self.world, self.stand)
        if self.stand.phase == DONE:
            end(self.world, self.stand)
        return self.stand

    def _read(self, until: float) -> None:
        """Read a part of one side and decide it; what nobody would let wait (opt-outs) leaves at once."""
        world, clock = self.world, self.world.clock
        for side in world.lens.rules.sides:
            reading = self._reading(side)
            if reading.done:
                continue
            try:
                part = reading.part((clock.now() + until) / 2, MOST, world.numbers())
            except Retryable:  # what was noted until then is no news to the cycles either
                self._decide_all(until)
                raise
            system, stand = world.lens.system(side), self.stand
            add(stand.read, {system: part.seen})
            add(stand.meant, {system: part.meant})
            add(stand.changed, {system: part.noted.new + part.noted.changed})
            if part.news:
                self._decide_all(until)
            elif not part.seen and not reading.done:
                self.rest = clock.now() + SLOW  # the vendor is still at work on the page
            return
        if self._decide_all(until):
            self._weigh()

    def _reading(self, side: Side) -> Rereading:
        if side not in self._readings:
            wish, system = self.stand.wish, self.world.lens.system(side)
            choice = Choice(
                lens=self.world.lens, since=wish.since, until=wish.until, test=self.test, limit=wish.limit
            )
            name, world = _name(self.world.lens.rules.route), world_in_lane(self.world, LANE_BACKFILL)
            self._readings[side] = Rereading(world, side, choice, name, self.stand.meant.get(system, 0))
        return self._readings[side]

    def _decide_all(self, until: float) -> bool:
        """Decide all that was read, however long it takes: whatever is left would be the next cycle's, which takes
        everybody for news and counts them against the brakes. False if the end was asked for before."""
        while self._decide(until).left:
            if self.stop():
                return False
        return True

    def _decide(self, until: float) -> CycleReport:
        world = self.world
        bounds = Bounds(
            dirty=20 * MOST,
            chunk=500,
            seconds=max(0.5, until - world.clock.now()),
            lane=LANE_BACKFILL,
            trigger=BACKFILL,
        )
        report = decide_noted(world, bounds, self.stop)
        if standing_brake(world) is not None:
            world = replace(world, store=opt_outs_only(world.store))
        self.stand.linked += report.decided.linked
        self.stand.decided += report.decided.entities
        self.stand.conflicts += report.decided.conflicts
        if not world.lens.rules.shadow and world.store.due(world.lens.rules.route, world.clock.now(), 1):
            self._count(Delivery(world, report.run).deliver(max(until, world.clock.now() + 0.5)))
        return report

    def _weigh(self) -> None:
        """Everything is decided: how much is to be sent, and who goes ahead."""
        stand = self.stand
        totals, ids = self._chosen(stand.wish.canary)
        stand.planned = totals
        if self.world.lens.rules.shadow or not stand.planned:
            stand.phase = DONE
            return
        stand.phase = CANARY if stand.wish.canary else SENDING
        if stand.phase == CANARY:
            canaries.remember(self.world, sorted({*ids, *canaries.remembered(self.world)}))

    def _chosen(self, number: int) -> tuple[dict[str, int], list[int]]:
        from state.lanes import in_lane

        with look(self.project) as reader:
            route = self.world.lens.rules.route
            return canaries.choose(in_lane(reader, route, LANE_BACKFILL, (PLANNED,)), number)

    def _send_canary(self, until: float) -> None:
        """Send the few, until none of them is on its way or waits for another try."""
        world, stand = self.world, self.stand
        now = world.clock.now()
        if self._is_braked():
            stand.at = now if stand.at else 0.0
            return
        if not stand.at:
            stand.at = now
            canaries.remember(world, canaries.to_try_again(world) or canaries.remembered(world))
        ids = canaries.remembered(world)
        let_go(world, ids)
        run = world.numbers()
        done = Delivery(world, run).deliver(until)
        self._count(done)
        resolve_doubts(world, run)
        if done.waits:
            stand.at = world.clock.now()
            self._pause("; ".join(done.stopped.values()), min(done.waits.values()))
            return
        away = sent_operations(world)
        left = [row for row in canaries.rows_of(world, ids) if row.state == PENDING or row.id in away]
        if left and world.clock.now() < stand.at + PATIENCE:
            self.rest = world.clock.now() + 1.0
            return
        stand.phase, stand.at = LOOKING, world.clock.now()

    def _look_back(self) -> None:
        world, stand = self.world, self.stand
        lag = max(each.capabilities.visibility_lag for each in world.connectors.values())
        if world.clock.now() < stand.at + lag:
            self.rest = stand.at + lag
            return
        ids = canaries.remembered(world)
        found = canaries.look_back(world, ids, stand.at, self.keep)
        stand.canary = canaries.as_data(found)
        if found.alarms:
            canaries.remember(world, found.failed)
            stand.phase, stand.why = STOPPED, "canary"
            return
        canaries.remember(world, ())
        stand.phase = SENDING

    def _send(self, until: float) -> None:
        """Let a few more go and deliver them; what a system does not take now stays for the cycles to come."""
        from state.lanes import in_lane

        if self._is_braked():
            return
        world, route = self.world, self.world.lens.rules.route
        with look(self.project) as reader:
            away = {id_ for id_, *_rest in islice(in_lane(reader, route, LANE_BACKFILL, (PENDING,)), CHUNK)}
            more = islice(in_lane(reader, route, LANE_BACKFILL, (PLANNED,)), CHUNK - len(away))
            ids = [id_ for id_, *_rest in more]
        let_go(world, ids)
        run = world.numbers()
        resolve_doubts(world, run)
        done = Delivery(world, run).deliver(until)
        self._count(done)
        self.stand.why = "; ".join(done.stopped.values())
        if done.waits and not done.sent:
            self._pause(self.stand.why, min(done.waits.values()))
        elif done.stopped and (away or ids):
            self.rest = world.clock.now() + BLOCKED
        elif not ids and not done.sent:
            if away & sent_operations(world):  # killed here, it would be over and be read anew
                self.rest = world.clock.now() + 1.0
            else:
                self.stand.phase = DONE

    def _is_braked(self) -> bool:
        """True while a brake stops everything: it stops a backfill as well, and opt-outs leave with the cycles."""
        brake = standing_brake(self.world)
        if brake is None:
            return False
        self.stand.why, self.stand.braked = brake.reason, True
        self.rest = self.world.clock.now() + BLOCKED
        return True

    def _pause(self, why: str, until: float) -> None:
        """Rest while calls are kept for something hotter, and look now and then whether there are more."""
        self.stand.why = why
        self.rest = min(until, self.world.clock.now() + LONGEST_PAUSE)

    def _count(self, done: Delivered) -> None:
        stand = self.stand
        add(stand.sent, done.sent)
        stand.applied += done.settled.applied
        stand.failed += done.settled.failed
        stand.in_doubt += done.in_doubt
        stand.moved += done.moved


def add(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts to counts."""
    for name, number in more.items():
        total[name] = total.get(name, 0) + number
