"""Records that name one another by id: in a field of the one stands which record across the other is.

Pure over a scene. It finds them; what follows from it is decided elsewhere.
"""

from __future__ import annotations

from sync.record import Ref
from sync.rows import LIVE, MOVED, RecordRow, went_on_as
from sync.scene import Scene


def named(scene: Scene, row: RecordRow) -> list[RecordRow]:
    """Live records across that carry this record's id, or whose id this record carries."""
    return [other for other in by_id(scene, row) if other.state == LIVE]


def by_id(scene: Scene, row: RecordRow) -> list[RecordRow]:
    """Records across that carry this record's id, or whose id this record carries, themselves or in a record that
    was merged into them."""
    lens = scene.lens
    system = lens.system(lens.side(row.system).other)
    found: dict[Ref, RecordRow] = {}
    for name in lens.key_fields():
        if lens.is_own_id(row.system, name):
            rows = scene.bearing(system, lens.id_hash(name, row.id))
        else:
            rows = _carried(scene, row, name)
        found.update((other.ref, other) for other in (survivor(scene, each) for each in rows))
    return list(found.values())


def _carried(scene: Scene, row: RecordRow, name: str) -> list[RecordRow]:
    """Records across whose id stands in a key field of this record."""
    refs = scene.lens.carried(row.system, name, scene.known(row).values.get(name))
    return [scene.records[ref] for ref in refs if ref in scene.records]


def survivor(scene: Scene, row: RecordRow) -> RecordRow:
    """The record that a merged or converted one went on as, as far as we hold it."""
    for _ in range(16):
        if row.state != MOVED:
            return row
        following = scene.records.get(went_on_as(row))
        if following is None:
            return row
        row = following
    return row


def elsewhere(scene: Scene, entity: int) -> list[RecordRow]:
    """Live records of others who have a create that name, or are named in, a live record of this entity."""
    rows = [row for row in scene.rows(entity) if row.state == LIVE] if scene.others_created(entity) else []
    found = (other for row in rows for other in named(scene, row))
    return [other for other in found if other.entity != entity and other.entity in scene.creates]


def made_by(scene: Scene, entity: int) -> int:
    """A create that has left for somebody else and may have made one of an entity's records, which bears the id of its
    source (0 = none): by that id it is found, so nothing is written over it."""
    for row in scene.rows(entity) if scene.sent and scene.others_created(entity) else ():
        for other in (each for name in scene.lens.key_fields() for each in _carried(scene, row, name)):
            creating = scene.creating(other.entity)
            if row.state == LIVE and creating and other.entity != entity:
                return creating
    return 0
