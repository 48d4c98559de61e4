"""What may have come of writes that nobody could look at: remembered, so that it comes back as nobody's edit.

Pure. A create whose answer was lost may have made whatever record the person is linked with later: where that shows
what was sent, both sides had the value when the create was decided, and the pair is agreed, whoever typed the record.
A write whose record was deleted before anybody could look may show again with a restored record.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.around import Around
from sync.confirm import Sent, pack, waiting
from sync.normalise import Known, Lens, decode_body, encode
from sync.plan import Base, FieldWork, Half, Work, decode_base, encode_base
from sync.record import Side
from sync.rows import BaseRow, OperationRow, RecordRow

ANYBODY = ""  # stands in a base for the record across, while nobody knows which one it is
EARLIER = "|"  # behind a field's name there: what an earlier create sent, which may have arrived as well
MOST = 4  # creates of one person whose answers were lost are remembered, the latest ones


def is_possible(base: Base) -> bool:
    """True if a base is only what a create may have led to."""
    return ANYBODY in (base.ma, base.sfa)


def base_of_create(lens: Lens, around: Around, row: OperationRow, work: Work) -> BaseRow | None:
    """The pairs (decided from, sent) of a create, as the base of whatever record will lead there, beside those of
    earlier ones; None where the person has a base of better knowledge."""
    source = around.records.get(work.source)
    held = around.bases.get(source.entity) if source is not None else None
    old = decode_base(held.body) if held is not None else Base()
    if source is None or (held is not None and not is_possible(old)):
        return None
    side = lens.side(row.system)
    halves = {
        field.name: Half(under, field.source, field.source).with_side(side, field.half)
        for field in work.fields.values()
        if (under := _under(lens, field))
    }
    name = f"{source.object}/{source.id}"
    ends = (ANYBODY, name) if side is Side.MA else (name, ANYBODY)
    if (old.ma, old.sfa) == ends:
        halves |= _earlier(halves, old.halves)
    return BaseRow(source.entity, row.route, encode_base(Base(*ends, halves)))


def _under(lens: Lens, field: FieldWork) -> str:
    """The fingerprint under which a field was decided ("" = opt-outs, which are agreed on by themselves)."""
    rule = lens.rule.get(field.name)
    return field.fingerprint or (rule.fingerprint if rule is not None else "")


def _earlier(halves: Mapping[str, Half], old: Mapping[str, Half]) -> dict[str, Half]:
    """What earlier creates sent otherwise, under names of its own, the latest first."""
    found: dict[str, Half] = {}
    for name, half in old.items():
        known = [each for other, each in (*halves.items(), *found.items()) if _field(other) == _field(name)]
        if half not in known and len(known) < MOST:
            found[_field(name) + EARLIER * len(known)] = half
    return found


def _field(name: str) -> str:
    return name.rstrip(EARLIER)


def shown(halves: Mapping[str, Half], side: Side, known: Known) -> dict[str, Half]:
    """The halves that a record bears out: it has the value that was sent, by the latest create that sent it."""
    found: dict[str, Half] = {}
    for name, half in halves.items():
        field = _field(name)
        if field in known.values and known.values[field] == half.of(side):
            found.setdefault(field, half)
    return found


def with_doubt(lens: Lens, around: Around, held: RecordRow, row: OperationRow, work: Work) -> RecordRow:
    """A record that is gone, or of which the rules read less, as it may stand since a write that nobody saw arrive."""
    body, left = decode_body(held.body), waiting(held)
    before = _halves_of(lens, around, held)
    for path, field in work.fields.items():
        half = before.get(field.name)
        agreed = (half.ma, half.sfa) if half is not None and half.fingerprint == field.fingerprint else ()
        sent = Sent(row.id, field.expected, field.desired, 0, alone=False, doubt=True, agreed=agreed)
        left[path], body[path] = sent, field.desired
    return held._replace(body=encode(body), unconfirmed=pack(left))


def _halves_of(lens: Lens, around: Around, held: RecordRow) -> Mapping[str, Half]:
    """What is agreed on of a record with the one that leads across."""
    row = around.bases.get(held.entity)
    base = decode_base(row.body) if row is not None else Base()
    ours = base.leading(lens.side(held.system)) == f"{held.object}/{held.id}"
    return base.halves if ours and not is_possible(base) else {}
