"""Verify: read the target once more before something is written over it (protocol §2, §5). I/O through ports.

Two-way fields and blanks are compared with what the operation expects; a record that has moved on is noted
and its operation dropped, to be decided again. Creates are looked up by address where no unique key protects them,
where the target was read too long ago, or where more was read than has been decided; of whom something was read since
their create was planned is decided again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.errors import RequestRefused
from sync.halves import in_halves
from sync.plan import Job, Work
from sync.read import FRONT, ReadCount, World, cursor_of, look_up_reading, moved, note_found, read_refs
from sync.record import Record, Ref, Side
from sync.rows import CursorRow
from sync.rules import ActionKind
from sync.unseen import UNREAD, UNSEEN_WAIT

FRESH = 60.0  # seconds since the target's feed was read, after which a create is looked up by address
UNREAD_FOR = 2 * UNSEEN_WAIT  # so long a record that was named and not given may be anybody


class Verdicts:
    """What verifying came to: operations that may leave, those that moved, those whose record is unseen, and those
    that the vendor refused to look up, with its word."""

    def __init__(self) -> None:
        self.ready: list[Job] = []
        self.moved: list[Job] = []
        self.unseen: list[Job] = []
        self.refused: list[tuple[Job, RequestRefused]] = []


def is_left(world: World) -> bool:
    """True if not everything that was read has been decided."""
    systems = world.lens.rules.systems.values()
    return bool(world.store.dirty(world.kind, systems, _decided(world), 1))


def _decided(world: World) -> int:
    """Up to which dirty mark the route has decided."""
    marks = world.store.get(CursorRow, [("", world.kind, world.lens.rules.route)])
    return int(marks[0].value or 0) if marks else 0


def verify(world: World, side: Side, run: int, jobs: Sequence[Job], *, left: bool = False) -> Verdicts:
    """Sort operations of one side into those that may leave and those that may not. `left`: not everything that was
    read has been decided."""
    found = Verdicts()
    if left:
        found.moved += _overtaken(world, jobs)
        gone = {job.row.id for job in found.moved}
        jobs = [job for job in jobs if job.row.id not in gone]
    updates = [job for job in jobs if job.work.verify]
    creates = _may_be_there(world, side, jobs, left=left)
    if not updates and not creates:
        found.ready += jobs
        return found
    _verify_updates(world, side, run, updates, found)
    _verify_creates(world, side, run, creates, found)
    refused = [job for job, _error in found.refused]
    checked = {job.row.id for group in (found.ready, found.moved, found.unseen, refused) for job in group}
    found.ready += [job for job in jobs if job.row.id not in checked]
    found.ready.sort(key=lambda job: job.row.id)
    return found


def _verify_updates(world: World, side: Side, run: int, jobs: Sequence[Job], found: Verdicts) -> None:
    if not jobs:
        return
    refused: dict[Ref, RequestRefused] = {}
    records = read_refs(world, side, run, [job.target for job in jobs], ReadCount(), refused)
    for job in jobs:
        record = records.get(job.target)
        if job.target in refused:
            found.refused.append((job, refused[job.target]))
        elif record is None:
            found.unseen.append(job)
        elif job.row.action == ActionKind.DELETE and record.own is False:
            found.moved.append(job)  # somebody was there, if only at a field that we do not read
        elif _is_expected(world, record, job.work):
            found.ready.append(job)
        else:
            found.moved.append(job)


def _is_expected(world: World, record: Record, work: Work) -> bool:
    ref = record.ref
    for path in work.verify:
        now = world.lens.read_raw(ref.system, ref.object, path, record.values.get(path))
        if now != world.lens.read_raw(ref.system, ref.object, path, work.fields[path].expected):
            return False
    return True


def _overtaken(world: World, jobs: Sequence[Job]) -> list[Job]:
    """Creates of whom something was read since they were planned, and not decided yet: an opt-out may be among it."""
    creates = [job for job in jobs if job.row.action == ActionKind.CREATE]
    decided = _decided(world)
    held = world.store.records_of({job.row.entity for job in creates}) if creates else []
    news = {row.entity for row in held if row.noted > decided}
    return [job for job in creates if job.row.entity in news]


def _may_be_there(world: World, side: Side, jobs: Sequence[Job], *, left: bool) -> list[Job]:
    """Creates whose person may have come into being unseen: those that no unique key protects, and all of them when
    the target's feed was last read a while ago (a unique key stops us twice, not somebody who typed the person). While
    not everybody who was read has been identified, those as well that were planned before that."""
    creates = [job for job in jobs if job.work.claims]
    if all(not job.work.unique for job in creates) or not _is_fresh(world, side):
        return creates
    read = cursor_of(world, world.lens.system(side), FRONT).as_of if left else 0
    return [job for job in creates if not job.work.unique or job.row.id < read]


def _is_fresh(world: World, side: Side) -> bool:
    """Whether the target was read just now, and gave every record that it named."""
    keys = [(world.lens.system(side), world.kind, name) for name in (FRONT, UNREAD)]
    read = {row.name: world.clock.now() - row.at for row in world.store.get(CursorRow, keys)}
    return FRONT in read and read[FRONT] <= FRESH and read.get(UNREAD, UNREAD_FOR) >= UNREAD_FOR


def _verify_creates(world: World, side: Side, run: int, jobs: Sequence[Job], found: Verdicts) -> None:
    """Look up by address, in every object that is followed, whether the person has come into being meanwhile."""
    system, capabilities = world.lens.system(side), world.connectors[side].capabilities
    for start in range(0, len(jobs), capabilities.find_batch):
        batch = jobs[start : start + capabilities.find_batch]
        addresses = {job.row.id: _address(world, job) for job in batch}
        wanted = sorted(set(addresses.values()) - {""})
        there: set[str] = set()
        refused: dict[str, RequestRefused] = {}
        for object_ in world.lens.rules.objects[side].all:
            path = world.lens.address_path(system, object_)
            if path in capabilities.find_paths.get(object_, frozenset()):
                there |= _find(world, side, run, object_, path, wanted, refused)
        for job in batch:
            error = refused.get(addresses[job.row.id])
            if there & set(job.work.claims):
                found.moved.append(job)
            elif error is not None:
                found.refused.append((job, error))
            else:
                found.ready.append(job)


def _address(world: World, job: Job) -> str:
    path = world.lens.address_path(job.row.system, job.row.object)
    return str(job.work.fields[path].desired) if path in job.work.fields else ""


def _find(
    world: World, side: Side, run: int, object_: str, path: str, wanted: Sequence[str],
    refused: dict[str, RequestRefused],
) -> set[str]:  # fmt: skip
    """Note the records of one object with these addresses, and name their keys. What a vendor still shows of a record
    that has gone on as another one is nobody's."""

    def ask(values: Sequence[str]) -> list[Record]:
        return world.connectors[side].find(world.kind, object_, path, values, world.paths(side))

    reading = look_up_reading(world, side, run, indexed=True)
    records = in_halves(ask, wanted, refused)
    note_found(world, records, reading)
    gone = moved(world, records)
    return {key for record in records if record.ref not in gone for key in _keys(world, record)}


def _keys(world: World, record: Record) -> frozenset[str]:
    ref: Ref = record.ref
    return world.lens.address_keys(ref.system, ref.object, record.values)
