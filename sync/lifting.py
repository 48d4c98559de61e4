"""Take off the brake on everything that a person has seen, and no other one.

It decides what counts as the same brake: since when it stands, why, and its figures. Where another accident has come,
or more of the same, nobody has seen that yet, and it stays. Brakes on single kinds of action need no such word: they
are judged anew by what is planned.
"""

from __future__ import annotations

from sync.called import NOBODY
from sync.guard import EVERYTHING
from sync.holds import hold_hash
from sync.read import World
from sync.rows import HoldRow, Patch, RulesRow


def mark_of(brake: HoldRow) -> str:
    """Names what a brake on everything is about."""
    return hold_hash(b"%r %s" % (brake.since, brake.body))


def standing_mark(world: World) -> str:
    """The mark of the brake on everything that stands on the route ("" = none)."""
    standing = _standing(world)
    return mark_of(standing) if standing is not None else ""


def lift(world: World, patch: Patch) -> None:
    """Take off the brake on everything; what came before is no brake's business from now on."""
    standing = _standing(world)
    if standing is not None:
        patch.drop(standing)
    for rules in world.store.get(RulesRow, [(world.lens.rules.route,)]):
        patch.put(rules._replace(since=world.clock.now()))


def _standing(world: World) -> HoldRow | None:
    name = f"{world.lens.rules.route}/{EVERYTHING}"
    return next((row for row in world.store.holds_of([NOBODY]) if row.field == name), None)
