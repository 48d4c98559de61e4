"""Delivering chosen operations now, whatever the brakes say: a first delivery, a plan that was let go, another try.

It decides when such a delivery is over, and what the journal keeps of a route that was let go. It holds no rule
about persons or fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from renkei.canary import remember, rows_of
from renkei.drain import doubts, wait_until
from renkei.settings import Project
from renkei.wire import look
from sync.adopt import rules_row
from sync.plan import decode_work
from sync.read import World, sent_operations
from sync.rows import AGREED_TRIGGERS, FAILED, PENDING, PLANNED, Patch, RulesRow, RunRow
from sync.send import Delivered, Delivery, resolve_doubts

_CHUNK = 1_000
_ROUNDS = 20


def deliver_these(
    world: World, ids: Sequence[int], trigger: str, keep: Callable[[], None]
) -> tuple[Delivered, float]:
    """Send these planned or refused operations now, whatever the brakes say, and settle their doubts.

    Returns what the delivery came to and when it ended (unix seconds). Raises Fatal.
    """
    run = world.numbers()
    started = world.clock.now()
    rules = world.lens.rules
    opened = RunRow(run, rules.route, trigger, rules.digest, started, 0.0, "open", "", b"{}")
    patch = Patch()
    patch.put(opened)
    world.store.commit(patch)
    for start in range(0, len(ids), _CHUNK):
        let_go(world, ids[start : start + _CHUNK], run if trigger in AGREED_TRIGGERS else 0)
    done = Delivered()
    for tries in range(_ROUNDS):
        _add(done, Delivery(world, run).deliver())
        resolve_doubts(world, run)
        away = sent_operations(world)
        left = [row.at for row in rows_of(world, ids) if row.state == PENDING and row.id not in away]
        moments = left + doubts(world)
        if not moments or min(moments) > world.clock.now() + 60.0:
            break
        pause = 2.0 ** min(tries, 4) if done.stopped else 0.0
        wait_until(world, max(min(moments), world.clock.now() + pause), keep)
    patch = Patch()
    ended = world.clock.now()
    patch.put(opened._replace(ended=ended, state="done"))
    world.store.commit(patch)
    return done, ended


def refused(project: Project, route: str) -> list[int]:
    """Operations that a system refused and that wait for their next try."""
    from state.answers import Which
    from state.views import operations

    with look(project) as reader:
        return [each.id for each in operations(reader, Which(route=route, states=(FAILED,)), limit=1_000_000)]


def mark_applied(world: World) -> None:
    """From now on the route delivers by itself, within its brakes."""
    patch = Patch()
    patch.put(rules_row(world.lens.rules, applied=1, since=world.clock.now()))
    world.store.commit(patch)
    remember(world, ())


def was_applied(world: World) -> bool:
    """True once a first plan was delivered."""
    rows = world.store.get(RulesRow, [(world.lens.rules.route,)])
    return bool(rows and rows[0].applied)


def let_go(world: World, ids: Sequence[int], agreed: int = 0) -> None:
    """Have these planned or refused operations leave with the next delivery. `agreed`: the run that a person agreed to
    as a whole, whose they are from now on, so that they use up no limit; what an undo wants stays its own."""
    patch = Patch()
    for row in rows_of(world, ids):
        if row.state in (PLANNED, FAILED):
            run = agreed if agreed and not decode_work(row.body).undo else row.run
            patch.put(row._replace(state=PENDING, at=0.0, run=run))
    if patch:
        world.store.commit(patch)


def _add(total: Delivered, part: Delivered) -> None:
    for system, number in part.sent.items():
        total.sent[system] = total.sent.get(system, 0) + number
    total.in_doubt += part.in_doubt
    total.moved += part.moved
    total.stopped = part.stopped
    total.settled.applied += part.settled.applied
    total.settled.failed += part.settled.failed
