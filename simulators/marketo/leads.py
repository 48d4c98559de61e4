"""Lead endpoints: describe, read by id and by filter, sync, delete, merge.

Translates between requests and the state; decides no rule of its own beyond the pages' limits. Sources:
the vendor's pages "Leads" and "Lead Database".
"""

from __future__ import annotations

from simulators.http import Request, Response
from simulators.marketo.fields import TEXT_TYPES, Field
from simulators.marketo.params import (
    PAGE,
    batch_size,
    field_names,
    form,
    input_rows,
    json_body,
    listed,
    numbers,
    required,
)
from simulators.marketo.reply import Envelope, row_of
from simulators.marketo.state import MarketoState
from simulators.marketo.tokens import make_token, read_token
from simulators.marketo.upsert import Outcome, RequestError

DEFAULT_FIELDS = ("id", "email", "createdAt", "updatedAt", "firstName", "lastName")
MOST_MATCHES = 1000
PARTITION = "Default"


class LeadRoutes:
    """The handlers; each takes the request and the ids found in its path."""

    def __init__(self, state: MarketoState, envelope: Envelope) -> None:
        self._state, self._envelope = state, envelope

    def describe(self, _: Request) -> Response:
        """List all fields with their REST and SOAP names."""
        return self._envelope.success([_described(field) for field in self._state.fields.values()])

    def describe2(self, _: Request) -> Response:
        """List the fields, and which of them can be filtered by."""
        fields = self._state.fields.values()
        searchable = [[field.name] for field in fields if field.searchable]
        described = [
            {
                "name": field.name,
                "displayName": field.label,
                "dataType": field.type,
                **({"length": field.length} if field.length else {}),
                "updateable": not field.read_only,
                "crmManaged": False,
            }
            for field in fields
        ]
        result = {"name": "API Lead", "searchableFields": searchable, "fields": described}
        return self._envelope.success([result])

    def by_id(self, request: Request, lead_id: str) -> Response:
        """Read one lead."""
        names = field_names(request, self._state.fields, DEFAULT_FIELDS)
        row = self._state.lead(int(lead_id), names)
        if row is None:
            raise RequestError("1004", f"Lead '{lead_id}' not found")
        return self._envelope.success([row])

    def by_filter(self, request: Request) -> Response:
        """Read leads by a filter, in pages."""
        kind = required(request, "filterType")
        values = listed(request, "filterValues", PAGE)
        names = field_names(request, self._state.fields, DEFAULT_FIELDS)
        field = self._state.fields.get(kind)
        if field is None or not field.searchable:
            raise RequestError("1003", f"Invalid filter type '{kind}'")
        found = self._state.shelf.find(kind, values)
        if len(found) > MOST_MATCHES:
            raise RequestError("1003", "Too many results match the filter")
        token = request.first("nextPageToken")
        start, size = read_token("leads", token) if token else 0, batch_size(request)
        rows = [self._state.render(lead, names) for lead in found[start : start + size]]
        if start + size < len(found):
            return self._envelope.success(rows, nextPageToken=make_token("leads", start + size))
        return self._envelope.success(rows)

    def sync(self, request: Request) -> Response:
        """Create and update leads; results stand in the order of the input and repeat no key."""
        body = json_body(request)
        rows = input_rows(body)
        if body.get("partitionName", PARTITION) != PARTITION:
            refusal = Outcome("skipped", None, "1008", "Access to partition denied")
            return self._envelope.success([row_of(refusal)] * len(rows))
        action, lookup = body.get("action", "createOrUpdate"), body.get("lookupField", "email")
        outcomes = self._state.sync_leads(str(action), str(lookup), rows, snapshot=request.received)
        if body.get("asyncProcessing") is True:
            return self._envelope.success([{"status": outcome.status} for outcome in outcomes])
        return self._envelope.success([row_of(outcome) for outcome in outcomes])

    def delete(self, request: Request) -> Response:
        """Delete leads by id, from a JSON body or from `?id=1,2`."""
        if request.first("id"):
            texts = listed(request, "id", PAGE)
        else:
            texts = [str(row.get("id")) for row in input_rows(json_body(request))]
        ids = numbers(texts, "id")
        return self._envelope.success([row_of(outcome) for outcome in self._state.delete_leads(ids)])

    def merge(self, request: Request, winner: str) -> Response:
        """Merge leads into the one of the path; the answer holds no result."""
        given = {**form(request), **request.query}
        texts = [
            part for name in ("leadId", "leadIds") for text in given.get(name, ()) for part in text.split(",")
        ]
        if not texts:
            raise RequestError("1002", "Required parameter 'leadId' is missing")
        self._state.merge(int(winner), numbers(texts, "leadIds"))
        return self._envelope.success()


def _described(field: Field) -> dict[str, object]:
    soap = field.name[0].upper() + field.name[1:]
    described: dict[str, object] = {"id": field.number, "displayName": field.label, "dataType": field.type}
    if field.type in TEXT_TYPES and field.length:
        described["length"] = field.length
    described["rest"] = {"name": field.name, "readOnly": field.read_only}
    described["soap"] = {"name": soap, "readOnly": field.read_only}
    return described
