"""What the organisation tells about itself: objects, fields, limits, versions.

Only fields that the API user may see are described. Attribute names follow the vendor's pages on
sObject Describe and Limits.
"""

from __future__ import annotations

from typing import Any

from simulators.http import Response, json_response
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.rest import Call, header_date, http_date

VERSIONS = range(41, 69)
RETIRED_BELOW = 31
_SOAP = {
    "boolean": "xsd:boolean", "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double",
    "int": "xsd:int", "datetime": "xsd:dateTime", "date": "xsd:date",
}  # fmt: skip


def versions() -> list[dict[str, str]]:
    """The list that is given without authentication."""
    return [
        {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in VERSIONS
    ]


def all_objects(call: Call) -> Response:
    """`/sobjects`: every object, without its fields."""
    call.state.calls["sobjects"] += 1
    listed = [_flags(call, spec) for spec in call.state.schema.values()]
    return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def one_object(call: Call, spec: ObjectSpec) -> Response:
    """`/sobjects/{O}/describe`: 304 when nothing changed since the client's `If-Modified-Since`."""
    call.state.calls["describe"] += 1
    changed = int(call.state.schema_changed)
    since = header_date(call.request.headers, "if-modified-since")
    if since is not None and changed <= since:
        return Response(status=304)
    payload = {
        **_flags(call, spec),
        "fields": [_field(field) for field in spec.fields.values()],
        "childRelationships": [],
        "recordTypeInfos": [
            {"name": row["Name"], "recordTypeId": row["Id"], "available": True, "active": True}
            for row in call.state.tables["RecordType"].rows.values()
            if row["SobjectType"] == spec.name
        ],
    }
    return json_response(payload, headers={"last-modified": http_date(changed)})


def _flags(call: Call, spec: ObjectSpec) -> dict[str, Any]:
    writable = spec.writable
    url = f"{call.base}/sobjects/{spec.name}"
    return {
        "name": spec.name,
        "label": spec.name,
        "labelPlural": f"{spec.name}s",
        "custom": False,
        "keyPrefix": spec.prefix,
        "createable": writable,
        "updateable": writable,
        "deletable": writable,
        "undeletable": writable,
        "queryable": True,
        "retrieveable": True,
        "replicateable": spec.replicateable,
        "mergeable": spec.mergeable,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": "tns:ID" if field.type in ("id", "reference") else _SOAP.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision,
        "scale": field.scale,
        "digits": 0,
        "nillable": field.nillable,
        "createable": field.createable,
        "updateable": field.updateable,
        "defaultedOnCreate": field.defaulted,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "custom": field.custom,
        "externalId": field.external_id,
        "idLookup": field.id_lookup,
        "unique": field.unique,
        "caseSensitive": field.case_sensitive,
        "filterable": True,
        "sortable": True,
        "groupable": field.type != "datetime",
        "encrypted": False,
        "picklistValues": [
            {"active": True, "defaultValue": False, "label": label, "value": value, "validFor": None}
            for value, label in zip(field.picklist, field.labels or field.picklist, strict=True)
        ],
        "restrictedPicklist": field.restricted,
        "dependentPicklist": False,
        "controllerName": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "compoundFieldName": "Name" if field.name in ("FirstName", "LastName") else None,
        "polymorphicForeignKey": len(field.reference_to) > 1,
    }


def limits(call: Call, used: int) -> Response:
    """`/limits`: the daily allowance and what is left of it."""
    call.state.calls["limits"] += 1
    allowed = call.state.switches.daily_calls
    return json_response(
        {
            "DailyApiRequests": {"Max": allowed, "Remaining": max(0, allowed - used)},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        }
    )
