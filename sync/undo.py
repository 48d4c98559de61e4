"""Undo: which of our own writes may be taken back, and the word that takes them back (protocol §7).

Pure over rows, but for the one transaction of `undo`. A value is still ours while our operation is the last that
wrote it, nobody was seen to change it since, and the record shows it as we left it; everything else is left alone and
named. What may be taken back is written down as a hold of its own; deciding makes an ordinary operation of it
(sync.pairs), which is verified by reading before it leaves and settles as agreed to differ. It never touches opt-outs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from sync.holds import BEARER, UNDO, UNLINKED
from sync.normalise import Lens, decode_body, encode
from sync.note import mark_dirty
from sync.plan import FieldWork, Half, Work, decode_base, decode_work, target_of
from sync.read import World
from sync.record import Raw, Ref, Value
from sync.rows import (
    APPLIED,
    LEADING,
    LIVE,
    BaseRow,
    CommandRow,
    HoldRow,
    ObservedRow,
    OperationRow,
    Patch,
    RecordRow,
    Row,
    RunRow,
)
from sync.rules import ActionKind, FieldRule
from sync.said import No, TakeBack, Undo

R = TypeVar("R", bound=Row)

TRIGGER = "undo"
TOUCHED, GONE, UNMAPPED, LINK, REFERENCE = "touched", "gone", "unmapped", "link", "reference"
AS_BEFORE, FOUNDATION = "as_before", "foundation"
PERSON = "person"  # records of other kinds are what others stand on


class Rows(Protocol):
    """Rows by primary key: the engine's store, or a reader beside it."""

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Those that exist."""
        ...


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an undo's hold: the undo's own `run`, the operation that wrote last (`of`), and the raw value of one
    path now and as it shall be again."""

    run: int
    of: int
    target: Ref
    path: str
    expected: Raw
    desired: Raw


class Take(NamedTuple):
    """One value that can be taken back: raw, as it stands and as it was before."""

    operation: int
    entity: int
    target: Ref
    path: str
    name: str
    expected: Raw
    desired: Raw


class Unlink(NamedTuple):
    """A record of our making that can be let go."""

    operation: int
    entity: int
    target: Ref


class Deletion(NamedTuple):
    """A record of our making that nobody has touched, and up to which observed page that is known."""

    operation: int
    entity: int
    target: Ref
    observed: int


class Left(NamedTuple):
    """What is left alone, and why (one of the words above)."""

    operation: int
    target: Ref
    name: str
    why: str


@dataclass(slots=True)
class Judged:
    """What an undo would do."""

    takes: list[Take] = field(default_factory=list)
    unlinks: list[Unlink] = field(default_factory=list)
    deletes: list[Deletion] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def decode_undone(hold: HoldRow) -> Undone:
    """What a hold of an undo says."""
    return msgspec.json.decode(hold.body, type=Undone)


def is_of(hold: HoldRow, run: int) -> bool:
    """True for a mark that this undo has made."""
    return hold.kind in (UNDO, UNLINKED) and bool(msgspec.json.decode(hold.body).get("run") == run)


def judge(rows: Rows, lens: Lens, items: Sequence[TakeBack], delete: Collection[int] = ()) -> Judged:
    """Sort out what may be taken back now, as far as the journal knows; `delete`: creates whose records are to go."""
    found = Judged()
    numbers = {number for item in items for number in (item.operation, item.first)}
    operations = {row.id: row for row in rows.get(OperationRow, [(number,) for number in sorted(numbers)])}
    works = {number: decode_work(row.body) for number, row in operations.items()}
    known = [item for item in items if _is_known(item, works)]
    targets = {target_of(operations[item.operation]) for item in known}
    records = {row.ref: row for row in rows.get(RecordRow, sorted(targets))}
    route = lens.rules.route
    keys = [(entity, route) for entity in sorted({row.entity for row in records.values()})]
    bases = {row.entity: decode_base(row.body).halves for row in rows.get(BaseRow, keys)}
    for item in known:
        row = operations[item.operation]
        record = records.get(target_of(row))
        if row.route != route or row.state != APPLIED:
            continue
        if not item.path:
            if row.action == ActionKind.CREATE:
                _judge_create(row, record, bases, found)
                if row.id in delete:
                    _judge_delete(rows, lens, row, works[row.id], bases, found)
        elif record is None or record.state != LIVE or record.role != LEADING:
            name = works[row.id].fields[item.path].name
            found.left.append(Left(row.id, target_of(row), name, GONE))
        else:
            halves = bases.get(record.entity, {})
            case = _Case(rows, lens, item, row, record, works[row.id], works[item.first], halves)
            found_one = case.judged()
            if isinstance(found_one, Take):
                found.takes.append(found_one)
            else:
                found.left.append(found_one)
    return found


def _is_known(item: TakeBack, works: Mapping[int, Work]) -> bool:
    """True if both operations are there and wrote the path."""
    both = [works.get(number) for number in (item.operation, item.first)]
    return all(work is not None and (not item.path or item.path in work.fields) for work in both)


def _judge_create(
    row: OperationRow, record: RecordRow | None, bases: dict[int, dict[str, Half]], found: Judged
) -> None:
    linked = record is not None and record.state == LIVE and record.role == LEADING and record.entity in bases
    if record is None or not linked:
        found.left.append(Left(row.id, target_of(row), "", GONE))
    else:
        found.unlinks.append(Unlink(row.id, record.entity, record.ref))


def _judge_delete(
    rows: Rows, lens: Lens, row: OperationRow, work: Work, bases: dict[int, dict[str, Half]], found: Judged
) -> None:
    """Whether the record of a create that is let go may go itself, as far as the journal knows; else why it stays."""
    unlink = found.unlinks[-1] if found.unlinks else None
    record = next(iter(rows.get(RecordRow, [unlink.target])), None) if unlink is not None else None
    if unlink is None or record is None or unlink.operation != row.id:
        return
    why = FOUNDATION if lens.rules.kind != PERSON else ""
    if not why and True in lens.known(record).consent.values():
        why = BEARER
    if not why and (record.own == 0 or _told_since(rows, lens, row, record, work, bases[record.entity])):
        why = TOUCHED
    if why:
        found.left.append(Left(row.id, record.ref, "", why))
    else:
        found.deletes.append(Deletion(row.id, record.entity, record.ref, record.observed))


def _told_since(
    rows: Rows, lens: Lens, row: OperationRow, record: RecordRow, work: Work, halves: dict[str, Half]
) -> bool:
    """True if reads have told of a change since that may be somebody's. What the vendor made of our own values when it
    took them is not, nor what it filled in beside them where it says that nobody else has written."""
    side, number = lens.side(record.system), record.observed
    while number > row.id:
        pages = rows.get(ObservedRow, [(number,)])
        entries = [
            each
            for each in (msgspec.json.decode(pages[0].body) if pages else ())
            if each[0] == record.object and each[1] == record.id
        ]
        if not entries:
            return False
        for each in entries:
            for path, (_old, new) in each[3].items():
                half = halves.get(work.fields[path].name) if path in work.fields else None
                made = lens.read_raw(record.system, record.object, path, new)
                if each[4] == 0 or (each[4] != 1 if half is None else half.of(side) != made):
                    return True
        number = entries[0][2] if entries[0][2] < number else 0
    return False


@dataclass(frozen=True, slots=True)
class _Case:
    """One value that somebody wants taken back, with all that says whose it is by now."""

    rows: Rows
    lens: Lens
    item: TakeBack
    row: OperationRow
    record: RecordRow
    work: Work
    first: Work
    halves: dict[str, Half]

    def judged(self) -> Take | Left:
        """May it be?"""
        path, record = self.item.path, self.record
        ours, before = self.work.fields[path], self.first.fields[path]
        why = self._barred(ours) or self._touched(ours)
        seen = decode_body(record.body).get(path)
        if not why and self._read(seen) == self._read(before.expected):
            why = AS_BEFORE
        if why:
            return Left(self.row.id, record.ref, ours.name, why)
        return Take(self.row.id, record.entity, record.ref, path, ours.name, seen, before.expected)

    def _barred(self, ours: FieldWork) -> str:
        rule = self.lens.rule.get(ours.name)
        if rule is None or not is_writable(self.lens, rule, self.record.ref, self.item.path):
            return UNMAPPED
        if rule.key:
            return LINK
        return REFERENCE if rule.refers else ""

    def _touched(self, ours: FieldWork) -> str:
        """Somebody else's value, or seen to be changed since, if only for a while. What the vendor made of our write
        when it took it (another spelling, a cut text) is still ours."""
        half = self.halves.get(ours.name)
        side = self.lens.side(self.record.system)
        there = half.of(side) if half is not None and half.of(side.other) == ours.source else ours.half
        seen = self._read(decode_body(self.record.body).get(self.item.path))
        changes = list(self._changes())
        if not changes:
            return "" if seen in (ours.half, self._read(ours.desired), there) else TOUCHED
        altered = len(changes) == 1 and there != ours.half and self._read(changes[0]) == there == seen
        return "" if altered else TOUCHED

    def _changes(self) -> Iterator[Raw]:
        """To what reads have found this value changed since it was written."""
        number, ref = self.record.observed, self.record.ref
        while number > self.row.id:
            pages = self.rows.get(ObservedRow, [(number,)])
            entries = [
                each
                for each in (msgspec.json.decode(pages[0].body) if pages else ())
                if each[0] == ref.object and each[1] == ref.id
            ]
            if not entries:
                return
            if pages[0].at > self.row.done_at:
                yield from (each[3][self.item.path][1] for each in entries if self.item.path in each[3])
            number = entries[0][2] if entries[0][2] < number else 0

    def _read(self, raw: Raw) -> Value:
        return self.lens.read_raw(self.record.system, self.record.object, self.item.path, raw)


def is_writable(lens: Lens, rule: FieldRule, ref: Ref, path: str) -> bool:
    """True if a rule still has this path of a record, and may write it."""
    cell = rule.cells.get(lens.side(ref.system)) if ref.system in lens.rules.systems.values() else None
    return (
        cell is not None
        and not cell.is_id
        and cell.paths.get(ref.object) == path
        and ref.object not in cell.read_only
    )


def undo(world: World, row: CommandRow, patch: Patch) -> CommandRow:
    """Write down what is taken back, under a run of its own, and have its people decided; the word, with that run.

    Raises No where nothing of it is ours any more.
    """
    said = msgspec.json.decode(row.body, type=Undo)
    rules = world.lens.rules
    if rules.shadow:
        raise No("a route in shadow writes nothing")
    _refuse_deleting(world, said)
    found = judge(world.store, world.lens, said.items, said.delete)
    again = _called_off(world, said)
    if not (found.takes or found.unlinks or again):
        raise No("nothing of it can be taken back any more")
    run, now = world.numbers(), world.clock.now()
    for hold in again:
        patch.drop(hold)
    for take in found.takes:
        body = Undone(
            run=run, of=take.operation, target=take.target, path=take.path, expected=take.expected,
            desired=take.desired,
        )  # fmt: skip
        held = HoldRow(take.entity, take.name, UNDO, rules.route, now, msgspec.json.encode(body), "")
        patch.put(held)
    going = {each.operation: each.observed for each in found.deletes}
    for each in found.unlinks:
        details: dict[str, object] = {"run": run, "of": each.operation, "record": list(each.target)}
        if each.operation in going:
            details |= {"delete": True, "observed": going[each.operation]}
        patch.put(HoldRow(each.entity, "", UNLINKED, rules.route, now, encode(details), ""))
    entities = {each.entity for each in found.takes} | {each.entity for each in found.unlinks}
    entities |= {hold.entity for hold in again}
    concerned = {each.entity: each for each in world.store.records_of(entities) if each.state == LIVE}
    mark_dirty(concerned.values(), world.numbers, patch)
    figures = {
        "undo": said.what, "values": len(found.takes), "left": len(found.left),
        "unlinked": [each.entity for each in found.unlinks], "deleted": len(found.deletes),
    }  # fmt: skip
    patch.put(RunRow(run, rules.route, TRIGGER, rules.digest, now, now, "done", "", encode(figures)))
    return row._replace(body=msgspec.json.encode(msgspec.structs.replace(said, run=run)))


def _refuse_deleting(world: World, said: Undo) -> None:
    """Raises No where a system whose records are to go cannot delete them."""
    rows = world.store.get(OperationRow, [(number,) for number in said.delete])
    for system in sorted({row.system for row in rows}):
        connector = world.connector(system)
        if connector is not None and world.kind not in connector.capabilities.deletes:
            raise No(f"{system} has no way of deleting a {world.kind} that renkei could use")


def _called_off(world: World, said: Undo) -> list[HoldRow]:
    """The marks of an earlier undo that is undone itself: by which it let records go, and what it has not taken back
    yet."""
    held = world.store.holds_of(said.relink) if said.relink else ()
    return [hold for hold in held if hold.route == world.lens.rules.route and is_of(hold, said.relink_run)]
