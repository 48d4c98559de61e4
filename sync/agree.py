"""What a write that has arrived makes both sides agree on: the pair (decided from, sent), field by field (protocol §3).

Pure. Halves come from the operation, never from what is seen by then, and hold under the rule that it was decided by,
also where the present rules have lost the field: should it come back, it is known whose word stands there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.around import Around
from sync.normalise import Lens
from sync.outdated import agreed_under
from sync.plan import Base, FieldWork, Half, Job, decode_base, encode_base, taken_back, written_mark
from sync.possible import is_possible
from sync.record import SIDES, Raw, Side, Value
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
    for path, field in work.fields.items():
        old = halves.get(field.name)
        under = agreed_under(lens, job, path, old)
        if under:
            half = _half(lens, field, _there(lens, target, path, field, returned), under, side, old, now)
            halves[field.name] = taken_back(half, old, side if moved else None) if work.undo else half
    return BaseRow(target.entity, row.route, encode_base(Base(base.ma, base.sfa, halves)))


def _there(
    lens: Lens, target: RecordRow, path: str, field: FieldWork, returned: Mapping[str, Raw] | None
) -> Value:
    """What the target has from now on."""
    if returned is not None and path in returned:
        return lens.read_raw(target.system, target.object, path, returned[path])
    return field.half


def _half(
    lens: Lens, field: FieldWork, there: Value, under: str, side: Side, old: Half | None, now: float
) -> Half:
    rule = lens.rule.get(field.name)
    written: tuple[str, ...] = ()
    if rule is not None and rule.can_circle:
        before = old.written if old is not None else ()
        written = (*before, written_mark(field.source, now))[-KEEP_WRITTEN:]
    if side is Side.MA:
        return Half(under, there, field.source, written)
    return Half(under, field.source, there, written)
