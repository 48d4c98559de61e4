"""Look again at the last minutes of a side: rows that became visible late, and a source that has fallen silent
(protocol §1, §5).

A listing is never the word that somebody is gone. But a sweep lists again what the feed has told since the sweeps
before it; where most of that is missing, some are asked for by id, and where these are not given either, more, until
the limit on lost records is passed or most are given again. While a source lists what it told, nothing more is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sync.guard import allowed_of
from sync.normalise import encode
from sync.note import note_keys
from sync.read import (
    ReadCount,
    World,
    end_anew,
    held_parts,
    held_rows,
    note_late,
    note_page,
    pages_of,
    read_anew,
    read_refs,
)  # fmt: skip
from sync.record import LifeEvent, Ref, Side
from sync.rows import LIVE, CursorRow, Patch
from sync.rules import Sign

SHOWN = "shown"
FEW = 5  # fewer than these say nothing of a source
MOST = 0.5
EVERY = 300.0  # seconds between two sweeps that are remembered
SURE = 60.0  # what the feed told so shortly after a sweep may be older than the next one looks back


class Shown(msgspec.Struct, array_like=True):
    """A sweep that was made: when (unix seconds), and the sequence number by then."""

    at: float
    number: int


def sweep(world: World, side: Side, run: int, back: float) -> ReadCount:
    """Look again at the last `back` seconds."""
    done = ReadCount()
    connector = world.connectors[side]
    keys_only = connector.capabilities.feed_versions
    before = _sweeps_before(world, side, back)
    told = _told(world, side, before[0].number) if before else []
    missing = set(told)
    now = Shown(world.clock.now(), world.numbers())
    pages = connector.changes(world.kind, None, world.paths(side), back=back, keys_only=keys_only)
    stale: list[Ref] = []
    late: list[LifeEvent] = []
    for page, reading in pages_of(world, side, run, pages):
        missing.difference_update(record.ref for record in page.records)
        missing.difference_update(event.ref for event in page.events)
        if page.keys_only:
            listed = {record.ref for record in page.records}
            held = held_rows(world, sorted(listed))
            stale += note_keys(page.records, held)
            unread = listed - held.keys()
            late += [event for event in page.events if event.ref in unread]
            known = tuple(event for event in page.events if event.ref not in unread)
            page = page._replace(records=(), events=known)  # noqa: PLW2901
        note_page(world, page, reading, done, None)
    read_refs(world, side, run, stale, done)
    note_late(world, side, run, late)
    if len(told) >= FEW and len(missing) > MOST * len(told):
        _mind_silence(world, side, run, sorted(missing), done)
    if not before or now.at >= before[-1].at + EVERY:
        _keep(world, side, [*before, now])
    return done


def _mind_silence(world: World, side: Side, run: int, missing: Sequence[Ref], done: ReadCount) -> None:
    """Ask by id for some of those who should have been listed; where most are not given, for everybody, part by part,
    until it is clear that the source is not what it was."""
    if _are_gone(world, side, run, missing, done):
        _ask_for_everybody(world, side, run, done)


def read_everything(world: World, side: Side, run: int) -> int:
    """Read everything once more where that was asked for. Where that lists fewer than we hold, by more than may be
    lost, we ask by id, part by part; how many were not given. Broken off, it is begun again where the listing ended."""
    done = ReadCount()
    listed = read_anew(world, side, run)
    if listed is None:
        return 0
    held = world.store.count_records(world.lens.system(side), world.kind)
    if held - listed.read > _allowed(world, held):
        _ask_for_everybody(world, side, run, done)
    end_anew(world, side)
    return done.lost


def _allowed(world: World, held: int) -> int:
    return allowed_of(world.lens.rules.signs[Sign.LOSS], held)


def _ask_for_everybody(world: World, side: Side, run: int, done: ReadCount) -> None:
    allowed = _allowed(world, world.store.count_records(world.lens.system(side), world.kind))
    for refs in held_parts(world, side):
        if done.lost > allowed or not _are_gone(world, side, run, refs, done):
            return


def _are_gone(world: World, side: Side, run: int, refs: Sequence[Ref], done: ReadCount) -> bool:
    """Read by id those of these who are held as living; whether most of them were not given."""
    living = [ref for ref, row in held_rows(world, refs).items() if row.state == LIVE]
    lost = done.lost
    read_refs(world, side, run, living, done)
    return done.lost - lost >= MOST * len(living)


def _told(world: World, side: Side, after: int) -> list[Ref]:
    """Who lives and was read since an earlier sweep, as many as one request asks for."""
    most = world.connectors[side].capabilities.fetch_batch
    marks = world.store.dirty(world.kind, [world.lens.system(side)], after, most)
    held = held_rows(world, [Ref(*mark[2:]) for mark in marks])
    return [ref for ref, row in held.items() if row.state == LIVE and row.as_of > after]


def _sweeps_before(world: World, side: Side, back: float) -> list[Shown]:
    """The sweeps from which on everything that was told lies within the last `back` seconds, oldest first."""
    rows = world.store.get(CursorRow, [(world.lens.system(side), world.kind, SHOWN)])
    made = msgspec.json.decode(rows[0].value, type=list[Shown]) if rows else []
    return [each for each in made if each.at >= world.clock.now() - back + SURE]


def _keep(world: World, side: Side, made: list[Shown]) -> None:
    patch = Patch()
    last = made[-1]
    value = encode(made).decode()
    patch.put(CursorRow(world.lens.system(side), world.kind, SHOWN, value, 1, last.number, last.at))
    world.store.commit(patch, durable=False)
