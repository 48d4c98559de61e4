"""Marketo's fields: what its descriptions say of them, and how values become ours.

Decides types only. Picklist words are not part of the description; values of formula fields change without any
activity and are missing from extracts. Sources: the vendor's pages "Describe Lead", "Companies" and "Field Types".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.stamps import to_utc
from sync.record import Raw, Record, Ref, Schema, SchemaField

LEAD, COMPANY = "Lead", "Company"
COMPANY_KEY = "externalCompanyId"
TYPES: Mapping[str, str] = {
    "string": "text", "text": "text", "textarea": "text", "url": "text", "email": "email", "phone": "phone",
    "integer": "integer", "score": "integer", "float": "decimal", "currency": "decimal", "percent": "decimal",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "reference": "reference",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFields:
    """The description of an object: schema, the vendor's own types by field, and the fields that can be searched."""

    schema: Schema
    types: Mapping[str, str]
    searchable: frozenset[str]

    def stamps(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of the paths that hold times."""
        return tuple(path for path in paths if self.types.get(path) == "datetime")

    def exportable(self, paths: Sequence[str]) -> bool:
        """Whether an extract has all of them."""
        return not any(self.types.get(path) == "formula" for path in paths)


def object_fields(system: str, object_: str, described: Mapping[str, object]) -> ObjectFields:
    """Read the one result of a description."""
    rows = described.get("fields")
    fields = {
        str(row["name"]): row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)
    }
    found = described.get("searchableFields")
    single = [names for names in (found if isinstance(found, list) else []) if isinstance(names, list)]
    return ObjectFields(
        schema=Schema(
            system=system,
            object=object_,
            fields={name: _field(object_, name, row) for name, row in fields.items()},
        ),
        types={name: str(row.get("dataType")) for name, row in fields.items()},
        searchable=frozenset(str(names[0]) for names in single if len(names) == 1),
    )


def _field(object_: str, name: str, row: Mapping[str, object]) -> SchemaField:
    kind = str(row.get("dataType"))
    length = row.get("length")
    named = (object_, name) == (COMPANY, COMPANY_KEY)  # written at creation, and the record's name ever after
    writable = row.get("updateable") is True or named
    return SchemaField(
        path=name,
        type="id" if (object_, name) == (LEAD, "id") else TYPES.get(kind, "other"),
        label=str(row.get("displayName") or name),
        length=length if isinstance(length, int) else 0,
        createable=writable,
        updateable=writable,
        required=named,
        unique=named,
        moves_stamp=kind != "formula",
    )


def lead_record(system: str, row: Mapping[str, Raw], paths: Sequence[str], stamps: Sequence[str]) -> Record:
    """A lead as read by REST; a field that is missing is null."""
    return _record(Ref(system, LEAD, str(row["id"])), row, paths, stamps)


def company_record(
    system: str, row: Mapping[str, Raw], paths: Sequence[str], stamps: Sequence[str]
) -> Record:
    """A company as read by REST; its name is the key under which others know it."""
    return _record(Ref(system, COMPANY, str(row[COMPANY_KEY])), row, paths, stamps)


def _record(ref: Ref, row: Mapping[str, Raw], paths: Sequence[str], stamps: Sequence[str]) -> Record:
    get = row.get
    values: dict[str, Raw] = {path: get(path) for path in paths}
    for path in stamps:
        value = values[path]
        if isinstance(value, str):
            values[path] = to_utc(value)
    created = get("createdAt")
    return Record(ref, values, "", to_utc(created) if isinstance(created, str) else "")


def from_csv(text: str, kind: str | None) -> Raw:
    """A value of an extract, typed as REST would give it; the word null is null."""
    if text in {"null", ""}:
        return None
    try:
        match kind:
            case "integer" | "score":
                return int(text)
            case "float" | "currency" | "percent":
                return float(text)
            case "boolean":
                return text.lower() in {"true", "1"}
            case _:
                return text
    except ValueError:
        return text
