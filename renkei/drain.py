"""Run a route's cycles until nothing is left to read, to decide or to send, and doubts are settled.

It decides when the next cycle is due and when waiting any longer would be pointless. What a cycle does is the
engine's affair.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sync.cycle import Bounds, CycleReport, run_cycle
from sync.doubt import latest
from sync.errors import Retryable
from sync.guard import EVERYTHING, Brake
from sync.read import World
from sync.rows import BatchRow, CursorRow, OperationRow, Patch

PATIENCE = 60.0
TRIES = 6
SWEEP_EVERY = 300.0
LATE = 900.0
_NAP = 5.0


@dataclass(slots=True)
class Total:
    """What the cycles of one command came to; `later` is when something waits beyond our patience (unix
    seconds), `stopped` says by system why it could not be written to."""

    cycles: int = 0
    read: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    linked: int = 0
    decided: int = 0
    conflicts: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    applied: int = 0
    failed: int = 0
    in_doubt: int = 0
    moved: int = 0
    brakes: tuple[Brake, ...] = ()
    stopped: dict[str, str] = field(default_factory=dict)
    waiting_for_first: bool = False
    gave_up: Retryable | None = None
    later: float | None = None

    def add(self, report: CycleReport) -> None:
        """Count a cycle in."""
        self.cycles += 1
        for system, count in report.read.items():
            self.read[system] = self.read.get(system, 0) + count.read
            self.changed[system] = self.changed.get(system, 0) + count.new + count.changed
        for system, number in report.delivered.sent.items():
            self.sent[system] = self.sent.get(system, 0) + number
        self.linked += report.decided.linked
        self.decided += report.decided.entities
        self.conflicts += report.decided.conflicts
        self.applied += report.delivered.settled.applied
        self.failed += report.delivered.settled.failed
        self.in_doubt += report.delivered.in_doubt
        self.moved += report.delivered.moved
        self.brakes = report.brakes
        self.stopped = dict(report.delivered.stopped)
        self.waiting_for_first = report.waiting_for_first


def drain(
    world: World,
    bounds: Bounds,
    *,
    keep: Callable[[], None] = lambda: None,
    patience: float = PATIENCE,
) -> Total:
    """Run cycles to the end. `keep` is called while waiting (it renews the journal's lease).

    Only the first cycle sweeps. Raises Fatal as it comes; Retryable errors are waited out up to `patience`
    seconds each and six in a row, then `gave_up` holds the last one.
    """
    total, tries = Total(), 0
    while True:
        now = world.clock.now()
        try:
            report = run_cycle(world, bounds)
        except Retryable as error:
            tries += 1
            total.gave_up = error
            if error.after > patience or tries >= TRIES:
                return total
            wait_until(world, now + max(error.after, 2.0**tries), keep)
            continue
        total.gave_up = None
        total.add(report)
        if report.swept:
            remember_sweep(world, now)
            bounds = replace(bounds, sweep=0.0)
        due = next_moment(world, report, patience, sending=bounds.send)
        if due is None:
            return total
        now = world.clock.now()
        tries = tries + 1 if _is_stuck(report, due, now) else 0
        if tries >= TRIES:
            return total
        due = max(due, now + 2.0**tries) if tries else due
        if due > now + patience:
            total.later = due
            return total
        wait_until(world, due, keep)


def _is_stuck(report: CycleReport, due: float, now: float) -> bool:
    """True if another cycle at once would do no more: this one changed nothing, or a system took nothing."""
    idle = due <= now and not progressed(report)
    return idle or (bool(report.delivered.stopped) and not report.delivered.sent)


def next_moment(world: World, report: CycleReport, patience: float, *, sending: bool) -> float | None:
    """When the next cycle has something to do (unix seconds); None = nothing is left. Unless it is `sending`, or where
    a brake stops everything, what may leave is no reason for another one."""
    store, now, rules = world.store, world.clock.now(), world.lens.rules
    systems = list(rules.systems.values())
    if report.left or store.dirty(world.kind, systems, _watermark(world), 1):
        return now
    moments = doubts(world)
    for side in world.lens.rules.sides:
        system = world.lens.system(side)
        moments += [row.refetch_at for row in store.refetch_due(system, world.kind, now + patience, 1)]
    stopped = any(brake.action == EVERYTHING for brake in report.brakes)
    if not sending or rules.shadow or report.waiting_for_first or stopped:
        pass
    elif store.due(rules.route, now, 1):
        moments.append(now)
    elif (due := store.next_due(rules.route)) is not None:
        moments.append(due)
    return max(min(moments), now) if moments else None


def doubts(world: World) -> list[float]:
    """When each batch of this route may be looked at of which nobody knows what became of it (unix seconds). Those of
    other routes are theirs to settle."""
    everybody = {world.lens.system(side): world.connectors[side] for side in world.lens.rules.sides}
    found: list[float] = []
    for name, connector in {**everybody, **world.channels}.items():
        facts = connector.capabilities
        found += [
            latest(facts, batch) + facts.server_timeout + facts.visibility_lag
            for batch in world.store.batches(name)
            if _is_ours(world, batch)
        ]
    return found


def _is_ours(world: World, batch: BatchRow) -> bool:
    rows = world.store.get(OperationRow, [(number,) for number in json.loads(batch.body)[:1]])
    return any(row.route == world.lens.rules.route for row in rows)


def progressed(report: CycleReport) -> bool:
    """True if the cycle changed what there is to do."""
    delivered = report.delivered
    settled = delivered.settled
    moved = delivered.moved or settled.superseded or settled.retried or settled.failed
    return bool(report.left or report.decided.entities or delivered.sent or delivered.in_doubt or moved)


def wait_until(world: World, moment: float, keep: Callable[[], None]) -> None:
    """Wait, and keep the lease meanwhile."""
    while (rest := moment - world.clock.now()) > 0:
        world.clock.sleep(min(rest, _NAP))
        keep()


def sweep_reach(world: World) -> float:
    """How far back the next sweep has to look, in seconds; 0 = the last one is recent enough."""
    now = world.clock.now()
    keys = [(world.lens.system(side), world.kind, "sweep") for side in world.lens.rules.sides]
    rows = world.store.get(CursorRow, keys)
    if len(rows) < len(keys):
        return 0.0  # the first full read is the first look at everything
    age = now - min(row.at for row in rows)
    return age + LATE if age >= SWEEP_EVERY else 0.0


def remember_sweep(world: World, at: float) -> None:
    """Count the next sweep from this time."""
    patch = Patch()
    for side in world.lens.rules.sides:
        patch.put(CursorRow(world.lens.system(side), world.kind, "sweep", "", 1, 0, at))
    world.store.commit(patch)


def begin_sweeps(world: World, at: float) -> None:
    """Count sweeps from the first full read, if none was ever made."""
    keys = [(world.lens.system(side), world.kind, "sweep") for side in world.lens.rules.sides]
    if len(world.store.get(CursorRow, keys)) < len(keys):
        remember_sweep(world, at)


def _watermark(world: World) -> int:
    rows = world.store.get(CursorRow, [("", world.kind, world.lens.rules.route)])
    return int(rows[0].value or 0) if rows else 0
