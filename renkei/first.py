"""The first delivery of a route: everything is planned, a few go first and are read back, then the rest follows.

It decides which operations are the canary and what their return means. Choosing is by content hash, so that it
is as good as random and the same when repeated. It holds no rule about persons or fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from renkei.drain import wait_until
from renkei.settings import Project
from renkei.wire import look
from sync.cycle import NOBODY
from sync.doubt import ripe_at
from sync.plan import Work, decode_work, target_of
from sync.read import ReadCount, World, read_refs, sent_operations
from sync.record import Record, Side
from sync.rows import APPLIED, FAILED, OPEN_STATES, PENDING, PLANNED, OperationRow, Patch, RulesRow, RunRow
from sync.send import Delivered, Delivery, resolve_doubts

TOLERANCE = 0.02
_CHUNK = 1_000
_ROUNDS = 20


@dataclass(slots=True)
class Canary:
    """What became of the few: by (system, action) how many were sent, and how many did not come back as sent;
    `fields` counts values that differ by (system, path)."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def alarms(self) -> list[tuple[str, str]]:
        """Kinds of action of which more than two in a hundred went wrong."""
        return [kind for kind, sent in self.sent.items() if self.wrong[kind] > sent * TOLERANCE]


def choose(operations: Iterable[tuple[int, str, str, str]], number: int) -> tuple[dict[str, int], list[int]]:
    """How many operations (id, system, action, content hash) each system gets, and at most `number` of each system
    and action, picked as evenly as the hashes are. Keeps a few times what it picks, however many there are."""
    totals: dict[str, int] = {}
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for id_, system, action, content in operations:
        totals[system] = totals.get(system, 0) + 1
        group = groups.setdefault((system, action), [])
        group.append((content, id_))
        if len(group) >= 8 * number + _CHUNK:
            group.sort()
            del group[number:]
    return totals, sorted(id_ for group in groups.values() for _hash, id_ in sorted(group)[:number])


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
        _let_go(world, ids[start : start + _CHUNK])
    done = Delivered()
    for tries in range(_ROUNDS):
        _add(done, Delivery(world, run).deliver())
        resolve_doubts(world, run)
        away = sent_operations(world)
        left = [row.at for row in _rows(world, ids) if row.state == PENDING and row.id not in away]
        moments = left + _ripe(world)
        if not moments or min(moments) > world.clock.now() + 60.0:
            break
        pause = 2.0 ** min(tries, 4) if done.stopped else 0.0
        wait_until(world, max(min(moments), world.clock.now() + pause), keep)
    patch = Patch()
    ended = world.clock.now()
    patch.put(opened._replace(ended=ended, state="done"))
    world.store.commit(patch)
    return done, ended


def look_back(world: World, ids: Sequence[int], ended: float, keep: Callable[[], None]) -> Canary:
    """Read the canary's records again, once the vendors show what was written, and compare value by value."""
    found = Canary()
    for side in Side:
        system = world.lens.system(side)
        rows = [row for row in _rows(world, ids) if row.system == system]
        if not rows:
            continue
        wait_until(world, ended + world.connectors[side].capabilities.visibility_lag, keep)
        refs = [target_of(row) for row in rows if row.record]
        records = read_refs(world, side, world.numbers(), list(dict.fromkeys(refs)), ReadCount())
        for row in rows:
            _judge(world, row, records.get(target_of(row)), found)
    return found


def refused(project: Project, route: str) -> list[int]:
    """Operations that a system refused and that wait for their next try."""
    from state.answers import Which
    from state.views import operations

    with look(project) as reader:
        return [each.id for each in operations(reader, Which(route=route, states=(FAILED,)), limit=1_000_000)]


def mark_applied(world: World) -> None:
    """From now on the route delivers by itself, within its brakes; those that stood are answered by this."""
    rules = world.lens.rules
    patch = Patch()
    patch.put(RulesRow(rules.route, rules.reading, rules.deciding, 1, world.clock.now(), b""))
    for row in world.store.holds_of([NOBODY]):
        if row.route == rules.route:
            patch.drop(row)
    world.store.commit(patch)


def was_applied(world: World) -> bool:
    """True once a first plan was delivered."""
    rows = world.store.get(RulesRow, [(world.lens.rules.route,)])
    return bool(rows and rows[0].applied)


def _let_go(world: World, ids: Sequence[int]) -> None:
    patch = Patch()
    for row in _rows(world, ids):
        if row.state in (PLANNED, FAILED):
            patch.put(row._replace(state=PENDING, at=0.0))
    if patch:
        world.store.commit(patch)


def _rows(world: World, ids: Sequence[int]) -> list[OperationRow]:
    return world.store.get(OperationRow, [(number,) for number in ids])


def _ripe(world: World) -> list[float]:
    return [
        ripe_at(world, side, batch) for side in Side for batch in world.store.batches(world.lens.system(side))
    ]


def _judge(world: World, row: OperationRow, record: Record | None, found: Canary) -> None:
    kind = (row.system, row.action)
    found.sent[kind] += 1
    if row.state != APPLIED:
        # A superseded one met a person's own change and is decided again: that is no fault of the mapping.
        if row.state in OPEN_STATES:
            found.wrong[kind] += 1
            found.reasons[row.reason or row.state] += 1
        return
    if record is None:
        found.wrong[kind] += 1
        found.reasons["not shown by the vendor"] += 1
        return
    differing = _differing(world, record, decode_work(row.body))
    found.fields.update((row.system, path) for path in differing)
    found.wrong[kind] += bool(differing)


def _differing(world: World, record: Record, work: Work) -> list[str]:
    ref = record.ref
    read = world.lens.read_raw
    return [
        path
        for path, each in work.fields.items()
        if path in record.values
        and read(ref.system, ref.object, path, record.values[path])
        != read(ref.system, ref.object, path, each.desired)
    ]


def _add(total: Delivered, part: Delivered) -> None:
    for system, number in part.sent.items():
        total.sent[system] = total.sent.get(system, 0) + number
    total.in_doubt += part.in_doubt
    total.moved += part.moved
    total.stopped = part.stopped
    total.settled.applied += part.settled.applied
    total.settled.failed += part.settled.failed
