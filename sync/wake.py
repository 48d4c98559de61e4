"""Wake entities whose time has come: a rule asked for them to be decided again though nothing changed.

The mark that a woken entity bears is an ordinary dirty mark, and its timer is spent in the same transaction: what is
not decided in this cycle is decided in the next.
"""

from __future__ import annotations

from sync.note import mark_dirty
from sync.read import World
from sync.rows import LIVE, MOVED, Patch, RecordRow


def wake_due(world: World, limit: int) -> int:
    """Mark dirty every entity of the route whose wake is due; the number of timers that were spent."""
    if not world.lens.rules.standing:
        return 0
    rows = world.store.wakes(world.lens.rules.route, world.clock.now(), limit)
    if not rows:
        return 0
    patch = Patch()
    for row in rows:
        patch.put(row._replace(wake=0.0))
    bearers: dict[int, RecordRow] = {}
    for record in world.store.records_of({row.entity for row in rows}):
        held = bearers.get(record.entity)
        if record.state != MOVED and (held is None or held.state != LIVE):
            bearers[record.entity] = record
    mark_dirty(bearers.values(), world.numbers, patch)
    world.store.commit(patch)
    return len(rows)
