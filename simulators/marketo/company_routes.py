"""Company endpoints: describe, query, sync, delete; closed while the native CRM sync is on.

Translates between requests and the state. Sources: the vendor's pages "Companies" and "Lead Database".
The two disagree about reading beside a native sync; the stricter one ("disabled") is taken.
"""

from __future__ import annotations

from simulators.clock import iso_z
from simulators.http import Request, Response
from simulators.marketo.fields import COMPANY, COMPANY_KEY, Field
from simulators.marketo.params import (
    PAGE,
    batch_size,
    field_names,
    input_rows,
    json_body,
    listed,
    required,
)
from simulators.marketo.reply import Envelope, seq_rows
from simulators.marketo.state import MarketoState
from simulators.marketo.tokens import make_token, read_token
from simulators.marketo.upsert import RequestError

DEFAULT_FIELDS = ("id", COMPANY_KEY, "updatedAt", "createdAt")
ALIASES = {"idField": "id", "dedupeFields": COMPANY_KEY}
TAG = "companies"


class CompanyRoutes:
    """The handlers."""

    def __init__(self, state: MarketoState, envelope: Envelope) -> None:
        self._state, self._envelope = state, envelope
        self._made = iso_z(state.clock.now())

    def describe(self, _: Request) -> Response:
        """Describe the company object."""
        described = {
            "name": "Company",
            "description": "Company object",
            "createdAt": self._made,
            "updatedAt": self._made,
            "idField": "id",
            "dedupeFields": [COMPANY_KEY],
            "searchableFields": [[field.name] for field in COMPANY.values() if field.searchable],
            "fields": [_described(field) for field in COMPANY.values()],
        }
        return self._envelope.success([described])

    def by_filter(self, request: Request) -> Response:
        """Read companies by a searchable field, in pages."""
        asked = required(request, "filterType")
        kind = ALIASES.get(asked, asked)
        values = listed(request, "filterValues", PAGE)
        names = field_names(request, COMPANY, DEFAULT_FIELDS)
        if kind not in COMPANY or not COMPANY[kind].searchable:
            raise RequestError("1003", f"Invalid filter type '{asked}'")
        found = self._state.companies.find(kind, values)
        token = request.first("nextPageToken")
        start, size = read_token(TAG, token) if token else 0, batch_size(request)
        page = [self._state.render(company, names) for company in found[start : start + size]]
        rows = [{"seq": seq, **row} for seq, row in enumerate(page)]
        if start + size < len(found):
            return self._envelope.success(rows, nextPageToken=make_token(TAG, start + size), moreResult=True)
        return self._envelope.success(rows)

    def sync(self, request: Request) -> Response:
        """Create and update companies."""
        body = json_body(request)
        action, by = body.get("action", "createOrUpdate"), body.get("dedupeBy", "dedupeFields")
        outcomes = self._state.sync_companies(str(action), str(by), input_rows(body))
        return self._envelope.success(seq_rows(outcomes))

    def delete(self, request: Request) -> Response:
        """Delete companies by key or by id."""
        body = json_body(request)
        by = body.get("deleteBy", "dedupeFields")
        return self._envelope.success(seq_rows(self._state.delete_companies(str(by), input_rows(body))))


def _described(field: Field) -> dict[str, object]:
    described: dict[str, object] = {
        "name": field.name,
        "displayName": field.label,
        "dataType": field.type,
        "updateable": not field.read_only and field.name != COMPANY_KEY,
    }
    if field.length:
        described["length"] = field.length
    return described
