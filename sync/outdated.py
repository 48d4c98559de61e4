"""Work that left under other rules than those by which it is settled: what of it both sides have agreed on anyway.

Decides per field, from the operation and the present rules alone: whether what was sent still reads, and is still
written, as it was decided. What does not is no agreement; the record is decided anew from what both sides have. A field
that no rule has any more was agreed on by the rule that it had, should that come back. It knows neither the old rules
nor how an answer was got.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.normalise import Lens
from sync.plan import FieldWork, Work
from sync.rows import OperationRow


def is_outdated(lens: Lens, row: OperationRow) -> bool:
    """True if an operation was decided under other rules than the present ones."""
    return row.digest != lens.rules.digest


def agreed_still(lens: Lens, row: OperationRow, work: Work) -> Mapping[str, FieldWork]:
    """The fields of an operation, by path, whose values mean under the present rules what they were decided as, or
    nothing at all."""
    if not is_outdated(lens, row):
        return work.fields
    return {path: each for path, each in work.fields.items() if _means_the_same(lens, row, path, each, work)}


def _means_the_same(lens: Lens, row: OperationRow, path: str, field: FieldWork, work: Work) -> bool:
    topic = field.name.partition(".")[2]
    rule = lens.rule.get(field.name) or lens.topic.get(topic)
    if rule is None:
        return bool(field.fingerprint)
    cell = rule.cells.get(lens.side(row.system))
    if cell is None or cell.paths.get(row.object) != path:
        return False
    if lens.read_raw(row.system, row.object, path, field.desired) != field.half:
        return False
    return work.undo or cell.write(field.source) == field.desired
