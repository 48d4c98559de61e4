"""Work that left under other rules than those by which it is settled: what of it both sides have agreed on anyway.

Decides per field. What was agreed on was agreed under the rule by which the operation was decided, whose fingerprint it
carries: it counts under no other one (protocol §1), and again should that rule come back. Where none is known (an
opt-out, an older journal) it counts as far as what was sent still reads, and is still written, as it was decided. It
does not know how an answer was got.
"""

from __future__ import annotations

from sync.normalise import Lens
from sync.plan import FieldWork, Half, Job, Work
from sync.rows import OperationRow


def is_outdated(lens: Lens, row: OperationRow) -> bool:
    """True if an operation was decided under other rules than the present ones."""
    return row.digest != lens.rules.digest


def agreed_under(lens: Lens, job: Job, path: str, held: Half | None) -> str:
    """The fingerprint under which a field of an operation is agreed on ("" = it is not): that of the rule by which it
    was decided. What is agreed under the present rule already stays before what was agreed under another one."""
    row, work = job
    field = work.fields[path]
    rule = lens.rule.get(field.name) or lens.topic.get(field.name.partition(".")[2])
    now = rule.fingerprint if rule is not None else ""
    if not is_outdated(lens, row) or field.fingerprint == now:
        return now
    if not field.fingerprint:
        return now if _means_the_same(lens, row, path, field, work) else ""
    return "" if held is not None and held.fingerprint == now else field.fingerprint


def _means_the_same(lens: Lens, row: OperationRow, path: str, field: FieldWork, work: Work) -> bool:
    topic = field.name.partition(".")[2]
    rule = lens.rule.get(field.name) or lens.topic.get(topic)
    cell = rule.cells.get(lens.side(row.system)) if rule is not None else None
    if rule is None or cell is None or cell.paths.get(row.object) != path:
        return False
    if lens.read_raw(row.system, row.object, path, field.desired) != field.half:
        return False
    return work.undo or cell.write(field.source) == field.desired
