"""Verify: read the target once more before something is written over it (protocol §2, §5). I/O through ports.

Two-way fields and blanks are compared with what the operation expects; a record that has moved on is noted
and its operation dropped, to be decided again. Creates that no unique key protects are looked up by address.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.plan import Work, decode_work, target_of
from sync.read import ReadCount, World, look_up_reading, note_found, read_refs
from sync.record import Record, Ref, Side
from sync.rows import OperationRow
from sync.rules import ActionKind


class Verdicts:
    """What verifying came to: operations that may leave, those that moved, those whose record is unseen."""

    def __init__(self) -> None:
        self.ready: list[OperationRow] = []
        self.moved: list[OperationRow] = []
        self.unseen: list[OperationRow] = []


def verify(world: World, side: Side, run: int, operations: Sequence[OperationRow]) -> Verdicts:
    """Sort operations of one side into those that may leave and those that may not."""
    found = Verdicts()
    work = {row.id: decode_work(row.body) for row in operations}
    _verify_updates(world, side, run, [row for row in operations if work[row.id].verify], work, found)
    creates = [row for row in operations if row.action == ActionKind.CREATE and not work[row.id].unique]
    _verify_creates(world, side, run, [row for row in creates if work[row.id].claims], work, found)
    checked = {row.id for rows in (found.ready, found.moved, found.unseen) for row in rows}
    found.ready += [row for row in operations if row.id not in checked]
    found.ready.sort(key=lambda row: row.id)
    return found


def _verify_updates(
    world: World, side: Side, run: int, rows: Sequence[OperationRow], work: dict[int, Work], found: Verdicts
) -> None:
    if not rows:
        return
    records = read_refs(world, side, run, [target_of(row) for row in rows], ReadCount())
    for row in rows:
        record = records.get(target_of(row))
        if record is None:
            found.unseen.append(row)
        elif _is_expected(world, record, work[row.id]):
            found.ready.append(row)
        else:
            found.moved.append(row)


def _is_expected(world: World, record: Record, work: Work) -> bool:
    ref = record.ref
    for path in work.verify:
        now = world.lens.read_raw(ref.system, ref.object, path, record.values.get(path))
        if now != world.lens.read_raw(ref.system, ref.object, path, work.fields[path].expected):
            return False
    return True


def _verify_creates(
    world: World, side: Side, run: int, rows: Sequence[OperationRow], work: dict[int, Work], found: Verdicts
) -> None:
    """Look up by address whether the person has come into being meanwhile."""
    if not rows:
        return
    object_ = rows[0].object
    path = world.lens.address_path(world.lens.system(side), object_)
    capabilities = world.connectors[side].capabilities
    if path not in capabilities.find_paths.get(object_, frozenset()):
        found.ready += rows
        return
    for start in range(0, len(rows), capabilities.find_batch):
        batch = rows[start : start + capabilities.find_batch]
        wanted = {str(work[row.id].fields[path].desired): row for row in batch if path in work[row.id].fields}
        reading = look_up_reading(world, side, run, indexed=True)
        records = world.connectors[side].find(world.kind, object_, path, sorted(wanted), world.paths(side))
        note_found(world, records, reading)
        there = {key for record in records for key in _keys(world, record)}
        for row in batch:
            (found.moved if there & set(work[row.id].claims) else found.ready).append(row)


def _keys(world: World, record: Record) -> frozenset[str]:
    ref: Ref = record.ref
    return world.lens.address_keys(ref.system, ref.object, record.values)
