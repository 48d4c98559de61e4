"""From what a vendor holds to what rules compare: canonical fields, match keys, opt-outs of one record.

A lens is the rules of one route seen from its objects, with every look-up done once. It knows values
and paths, not other records: nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from matching.email import EmailClass, classify_email, email_key, normalise_email
from matching.keys import key_hash
from sync.errors import UnknownValue
from sync.record import Raw, Ref, Side, Value
from sync.rows import RecordRow
from sync.rules import Cell, FieldRule, Flow, Rules
from sync.standing import Tie

_decode = msgspec.json.Decoder(dict[str, bool | int | float | str | None]).decode
encode = msgspec.json.Encoder().encode

ADDRESS = "address"


class Known(NamedTuple):
    """The canonical fields of one record, as far as they were read.

    A field that was never read is absent; `unknown` names fields whose value no rule lists, with the
    value as read; `unconfirmed` names fields that we wrote and have not read back. `address` is the hash of the
    match address ("" = none), `personal` says whether that address may identify a person (role addresses never do).
    """

    values: Mapping[str, Value]
    unknown: Mapping[str, Raw]
    unconfirmed: frozenset[str]
    consent: Mapping[str, Value]
    address: str
    personal: bool


class _Reader(NamedTuple):
    name: str
    path: str
    read: Callable[[Raw], Value]


class Lens:
    """One route's rules, indexed by system and object."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.rule = {rule.name: rule for rule in rules.fields}
        self.topic = {rule.topic: rule for rule in rules.consent}
        self.related = tuple(Lens(each) for each in rules.related)
        self._ties: dict[str, list[Tie]] = {}
        for tie in rules.ties:
            self._ties.setdefault(tie.object, []).append(tie)
        self._side = {name: side for side, name in rules.systems.items()}
        self._fields: dict[tuple[str, str], tuple[_Reader, ...]] = {}
        self._consent: dict[tuple[str, str], tuple[_Reader, ...]] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, str], dict[str, str]] = {}
        self._created: dict[tuple[Side, str], tuple[tuple[FieldRule, Cell, str], ...]] = {}
        for side in rules.sides:
            system = rules.systems[side]
            self._ids[system] = tuple(r.name for r in rules.fields if _is_id(r, side))
            for name in rules.objects[side].all:
                self._fields[system, name] = _readers(_writers_first(rules, side), side, name)
                self._consent[system, name] = _readers({r.topic: r.cells for r in rules.consent}, side, name)
                self._created[side, name] = tuple(_written(rules, side, name))
                self._names[system, name] = {
                    reader.path: reader.name for reader in reversed(self._fields[system, name])
                }
                for reader in self._consent[system, name]:
                    self._names[system, name].pop(reader.path, None)
        self._inputs = {
            system: frozenset[str]().union(*(r.inputs for r in rules.fields if r.flow.into(side.other)))
            for side, system in rules.systems.items()
        }
        self._key_fields = tuple(key.field for key in rules.match if key.kind == "id")
        self._address = next((key.field for key in rules.match if key.kind == "email"), "")
        self._paths = {rules.systems[side]: rules.paths(side) for side in rules.sides}
        self._address_path = {
            where: reader.path
            for where, readers in self._fields.items()
            for reader in readers
            if reader.name == self._address
        }

    def carries_ids(self, side: Side) -> bool:
        """True if the other side keeps the ids of this side's records."""
        return any(_is_id(rule, side) and rule.flow.into(side.other) for rule in self.rules.fields)

    def side(self, system: str) -> Side:
        """The role of a system in this route."""
        return self._side[system]

    def system(self, side: Side) -> str:
        """The system that plays a role in this route."""
        return self.rules.systems[side]

    def name_of(self, system: str, object_: str, path: str) -> str:
        """The field whose values stand under a vendor path ("" = none)."""
        return self._names[system, object_].get(path, "")

    def known(self, row: RecordRow) -> Known:
        """Read a record's canonical fields from what we hold of it."""
        where = (row.system, row.object)
        body = _decode(row.body)
        values: dict[str, Value] = {}
        unknown: dict[str, Raw] = {}
        for name, path, read in self._fields.get(where, ()):
            if path in body:
                try:
                    values[name] = read(body[path])
                except UnknownValue:
                    unknown[name] = body[path]
        for name in self._ids[row.system]:
            values[name] = row.id
        address, personal = self._keyed(values.get(self._address))
        return Known(values, unknown, self._unconfirmed(row), self._opt_outs(where, body), address, personal)

    @staticmethod
    def _keyed(raw: Value) -> tuple[str, bool]:
        address = normalise_email(str(raw)) if raw else None
        if not address:
            return "", False
        return key_hash(ADDRESS, email_key(address)), classify_email(address) is not EmailClass.ROLE

    def _opt_outs(self, where: tuple[str, str], body: Mapping[str, Raw]) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        for name, path, read in self._consent.get(where, ()):
            try:
                found[name] = read(body.get(path))
            except UnknownValue:
                found[name] = None
        return found

    def _unconfirmed(self, row: RecordRow) -> frozenset[str]:
        if not row.unconfirmed:
            return frozenset()
        names = self._names[row.system, row.object]
        return frozenset(names[path] for path in msgspec.json.decode(row.unconfirmed) if path in names)

    def read_raw(self, row_system: str, object_: str, path: str, raw: Raw) -> Value:
        """Read one vendor value by path; a value that no rule lists reads as its own text."""
        for reader in (
            *self._consent.get((row_system, object_), ()),
            *self._fields.get((row_system, object_), ()),
        ):
            if reader.path == path:
                try:
                    return reader.read(raw)
                except UnknownValue:
                    return str(raw)
        return None if raw is None else str(raw)

    def keys(self, system: str, object_: str, values: Mapping[str, Raw]) -> frozenset[str]:
        """Hashes by which a record may be somebody's: its address, and the ids of others that it carries."""
        found: list[str] = []
        for name, path, read in self._fields.get((system, object_), ()):
            if name != self._address and name not in self._key_fields:
                continue
            raw = values.get(path)
            if raw is None or raw == "":
                continue
            if name == self._address:
                address = normalise_email(str(raw))
                if address:
                    found.append(key_hash(ADDRESS, email_key(address)))
            else:
                found.append(key_hash(f"id:{name}", str(read(raw))))
        return frozenset(found)

    def stored_keys(self, system: str, object_: str, values: Mapping[str, Raw]) -> frozenset[str]:
        """Every hash under which a record can be found: those that say who it is, and those of its ties."""
        return self.keys(system, object_, values).union(self._tied(object_, values))

    def _tied(self, object_: str, values: Mapping[str, Raw]) -> Iterator[str]:
        for tie in self._ties.get(object_, ()):
            value = values.get(tie.path)
            if value is not None and value != "":
                yield self.tie_hash(tie.name, str(value))

    def tie_paths(self, object_: str, name: str) -> tuple[str, ...]:
        """Where an object names others under a tie."""
        return tuple(tie.path for tie in self._ties.get(object_, ()) if tie.name == name)

    def tie_hash(self, name: str, value: str) -> str:
        """The key under which records are found that name this value under a tie."""
        return key_hash(f"tie:{name}", value)

    def made_keys(self, system: str, object_: str, values: Mapping[str, Raw]) -> frozenset[str]:
        """The keys of a record that we created: its address and its ties, since its ids say what the link says."""
        return self.address_keys(system, object_, values) | frozenset(self._tied(object_, values))

    def address_keys(self, system: str, object_: str, values: Mapping[str, Raw]) -> frozenset[str]:
        """The key of a record's address alone."""
        path = self._address_path.get((system, object_), "")
        address = normalise_email(str(values.get(path) or "")) if path else None
        return frozenset((key_hash(ADDRESS, email_key(address)),)) if address else frozenset()

    def address_path(self, system: str, object_: str) -> str:
        """Where the match address stands in an object ("" = nowhere)."""
        return self._address_path.get((system, object_), "")

    def id_paths(self, system: str, object_: str) -> tuple[str, ...]:
        """Where an object carries the other side's record id."""
        readers = self._fields.get((system, object_), ())
        return tuple(reader.path for reader in readers if reader.name in self._key_fields)

    def reading(self, side: Side) -> Mapping[str, tuple[str, ...]]:
        """Every path that is read on a side, by object."""
        return self._paths[self.rules.systems[side]]

    def paths(self, system: str, object_: str) -> tuple[str, ...]:
        """Every path of an object that is read."""
        return self._paths[system][object_]

    def is_personal(self, address: str) -> bool:
        """True if an address, as written, may identify a person."""
        normal = normalise_email(address)
        return normal is not None and classify_email(normal) is not EmailClass.ROLE

    def written_at_create(self, side: Side, object_: str) -> tuple[tuple[FieldRule, Cell, str], ...]:
        """The fields that a new record of an object gets, with their cell and path there."""
        return self._created[side, object_]

    def is_own_id(self, system: str, name: str) -> bool:
        """True if a field is the record's own id on this system."""
        return name in self._ids[system]

    def carried(self, system: str, name: str, value: Value) -> list[Ref]:
        """The records across that a value of a key field may name."""
        if value in (None, "") or self.is_own_id(system, name):
            return []
        across = self.side(system).other
        return [Ref(self.system(across), object_, str(value)) for object_ in self.rules.objects[across].all]

    def id_look_ups(self, row: RecordRow) -> list[str]:
        """Hashes under which records across may stand that carry this record's id."""
        own = (name for name in self._key_fields if self.is_own_id(row.system, name))
        return [self.id_hash(name, row.id) for name in own]

    def inputs(self, system: str) -> frozenset[str]:
        """The fields of a system from which fields of the other side are computed."""
        return self._inputs[system]

    def id_hash(self, name: str, id_: str) -> str:
        """The key under which a record that carries this id in a key field is found."""
        return key_hash(f"id:{name}", id_)

    def key_fields(self) -> tuple[str, ...]:
        """Names of the fields that carry the other side's record id, in match order."""
        return self._key_fields


def _is_id(rule: FieldRule, side: Side) -> bool:
    cell = rule.cells.get(side)
    return cell is not None and cell.is_id


def _written(rules: Rules, side: Side, object_: str) -> Iterator[tuple[FieldRule, Cell, str]]:
    for rule in rules.fields:
        cell = rule.cells.get(side)
        if cell is None or cell.is_id or rule.flow is Flow.NONE or not rule.flow.into(side):
            continue
        if object_ in cell.paths and object_ not in cell.read_only:
            yield rule, cell, cell.paths[object_]


def _writers_first(rules: Rules, side: Side) -> dict[str, Mapping[Side, Cell]]:
    """Rows by name. Where two share a path, what comes back of it belongs to the row that writes it."""
    ordered = sorted(rules.fields, key=lambda rule: not rule.flow.into(side))
    return {rule.name: rule.cells for rule in ordered}


def _readers(rows: Mapping[str, Mapping[Side, Cell]], side: Side, object_: str) -> tuple[_Reader, ...]:
    found: list[_Reader] = []
    for name, cells in rows.items():
        cell = cells.get(side)
        if cell is not None and not cell.is_id and object_ in cell.paths:
            found.append(_Reader(name, cell.paths[object_], cell.read))
    return tuple(found)


def decode_body(body: bytes) -> dict[str, Raw]:
    """Read a stored body of raw values."""
    return _decode(body)
