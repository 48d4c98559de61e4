"""What a record may not be, whoever writes it: dangling or misplaced references, inactive owners, circles.

Decides per row, with the other records at hand; knows no transactions and no faults. Codes follow the vendor's pages
on the objects and on status codes; where a wording is not documented it says so here: «unverified».
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.salesforce.errors import RowError
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.ids import PREFIXES
from simulators.salesforce.table import Row, Table

Tables = Mapping[str, Table]
# «Accounts, opportunities and custom objects» may belong to inactive users since Spring '15, the others not.
ACTIVE_OWNERS = frozenset({"Lead", "Contact", "Task"})


def objection(
    tables: Tables, spec: ObjectSpec, values: Mapping[str, Any], old: Row | None
) -> RowError | None:
    """Say what is wrong with writing these values over `old` (None = a new record), or None."""
    for name, value in values.items():
        field = spec.fields[name]
        if value is not None and field.reference_to:
            wrong = _misplaced(field, str(value)) or _dangling(tables, field, str(value))
            if wrong is not None:
                return wrong
    return (
        _owner(tables, spec, values) or _record_type(tables, spec, values) or _of_task(tables, spec, values, old)
        or _circle(tables, spec, values, old)
    )  # fmt: skip


def _misplaced(field: Field, key: str) -> RowError | None:
    """An id of another kind of object than the field takes."""
    allowed = [PREFIXES.get(target) for target in field.reference_to]
    if None in allowed or key[:3] in allowed:
        return None
    return RowError(
        "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {key}", (field.name,)
    )


def _dangling(tables: Tables, field: Field, key: str) -> RowError | None:
    for target in field.reference_to:
        row = tables[target].rows.get(key) if target in tables else None
        if row is not None and not row["IsDeleted"]:
            return None
    return RowError("INVALID_CROSS_REFERENCE_KEY", f"{field.name}: invalid cross reference id", (field.name,))


def _owner(tables: Tables, spec: ObjectSpec, values: Mapping[str, Any]) -> RowError | None:
    owner = tables["User"].rows.get(str(values.get("OwnerId")))
    if owner is None or owner["IsActive"] or spec.name not in ACTIVE_OWNERS:
        return None
    text = f"operation performed with inactive user [{owner['Id'][:15]}] as owner of {spec.name.lower()}"
    return RowError("INACTIVE_OWNER_OR_USER", text, ("OwnerId",))


def _record_type(tables: Tables, spec: ObjectSpec, values: Mapping[str, Any]) -> RowError | None:
    kind = tables["RecordType"].rows.get(str(values.get("RecordTypeId")))
    if kind is None or kind["SobjectType"] == spec.name:
        return None
    text = f"Record Type ID: this ID value isn't valid for the user: {kind['Id']}"
    return RowError("INVALID_CROSS_REFERENCE_KEY", text, ("RecordTypeId",))


def _of_task(tables: Tables, spec: ObjectSpec, values: Mapping[str, Any], old: Row | None) -> RowError | None:
    """A lead has no «related to» (the vendor's page on Task, WhatId; wording «unverified») and is not converted."""
    if spec.name != "Task" or not {"WhoId", "WhatId"} & set(values):
        return None
    who, what = (values.get(name, None if old is None else old[name]) for name in ("WhoId", "WhatId"))
    lead = tables["Lead"].rows.get(str(who))
    if lead is None:
        return None
    if lead["IsConverted"]:
        return RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ("WhoId",))
    if what is None:
        return None
    text = "Related To ID: a task of a lead cannot be related to another record"
    return RowError("FIELD_INTEGRITY_EXCEPTION", text, ("WhatId",))


def _circle(tables: Tables, spec: ObjectSpec, values: Mapping[str, Any], old: Row | None) -> RowError | None:
    parent = values.get("ParentId")
    if spec.name != "Account" or old is None:
        return None
    while parent is not None:
        if parent == old["Id"]:
            return RowError(
                "CIRCULAR_DEPENDENCY", "attempt to make an account its own ancestor", ("ParentId",)
            )
        row = tables["Account"].rows.get(parent)
        parent = None if row is None else row["ParentId"]
    return None
