"""Salesforce's objects and fields: what the descriptions say, which paths may be asked for, how rows become records.

Decides types, and that a path which our user cannot see is an error and never a null. Descriptions are asked for once
and again when the vendor refuses a field. Source: the vendor's page "sObject Describe".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.salesforce.ids import full_id
from connectors.salesforce.owners import COLUMN, OWNER, PATH, USER
from connectors.stamps import to_utc
from sync.errors import RequestRefused
from sync.record import Raw, Record, Ref, Schema, SchemaField

TYPES: Mapping[str, str] = {
    "id": "id", "reference": "reference", "string": "text", "textarea": "text", "url": "text", "combobox": "text",
    "encryptedstring": "text", "email": "email", "phone": "phone", "picklist": "picklist",
    "multipicklist": "multi_picklist", "boolean": "boolean", "int": "integer", "long": "integer", "double": "decimal",
    "currency": "decimal", "percent": "decimal", "date": "date", "datetime": "datetime",
}  # fmt: skip
UNFIND = frozenset(
    {"textarea", "boolean", "date", "datetime", "time", "multipicklist", "address", "location"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFields:
    """One object's fields as described, by name, and its relationships by name (to the object referred to)."""

    name: str
    fields: Mapping[str, Mapping[str, object]]
    relations: Mapping[str, str]

    def type_of(self, path: str) -> str:
        """The vendor's type of a field of this object ("" = none of that name)."""
        return str(self.fields.get(path, {}).get("type", ""))

    @property
    def unique(self) -> frozenset[str]:
        """External ids that the organisation keeps unique."""
        return frozenset(
            name for name, field in self.fields.items() if field.get("externalId") and field.get("unique")
        )

    @property
    def findable(self) -> frozenset[str]:
        """Fields that a filter may name."""
        return frozenset(
            name
            for name, field in self.fields.items()
            if field.get("filterable", True) and field.get("type") not in UNFIND
        )


class Catalogue:
    """Descriptions of objects, asked for when first needed; safe to share between threads."""

    def __init__(self, system: str, ask: Callable[[str], Mapping[str, object]]) -> None:
        self._system, self._ask = system, ask
        self._lock = threading.RLock()
        self._known: dict[str, ObjectFields] = {}

    def object(self, name: str) -> ObjectFields:
        """One object's description."""
        with self._lock:
            if name not in self._known:
                self._known[name] = _described(name, self._ask(name))
            return self._known[name]

    def forget(self, *names: str) -> None:
        """Ask anew at the next use, for all objects or for those named."""
        with self._lock:
            for name in names or tuple(self._known):
                self._known.pop(name, None)

    def schema(self, name: str) -> Schema:
        """One object's schema for the engine, with its owner's fields; of those the address may be written as well."""
        described = self.object(name)
        fields = {path: _field(path, row) for path, row in described.fields.items()}
        if described.relations.get(OWNER) == USER:
            fields |= self._owner(fields[COLUMN])
        return Schema(system=self._system, object=name, fields=fields)

    def _owner(self, column: SchemaField) -> Iterator[tuple[str, SchemaField]]:
        for name, row in self.object(USER).fields.items():
            path = f"{OWNER}.{name}"
            can = (column.createable, column.updateable) if path == PATH else (False, False)
            yield (
                path,
                _field(path, row)._replace(
                    createable=can[0], updateable=can[1], required=False, unique=False
                ),
            )

    def stamps(self, name: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of the paths that hold times. Raises RequestRefused for a path that our user cannot see, even by a
        fresh description."""
        try:
            return self._stamps(name, paths)
        except RequestRefused:
            self.forget()
            return self._stamps(name, paths)

    def _stamps(self, name: str, paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(path for path in paths if self._type(name, path, path) == "datetime")

    def _type(self, name: str, path: str, whole: str) -> str:
        described = self.object(name)
        relation, dot, rest = path.partition(".")
        if dot and relation in described.relations:
            return self._type(described.relations[relation], rest, whole)
        found = described.type_of(path)
        if dot or not found:
            raise RequestRefused(
                f"{self._system} shows our user no field {whole[:80]!r} of {name}.",
                "INVALID_FIELD",
                "let the integration user see the field, or take it out of the mapping",
            )
        return found


def _described(name: str, reply: Mapping[str, object]) -> ObjectFields:
    listed = reply.get("fields")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    relations: dict[str, str] = {}
    for row in rows:
        to = row.get("referenceTo")
        if row.get("relationshipName") and isinstance(to, list) and to:
            relations[str(row["relationshipName"])] = str(to[-1] if "User" in to else to[0])
    return ObjectFields(name=name, fields={str(row["name"]): row for row in rows}, relations=relations)


def _field(path: str, row: Mapping[str, object]) -> SchemaField:
    def flag(name: str) -> bool:
        return row.get(name) is True

    def number(name: str) -> int:
        value = row.get(name)
        return value if isinstance(value, int) else 0

    words = row.get("picklistValues")
    active = (
        [word for word in words if isinstance(word, dict) and word.get("active")]
        if isinstance(words, list)
        else []
    )
    return SchemaField(
        path=path,
        type=TYPES.get(str(row.get("type")), "other"),
        label=str(row.get("label") or path),
        length=number("length"),
        scale=number("scale"),
        createable=flag("createable"),
        updateable=flag("updateable"),
        required=flag("createable") and not flag("nillable") and not flag("defaultedOnCreate"),
        unique=flag("unique"),
        picklist=tuple(str(word.get("value")) for word in active),
        restricted=flag("restrictedPicklist"),
        moves_stamp=not flag("calculated"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Turns rows of one object into records holding exactly the asked paths; `user` is our own user's id."""

    system: str
    object: str
    plain: tuple[str, ...]
    dotted: tuple[tuple[str, tuple[str, ...]], ...]
    stamps: tuple[str, ...]
    user: str

    def record(self, row: Mapping[str, Raw]) -> Record:
        """One record; its version is the modification stamp."""
        get = row.get
        values: dict[str, Raw] = {path: get(path) for path in self.plain}
        for path, steps in self.dotted:
            values[path] = _walk(row, steps)
        for path in self.stamps:
            value = values[path]
            if isinstance(value, str):
                values[path] = to_utc(value)
        author = get("LastModifiedById")
        own = full_id(author) == self.user if isinstance(author, str) and self.user else None
        by = f"user {author}" if isinstance(author, str) and not own else ""
        return Record(
            self.ref(row), values, _stamp(row, "SystemModstamp"), _stamp(row, "CreatedDate"), own, by
        )

    def key(self, row: Mapping[str, Raw]) -> Record:
        """A record without values, for comparing versions."""
        return Record(self.ref(row), {}, _stamp(row, "SystemModstamp"))

    def ref(self, row: Mapping[str, Raw]) -> Ref:
        """The record's name."""
        return Ref(self.system, self.object, str(row["Id"]))


def _walk(row: Mapping[str, Raw], steps: Sequence[str]) -> Raw:
    here: object = row
    for step in steps:
        here = here.get(step) if isinstance(here, Mapping) else None
    return here if isinstance(here, (bool, int, float, str)) else None


def _stamp(row: Mapping[str, Raw], name: str) -> str:
    value = row.get(name)
    return to_utc(value) if isinstance(value, str) else ""
