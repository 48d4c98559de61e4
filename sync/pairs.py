"""Decide the fields of a linked pair: each side's value, the pair last agreed on, and what follows.

Pure over a scene. Halves belong to the records that led when they were agreed; when another record leads
now (after a merge or conversion) a half is kept only where the new record has the old one's last value.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sync.arrived import agree_on_arrived
from sync.deleting import is_deleted, want_deleted
from sync.holds import (
    CONFLICT,
    DISCARDED,
    LEAVE_BOTH,
    LOOP,
    UNDO,
    UNKNOWN_VALUE,
    UNLINKED,
    answer_to,
    is_discarded,
)  # fmt: skip
from sync.normalise import Known, decode_body, encode
from sync.plan import Base, FieldWork, Half, decode_work, target_of, times_written
from sync.possible import ANYBODY, shown
from sync.record import SIDES, Raw, Side, Value
from sync.resolve import Agree, Await, Clash, Leave, Pair, WriteTo, has_moved_on, resolve
from sync.rows import DELETED, LIVE, RecordRow
from sync.rules import Cell, FieldRule, Flow
from sync.scene import Scene
from sync.undo import decode_undone, is_writable
from sync.work import Wanted, Wants

LOOPS = 3
ABSENT = object()


class _Sides:
    """Both leading records with their canonical fields and raw values."""

    def __init__(self, scene: Scene, ma: RecordRow, sfa: RecordRow, now: float) -> None:
        self.now = now
        self.row = {Side.MA: ma, Side.SFA: sfa}
        self.known: dict[Side, Known] = {side: scene.known(row) for side, row in self.row.items()}
        self.raw: dict[Side, dict[str, Raw]] = {}
        self.held = scene.holds[ma.entity]
        self.away = {side: self._arrived(scene, row) for side, row in self.row.items()}

    def _arrived(self, scene: Scene, row: RecordRow) -> frozenset[str]:
        """Fields whose value is that of a write of ours that is not settled yet: nobody's change."""
        names: set[str] = set()
        for number, operation in scene.operations[row.entity].items():
            if number in scene.sent and target_of(operation) == row.ref:
                known = scene.known(row).values
                fields = decode_work(operation.body).fields.values()
                names.update(
                    each.name for each in fields if row.own == 1 or known.get(each.name) == each.half
                )
        return frozenset(names)

    def body(self, side: Side) -> dict[str, Raw]:
        """A side's raw values, decoded when first needed."""
        if side not in self.raw:
            self.raw[side] = decode_body(self.row[side].body)
        return self.raw[side]


def decide_pairs(scene: Scene, entity: int, wants: Wants, now: float) -> None:
    """Decide every field of a linked entity into `wants`. Where a person has let the record go neither side is the
    other's business any more: what an undo takes back of it goes back first, then the record may go itself."""
    let_go = ("", UNLINKED) in scene.holds[entity]
    undone = any(kind == UNDO for _name, kind in scene.holds[entity])
    if let_go and not undone:
        want_deleted(scene, entity, wants)
        return
    ma, sfa = scene.leading(entity, Side.MA), scene.leading(entity, Side.SFA)
    if ma is None or sfa is None or ma.state != LIVE or sfa.state != LIVE:
        wants.keeps_open = True
        return
    sides = _Sides(scene, ma, sfa, now)
    if not let_go and not in_scope(scene, sides.known):
        return
    base = _belonging(scene, entity, wants.base or scene.bases.get(entity), sides)
    halves = dict(base.halves)
    agree_on_arrived(scene, entity, sides.row, halves)
    for rule in scene.lens.rules.fields:
        back = undone and _take_back(scene, rule, sides, halves, wants)
        if not (back or let_go) and rule.flow is not Flow.NONE:
            _decide_field(rule, sides, halves, wants)
    for name, kind in list(wants.holds):
        if kind == UNDO and name not in scene.lens.rule:
            wants.holds.pop((name, kind))  # the mapping has lost the field, and the undo its object
    if not let_go:
        _agree_consent(scene, sides, halves)
    elif not wants.undos:
        want_deleted(scene, entity, wants)
    wants.base = Base(base.ma, base.sfa, halves)


def keep_undone(scene: Scene, entity: int, wants: Wants) -> None:
    """Let stand what an undo has written down, until the fields themselves are decided."""
    for hold in scene.holds[entity].values():
        ours = hold.kind in (UNDO, UNLINKED) and hold.route == scene.lens.rules.route
        if ours and not is_deleted(scene, hold):
            wants.keep(hold)


def end_undone(scene: Scene, entity: int, wants: Wants) -> None:
    """Where a record of the pair was deleted, what was to be taken back stays as it is."""
    leads = (scene.leading(entity, side) for side in SIDES)
    if not any(row is not None and row.state == DELETED for row in leads):
        return
    for name, kind in list(wants.holds):
        if kind == UNDO:
            wants.holds.pop((name, kind))


def _take_back(
    scene: Scene, rule: FieldRule, sides: _Sides, halves: dict[str, Half], wants: Wants
) -> bool:  # fmt: skip
    """Want a value back that an undo has written down, as long as ours still stands there and the other side has not
    moved on (its newer value crosses then, but not where the record was let go); otherwise the undo is over,
    and the field is decided like any other. True if it is wanted."""
    hold = sides.held.get((rule.name, UNDO))
    if hold is None or wants.holds.pop((rule.name, UNDO), None) is None:
        return False
    undone, now = decode_undone(hold), _pair(rule, sides)
    side = scene.lens.side(undone.target.system)
    row, half = sides.row[side], halves.get(rule.name)
    if half is not None and half.fingerprint != rule.fingerprint:
        half = None
    if now is None or row.ref != undone.target or not is_writable(scene.lens, rule, row.ref, undone.path):
        return False
    seen = sides.body(side).get(undone.path)
    there, ours = (
        scene.lens.read_raw(row.system, row.object, undone.path, raw) for raw in (seen, undone.expected)
    )
    newer = ("", UNLINKED) not in sides.held and has_moved_on(now, half, side.other)
    if there != ours or newer:
        return False
    wants.keep(hold)
    source = now.of(side.other) if half is None else half.of(side.other)
    back = scene.lens.read_raw(row.system, row.object, undone.path, undone.desired)
    fresh = Wanted(sides.row[side.other], {}, again=True, run=undone.run)
    wanted = wants.undos.setdefault((row.ref, undone.run), fresh)
    wanted.fields[undone.path] = FieldWork(
        rule.name, seen, undone.desired, source, back, fingerprint=rule.fingerprint
    )
    wanted.verify.append(undone.path)
    return True


def in_scope(scene: Scene, known: dict[Side, Known]) -> bool:
    """True if every record given is within its side's scope."""
    scope = scene.lens.rules.scope
    return all(side not in scope or scope[side](fields.values) for side, fields in known.items())


def _belonging(scene: Scene, entity: int, base: Base | None, sides: _Sides) -> Base:
    """The base as it counts for the records that lead now."""
    names = {side: f"{row.object}/{row.id}" for side, row in sides.row.items()}
    if base is None:
        return Base(names[Side.MA], names[Side.SFA], {})
    halves = base.halves
    for side in SIDES:
        if base.leading(side) == ANYBODY:
            halves = shown(halves, side, sides.known[side])
        elif base.leading(side) != names[side]:
            halves = _still_true(scene, entity, base.leading(side), halves, sides.known[side])
    return Base(names[Side.MA], names[Side.SFA], halves)


def _still_true(
    scene: Scene, entity: int, old: str, halves: dict[str, Half], known: Known
) -> dict[str, Half]:
    before = next((row for row in scene.rows(entity) if f"{row.object}/{row.id}" == old), None)
    if before is None:
        return {}
    values = scene.known(before)
    kept: dict[str, Half] = {}
    for name, half in halves.items():
        topic = name.removeprefix("consent.")
        now, then = known.values, values.values
        if topic != name:
            now, then, name_ = known.consent, values.consent, topic
        else:
            name_ = name
        if name_ in values.unconfirmed:
            continue  # what became of our write there was not known when the record went
        blank = (half.ma is None) != (half.sfa is None)
        if blank or (half.ma != half.sfa and name_ in scene.lens.key_fields()):
            continue  # that the old record did not take a value says nothing of the new one
        if name_ in now and name_ in then and now[name_] == then[name_]:
            kept[name] = half
    return kept


def _stands(rule: FieldRule, sides: _Sides, half: Half | None) -> bool:
    """True if both sides still have what they last agreed on: the usual case, decided without more ado."""
    if half is None or rule.compute is not None or half.fingerprint != rule.fingerprint:
        return False
    ma, sfa = sides.known[Side.MA].values, sides.known[Side.SFA].values
    return ma.get(rule.name, ABSENT) == half.ma and sfa.get(rule.name, ABSENT) == half.sfa


def _decide_field(rule: FieldRule, sides: _Sides, halves: dict[str, Half], wants: Wants) -> None:
    if _stands(rule, sides, halves.get(rule.name)):
        return
    if any(rule.name in sides.known[side].unknown for side in SIDES):
        wants.hold(rule.name, UNKNOWN_VALUE, _unlisted(rule, sides))
        return
    now = _pair(rule, sides)
    if now is None:
        return
    half = halves.get(rule.name)
    if half is not None and half.fingerprint != rule.fingerprint:
        half = _waited_under(half, rule, sides)
    match resolve(rule, now, half):
        case Agree():
            halves[rule.name] = Half(rule.fingerprint, now.ma, now.sfa, half.written if half else ())
        case WriteTo(side=side, lost=lost):
            _want(rule, side, now, half, lost, sides, halves, wants)
        case Clash():
            _ask(rule, CONFLICT, now, half, sides, halves, wants)
        case Await(side=side):
            row = sides.row[side]
            wants.awaited.setdefault(row.ref, []).append(rule.cells[side].paths[row.object])
        case Leave():
            pass


def _unlisted(rule: FieldRule, sides: _Sides) -> dict[str, object]:
    """What both sides have of a field, as their vendors say it, and of which side no rule lists the word."""
    found: dict[str, object] = {}
    for side, row in sides.row.items():
        cell = rule.cells.get(side)
        path = cell.paths.get(row.object) if cell is not None else None
        found[side.value] = sides.body(side).get(path) if path is not None else None
    return {**found, "unlisted": [side.value for side in SIDES if rule.name in sides.known[side].unknown]}


def _waited_under(half: Half, rule: FieldRule, sides: _Sides) -> Half | None:
    """What was agreed under other rules, where a word that they did not list has waited for these: it is a change
    still, and not one of two values that nobody has ever agreed on. None = what was agreed counts no more."""
    waited = sides.held.get((rule.name, UNKNOWN_VALUE))
    if waited is None:
        return None
    said: dict[str, Any] = msgspec.json.decode(waited.body)
    asked = said.get("unlisted", [side for side, raw in said.items() if raw is not None])
    for side, row in sides.row.items():
        cell = rule.cells.get(side)
        path = cell.paths.get(row.object) if cell is not None else None
        if side.value in asked and (path is None or sides.body(side).get(path) != said[side.value]):
            return None  # it was asked of another value, or of another place
    return Half(rule.fingerprint, half.ma, half.sfa, half.written)


def _pair(rule: FieldRule, sides: _Sides) -> Pair | None:
    """Both sides' values of a field; None where one of the records has no such field."""
    found: dict[Side, Value] = {}
    for side in SIDES:
        known = sides.known[side]
        if rule.compute is not None and rule.flow.into(side.other):
            found[side] = rule.compute(known.values)
        elif rule.name in known.values:
            found[side] = known.values[rule.name]
        else:
            return None
    ma, sfa = found[Side.MA], found[Side.SFA]
    flags = {
        side: rule.name in sides.known[side].unconfirmed or rule.name in sides.away[side] for side in SIDES
    }
    return Pair(ma, sfa, is_same(rule, ma, sfa), flags[Side.MA], flags[Side.SFA])


def is_same(rule: FieldRule, ma: Value, sfa: Value) -> bool:
    """True if what one side has is what the other side would be given."""
    if ma == sfa:
        return True
    for side, value, other in ((Side.SFA, ma, sfa), (Side.MA, sfa, ma)):
        cell = rule.cells.get(side)
        if cell is None or cell.is_id or value is None or not rule.flow.into(side):
            continue
        if carried(rule, cell, value, cell.write(value)) == other:
            return True
    return False


def carried(rule: FieldRule, cell: Cell, value: Value, desired: Raw) -> Value:
    """How a value reads on a side once it has been written there as `desired`.

    What is written as it stands reads as it stands, but for value maps, where several words may share one.
    """
    if value is None or (desired == value and type(desired) is type(value) and rule.type != "picklist"):
        return value
    return cell.read(desired)


def _ask(
    rule: FieldRule,
    kind: str,
    now: Pair,
    half: Half | None,
    sides: _Sides,
    halves: dict[str, Half],
    wants: Wants,
) -> None:
    """A person decides; where one has, for these very values, it is done as said. The question is listed until both
    sides agree."""
    details = {"ma": now.ma, "sfa": now.sfa}
    answer = answer_to(sides.held.get((rule.name, kind)), encode(details))
    if answer == LEAVE_BOTH:
        halves[rule.name] = Half(rule.fingerprint, now.ma, now.sfa)
        return
    wants.hold(rule.name, kind, details)
    if answer in SIDES:
        _want(rule, Side(answer).other, now, half, None, sides, halves, wants, asked=True)


def _want(
    rule: FieldRule,
    side: Side,
    now: Pair,
    half: Half | None,
    lost: Value,
    sides: _Sides,
    halves: dict[str, Half],
    wants: Wants,
    *,
    asked: bool = False,
) -> None:
    """Add one field to the work for a side, unless it cannot be written there, goes in circles (but not where a person
    asked for it) or was discarded."""
    row, cell = sides.row[side], rule.cells.get(side)
    path = cell.paths.get(row.object) if cell is not None else None
    if cell is None or path is None or row.object in cell.read_only:
        return
    value = now.of(side.other)
    circles = rule.can_circle and half is not None and times_written(half, value, sides.now) >= LOOPS
    if circles and not asked:
        _ask(rule, LOOP, now, half, sides, halves, wants)
        return
    expected, desired = sides.body(side).get(path), cell.write(value)
    if desired == expected:
        halves[rule.name] = Half(rule.fingerprint, now.ma, now.sfa, half.written if half else ())
        return
    discarded = sides.held.get((rule.name, DISCARDED))
    if discarded is not None and is_discarded(discarded, {"expected": expected, "desired": desired}):
        wants.keep(discarded)
        return
    wanted = wants.targets.setdefault(row.ref, Wanted(sides.row[side.other], {}))
    there = carried(rule, cell, value, desired)
    wanted.fields[path] = FieldWork(rule.name, expected, desired, value, there, lost, rule.fingerprint)
    wanted.again = wanted.again or asked  # the question is listed until both sides are seen to agree
    wants.conflicts += lost is not None
    if rule.flow is Flow.BOTH or desired is None:
        wanted.verify.append(path)


def _agree_consent(scene: Scene, sides: _Sides, halves: dict[str, Half]) -> None:
    """A topic on which both sides read the same is agreed; a standing opt-out is never un-agreed."""
    for topic, rule in scene.lens.topic.items():
        ma, sfa = (sides.known[side].consent.get(topic) for side in SIDES)
        name = f"consent.{topic}"
        old = halves.get(name)
        agreed_out = old is not None and old.ma is True and old.sfa is True
        if (
            ma == sfa
            and ma is not None
            and not agreed_out
            and (old is None or (old.ma, old.sfa) != (ma, sfa))
        ):
            halves[name] = Half(rule.fingerprint, ma, sfa)
