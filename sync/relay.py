"""Decide a relaying route: records on one side only, of which nothing is written, but which bear on people.

A deal is asked by the standing rules of its own route; then the people whom it concerns are marked dirty, in the same
transaction, so that their own route decides what follows. A role that moved or was deleted marks those whom it named
before as well: the engine remembers of each role whom it named last. Nobody here knows what a deal means to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sync.decide import Decided, store_holds
from sync.note import mark_dirty
from sync.read import World
from sync.record import Ref
from sync.related import tied
from sync.remember import OWN, memory_of, standing_row
from sync.rows import Patch, RecordRow
from sync.rules import Rules
from sync.scene import Scene
from sync.stand import stand
from sync.standing import DEAL, OPENED, WHO
from sync.work import Context, Wants


class Moved(NamedTuple):
    """Whom a chunk concerns: ids of people's records, and of deals that a converted record may have opened."""

    people: set[str]
    deals: set[str]


def relay_chunk(world: World, entities: Collection[int], context: Context) -> tuple[Scene, Decided]:
    """Decide these entities and mark their people; the result stands in the scene's patch, not committed yet."""
    scene = _load(world, entities)
    done = Decided(entities=len(scene.members))
    moved = Moved(set(), set())
    for entity in list(scene.members):
        for row in scene.rows(entity):
            _name(scene, row, moved)
        wants = Wants(entity)
        if not any(scene.lens.tie_paths(row.object, DEAL) for row in scene.rows(entity)):
            stand(scene, entity, wants, context)
        done.held += store_holds(scene, wants, context)
        scene.decided.add(entity)
    _name_by_roles(world, scene, moved)
    _mark(world, moved, scene.patch)
    return scene, done


def _load(world: World, entities: Collection[int]) -> Scene:
    scene = Scene(world.lens)
    scene.add_records(world.store.records_of(entities))
    for standing in world.store.standings(entities):
        scene.standings[standing.entity][standing.rule] = standing
    for hold in world.store.holds_of(entities):
        scene.holds[hold.entity][hold.field, hold.kind] = hold
    return scene


def _name(scene: Scene, row: RecordRow, moved: Moved) -> None:
    """Take in whom a record names and, of a role, whom it named when it was looked at last."""
    people, deals = tied(scene.lens, row, WHO), tied(scene.lens, row, DEAL)
    if not scene.lens.tie_paths(row.object, DEAL):
        moved.deals.add(row.id)
        return
    held = scene.standings[row.entity].get(OWN)
    before = memory_of(held)
    moved.people.update(people, before.get(WHO, ()))
    moved.deals.update(deals, before.get(DEAL, ()))
    fresh = standing_row(row.entity, OWN, scene.lens.rules.route, {WHO: list(people), DEAL: list(deals)})
    if fresh != held:
        scene.standings[row.entity][OWN] = fresh
        scene.patch.put(fresh)


def _name_by_roles(world: World, scene: Scene, moved: Moved) -> None:
    """Take in everybody who has a role in one of the deals."""
    (side,) = scene.lens.rules.sides
    hashes = [scene.lens.tie_hash(DEAL, deal) for deal in sorted(moved.deals)]
    keys = world.store.holders(scene.lens.system(side), scene.lens.rules.kind, hashes) if hashes else ()
    roles = [key[0:1] + key[3:5] for key in keys if not key.operation]
    for row in world.store.get(RecordRow, roles) if roles else ():
        moved.people.update(tied(scene.lens, row, WHO))


def audience(world: World) -> list[Rules]:
    """The routes on whose people the records of this route bear."""
    mine = world.lens.rules.route
    return [rules for rules in world.routes if any(each.route == mine for each in rules.related)]


def _mark(world: World, moved: Moved, patch: Patch) -> None:
    (side,) = world.lens.rules.sides
    system = world.lens.system(side)
    found: dict[Ref, RecordRow] = {}
    for rules in audience(world):
        if rules.systems.get(side) != system:
            continue
        refs: set[tuple[object, ...]] = {
            Ref(system, name, id_) for id_ in moved.people for name in rules.objects[side].all
        }
        hashes = [world.lens.tie_hash(OPENED, deal) for deal in sorted(moved.deals)]
        keys = world.store.holders(system, rules.kind, hashes) if hashes else ()
        refs.update((key.system, key.object, key.id) for key in keys if not key.operation)
        found.update((row.ref, row) for row in world.store.get(RecordRow, refs) if refs)
    mark_dirty(_one_each(found.values()), world.numbers, patch)


def _one_each(rows: Iterable[RecordRow]) -> list[RecordRow]:
    """One record of each entity: that is enough to have it decided."""
    return sorted({row.entity: row for row in sorted(rows, reverse=True)}.values())
