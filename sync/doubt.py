"""Settle what left and was never answered: by reading, never by resending first (protocol §3). I/O through ports.

A batch is in doubt when its reply was lost, or when it is found open at start-up. It is touched only after
its request can no longer act (server timeout) and its effect would be visible (visibility lag).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias

import msgspec

from sync.around import Around, Settled
from sync.deleting import gone_by_us
from sync.effects import KIND
from sync.errors import Meaning, RequestRefused
from sync.halves import in_halves
from sync.plan import Job, Work, jobs_of
from sync.ports import Capabilities, FieldError, Outcome, Paths
from sync.read import ReadCount, World, look_up_reading, moved, note_found, read_refs, wake_sharing
from sync.record import Record, Ref, Side
from sync.refuse import reduced, said
from sync.rows import DELETED, LEADING, MOVED, UNCERTAIN, BaseRow, BatchRow, OperationRow, Patch, RecordRow
from sync.rules import ActionKind
from sync.settle import Settlement

Fate: TypeAlias = Literal["arrived", "as before", "moved", "unread"]

LEAVES = 0.25  # of the server's time limit: so long a stored batch may wait for its turn to leave
UNSEEN_WAIT = 300.0  # how long a write in doubt waits whose record the vendor does not show
UNFINDABLE = FieldError(
    "", "in doubt", "the answer was lost and the record carries nothing to find it by", Meaning.DOUBT
)


@dataclass(slots=True)
class _Found:
    """What looking gave: records made by creates, targets of updates, effects by key, the creates that could be
    looked for, and what the vendor refused to look up, by operation."""

    created: dict[int, Record] = field(default_factory=dict)
    records: dict[Ref, Record] = field(default_factory=dict)
    effects: dict[str, str] = field(default_factory=dict)
    looked_for: set[int] = field(default_factory=set)
    refused: dict[int, RequestRefused] = field(default_factory=dict)


def latest(capabilities: Capabilities, batch: BatchRow) -> float:
    """Until when a stored batch may leave; afterwards it stays."""
    return batch.sent_at + LEAVES * capabilities.server_timeout


def is_ripe(capabilities: Capabilities, batch: BatchRow, now: float) -> bool:
    """True if a batch in doubt may be looked at."""
    return now >= latest(capabilities, batch) + capabilities.server_timeout + capabilities.visibility_lag


def ripe_at(world: World, side: Side, batch: BatchRow) -> float:
    """When a batch in doubt may be looked at, by whatever process: it has left by `latest` or never, a request
    ends with the server's time limit, and its effect is visible after the lag."""
    capabilities = world.connectors[side].capabilities
    return latest(capabilities, batch) + capabilities.server_timeout + capabilities.visibility_lag


def settle_doubts(world: World, side: Side, run: int, flying: frozenset[int] = frozenset()) -> Settled:
    """Settle every batch in doubt that is ripe; those still flying in this process are left alone."""
    done = Settled()
    for batch in world.store.batches(world.lens.system(side)):
        if batch.id in flying or world.clock.now() < ripe_at(world, side, batch):
            continue
        rows = world.store.get(OperationRow, [(number,) for number in msgspec.json.decode(batch.body)])
        mine = [row for row in rows if row.route == world.lens.rules.route]
        if mine:
            _settle_batch(world, side, run, batch, mine, done)
    return done


def _settle_batch(
    world: World, side: Side, run: int, batch: BatchRow, rows: Sequence[OperationRow], done: Settled
) -> None:
    jobs = jobs_of(rows)
    found = _look(world, side, run, jobs)
    around = Around(*load_around(world, jobs, [record.ref for record in found.created.values()]))
    patch = Patch()
    settlement = Settlement(world.lens, around, world.numbers, world.clock.now(), patch)
    open_still: list[int] = []
    for job in jobs:
        if job.row.action == ActionKind.EFFECT:
            _settle_effect(world, job, found, settlement, patch)
        elif job.row.id in found.refused:
            settlement.vanished(job, said(found.refused[job.row.id]))
        elif job.row.action == ActionKind.CREATE:
            _settle_create(world, side, job, found, settlement)
        elif job.target not in found.records and not _is_gone(around.records.get(job.target)):
            open_still.append(job.row.id)  # unseen is not gone: it is asked for again
        else:
            _settle_update(world, job, found.records.get(job.target), settlement)
    patch.drop(batch)
    if open_still:
        patch.put(
            batch._replace(sent_at=world.clock.now() + UNSEEN_WAIT, body=msgspec.json.encode(open_still))
        )
    commit_settled(world, settlement, patch)
    done.add(settlement.done)


def _look(world: World, side: Side, run: int, jobs: Sequence[Job]) -> _Found:
    found = _Found()
    updates = [job for job in jobs if job.row.action not in (ActionKind.CREATE, ActionKind.EFFECT)]
    _find_created(world, side, run, [job for job in jobs if job.row.action == ActionKind.CREATE], found)
    refused: dict[Ref, RequestRefused] = {}
    found.records = read_refs(world, side, run, [job.target for job in updates], ReadCount(), refused)
    found.refused.update((job.row.id, refused[job.target]) for job in updates if job.target in refused)
    _find_effects(world, side, [job for job in jobs if job.row.action == ActionKind.EFFECT], found)
    return found


def _settle_create(world: World, side: Side, job: Job, found: _Found, settlement: Settlement) -> None:
    """Found: adopted. Looked for and not found: it never happened. Not findable: it fails, with its cause."""
    created = found.created.get(job.row.id)
    if created is not None:
        held = settlement.around.records.get(created.ref)
        settlement.settle(job, _arrived(world, side, job, created, settlement))
        if held is not None:
            _follow(world, held, settlement)
    elif job.row.id in found.looked_for:
        settlement.again(job)
    else:
        settlement.settle(job, Outcome("refused", errors=(UNFINDABLE,)))


def _arrived(world: World, side: Side, job: Job, created: Record, settlement: Settlement) -> Outcome:
    """What a record that was found makes of a create in doubt.

    Found by our own key and nobody else's, it is what we sent: both sides agreed on that, and whatever differs by
    now is somebody's edit. Found by address only it may be another person's work: it is adopted and decided.
    """
    held = settlement.around.records.get(created.ref)
    by_key = _key_path(world, side, job) != world.lens.address_path(job.row.system, job.row.object)
    if held is None or not by_key or held.role != LEADING or _is_busy(world, held.entity):
        return Outcome("exists", id=created.ref.id)
    alone = all(row.system == held.system for row in settlement.around.of(held.entity))
    return Outcome("applied" if alone else "exists", id=created.ref.id)


def _follow(world: World, held: RecordRow, settlement: Settlement) -> None:
    """What is on its way to a record goes on under the name of the person whose it turns out to be, so that whoever
    reads the record back knows that «last modified by us» may speak of that."""
    entity = settlement.around.records[held.ref].entity
    for row in world.store.open_operations([held.entity]) if entity != held.entity else ():
        settlement.patch.put(row._replace(entity=entity))


def _is_busy(world: World, entity: int) -> bool:
    """True if something is decided for an entity; an opt-out goes its own way and binds nobody."""
    return any(row.action != ActionKind.OPT_OUT for row in world.store.open_operations([entity]))


def _is_gone(row: RecordRow | None) -> bool:
    return row is None or row.state in (DELETED, MOVED)


def _settle_update(world: World, job: Job, record: Record | None, settlement: Settlement) -> None:
    if job.row.action == ActionKind.DELETE:  # it is there, or the vendor has said that it is not
        if record is None:
            gone_by_us(settlement, job)
        else:
            settlement.again(job)
        return
    if record is None:
        settlement.vanished(job)
        return
    for fate, one in _by_fate(world, record, job, settlement):
        match fate:
            case "arrived":
                values = {path: record.values.get(path) for path in one.work.fields}
                settlement.settle(one, Outcome("applied", id=one.row.record, values=values))
            case "as before":
                settlement.again(one)
            case "moved":
                settlement.supersede(one, "moved while in doubt")
            case "unread":
                settlement.lost_by_the_rules(one)


def _by_fate(world: World, record: Record, job: Job, settlement: Settlement) -> Iterator[tuple[Fate, Job]]:
    """An operation in parts, each field for itself: what arrived, what stands as before and may be sent, what somebody
    has changed since, and what the rules have lost since, so that nobody has looked. The first part keeps the
    operation's number."""
    parts: dict[Fate, list[str]] = {"arrived": [], "as before": [], "moved": [], "unread": []}
    for path in job.work.fields:
        if path not in record.values:
            parts["unread"].append(path)
        elif _is_as(world, record, job.work, path, desired=True):
            parts["arrived"].append(path)
        elif _is_as(world, record, job.work, path, desired=False):
            parts["as before"].append(path)
        else:
            parts["moved"].append(path)
    number = 0
    for fate, paths in parts.items():
        if paths:
            yield fate, reduced(job, paths, number) if len(paths) < len(job.work.fields) else job
            number = settlement.numbers()


def _settle_effect(world: World, job: Job, found: _Found, settlement: Settlement, patch: Patch) -> None:
    """Found by its key: it happened. Not found, or repeatable: it is sent again. Not findable: uncertain, and
    never sent again."""
    if job.row.effect in found.effects:
        settlement.settle(job, Outcome("applied", id=found.effects[job.row.effect]))
    elif job.work.repeatable or (job.work.unique and job.row.id not in found.refused):
        settlement.again(job)
    else:
        patch.put(uncertain(job.row, world.clock.now()))


def uncertain(row: OperationRow, now: float) -> OperationRow:
    """An effect of which nobody can say whether it happened: it is listed, and never sent again by itself."""
    return row._replace(state=UNCERTAIN, done_at=now, reason="left, and the answer was lost")


def _find_effects(world: World, side: Side, effects: Sequence[Job], found: _Found) -> None:
    """Look for those that can be read back, by their keys."""
    wanted: dict[tuple[str, str], dict[str, int]] = {}
    for job in effects:
        if job.work.unique:
            wanted.setdefault((job.row.object, job.work.unique), {})[job.row.effect] = job.row.id
    for (object_, path), keys in wanted.items():
        refused: dict[str, RequestRefused] = {}
        ask = partial(_find, world, side, KIND, object_, path, {object_: (path,)})
        records = in_halves(ask, list(keys), refused)
        found.effects.update((str(record.values.get(path)), record.ref.id) for record in records)
        found.refused.update((keys[key], error) for key, error in refused.items())


def _find(
    world: World, side: Side, kind: str, object_: str, path: str, paths: Paths, values: Sequence[str]
) -> list[Record]:
    return world.connectors[side].find(kind, object_, path, values, paths)


def _is_as(world: World, record: Record, work: Work, path: str, *, desired: bool) -> bool:
    """True if a field stands as it was to be written, or as it was expected before."""
    system, object_, _id = record.ref
    wanted = work.fields[path].desired if desired else work.fields[path].expected
    now = world.lens.read_raw(system, object_, path, record.values.get(path))
    return now == world.lens.read_raw(system, object_, path, wanted)


def _find_created(world: World, side: Side, run: int, creates: Sequence[Job], found: _Found) -> None:
    """Look for what these creates may have made, by a unique key of ours or by address."""
    size = world.connectors[side].capabilities.find_batch
    for (object_, path), wanted in _look_ups(world, side, creates).items():
        values = sorted(wanted)
        refused: dict[str, RequestRefused] = {}
        ask = partial(_find, world, side, world.kind, object_, path, world.paths(side))
        for start in range(0, len(values), size):
            reading = look_up_reading(world, side, run, indexed=True)
            records = in_halves(ask, values[start : start + size], refused)
            note_found(world, records, reading)
            gone = moved(world, records)
            for record in sorted(records, key=lambda each: each.ref in gone):
                for number in _matching(world, record, path, wanted):
                    if record.ref in gone and gone[record.ref].as_of < number:
                        continue  # it had gone before the create was planned
                    found.created.setdefault(number, record)
        for value, jobs in wanted.items():
            found.looked_for.update(job.row.id for job in jobs)
            if value in refused:
                found.refused.update((job.row.id, refused[value]) for job in jobs)


def _matching(world: World, record: Record, path: str, wanted: Mapping[str, Sequence[Job]]) -> list[int]:
    """The creates that this record may be: by key, and for an address that identifies nobody, by all values."""
    ref = record.ref
    now = world.lens.read_raw(ref.system, ref.object, path, record.values.get(path))
    certain = path != world.lens.address_path(ref.system, ref.object) or world.lens.is_personal(str(now))
    return [
        job.row.id
        for value, jobs in wanted.items()
        if world.lens.read_raw(ref.system, ref.object, path, value) == now
        for job in jobs
        if certain or all(_is_as(world, record, job.work, each, desired=True) for each in job.work.fields)
    ]


def _look_ups(
    world: World, side: Side, creates: Sequence[Job]
) -> dict[tuple[str, str], dict[str, list[Job]]]:
    """Object and path -> value sent -> operations, by the surest key of each create."""
    found: dict[tuple[str, str], dict[str, list[Job]]] = {}
    for job in creates:
        path = _key_path(world, side, job)
        if path:
            value = str(job.work.fields[path].desired)
            found.setdefault((job.row.object, path), {}).setdefault(value, []).append(job)
    return found


def _key_path(world: World, side: Side, job: Job) -> str:
    """The surest key that a create carries and the vendor can look up ("" = none)."""
    system, object_, fields = job.row.system, job.row.object, job.work.fields
    findable = world.connectors[side].capabilities.find_paths.get(object_, frozenset())
    address = world.lens.address_path(system, object_)
    keys = [job.work.unique, *world.lens.id_paths(system, object_), address]
    return next((key for key in keys if key and key in findable and key in fields), "")


def commit_settled(world: World, settlement: Settlement, patch: Patch) -> None:
    """Store a settlement; whoever waited for it is asked again in the same transaction."""
    done, around = settlement.done, settlement.around.records
    wake_sharing(world, done.freed, patch, besides=around, named=done.named)
    world.store.commit(patch)


def load_around(
    world: World, jobs: Sequence[Job], extra: Sequence[Ref] = ()
) -> tuple[list[RecordRow], list[BaseRow]]:
    """The rows that settling a batch touches: targets, sources, everybody in their entities, and bases."""
    entities = {job.row.entity for job in jobs}
    rows = {row.ref: row for row in world.store.records_of(entities)}
    named = {job.work.source for job in jobs} | {job.target for job in jobs if job.row.record} | set(extra)
    missing = world.store.get(RecordRow, named - rows.keys())
    others = {row.entity for row in missing} - entities
    rows.update((row.ref, row) for row in (*missing, *(world.store.records_of(others) if others else ())))
    route = world.lens.rules.route
    return list(rows.values()), world.store.get(BaseRow, [(entity, route) for entity in entities | others])
