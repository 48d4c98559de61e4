"""Verify: read the target once more before something is written over it (protocol §2, §5). I/O through ports.

Two-way fields and blanks are compared with what the operation expects; a record that has moved on is noted
and its operation dropped, to be decided again. Creates that no unique key protects are looked up by address.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.errors import RequestRefused
from sync.halves import in_halves
from sync.plan import Job, Work
from sync.read import ReadCount, World, look_up_reading, note_found, read_refs
from sync.record import Record, Ref, Side


class Verdicts:
    """What verifying came to: operations that may leave, those that moved, those whose record is unseen, and those
    that the vendor refused to look up, with its word."""

    def __init__(self) -> None:
        self.ready: list[Job] = []
        self.moved: list[Job] = []
        self.unseen: list[Job] = []
        self.refused: list[tuple[Job, RequestRefused]] = []


def verify(world: World, side: Side, run: int, jobs: Sequence[Job]) -> Verdicts:
    """Sort operations of one side into those that may leave and those that may not."""
    found = Verdicts()
    updates = [job for job in jobs if job.work.verify]
    creates = [job for job in jobs if job.work.claims and not job.work.unique]
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


def _verify_creates(world: World, side: Side, run: int, jobs: Sequence[Job], found: Verdicts) -> None:
    """Look up by address whether the person has come into being meanwhile."""
    if not jobs:
        return
    object_ = jobs[0].row.object
    path = world.lens.address_path(world.lens.system(side), object_)
    capabilities = world.connectors[side].capabilities
    if path not in capabilities.find_paths.get(object_, frozenset()):
        found.ready += jobs
        return

    def ask(values: Sequence[str]) -> list[Record]:
        return world.connectors[side].find(world.kind, object_, path, values, world.paths(side))

    refused: dict[str, RequestRefused] = {}
    for start in range(0, len(jobs), capabilities.find_batch):
        batch = jobs[start : start + capabilities.find_batch]
        wanted = {job.row.id: str(job.work.fields[path].desired) for job in batch if path in job.work.fields}
        reading = look_up_reading(world, side, run, indexed=True)
        records = in_halves(ask, sorted(set(wanted.values())), refused)
        note_found(world, records, reading)
        there = {key for record in records for key in _keys(world, record)}
        for job in batch:
            error = refused.get(wanted.get(job.row.id, ""))
            if error is not None:
                found.refused.append((job, error))
            else:
                (found.moved if there & set(job.work.claims) else found.ready).append(job)


def _keys(world: World, record: Record) -> frozenset[str]:
    ref: Ref = record.ref
    return world.lens.address_keys(ref.system, ref.object, record.values)
