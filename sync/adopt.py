"""Notice that a route works under other rules than last time, and mark what has to be looked at again.

Another deciding part marks every record dirty from what is stored, without a call; another reading part
also reads both sides anew. Of those who are looked at again only for that nothing is announced: the watermark keeps
in `as_of` up to which mark they are. What was agreed under another field fingerprint counts as absent by itself
(protocol §1, §7). Brakes stand between a changed rule and its mass of writes.
"""

from __future__ import annotations

from sync.called import names_of, other_names, question, refusal
from sync.normalise import decode_body
from sync.read import ANEW, CHUNK, World
from sync.rows import CursorRow, HoldRow, KeyRow, Patch, RulesRow
from sync.rules import Rules


def adopt_rules(world: World) -> str:
    """Store the rules that work from now on; says what changed: "", "new", "reading" or "deciding". Raises Fatal where
    they name other systems than before."""
    rules = world.lens.rules
    held = world.store.get(RulesRow, [(rules.route,)])
    fresh = rules_row(rules, applied=0, since=world.clock.now())
    _refuse_other_names(world, held)
    if held and (held[0].reading, held[0].deciding) == (rules.reading, rules.deciding):
        if not held[0].source:  # kept before the names stood with the rules
            patch = Patch()
            patch.put(held[0]._replace(source=fresh.source))
            world.store.commit(patch)
        return ""
    _complete_keys(world)
    patch = Patch()
    patch.put(fresh._replace(applied=held[0].applied, since=held[0].since) if held else fresh)
    changed = "new"
    if held:
        changed = "deciding" if held[0].reading == rules.reading else "reading"
        _mark_all(world, patch)
        if changed == "reading":
            _read_anew(world, patch)
    world.store.commit(patch)
    return changed


def rules_row(rules: Rules, *, applied: int, since: float) -> RulesRow:
    """These rules as they stand in the journal, with the names of their systems."""
    return RulesRow(rules.route, rules.reading, rules.deciding, applied, since, names_of(rules))


def _refuse_other_names(world: World, held: list[RulesRow]) -> None:
    """Raises Fatal, and leaves a question in the inbox, as long as the rules name other systems than they did."""
    rules = world.lens.rules
    renamed = other_names(held[0], rules) if held else {}
    asked = question(rules.route, renamed, world.clock.now())
    standing = world.store.get(HoldRow, [asked[:3]])
    patch = Patch()
    if renamed and [row.body for row in standing] != [asked.body]:
        patch.put(asked)
    elif standing and not renamed:
        patch.drop(asked)
    if patch:
        world.store.commit(patch)
    if renamed:
        raise refusal(rules.route, renamed)


def _complete_keys(world: World) -> None:
    """Find records also under keys that only the new rules look for; what has been read before is not noted again.
    Found through all dirty marks ever set, because each entity bears at least one."""
    after, known = 0, set[int]()
    systems = world.lens.rules.systems.values()
    while marks := world.store.dirty(world.kind, systems, after, CHUNK):
        after = marks[-1].noted
        fresh = {mark.entity for mark in marks} - known
        known |= fresh
        wanted = {
            KeyRow(row.system, row.kind, key, row.object, row.id, 0)
            for row in world.store.records_of(fresh)
            if row.system in systems
            for key in world.lens.stored_keys(row.system, row.object, decode_body(row.body))
        }
        missing = wanted - set(world.store.get(KeyRow, [key[:5] for key in wanted]))
        if missing:
            patch = Patch()
            for row in sorted(missing):
                patch.put(row)
            world.store.commit(patch)


def _mark_all(world: World, patch: Patch) -> None:
    for mark in world.store.get(CursorRow, [("", world.kind, world.lens.rules.route)]):
        done = int(mark.value or 0)
        patch.put(mark._replace(value="0", as_of=max(done, mark.as_of)))


def _read_anew(world: World, patch: Patch) -> None:
    """Everything is read again beside the feeds, whose cursors stay: no deletion or merge is missed meanwhile."""
    for side in world.lens.rules.sides:
        patch.put(CursorRow(world.lens.system(side), world.kind, ANEW, "", 0, 0, 0.0))
