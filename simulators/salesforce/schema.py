"""Which objects and fields the organisation has, as its describe resources tell.

Frozen data; an organisation that hides or alters a field holds a changed copy. Knows no records.
Field attributes follow the vendor's page on DescribeSObjectResult.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from simulators.salesforce.ids import PREFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object; `defaulted` = the vendor fills it on create when nothing is sent."""

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


@dataclass(frozen=True, kw_only=True)
class ObjectSpec:
    """One object: its name, the first three characters of its ids, its fields by name."""

    name: str
    fields: Mapping[str, Field]
    mergeable: bool = False

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
        """Fields that are looked up by value: external ids and e-mail."""
        return tuple(f.name for f in self.fields.values() if f.external_id or f.name == "Email")

    def find(self, name: str) -> Field | None:
        """Give a field by its name in any case, or None."""
        return self.fields.get(name) or self.by_lower.get(name.lower())

    def without(self, name: str) -> ObjectSpec:
        """A copy in which a field cannot be seen."""
        return replace(self, fields={key: field for key, field in self.fields.items() if key != name})

    def having(self, field: Field) -> ObjectSpec:
        """A copy with this field added or replaced."""
        return replace(self, fields={**self.fields, field.name: field})


INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction",
    "Consulting", "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental",
    "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery",
    "Manufacturing", "Media", "Not For Profit", "Recreation", "Retail", "Shipping", "Technology",
    "Telecommunications", "Transportation", "Utilities", "Other",
)  # fmt: skip
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
CONVERTED_STATUS = "Closed - Converted"
RECORD_TYPES = ("Standard", "Partner")


def _text(name: str, length: int, label: str | None = None, **more: Any) -> Field:
    return Field(name=name, label=label or name, length=length, **more)


def _kept(name: str, kind: str, **more: Any) -> Field:
    """A field that only the vendor writes."""
    return Field(name=name, label=name, type=kind, createable=False, updateable=False, **more)


def _reference(name: str, relationship: str | None, *to: str, **more: Any) -> Field:
    label = f"{relationship or name} ID"
    return Field(
        name=name,
        label=label,
        type="reference",
        length=18,
        reference_to=to,
        relationship=relationship,
        **more,
    )


def _system() -> tuple[Field, ...]:
    by_vendor: dict[str, Any] = {
        "createable": False,
        "updateable": False,
        "nillable": False,
        "defaulted": True,
    }
    return (
        _kept("Id", "id", length=18, nillable=False, defaulted=True, id_lookup=True, unique=True),
        _kept("IsDeleted", "boolean", nillable=False, defaulted=True),
        _kept("CreatedDate", "datetime", nillable=False, defaulted=True),
        _reference("CreatedById", "CreatedBy", "User", **by_vendor),
        _kept("LastModifiedDate", "datetime", nillable=False, defaulted=True),
        _reference("LastModifiedById", "LastModifiedBy", "User", **by_vendor),
        _kept("SystemModstamp", "datetime", nillable=False, defaulted=True),
    )


def _merged(name: str) -> Field:
    return _reference("MasterRecordId", "MasterRecord", name, createable=False, updateable=False)


def _person() -> tuple[Field, ...]:
    return (
        _text("LastName", 80, "Last Name", nillable=False),
        _text("FirstName", 40, "First Name"),
        _kept("Name", "string", length=121, nillable=False, defaulted=True),
        Field(name="Email", label="Email", type="email", length=80, id_lookup=True),
        Field(name="Phone", label="Phone", type="phone", length=40),
        _text("Title", 128),
        Field(name="LeadSource", label="Lead Source", type="picklist", length=255, picklist=LEAD_SOURCES),
        Field(
            name="HasOptedOutOfEmail", label="Email Opt Out", type="boolean", nillable=False, defaulted=True
        ),
    )


def _own(name: str, label: str, kind: str = "string", **more: Any) -> Field:
    return Field(name=name, label=label, type=kind, custom=True, **more)


def _customs() -> tuple[Field, ...]:
    flag: dict[str, Any] = {"nillable": False, "defaulted": True}
    return (
        _own("Marketo_Id__c", "Marketo Id", length=40, external_id=True, id_lookup=True, unique=True),
        _own("MA_Score__c", "MA Score", "double", precision=18, scale=0),
        _own("MA_Grade__c", "MA Grade", length=10),
        _own("Full_Name__c", "Full Name", length=130),
        _own("Opt_Out_Seminar__c", "Opt Out Seminar", "boolean", **flag),
        _own("Newsletter_OK__c", "Newsletter OK", "boolean", **flag),
    )


def _ownership(*owners: str) -> tuple[Field, ...]:
    return (
        _reference("OwnerId", "Owner", *owners, nillable=False, defaulted=True),
        _reference("RecordTypeId", "RecordType", "RecordType"),
    )


def _lead() -> tuple[Field, ...]:
    seal: dict[str, Any] = {"createable": False, "updateable": False}
    return (
        *_system(), _merged("Lead"), *_person(), *_ownership("Group", "User"), *_customs(),
        _text("Company", 255, nillable=False),
        _text("Country", 80),
        Field(
            name="Industry", label="Industry", type="picklist", length=255, picklist=INDUSTRIES, restricted=True
        ),
        Field(name="Website", label="Website", type="url", length=255),
        Field(
            name="Status", label="Lead Status", type="picklist", length=255, picklist=LEAD_STATUSES,
            nillable=False, defaulted=True,
        ),
        _kept("IsConverted", "boolean", nillable=False, defaulted=True),
        _kept("ConvertedDate", "date"),
        _reference("ConvertedContactId", "ConvertedContact", "Contact", **seal),
        _reference("ConvertedAccountId", "ConvertedAccount", "Account", **seal),
    )  # fmt: skip


def _contact() -> tuple[Field, ...]:
    return (
        *_system(), _merged("Contact"), *_person(), *_ownership("User"), *_customs(),
        _reference("AccountId", "Account", "Account"),
        _text("MailingCountry", 80, "Mailing Country"),
    )  # fmt: skip


def _account() -> tuple[Field, ...]:
    return (
        *_system(), _merged("Account"), *_ownership("User")[:1],
        _text("Name", 255, "Account Name", nillable=False),
        Field(name="Phone", label="Account Phone", type="phone", length=40),
        Field(name="Website", label="Website", type="url", length=255),
        Field(
            name="Industry", label="Industry", type="picklist", length=255, picklist=INDUSTRIES, restricted=True
        ),
        _text("BillingCountry", 80, "Billing Country"),
    )  # fmt: skip


def _user() -> tuple[Field, ...]:
    return (
        *(f for f in _system() if f.name != "IsDeleted"),
        _text("Username", 80, nillable=False), _text("LastName", 80, nillable=False),
        _text("FirstName", 40), _kept("Name", "string", length=121, nillable=False),
        Field(name="Email", label="Email", type="email", length=128, nillable=False),
        Field(name="IsActive", label="Active", type="boolean", nillable=False, defaulted=True),
    )  # fmt: skip


def _record_type() -> tuple[Field, ...]:
    return (
        *(f for f in _system() if f.name != "IsDeleted"),
        _text("Name", 80, nillable=False), _text("DeveloperName", 80, nillable=False),
        Field(name="SobjectType", label="Object", type="picklist", length=40, nillable=False),
        Field(name="IsActive", label="Active", type="boolean", nillable=False, defaulted=True),
    )  # fmt: skip


@cache
def standard_schema() -> Mapping[str, ObjectSpec]:
    """The organisation's objects as they are before anybody switches anything."""
    builders = {
        "Lead": _lead, "Contact": _contact, "Account": _account, "User": _user, "RecordType": _record_type
    }  # fmt: skip
    return MappingProxyType(
        {
            name: ObjectSpec(
                name=name,
                fields={field.name: field for field in build()},
                mergeable=name in ("Lead", "Contact", "Account"),
            )
            for name, build in builders.items()
        }
    )
