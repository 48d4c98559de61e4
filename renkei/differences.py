"""What of a plan was not delivered as listed: one by one, with what was planned and what is wanted instead by now.

It decides which work of today stands against which line of the plan: work for the same record. What may still be
delivered is `planfile`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from renkei.planfile import Listed, RoutePlan
from sync.approving import Sorted
from sync.plan import decode_work
from sync.read import World
from sync.rows import OPEN_STATES, SUPERSEDED, OperationRow

MOVED, DONE, UNWANTED = "moved", "done_by_another_run", "no_longer_wanted"
STOPPED = "stopped_by_a_brake"
_CHUNK = 1_000


class Difference(msgspec.Struct, frozen=True):
    """One line of a plan that was not delivered, and why. `fields`: path -> [field, value planned, value wanted now];
    `wanted`: the paths of which anything is wanted now, because a value wanted may also be a blank."""

    why: str
    id: int
    action: str
    system: str
    object: str
    record: str
    fields: dict[str, tuple[str, Any, Any]]
    wanted: tuple[str, ...] = ()


def add_late(world: World, what: Sorted) -> None:
    """Take from what was ready those lines that moved between our look and the write."""
    for start in range(0, len(what.ready), _CHUNK):
        ids = what.ready[start : start + _CHUNK]
        rows = world.store.get(OperationRow, [(each,) for each in ids])
        what.moved += [row.id for row in rows if row.state == SUPERSEDED]
    moved = set(what.moved)
    what.ready = [each for each in what.ready if each not in moved]


def differences(
    world: World, part: RoutePlan, what: Sorted, stopped: Iterable[int] = ()
) -> Iterator[Difference]:
    """Every line of a route's plan that was not delivered, in the plan's order; `stopped`: those that a brake has
    kept."""
    why = {
        **dict.fromkeys(stopped, STOPPED),
        **dict.fromkeys(what.moved, MOVED),
        **dict.fromkeys(what.done_by_another_run, DONE),
        **dict.fromkeys(what.no_longer_wanted, UNWANTED),
    }
    others = [each for each in part.operations if each.id in why]
    for start in range(0, len(others), _CHUNK):
        chunk = others[start : start + _CHUNK]
        instead = _wanted_instead(world, [each.id for each in chunk])
        for each in chunk:
            yield _difference(each, why[each.id], instead.get(each.id, {}))


def _difference(each: Listed, why: str, instead: Mapping[str, Any]) -> Difference:
    fields = {path: (name, then, instead.get(path)) for path, (name, _now, then) in each.fields.items()}
    wanted = tuple(path for path in fields if path in instead)
    return Difference(why, each.id, each.action, each.system, each.object, each.record, fields, wanted)


def _wanted_instead(world: World, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """By listed operation: what open work wants to write to its record by now."""
    listed = world.store.get(OperationRow, [(each,) for each in ids])
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for row in world.store.open_operations({row.entity for row in listed}):
        wanted = {path: field.desired for path, field in decode_work(row.body).fields.items()}
        found.setdefault(_target(row), {}).update(wanted)
    return {row.id: found.get(_target(row), {}) for row in listed if row.state not in OPEN_STATES}


def _target(row: OperationRow) -> tuple[int, str, str]:
    return row.entity, row.system, row.record
