"""What a write that has arrived makes both sides agree on: the pair (decided from, sent), field by field (protocol §3).

Pure. Halves come from the operation, never from what is seen by then, and hold under the rule that it was decided by,
also where the present rules have lost the field: should it come back, it is known whose word stands there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.around import Around
from sync.normalise import Lens
from sync.outdated import agreed_still
from sync.plan import Base, FieldWork, Half, Job, decode_base, encode_base, taken_back, written_mark
from sync.possible import is_possible
from sync.record import SIDES, Raw, Side
from sync.rows import LEADING, BaseRow, RecordRow

KEEP_WRITTEN = 16


def agreed(
    lens: Lens, around: Around, target: RecordRow, job: Job, returned: Mapping[str, Raw] | None, now: float
) -> BaseRow | None:
    """The base once an operation has arrived at its target; None where it does not belong to the records that lead.
    `returned`: the values that the vendor says stand there now."""
    row, work = job
    source = around.records.get(work.source)
    if target.role != LEADING or source is None or source.entity != target.entity:
        return None
    if source.system == target.system:
        return None  # an opt-out may come from another record of the same side: that agrees on nothing across
    side = lens.side(target.system)
    names = {side: f"{target.object}/{target.id}", side.other: f"{source.object}/{source.id}"}
    held = around.bases.get(target.entity)
    base = decode_base(held.body) if held is not None else Base()
    if is_possible(base):
        base = Base(names[Side.MA], names[Side.SFA], {})
    moved = any(base.leading(each) != names[each] for each in SIDES)
    if moved and not (work.undo and base.leading(side) == names[side]):
        return None
    halves = dict(base.halves)
    for path, field in agreed_still(lens, row, work).items():
        old = halves.get(field.name)
        half = _half(lens, field, path, target, returned, old, now)
        halves[field.name] = taken_back(half, old, side if moved else None) if work.undo else half
    return BaseRow(target.entity, row.route, encode_base(Base(base.ma, base.sfa, halves)))


def _half(
    lens: Lens, field: FieldWork, path: str, target: RecordRow, returned: Mapping[str, Raw] | None,
    old: Half | None, now: float,
) -> Half:  # fmt: skip
    rule = lens.rule.get(field.name)
    known = rule or lens.topic.get(field.name.partition(".")[2])
    there = field.half
    if known is not None and returned is not None and path in returned:
        there = lens.read_raw(target.system, target.object, path, returned[path])
    written: tuple[str, ...] = ()
    if rule is not None and rule.can_circle:
        before = old.written if old is not None else ()
        written = (*before, written_mark(field.source, now))[-KEEP_WRITTEN:]
    fingerprint = known.fingerprint if known is not None else field.fingerprint
    if lens.side(target.system) is Side.MA:
        return Half(fingerprint, there, field.source, written)
    return Half(fingerprint, field.source, there, written)
