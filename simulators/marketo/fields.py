"""Which fields a lead and a company have and which values they take.

Decides whether a value fits a field's type and how it is stored; knows no lead, no request and no other
field. Types, the `""` = null rule and the codes follow the vendor's pages "Field Types" and "Error
Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Literal

from simulators.clock import parse_iso

DataType = Literal[
    "string", "text", "email", "phone", "url", "integer", "score", "boolean", "datetime", "date", "float",
    "currency",
]  # fmt: skip
Value = str | int | float | bool | None

TEXT_TYPES = frozenset({"string", "text", "email", "phone", "url"})
COMPANY_KEY = "externalCompanyId"
"""By this field of a company, and of a lead, leads belong to companies."""
_TRUE = frozenset({"true", "1", "yes", "t", "on"})
_FALSE = frozenset({"false", "0", "no", "f", "off"})


class BadValueError(Exception):
    """A value does not fit its field; `code` is the vendor's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field; `standard=False` fields do not move the visible `updatedAt`, `searchable` ones are
    filter types.
    """

    number: int
    name: str
    label: str
    type: DataType
    length: int | None = None
    read_only: bool = False
    searchable: bool = False
    standard: bool = True


def _field(number: int, name: str, label: str, kind: DataType, **more: object) -> Field:
    length = 255 if kind in TEXT_TYPES and kind != "text" else None
    known = {"length": length, **more}
    return Field(number=number, name=name, label=label, type=kind, **known)  # type: ignore[arg-type]


INHERITED: dict[str, Field] = {
    field.name: field
    for field in (
        _field(5, "company", "Company Name", "string"),
        _field(9, "industry", "Industry", "string"),
        _field(10, "website", "Website", "url"),
        _field(21, "site", "Site", "string"),
        _field(22, "mainPhone", "Main Phone", "phone"),
        _field(23, "annualRevenue", "Annual Revenue", "currency"),
        _field(24, "numberOfEmployees", "Num Employees", "integer"),
        _field(25, "sicCode", "SIC Code", "string", length=40),
        _field(26, "billingStreet", "Billing Address", "text"),
        _field(27, "billingCity", "Billing City", "string"),
        _field(28, "billingState", "Billing State", "string"),
        _field(29, "billingCountry", "Billing Country", "string"),
        _field(30, "billingPostalCode", "Billing Postal Code", "string"),
        _field(1007, "corpNo", "Corporate Number", "string", standard=False),
        _field(1008, "siteName", "Site Name", "string", standard=False),
    )
}
"""What a lead takes over from the company that it belongs to, as the vendor's page "Companies" says. Never changed."""


STANDARD: dict[str, Field] = {
    field.name: field
    for field in (
        _field(1, "id", "Id", "integer", read_only=True, searchable=True),
        _field(2, "email", "Email Address", "email", searchable=True),
        _field(3, "firstName", "First Name", "string"),
        _field(4, "lastName", "Last Name", "string"),
        INHERITED["company"],
        _field(6, "phone", "Phone Number", "phone"),
        _field(7, "title", "Job Title", "string"),
        _field(8, "country", "Country", "string"),
        INHERITED["industry"],
        INHERITED["website"],
        _field(11, "leadSource", "Lead Source", "string"),
        _field(12, "leadScore", "Lead Score", "score"),
        _field(13, "unsubscribed", "Unsubscribed", "boolean"),
        _field(14, "createdAt", "Created At", "datetime", read_only=True),
        _field(15, "updatedAt", "Updated At", "datetime", read_only=True),
        _field(16, "sfdcAccountId", "SFDC Account Id", "string", read_only=True, searchable=True),
        _field(17, "sfdcLeadId", "SFDC Lead Id", "string", read_only=True, searchable=True),
        _field(18, "sfdcContactId", "SFDC Contact Id", "string", read_only=True, searchable=True),
        _field(19, "sfdcType", "SFDC Type", "string", read_only=True),
        _field(20, COMPANY_KEY, "External Company Id", "string", length=100, searchable=True),
        *(field for field in INHERITED.values() if 20 < field.number < 1000),
        _field(31, "leadStatus", "Lead Status", "string"),
        _field(32, "emailInvalid", "Email Invalid", "boolean"),
        _field(1001, "optOutSeminar", "Opt-out Seminar", "boolean", standard=False),
        _field(1002, "sfaId", "SFA Id", "string", searchable=True, standard=False),
        _field(1003, "ownerEmail", "Owner Email", "email", standard=False),
        _field(1004, "isTest", "Is Test", "boolean", standard=False),
        _field(1005, "demoRequest", "Demo Request", "boolean", standard=False),
        _field(1006, "newsletterOk", "Newsletter OK", "boolean", standard=False),
        INHERITED["corpNo"],
        INHERITED["siteName"],
        _field(1009, "dealStage", "Deal Stage", "string", standard=False),
        _field(1010, "dealAmount", "Deal Amount", "currency", standard=False),
        _field(1011, "lossReason", "Loss Reason", "string", standard=False),
        _field(1012, "lastWonDate", "Last Won Date", "date", standard=False),
        _field(1013, "wonTotalJPY", "Won Total JPY", "currency", standard=False),
        _field(1014, "revisitOn", "Revisit On", "date", standard=False),
        _field(1015, "recycleKey", "Recycle Key", "string", searchable=True, standard=False),
        _field(1016, "behaviorScore", "Behavior Score", "score", standard=False),
    )
}
"""The lead fields of a new instance: the usual ones and some custom ones. Never changed."""

COMPANY: dict[str, Field] = {
    field.name: field
    for field in (
        _field(1, "id", "Id", "integer", read_only=True, searchable=True),
        _field(20, COMPANY_KEY, "External Company Id", "string", length=100, searchable=True),
        _field(14, "createdAt", "Created At", "datetime", read_only=True),
        _field(15, "updatedAt", "Updated At", "datetime", read_only=True),
        *INHERITED.values(),
    )
} | {"company": _field(5, "company", "Company Name", "string", searchable=True)}
"""The fields of the company object. Never changed."""

UNTICKED: dict[str, Value] = {name: False for name, field in STANDARD.items() if field.type == "boolean"}
"""What a new lead's booleans are: a box is ticked or not, never null."""


def custom_field(number: int, name: str, kind: DataType) -> Field:
    """Make a custom field; text, e-mail and integer ones can be filtered by."""
    return _field(number, name, name, kind, searchable=kind in {"string", "email", "integer"}, standard=False)


def coerce(field: Field, value: object) -> Value:
    """Turn what a client sent into what is stored; `""` and null are both null. BadValueError when it
    does not fit.
    """
    if value is None or value == "":
        return False if field.type == "boolean" else None
    match field.type:
        case "integer" | "score":
            return _integer(field, value)
        case "boolean":
            return _boolean(field, value)
        case "float" | "currency":
            return _float(field, value)
        case "datetime" | "date":
            return _moment(field, value)
        case _:
            return _text(field, value)


def _wrong_type(field: Field, value: object) -> BadValueError:
    return BadValueError("1001", f"Invalid value '{value}'. Required of type '{field.type}'")


def _integer(field: Field, value: object) -> int:
    if isinstance(value, bool):
        raise _wrong_type(field, value)
    if isinstance(value, int):
        return value
    try:
        return int(str(value))
    except ValueError as error:
        raise _wrong_type(field, value) from error


def _float(field: Field, value: object) -> float:
    if isinstance(value, bool):
        raise _wrong_type(field, value)
    try:
        number = float(str(value))
    except ValueError as error:
        raise _wrong_type(field, value) from error
    if not isfinite(number):
        raise _wrong_type(field, value)
    return number


def _boolean(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _wrong_type(field, value)


def _moment(field: Field, value: object) -> str:
    try:
        if field.type == "date":
            return date.fromisoformat(str(value)).isoformat()
        parse_iso(str(value))
    except ValueError as error:
        raise _wrong_type(field, value) from error
    return str(value)


def _text(field: Field, value: object) -> str:
    if isinstance(value, (dict, list)):
        raise _wrong_type(field, value)
    text = value if isinstance(value, str) else str(value)
    if field.length is not None and len(text) > field.length:
        raise BadValueError("1003", f"Value of field '{field.name}' is longer than {field.length} characters")
    if field.type == "email" and (not text.isascii() or "@" not in text):
        raise BadValueError("1003", f"Invalid email address in field '{field.name}'")
    return text


def altered(field: Field, value: Value) -> Value:
    """Change a text as some vendors do (case, inner and outer spaces); doing it twice changes nothing
    more.
    """
    if not isinstance(value, str):
        return value
    tidy = " ".join(value.split())
    return (tidy.lower() if field.type == "email" else tidy.upper()) or None
