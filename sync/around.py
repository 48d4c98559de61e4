"""What a settlement works on and what it counts: the rows around a batch, and the sums of its outcomes.

It decides nothing, and knows under which keys others wait for an operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.normalise import Lens
from sync.plan import Work
from sync.record import Ref
from sync.rows import BaseRow, OperationRow, RecordRow
from sync.rules import ActionKind


@dataclass(slots=True)
class Settled:
    """Counts of one settlement, and whom it frees: the claims that were given up, and who is named by id, whose waiters
    are asked again."""

    applied: int = 0
    failed: int = 0
    retried: int = 0
    adopted: int = 0
    superseded: int = 0
    freed: set[str] = field(default_factory=set)
    named: set[Ref] = field(default_factory=set)
    errors: list[tuple[str, str]] = field(default_factory=list)

    def add(self, part: Settled) -> None:
        """Count another settlement in."""
        self.applied += part.applied
        self.failed += part.failed
        self.retried += part.retried
        self.adopted += part.adopted
        self.superseded += part.superseded
        self.errors += part.errors

    def free(self, lens: Lens, around: Around, row: OperationRow, work: Work) -> None:
        """Have those asked again who may have waited for an operation."""
        self.freed |= waited_under(lens, around, row, work)
        if row.again and row.action == ActionKind.CREATE:
            for each in _people(around, row, work):
                self.freed.update(lens.id_look_ups(each))
                values = lens.known(each).values
                for name in lens.key_fields():
                    self.named.update(lens.carried(each.system, name, values.get(name)))


class Around:
    """The rows around a batch: targets, sources and bases, as they stand within the patch."""

    def __init__(self, records: Iterable[RecordRow], bases: Iterable[BaseRow]) -> None:
        self.records = {row.ref: row for row in records}
        self.bases = {row.entity: row for row in bases}
        self._members: dict[int, set[Ref]] = {}
        for row in self.records.values():
            self._members.setdefault(row.entity, set()).add(row.ref)

    def put(self, row: RecordRow) -> None:
        """Change a record, or add one."""
        self.records[row.ref] = row
        self._members.setdefault(row.entity, set()).add(row.ref)

    def of(self, entity: int) -> list[RecordRow]:
        """The records of an entity, as the batch leaves them so far."""
        rows = (self.records[ref] for ref in self._members.get(entity, ()))
        return [row for row in rows if row.entity == entity]


def waited_under(lens: Lens, around: Around, row: OperationRow, work: Work) -> set[str]:
    """The keys of those who may have waited for an operation: what it claims, and the addresses that its person
    bears by now, if it makes a record."""
    if not work.claims:
        return set()
    rows = _people(around, row, work)
    return {*work.claims, *(lens.known(each).address for each in rows)} - {""}


def _people(around: Around, row: OperationRow, work: Work) -> list[RecordRow]:
    """The records of whom an operation is about."""
    source = around.records.get(work.source)
    return around.of(source.entity if source is not None else row.entity)
