"""Which values a field takes, how they are stored, and how a careless vendor bends them.

Decides per field; knows no records and no faults. A value of the wrong JSON type or a field that does not
exist refuses the whole request («unverified» for collections); everything else refuses the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, NamedTuple

from simulators.salesforce.errors import RequestError, RowError
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.ids import normalise
from simulators.salesforce.stamps import read_date, read_stamp

Value = str | bool | int | float | None
_ATOM = r"[A-Za-z0-9!#$%&'*/=?^_+`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+\Z")
_IGNORED = frozenset({"attributes", "Id", "id"})


class Cleaned(NamedTuple):
    """The writable values of a row, by field name, and what is wrong with the row."""

    values: dict[str, Value]
    errors: tuple[RowError, ...]


def clean_row(spec: ObjectSpec, row: Mapping[str, Any], *, creating: bool) -> Cleaned:
    """Read one row as sent; RequestError 400 for an unknown field or a value of the wrong JSON type."""
    values: dict[str, Value] = {}
    errors: list[RowError] = []
    sealed: list[str] = []
    for name, sent in row.items():
        if name in _IGNORED:
            continue
        field = spec.find(name)
        if field is None:
            raise no_such_column(spec, name)
        if not (field.createable if creating else field.updateable):
            sealed.append(field.name)
            continue
        stored = _clean(field, sent)
        if isinstance(stored, RowError):
            errors.append(stored)
        else:
            values[field.name] = stored
    if sealed:
        errors.append(_not_writable(sealed))
    return Cleaned(values, tuple(errors))


def no_such_column(spec: ObjectSpec, name: str) -> RequestError:
    """The vendor's words for a field that does not exist or is hidden."""
    return RequestError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {spec.name}")


def _not_writable(names: list[str]) -> RowError:
    listed = ", ".join(names)
    return RowError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {listed}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set.",
        tuple(names),
    )


def missing_fields(spec: ObjectSpec, values: Mapping[str, Value], *, creating: bool) -> RowError | None:
    """Required fields that a create leaves out, or that an update empties."""
    missing = tuple(
        name for name in spec.required if values.get(name) is None and (creating or name in values)
    )
    if not missing:
        return None
    return RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)


def _clean(field: Field, sent: Any) -> Value | RowError:
    if sent is None or sent == "":
        return False if field.type == "boolean" else None
    return _CLEANERS.get(field.type, _string)(field, sent)


def _wrong_type(field: Field, sent: Any, wanted: str) -> RequestError:
    seen = {str: "VALUE_STRING", bool: "VALUE_BOOLEAN", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    kind = seen.get(type(sent), "START_OBJECT")
    return RequestError(
        400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {wanted} from {kind} value at {field.name}"
    )


def _string(field: Field, sent: Any) -> Value | RowError:
    if isinstance(sent, bool) or not isinstance(sent, str | int | float):
        raise _wrong_type(field, sent, "string")
    text = str(sent)
    if field.length and len(text) > field.length:
        return RowError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {text} (max length={field.length})",
            (field.name,),
        )
    return text


def _email(field: Field, sent: Any) -> Value | RowError:
    text = _string(field, sent)
    if isinstance(text, str) and not _EMAIL.match(text):
        return RowError(
            "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", (field.name,)
        )
    return text


def _picklist(field: Field, sent: Any) -> Value | RowError:
    text = _string(field, sent)
    if field.restricted and isinstance(text, str) and text not in field.picklist:
        return RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            (field.name,),
        )
    return text


def _boolean(field: Field, sent: Any) -> Value | RowError:
    if isinstance(sent, str) and sent.lower() in ("true", "false"):
        return sent.lower() == "true"
    if not isinstance(sent, bool):
        raise _wrong_type(field, sent, "boolean")
    return sent


def _number(field: Field, sent: Any) -> Value | RowError:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise _wrong_type(field, sent, "double")
    try:
        number = Decimal(str(sent)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _wrong_type(field, sent, "double") from error
    if abs(number) >= 10 ** (field.precision - field.scale):
        return RowError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {sent}",
            (field.name,),
        )
    return float(number)


def _datetime(field: Field, sent: Any) -> Value | RowError:
    stored = read_stamp(sent) if isinstance(sent, str) else None
    if stored is None:
        raise _wrong_type(field, sent, "datetime")
    return stored


def _date(field: Field, sent: Any) -> Value | RowError:
    stored = read_date(sent[:10]) if isinstance(sent, str) else None
    if stored is None:
        raise _wrong_type(field, sent, "date")
    return stored


def _reference(field: Field, sent: Any) -> Value | RowError:
    full = normalise(sent) if isinstance(sent, str) else None
    if full is None:
        return RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {sent}", (field.name,))
    return full


_CLEANERS: Mapping[str, Callable[[Field, Any], Value | RowError]] = {
    "email": _email,
    "picklist": _picklist,
    "boolean": _boolean,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "datetime": _datetime,
    "date": _date,
    "reference": _reference,
}


def bend(field: Field, value: Value) -> Value:
    """What a trigger of the organisation makes of a value: trims, rounds, changes case; equal = no idea."""
    if (
        isinstance(value, bool)
        or value is None
        or field.type in ("reference", "id", "picklist", "date", "datetime")
    ):
        return value
    if isinstance(value, int | float):
        return float(round(value / 10) * 10)
    squeezed = " ".join(value.split())
    if squeezed != value:
        return squeezed
    if field.type == "email":
        return value.lower() if value != value.lower() else value.upper()
    if field.type == "phone":
        return re.sub(r"\A(0\d{1,3})-", r"(\1) ", value)
    return value.title() if value != value.title() else value.upper()
