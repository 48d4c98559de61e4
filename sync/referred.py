"""References to records of another kind, on the store's side: whom they mean, and who waits for them.

The counterparts of everything that a chunk refers to are looked up in two questions. When a record gets linked that
others refer to, those who waited for it are marked dirty in the same transaction (protocol §5).
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.note import mark_dirty
from sync.plan import Base
from sync.read import World
from sync.record import Ref
from sync.refer import WAITS, references
from sync.rows import LEADING, LIVE, RecordRow
from sync.rules import Rules
from sync.scene import Scene
from sync.standing import ACCOUNT


def load_references(world: World, scene: Scene) -> None:
    """Look up what the records of a scene refer to."""
    for rule, side in references(world.lens.rules):
        source = world.lens.system(side)
        known = (scene.known(row).values for row in scene.records.values() if row.system == source)
        values = {str(value) for each in known if (value := each.get(rule.name)) not in (None, "")}
        target = world.lens.system(side.other)
        found = _counterparts(world, rule.refers, source, target, values) if values else {}
        scene.references.append((rule, side, found))


def _counterparts(world: World, kind: str, source: str, target: str, values: Iterable[str]) -> dict[str, str]:
    """The ids across, by the ids here, of those that are linked."""
    objects = {
        name
        for rules in world.routes
        if rules.kind == kind
        for side in rules.sides
        if rules.systems[side] == source
        for name in rules.objects[side].all
    }
    refs = [Ref(source, name, value) for value in sorted(values) for name in sorted(objects)]
    named = world.store.get(RecordRow, refs) if refs else []
    across = {
        row.entity: row.id
        for row in world.store.records_of({row.entity for row in named})
        if row.system == target and row.role == LEADING and row.state == LIVE
    }
    return {row.id: across[row.entity] for row in named if row.entity in across}


def wake_referrers(world: World, scene: Scene) -> None:
    """Mark those who waited for a link of one of the decided entities, and all who name one whose link is new."""
    routes = [rules for rules in world.routes if any(rule.refers == world.kind for rule in rules.fields)]
    new: dict[str, set[str]] = {}
    old: dict[str, set[str]] = {}
    for entity in scene.decided if routes else ():
        rows = [row for side in world.lens.rules.sides if (row := scene.leading(entity, side)) is not None]
        if scene.is_linked(entity):
            group = new if _is_new(scene, entity, rows) else old
            for row in rows:
                group.setdefault(row.system, set()).add(row.id)
    for rules in routes:
        found = _tied(world, rules, new)
        waiting = _tied(world, rules, old)
        held = world.store.holds_of({row.entity for row in waiting}) if waiting else ()
        asking = {hold.entity for hold in held if hold.kind == WAITS}
        found += [row for row in waiting if row.entity in asking]
        mark_dirty({row.entity: row for row in found}.values(), world.numbers, scene.patch)


def _is_new(scene: Scene, entity: int, rows: Iterable[RecordRow]) -> bool:
    before, after = scene.before.get(entity, Base()), scene.bases.get(entity, Base())
    moved = (before.ma, before.sfa) != (after.ma, after.sfa)
    return moved or any(row.as_of == 0 for row in rows)


def _tied(world: World, rules: Rules, ids: dict[str, set[str]]) -> list[RecordRow]:
    """The records of another route that name one of these ids as theirs."""
    refs: set[tuple[object, ...]] = set()
    for system, names in ids.items():
        if system in rules.systems.values():
            hashes = [world.lens.tie_hash(ACCOUNT, name) for name in sorted(names)]
            keys = world.store.holders(system, rules.kind, hashes)
            refs.update((key.system, key.object, key.id) for key in keys if not key.operation)
    return world.store.get(RecordRow, sorted(refs, key=repr)) if refs else []
