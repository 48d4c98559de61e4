"""Look once more before an effect leaves: are its people still those for whom it was wanted? I/O through ports.

Between the decision and the moment of leaving somebody may have opted out, been handed over to a competitor's address,
or come back by a reopened deal. So the records of an effect's entity are read by id, noted, and the entity is decided
again directly before the effect leaves; what is no longer wanted then is dropped by that decision (protocol §5). The
side that the effect goes to must answer; what the other side has is taken from the last look where it does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.chunk import decide_again
from sync.errors import Retryable
from sync.plan import Job, jobs_of
from sync.read import ReadCount, World, read_refs
from sync.record import Ref, Side
from sync.rows import LEADING, LIVE, OPEN_STATES, UNSEEN, WAITING, OperationRow, RecordRow


class Enrolled:
    """Effects that may leave as they stand by now, and those whose person the vendor does not show."""

    def __init__(self) -> None:
        self.ready: list[Job] = []
        self.unseen: list[Job] = []


def look_again(world: World, place: str, run: int, jobs: Sequence[Job]) -> Enrolled:
    """Read, decide, and sort the effects of one system or channel (`place`). Raises Retryable, Fatal."""
    entities = {job.row.entity for job in jobs}
    held = world.store.records_of(entities)
    for side in world.lens.rules.sides:
        system = world.lens.system(side)
        refs = [row.ref for row in held if row.system == system and _leads(row)]
        _read(world, side, run, refs, required=system == place)
    decide_again(world, entities, run)
    found = Enrolled()
    rows = sorted(world.store.get(OperationRow, [(job.row.id,) for job in jobs]))
    shown = world.store.records_of({row.entity for row in rows})
    hidden = {row.entity for row in shown if row.state == UNSEEN and row.role == LEADING}
    for job in jobs_of(row for row in rows if _may_leave(row, world.clock.now())):
        (found.unseen if job.row.entity in hidden else found.ready).append(job)
    return found


def _leads(row: RecordRow) -> bool:
    return row.role == LEADING and row.state in (LIVE, UNSEEN)


def _read(world: World, side: Side, run: int, refs: Sequence[Ref], *, required: bool) -> None:
    try:
        read_refs(world, side, run, refs, ReadCount(), {})
    except Retryable:
        if required:
            raise


def _may_leave(row: OperationRow, now: float) -> bool:
    return row.state in OPEN_STATES and (row.state != WAITING or row.at <= now)
