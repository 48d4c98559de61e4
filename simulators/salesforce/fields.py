"""What a field and an object are, and how the organisation's are put together.

Frozen data without names of objects; which objects there are stands in `schema`. Field attributes follow the
vendor's page on DescribeSObjectResult.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from simulators.salesforce.ids import PREFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object; `defaulted` = the vendor fills it on create when nothing is sent.

    `labels` are what people see instead of the picklist's values, where the two differ.
    """

    name: str
    label: str
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted: bool = False
    calculated: bool = False
    custom: bool = False
    external_id: bool = False
    id_lookup: bool = False
    unique: bool = False
    case_sensitive: bool = False
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    indexed: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObjectSpec:
    """One object: its name, the first three characters of its ids, its fields by name, what the API user may do."""

    name: str
    fields: Mapping[str, Field]
    mergeable: bool = False
    writable: bool = True
    replicateable: bool = True

    @property
    def prefix(self) -> str:
        return PREFIXES[self.name]

    @cached_property
    def by_lower(self) -> Mapping[str, Field]:
        """Fields by lower-case name: the vendor does not tell case in field names."""
        return {name.lower(): field for name, field in self.fields.items()}

    @cached_property
    def by_relationship(self) -> Mapping[str, Field]:
        """Reference fields by lower-case relationship name (`account` -> AccountId)."""
        return {f.relationship.lower(): f for f in self.fields.values() if f.relationship is not None}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Fields that a create must fill: createable, not nillable, not defaulted."""
        return tuple(
            f.name for f in self.fields.values() if f.createable and not f.nillable and not f.defaulted
        )

    @cached_property
    def unique(self) -> tuple[Field, ...]:
        """Fields that no two live records may share."""
        return tuple(f for f in self.fields.values() if f.unique and f.name != "Id")

    @cached_property
    def blank(self) -> Mapping[str, Any]:
        """A record with nothing in it: false for booleans, None for the rest."""
        return {f.name: False if f.type == "boolean" else None for f in self.fields.values()}

    @cached_property
    def indexed(self) -> tuple[str, ...]:
        """Fields that are looked up by value: external ids, e-mail, and what leads from a parent to its children."""
        return tuple(f.name for f in self.fields.values() if f.external_id or f.indexed or f.name == "Email")

    def find(self, name: str) -> Field | None:
        """Give a field by its name in any case, or None."""
        return self.fields.get(name) or self.by_lower.get(name.lower())

    def without(self, name: str) -> ObjectSpec:
        """A copy in which a field cannot be seen."""
        return replace(self, fields={key: field for key, field in self.fields.items() if key != name})

    def having(self, field: Field) -> ObjectSpec:
        """A copy with this field added or replaced."""
        return replace(self, fields={**self.fields, field.name: field})


def text(name: str, length: int, label: str | None = None, **more: Any) -> Field:
    """A field of one line of text."""
    return Field(name=name, label=label or name, length=length, **more)


def kept(name: str, kind: str, **more: Any) -> Field:
    """A field that only the vendor writes."""
    return Field(name=name, label=name, type=kind, createable=False, updateable=False, **more)


def reference(name: str, relationship: str | None, *to: str, label: str | None = None, **more: Any) -> Field:
    """A field that holds the id of a record of one of the objects in `to`."""
    return Field(
        name=name,
        label=label or f"{relationship or name} ID",
        type="reference",
        length=18,
        reference_to=to,
        relationship=relationship,
        **more,
    )


def system() -> tuple[Field, ...]:
    """The fields that the vendor keeps on every record."""
    by_vendor: dict[str, Any] = {
        "createable": False,
        "updateable": False,
        "nillable": False,
        "defaulted": True,
    }
    return (
        kept("Id", "id", length=18, nillable=False, defaulted=True, id_lookup=True, unique=True),
        kept("IsDeleted", "boolean", nillable=False, defaulted=True),
        kept("CreatedDate", "datetime", nillable=False, defaulted=True),
        reference("CreatedById", "CreatedBy", "User", **by_vendor),
        kept("LastModifiedDate", "datetime", nillable=False, defaulted=True),
        reference("LastModifiedById", "LastModifiedBy", "User", **by_vendor),
        kept("SystemModstamp", "datetime", nillable=False, defaulted=True),
    )


def merged(name: str) -> Field:
    """The pointer from a merged record to the one that lives on."""
    return reference("MasterRecordId", "MasterRecord", name, createable=False, updateable=False)


def own(name: str, label: str, kind: str = "string", **more: Any) -> Field:
    """A field that the organisation's administrator has made."""
    return Field(name=name, label=label, type=kind, custom=True, **more)


def picklist(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    """A field with a list of values; others are taken too unless it is restricted."""
    return Field(name=name, label=label, type="picklist", length=255, picklist=values, **more)
