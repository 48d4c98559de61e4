"""What brakes need of the journal, and what they leave there: planned and written work, brakes that stand, releases.

Whether a brake is put on is decided by pure rules (sync.guard); this module asks the store for their figures, keeps
standing brakes in the inbox, and says what of a run may leave.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sync.commands import approved_in, released_too
from sync.guard import EVERYTHING, Brake, Traffic, guard
from sync.normalise import encode
from sync.read import World
from sync.rows import BACKFILL, PENDING, CursorRow, HoldRow, Patch, RulesRow, RunRow
from sync.rules import ActionKind
from sync.source import ENVIRONMENT, READING, clock_brakes, look_at

HOUR, DAY, FOR_EVER = 3_600.0, 86_400.0, float("inf")
NOBODY = 0


def kept_brake(world: World, *, clock_is_right: bool = True) -> Brake | None:
    """The brake on everything that an earlier cycle put on: it stands for a day, or until a person lets a plan go. By
    a clock that is wrong no day has passed."""
    route, now = world.lens.rules.route, world.clock.now()
    oldest = max(agreed_at(world), now - DAY if clock_is_right else 0.0)
    for row in world.store.holds_of([NOBODY]):
        if row.field == f"{route}/{EVERYTHING}" and row.since > oldest:
            return _on_everything(row)
    return None


def standing_brake(world: World) -> Brake | None:
    """The brake on everything between two cycles, for whoever sends beside them: what the last one has put on, and what
    the next one will put on for what was read since."""
    clocks = clock_brakes(world)
    if clocks:
        return clocks[0]
    route = world.lens.rules.route
    passing = {f"{route}/{READING}", f"{route}/{ENVIRONMENT}"}
    found = [_on_everything(row) for row in world.store.holds_of([NOBODY]) if row.field in passing]
    kept = kept_brake(world)
    found += [kept] if kept is not None else look_at(world, {}, agreed_at(world)).brakes
    return found[0] if found else None


def _on_everything(row: HoldRow) -> Brake:
    return msgspec.convert(msgspec.json.decode(row.body) | {"action": EVERYTHING}, Brake)


def agreed_at(world: World) -> float:
    """When a person last agreed to a plan as a whole (unix seconds); what came before is no brake's business."""
    return max((row.since for row in world.store.get(RulesRow, [(world.lens.rules.route,)])), default=0.0)


def show_brakes(world: World, brakes: tuple[Brake, ...], patch: Patch) -> None:
    """Keep the standing brakes of the route in the inbox, and only those."""
    route = world.lens.rules.route
    standing = {row.field: row for row in world.store.holds_of([NOBODY]) if row.route == route}
    shown = {brake.name: brake for brake in reversed(brakes)}  # of two with one name the first
    for brake in shown.values():
        name = f"{route}/{brake.name}"
        old = standing.pop(name, None)
        body = encode({"reason": brake.reason, "count": brake.count, "limit": brake.limit})
        # Another accident is another brake: it has a day of its own, and nobody has agreed to it.
        same = old is not None and (brake.name != EVERYTHING or old.body == body)
        since = old.since if old is not None and same else world.clock.now()
        patch.put(HoldRow(NOBODY, name, "brake", route, since, body, ""))
    for row in standing.values():
        patch.drop(row)


def judge_again(world: World, stay: tuple[Brake, ...]) -> tuple[Brake, ...]:
    """The brakes that stand once chosen operations were delivered: those that `stay`, and on single kinds of action
    what is left of them."""
    found = (*stay, *guard(traffic_of(world, {}), world.lens.rules.limits))
    patch = Patch()
    show_brakes(world, found, patch)
    if patch:
        world.store.commit(patch)
    return found


def released_of(run: RunRow, allowed: str, brakes: tuple[Brake, ...]) -> str:
    """What of a run may leave: what no brake stops, and what a person let go, unless everything is stopped."""
    if any(brake.action == EVERYTHING for brake in brakes):
        return allowed
    return released_too(allowed, approved_in(run))


def planned_of(world: World) -> Mapping[tuple[int, str], int]:
    """Planned work that waits for the brakes. What an unfinished backfill wants leaves by that backfill, behind its own
    canary."""
    route = world.lens.rules.route
    found = world.store.planned(route)
    if not found or not world.store.get(CursorRow, [("", BACKFILL, route)]):
        return found
    runs = world.store.get(RunRow, [(run,) for run in {run for run, _action in found}])
    apart = {row.id for row in runs if row.trigger == BACKFILL}
    return {key: count for key, count in found.items() if key[0] not in apart}


def traffic_of(world: World, lost: Mapping[str, int]) -> Traffic:
    """What the brakes look at; `lost`: records by system that this cycle's reading no longer found."""
    route, now = world.lens.rules.route, world.clock.now()
    planned: dict[str, int] = {}
    for (_run, action), count in planned_of(world).items():
        planned[action] = planned.get(action, 0) + count
    systems = world.lens.rules.systems.values()
    agreed = agreed_at(world)
    return Traffic(
        planned=planned,
        hour=world.store.written(route, max(now - HOUR, agreed)),
        day=world.store.written(route, max(now - DAY, agreed)),
        linked=world.store.count_linked(route),
        held={system: world.store.count_records(system, world.kind) for system in systems},
        lost=lost,
        leaving=_leaving(world),
    )


def _leaving(world: World) -> int:
    """Opt-outs that were let go and are not applied, as far as they are counted (their lane comes first)."""
    limit = world.lens.rules.limits[ActionKind.OPT_OUT]
    due = world.store.due(world.lens.rules.route, FOR_EVER, 2 * limit.number)
    return sum(row.action == ActionKind.OPT_OUT and row.state == PENDING for row in due)
