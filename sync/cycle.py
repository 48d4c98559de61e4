"""One cycle of one route, as a straight line: read, note, decide, guard, take, verify, send, settle.

It knows the order of the steps and their bounds, nothing of what they decide. I/O through ports only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sync.adopt import adopt_rules, rules_row
from sync.brakes import agreed_at, kept_brake, planned_of, released_of, show_brakes, traffic_of
from sync.chunk import context_of, decide_chunk
from sync.commands import apply_commands
from sync.decide import Decided
from sync.doubted import mark_doubted
from sync.errors import QuotaSpent, RequestRefused
from sync.guard import EVERYTHING, Brake, guard, opt_outs_left, released
from sync.lanes import world_in_lane
from sync.narrow import opt_outs_only
from sync.normalise import encode
from sync.read import FRONT, ReadCount, World, read_front, refetch
from sync.record import Side
from sync.relay import relay_chunk
from sync.rows import BACKFILL, LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT, CursorRow, Patch, RulesRow, RunRow
from sync.rules import Sign
from sync.send import Delivered, Delivery, resolve_doubts
from sync.source import (
    Looked,
    OtherPlace,
    clock_brakes,
    keep_looked,
    look_at,
    other_place_brake,
    unread_brake,
)  # fmt: skip
from sync.sweep import read_everything, sweep
from sync.wake import wake_due
from sync.watch import CLOCK
from sync.work import Allowance, Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one cycle does: dirty records, seconds, records per decide transaction, the sweep's reach back
    in seconds (0 = no sweep). `send`: False = plan only. `first`: the route's first plan may be applied."""

    dirty: int = 5_000
    seconds: float = 20.0
    chunk: int = 1_000
    sweep: float = 0.0
    send: bool = True
    first: bool = False
    lane: int = LANE_DELTA
    trigger: str = "cycle"


@dataclass(slots=True)
class CycleReport:
    """What one cycle came to. `left`: there are dirty records beyond its bounds. `put_off`: by system, why a second
    look waits: the calls that are left are kept for something hotter. `swept`: the sweep that was asked for was made
    on every side; one that was put off or refused is still to be made up for."""

    run: int
    hot_run: int = 0
    read: dict[str, ReadCount] = field(default_factory=dict)
    decided: Decided = field(default_factory=Decided)
    brakes: tuple[Brake, ...] = ()
    delivered: Delivered = field(default_factory=Delivered)
    left: bool = False
    put_off: dict[str, QuotaSpent] = field(default_factory=dict)
    swept: bool = False
    waiting_for_first: bool = False
    stopped: str = ""


def run_cycle(world: World, bounds: Bounds, stop: Callable[[], bool] = lambda: False) -> CycleReport:
    """Run one cycle. Raises Fatal and Retryable from reading after the run was closed as failed."""
    started = world.clock.now()
    report = CycleReport(run=world.numbers())
    _open_run(world, report, bounds, started)
    state = "failed"
    try:
        adopt_rules(world)
        apply_commands(world)
        mark_doubted(world)
        _read(world, report, bounds)
        report.brakes += clock_brakes(world)
        if not report.brakes:  # by a wrong clock nobody's time has come
            wake_due(world, bounds.dirty)
        if _is_complete(world):
            deadline = started + bounds.seconds
            _decide(world, report, bounds, deadline, stop)
            if not world.lens.rules.relays:
                _guard(world, report, bounds)
                _deliver(world, report, bounds, deadline)
        for system, error in report.put_off.items():
            report.delivered.wait(system, error, world.clock.now())
        state = "braked" if report.brakes else "done"
    except OtherPlace as error:
        report.brakes = (other_place_brake(error),)
        _show_only(world, report.brakes)
        state = "braked"
    finally:
        _close_run(world, report, bounds, state)
    return report


def decide_noted(world: World, bounds: Bounds, stop: Callable[[], bool] = lambda: False) -> CycleReport:
    """Decide what is noted already, as part of larger work: nothing is read, and nothing leaves. What is announced
    stands under a run of its own, so that it leaves with the next cycle and does not wait for the larger work."""
    started = world.clock.now()
    report = CycleReport(run=world.numbers(), hot_run=world.numbers())
    hot = CycleReport(run=report.hot_run)
    _open_run(world, report, bounds, started)
    _open_run(world, hot, Bounds(), started)
    state = "failed"
    try:
        if _is_complete(world):
            _decide(world, report, bounds, started + bounds.seconds, stop)
        state = "done"
    finally:
        _close_run(world, report, bounds, state)
        if report.decided.operations:
            _close_run(world, hot, Bounds(), state)
        else:
            _drop_run(world, hot.run)
    return report


def _deliver(world: World, report: CycleReport, bounds: Bounds, deadline: float) -> None:
    if bounds.send and not world.lens.rules.shadow:
        if any(brake.action == EVERYTHING for brake in report.brakes):  # also what was let go before
            world = replace(world, store=opt_outs_only(world.store))
        report.delivered = Delivery(world, report.run).deliver(max(deadline, world.clock.now() + 5.0))


def _read(world: World, report: CycleReport, bounds: Bounds) -> None:
    """Read both sides. One that refuses to be read as the mapping asks stops what would leave, not the other one."""
    resolve_doubts(world_in_lane(world, LANE_OPT_OUT), report.run)
    sides = list(world.lens.rules.sides)
    for side in world.lens.rules.sides:
        try:
            _read_side(world, side, report, bounds)
        except RequestRefused as error:
            if bounds.first or not _may_apply(world, bounds):
                raise
            system = world.lens.system(side)
            report.read.setdefault(system, ReadCount())
            report.brakes += (unread_brake(system, error.message),)
            sides.remove(side)
    report.swept = bool(bounds.sweep) and not report.put_off and len(sides) == len(world.lens.rules.sides)
    for side in sides:
        with _putting_off(world, side, report) as count:
            count.lost += refetch(world, side, report.run).lost


def _read_side(world: World, side: Side, report: CycleReport, bounds: Bounds) -> None:
    """What is new is read in the first lane, because nobody knows before whether an opt-out is among it."""
    system = world.lens.system(side)
    report.read[system] = read_front(world_in_lane(world, LANE_OPT_OUT), side, report.run)
    report.read[system].lost += read_everything(world_in_lane(world, LANE_HAND_OVER), side, report.run)
    if bounds.sweep:
        with _putting_off(world, side, report) as count:
            count.lost += sweep(world, side, report.run, bounds.sweep).lost


@contextmanager
def _putting_off(world: World, side: Side, report: CycleReport) -> Iterator[ReadCount]:
    """A second look can wait where calls are few: what it would have shown is read later."""
    system = world.lens.system(side)
    try:
        yield report.read[system]
    except QuotaSpent as error:
        report.put_off[system] = error


def _is_complete(world: World) -> bool:
    keys = [(world.lens.system(side), world.kind, FRONT) for side in world.lens.rules.sides]
    rows = world.store.get(CursorRow, keys)
    return len(rows) == len(keys) and all(row.complete for row in rows)


# --- decide ----------------------------------------------------------------------------------------------


def _decide(
    world: World, report: CycleReport, bounds: Bounds, deadline: float, stop: Callable[[], bool]
) -> None:
    rules = world.lens.rules
    mark = _watermark(world)
    taken = 0
    context = _context(world, report, bounds, int(mark.as_of))
    covered: dict[int, int] = {}
    while True:
        room = min(bounds.chunk, bounds.dirty - taken)
        dirty = world.store.dirty(world.kind, rules.systems.values(), int(mark.value or 0), max(room, 1))
        report.left = bool(dirty)
        if not dirty or room <= 0 or world.clock.now() >= deadline or stop():
            return
        entities = dict.fromkeys(each.entity for each in dirty if each.noted > covered.get(each.entity, 0))
        decide = relay_chunk if rules.relays else decide_chunk
        scene, done = decide(world, entities, context)
        covered.update(scene.covered())
        mark = mark._replace(value=str(dirty[-1].noted), at=world.clock.now())
        scene.patch.put(mark)
        world.store.commit(scene.patch)
        taken += len(dirty)
        _add(report.decided, done)
        world.progress("decide", len(dirty))


def _watermark(world: World) -> CursorRow:
    key = ("", world.kind, world.lens.rules.route)
    rows = world.store.get(CursorRow, [key])
    if rows:
        return rows[0]
    fresh = CursorRow(*key, "0", 1, 0, 0.0)
    if (
        world.lens.rules.relays
    ):  # what its first full read has found is no news, though nobody ever applies it
        fresh = fresh._replace(as_of=world.numbers())
        patch = Patch()
        patch.put(fresh)
        world.store.commit(patch)
    return fresh


def _context(world: World, report: CycleReport, bounds: Bounds, quiet_until: int) -> Context:
    until = sys.maxsize if _is_quiet(world, bounds) else quiet_until
    allowance = Allowance(lambda: _opt_outs_left(world, report, bounds))
    # Whom a backfill brings was not heard of before; what it finds of others is news.
    new = bounds.trigger == BACKFILL
    return context_of(
        world,
        report.run,
        lane=bounds.lane,
        hot_run=report.hot_run,
        quiet_until=until,
        quiet_new=new,
        opt_outs=allowance,
    )


def _opt_outs_left(world: World, report: CycleReport, bounds: Bounds) -> int:
    rules = world.lens.rules
    if not bounds.send or rules.shadow or not _may_apply(world, bounds):
        return 0
    return sys.maxsize if bounds.first else opt_outs_left(traffic_of(world, _lost(report)), rules.limits)


def _is_quiet(world: World, bounds: Bounds) -> bool:
    """True while the route meets its people for the first time: what they have come to before is no news."""
    if bounds.first or bounds.trigger == "first":
        return True
    return not world.lens.rules.relays and not _may_apply(world, bounds)


def _add(total: Decided, part: Decided) -> None:
    total.entities += part.entities
    total.linked += part.linked
    total.twins += part.twins
    total.operations += part.operations
    total.held += part.held
    total.conflicts += part.conflicts


# --- guard -----------------------------------------------------------------------------------------------


def _guard(world: World, report: CycleReport, bounds: Bounds) -> None:
    """Let planned work leave, as far as no brake stands in the way. A plan lets nothing leave, and its brakes stand
    for the cycles to come: what it has read is not read again."""
    if world.lens.rules.shadow:
        return
    if not _may_apply(world, bounds):
        report.waiting_for_first = bounds.send
        return
    planned, agreed = planned_of(world), agreed_at(world)
    looked = look_at(world, report.decided.twins, agreed)
    if not bounds.first:
        report.brakes = _brakes(world, report, planned, looked)
    allowed = released(report.brakes)
    patch = Patch()
    show_brakes(world, report.brakes, patch)
    keep_looked(world, looked, patch, agreed)
    for run in {run for run, _action in planned} if bounds.send else ():
        for row in world.store.get(RunRow, [(run,)]):
            patch.put(row._replace(released=released_of(row, allowed, report.brakes)))
    if patch:
        world.store.commit(patch)


def _brakes(
    world: World, report: CycleReport, planned: Mapping[tuple[int, str], int], looked: Looked
) -> tuple[Brake, ...]:
    """Brakes on single kinds of action and on the sources, one of a name; one on everything stands until a person has
    looked."""
    rules, found = world.lens.rules, list[Brake]()
    if planned or any(_lost(report).values()):
        found += guard(traffic_of(world, _lost(report)), rules.limits, rules.signs[Sign.LOSS])
    found = list({brake.name: brake for brake in reversed((*found, *looked.brakes))}.values())[::-1]
    passing = report.brakes
    kept = kept_brake(world, clock_is_right=all(brake.cause != CLOCK for brake in passing))
    if kept is not None and all(brake.action != EVERYTHING for brake in found):
        found.insert(0, kept)
    return (*passing, *found)


def _show_only(world: World, brakes: tuple[Brake, ...]) -> None:
    """What came to light before anything could be decided."""
    patch = Patch()
    show_brakes(world, brakes, patch)
    world.store.commit(patch)


def _lost(report: CycleReport) -> dict[str, int]:
    return {system: count.lost for system, count in report.read.items()}


def _may_apply(world: World, bounds: Bounds) -> bool:
    if bounds.first:
        return True
    rows = world.store.get(RulesRow, [(world.lens.rules.route,)])
    return bool(rows and rows[0].applied)


# --- runs ------------------------------------------------------------------------------------------------


def _open_run(world: World, report: CycleReport, bounds: Bounds, started: float) -> None:
    rules = world.lens.rules
    trigger = "first" if bounds.first else bounds.trigger
    patch = Patch()
    patch.put(RunRow(report.run, rules.route, trigger, rules.digest, started, 0.0, "open", "", b"{}"))
    world.store.commit(patch, durable=False)


def _drop_run(world: World, run: int) -> None:
    patch = Patch()
    for row in world.store.get(RunRow, [(run,)]):
        patch.drop(row)
    world.store.commit(patch, durable=False)


def _close_run(world: World, report: CycleReport, bounds: Bounds, state: str) -> None:
    """Write the run's end; its `released` stays what guard made it."""
    rows = world.store.get(RunRow, [(report.run,)])
    body = encode(summary(report))
    patch = Patch()
    for row in rows:
        patch.put(row._replace(ended=world.clock.now(), state=state, body=body))
    if bounds.first and state == "done":
        rules = world.lens.rules
        patch.put(rules_row(rules, applied=1, since=world.clock.now()))
    world.store.commit(patch)


def summary(report: CycleReport) -> dict[str, object]:
    """The figures of a cycle, as a run keeps them."""
    settled = report.delivered.settled
    return {
        "read": {name: [c.read, c.new, c.changed, c.events, c.lost] for name, c in report.read.items()},
        "entities": report.decided.entities,
        "linked": report.decided.linked,
        "operations": report.decided.operations,
        "held": report.decided.held,
        "conflicts": report.decided.conflicts,
        "sent": report.delivered.sent,
        "applied": settled.applied,
        "failed": settled.failed,
        "in_doubt": report.delivered.in_doubt,
        "moved": report.delivered.moved,
        "brakes": [[brake.action, brake.reason] for brake in report.brakes],
        "left": report.left,
    }
