"""Have records that somebody doubts read by id and decided anew: a person's word, done at the start of a cycle.

What is believed of them is not changed here: it only asks. A name that nobody knows gets a place, as every name does
that a vendor has told and nobody has read yet.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sync.life import placeholder
from sync.note import Reading
from sync.read import World
from sync.record import Ref
from sync.rows import DONE, NEW, CommandRow, Patch, RecordRow

REREAD = "reread"


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """Records (system, object, id) to be read by id and decided anew, also those that nobody knows yet."""

    records: tuple[tuple[str, str, str], ...]


def reread(at: float, route: str, refs: Iterable[Ref]) -> CommandRow:
    """The word as a row without a number, for whoever puts it into the journal."""
    records = tuple((each.system, each.object, each.id) for each in refs)
    return CommandRow(0, at, REREAD, route, NEW, msgspec.json.encode(Reread(records=records)))


def mark_doubted(world: World) -> int:
    """Mark the records that were named to be read at once and decided; names that are none of this route's are
    passed over. How many words were done."""
    done = 0
    for row in world.store.commands(world.lens.rules.route):
        if row.kind == REREAD:
            patch = Patch()
            _mark(world, msgspec.json.decode(row.body, type=Reread), patch)
            patch.put(row._replace(state=DONE))
            world.store.commit(patch)
            done += 1
    return done


def _mark(world: World, said: Reread, patch: Patch) -> None:
    lens, now = world.lens, world.clock.now()
    ours = {(lens.system(side), name) for side in lens.rules.sides for name in lens.rules.objects[side].all}
    refs = [Ref(*each) for each in said.records if each[:2] in ours and each[2]]
    held = {each.ref: each for each in world.store.get(RecordRow, refs)} if refs else {}
    for ref in refs:
        row = held.get(ref)
        if row is None:
            patch.put(placeholder(ref, _reading(ref.system, world.kind, now), world.numbers()))
        elif row.kind == world.kind:
            patch.put(row._replace(refetch_at=now, noted=world.numbers()))


def _reading(system: str, kind: str, now: float) -> Reading:
    return Reading(system=system, kind=kind, as_of=0, asked_at=now, now=now, indexed=False, lag=0.0, run=0)
