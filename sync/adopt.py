"""Notice that a route works under other rules than last time, and mark what has to be looked at again.

Another deciding part marks every record dirty from what is stored, without a call; another reading part
also reads both sides anew. Of those who are looked at again only for that nothing is announced: the watermark keeps
in `as_of` up to which mark they are. What was agreed under another field fingerprint counts as absent by itself
(protocol §1, §7). Brakes stand between a changed rule and its mass of writes.
"""

from __future__ import annotations

from sync.read import ANEW, World
from sync.rows import CursorRow, Patch, RulesRow


def adopt_rules(world: World) -> str:
    """Store the rules that work from now on; says what changed: "", "new", "reading" or "deciding"."""
    rules = world.lens.rules
    held = world.store.get(RulesRow, [(rules.route,)])
    now = world.clock.now()
    fresh = RulesRow(rules.route, rules.reading, rules.deciding, 0, now, b"")
    if held and (held[0].reading, held[0].deciding) == (rules.reading, rules.deciding):
        return ""
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


def _mark_all(world: World, patch: Patch) -> None:
    for mark in world.store.get(CursorRow, [("", world.kind, world.lens.rules.route)]):
        done = int(mark.value or 0)
        patch.put(mark._replace(value="0", as_of=max(done, mark.as_of)))


def _read_anew(world: World, patch: Patch) -> None:
    """Everything is read again beside the feeds, whose cursors stay: no deletion or merge is missed meanwhile."""
    for side in world.lens.rules.sides:
        patch.put(CursorRow(world.lens.system(side), world.kind, ANEW, "", 0, 0, 0.0))
