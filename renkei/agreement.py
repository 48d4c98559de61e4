"""Do two lists of live records mean the same under these rules? Asked of what the vendors hold, not of the journal.

It decides who belongs to whom by the key fields alone, then compares value by value. What standing rules derive is not
compared: records alone do not tell it, and the vendors' ledgers are judged for it. Knows no vendor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sync.normalise import Known, Lens, encode
from sync.record import Raw, Side, Value
from sync.rows import LEADING, LIVE, RecordRow
from sync.rules import Cell, FieldRule, Fields, Flow
from sync.standing import Situation

Records = Mapping[str, Mapping[str, Raw]]


@dataclass(slots=True)
class Agreement:
    """Persons seen (a pair is one), those that stand on one side by rule, and what is wrong in words."""

    persons: int = 0
    pairs: int = 0
    alone: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Person:
    row: RecordRow
    known: Known


def compare(lens: Lens, live: Mapping[str, Records], held: frozenset[tuple[str, str]]) -> Agreement:
    """Compare live records by system and id, as the vendors hold them; `held` names (record id, field) that wait
    for a person and are not compared."""
    sides = {side: _persons(lens, side, live[lens.system(side)]) for side in Side}
    found = Agreement()
    paired: set[str] = set()
    for ma, sfa in _pairs(lens, sides):
        found.pairs += 1
        paired |= {ma.row.id, sfa.row.id}
        names = [rule.name for rule in _compared(lens, ma, sfa) if not _equal(rule, ma.known, sfa.known)]
        wrong = [name for name in names if not {(ma.row.id, name), (sfa.row.id, name)} & held]
        if wrong:
            found.wrong[f"{ma.row.id} ⇄ {sfa.row.id}"] = wrong
    for side, persons in sides.items():
        for person in persons.values():
            if person.row.id not in paired:
                found.alone += 1
                if _wanted_across(lens, side, person):
                    found.wrong[person.row.id] = [f"no record in {lens.system(side.other)}"]
    found.persons = found.pairs + found.alone
    return found


def _persons(lens: Lens, side: Side, records: Records) -> dict[str, _Person]:
    system = lens.system(side)
    paths = {name: lens.paths(system, name) for name in lens.rules.objects[side].all}
    found: dict[str, _Person] = {}
    for id_, values in records.items():
        # The object whose fields these are: the one that offers most of them.
        object_ = max(paths, key=lambda name: sum(path in values for path in paths[name]))
        body = encode({path: values.get(path) for path in paths[object_]})
        row = RecordRow(
            system, object_, id_, lens.rules.kind, 0, LEADING, LIVE, "", 0, 0, 0.0, "", "", -1, 0, 0.0, 0, body, "",
        )  # fmt: skip
        found[id_] = _Person(row, lens.known(row))
    return found


def _pairs(lens: Lens, sides: Mapping[Side, Mapping[str, _Person]]) -> Iterator[tuple[_Person, _Person]]:
    """Records of which one carries the other's id."""
    seen: set[tuple[str, str]] = set()
    for name in lens.key_fields():
        for side in Side:
            for person in sides[side].values():
                value = person.known.values.get(name)
                other = sides[side.other].get(str(value)) if value else None
                if other is None or lens.is_own_id(person.row.system, name):
                    continue
                ma, sfa = (person, other) if side is Side.MA else (other, person)
                if (ma.row.id, sfa.row.id) not in seen:
                    seen.add((ma.row.id, sfa.row.id))
                    yield ma, sfa


def _compared(lens: Lens, ma: _Person, sfa: _Person) -> Iterator[FieldRule]:
    """Fields that must agree between these two records."""
    given = {name for rule in lens.rules.standing for names in rule.gives.values() for name in names}
    for rule in lens.rules.fields:
        if rule.flow is Flow.NONE or rule.create_only or rule.key or {rule.name, *rule.inputs} & given:
            continue
        side = Side.SFA if rule.flow.into(Side.SFA) else Side.MA
        target = sfa if side is Side.SFA else ma
        cell = rule.cells.get(side)
        if cell is not None and target.row.object in cell.paths and target.row.object not in cell.read_only:
            yield rule


def _equal(rule: FieldRule, ma: Known, sfa: Known) -> bool:
    values = {Side.MA: ma.values.get(rule.name), Side.SFA: sfa.values.get(rule.name)}
    for side, known in ((Side.MA, ma), (Side.SFA, sfa)):
        if rule.compute is not None and rule.flow.into(side.other):
            values[side] = rule.compute(known.values)
    if values[Side.MA] == values[Side.SFA]:
        return True
    into = [side for side in Side if rule.flow.into(side)]
    if rule.blank == "keep" and any(values[side.other] is None for side in into):
        return True  # a blank empties nothing
    return any(_would_be(rule.cells.get(side), values[side.other]) == values[side] for side in into)


def _would_be(cell: Cell | None, value: Value) -> Value:
    """How a value reads on a side once it has been written there."""
    return None if cell is None or cell.is_id or value is None else cell.read(cell.write(value))


def _wanted_across(lens: Lens, side: Side, person: _Person) -> bool:
    """True if the rules want a record of this person on the other side."""
    rule = lens.rules.create.get(side.other)
    if rule is None:
        return False
    values = _as_new(lens, side, person)
    return rule.when(values) and all(values.get(name) is not None for name in rule.need)


def _as_new(lens: Lens, side: Side, person: _Person) -> Fields:
    """A record's fields with those that standing rules give to somebody whom they see for the first time."""
    values: Fields = person.known.values
    for rule in lens.rules.standing:
        situation = Situation(
            entity=0, now=0.0, fields={side: values}, before={}, ids={side: person.row.id},
            opted_out=frozenset(), related=(), memory={}, quiet=True,
        )  # fmt: skip
        values = {**values, **rule.derive(situation).fields.get(side, {})}
    return values
