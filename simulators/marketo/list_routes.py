"""List and campaign endpoints: browse, members, membership, request.

Translates between requests and the state. Sources: the vendor's pages "List Membership" and "Smart
Campaigns" with the endpoint reference of lists and campaigns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from simulators.clock import iso_z
from simulators.http import Request, Response
from simulators.marketo import membership
from simulators.marketo.campaigns import Campaign
from simulators.marketo.leads import DEFAULT_FIELDS
from simulators.marketo.params import PAGE, batch_size, field_names, input_rows, json_body, numbers
from simulators.marketo.reply import Envelope, member_row
from simulators.marketo.state import MarketoState
from simulators.marketo.tokens import make_token, read_token
from simulators.marketo.upsert import Outcome, RequestError

WORKSPACE = "Default"


class Asset(Protocol):
    """What lists and campaigns have in common; times are unix seconds."""

    id: int
    name: str
    program: str
    created: float
    updated: float


AnyAsset = TypeVar("AnyAsset", bound=Asset)


class ListRoutes:
    """The handlers; each takes the request and the id found in its path."""

    def __init__(self, state: MarketoState, envelope: Envelope) -> None:
        self._state, self._envelope = state, envelope

    def lists(self, request: Request) -> Response:
        """Browse the static lists by id, name, program or workspace."""
        return self._browse(request, "lists", self._state.static.rows.values(), _shown)

    def list_by_id(self, _: Request, list_id: str) -> Response:
        """Give one static list."""
        return self._envelope.success([_shown(membership.list_of(self._state, int(list_id)))])

    def members(self, request: Request, list_id: str) -> Response:
        """Read the leads on a list, in pages; a membership may turn up late."""
        row = membership.list_of(self._state, int(list_id))
        names = field_names(request, self._state.fields, DEFAULT_FIELDS)
        known = self._state.leads
        leads = [known[lead] for lead in row.shown(self._state.clock.now()) if lead in known]
        return self._paged(request, f"list {row.id}", leads, lambda lead: self._state.render(lead, names))

    def add(self, request: Request, list_id: str) -> Response:
        """Add leads to a list."""
        return self._answer(self._state.add_to_list(int(list_id), _lead_ids(request)))

    def remove(self, request: Request, list_id: str) -> Response:
        """Remove leads from a list."""
        return self._answer(self._state.remove_from_list(int(list_id), _lead_ids(request)))

    def is_member(self, request: Request, list_id: str) -> Response:
        """Say of each lead whether it is on a list."""
        return self._answer(membership.standing(self._state, int(list_id), _lead_ids(request)))

    def campaigns(self, request: Request) -> Response:
        """Browse the campaigns by id, name, program or workspace."""
        return self._browse(request, "campaigns", self._state.campaigns.rows.values(), _campaign)

    def campaign_by_id(self, _: Request, campaign_id: str) -> Response:
        """Give one campaign."""
        found = self._state.campaigns.rows.get(int(campaign_id))
        if found is None:
            raise RequestError("1013", f"Campaign '{campaign_id}' not found")
        return self._envelope.success([_campaign(found)])

    def trigger(self, request: Request, campaign_id: str) -> Response:
        """Request a campaign; the answer names the campaign and nothing about the leads."""
        given = json_body(request).get("input")
        if not isinstance(given, dict):
            raise RequestError("1002", "Missing value for the required parameter 'input'")
        leads = numbers([str(row.get("id")) for row in _dicts(given.get("leads"))], "leads")
        tokens = {str(row.get("name")): str(row.get("value")) for row in _dicts(given.get("tokens"))}
        self._state.request_campaign(int(campaign_id), leads, tokens)
        return self._envelope.success([{"id": int(campaign_id)}])

    def _answer(self, outcomes: list[Outcome]) -> Response:
        return self._envelope.success([member_row(outcome) for outcome in outcomes])

    def _browse(
        self,
        request: Request,
        tag: str,
        rows: Iterable[AnyAsset],
        shown: Callable[[AnyAsset], dict[str, Any]],
    ) -> Response:
        ids = set(numbers(_parts(request, "id"), "id"))
        wanted = {name: set(request.query.get(name, ())) for name in ("name", "programName", "workspaceName")}

        def fits(row: AnyAsset) -> bool:
            has = {"name": row.name, "programName": row.program, "workspaceName": WORKSPACE}
            return (not ids or row.id in ids) and all(
                not asked or has[key] in asked for key, asked in wanted.items()
            )

        return self._paged(request, tag, [row for row in rows if fits(row)], shown)

    def _paged(
        self, request: Request, tag: str, rows: list[Any], shown: Callable[[Any], dict[str, Any]]
    ) -> Response:
        token = request.first("nextPageToken")
        start, size = read_token(tag, token) if token else 0, batch_size(request)
        page = [shown(row) for row in rows[start : start + size]]
        if start + size < len(rows):
            return self._envelope.success(page, nextPageToken=make_token(tag, start + size))
        return self._envelope.success(page)


def _parts(request: Request, name: str) -> list[str]:
    return [part for text in request.query.get(name, ()) for part in text.split(",") if part]


def _lead_ids(request: Request) -> list[int]:
    """Read lead ids from `?id=5&id=6` or from a JSON body, at most 300."""
    texts = _parts(request, "id")
    if not texts and request.body:
        texts = [str(row.get("id")) for row in input_rows(json_body(request))]
    if not texts:
        raise RequestError("1002", "Missing value for the required parameter 'id'")
    if len(texts) > PAGE:
        raise RequestError("1003", f"No more than {PAGE} leads are allowed in one call")
    return numbers(texts, "id")


def _dicts(value: object) -> list[dict[str, Any]]:
    rows = [] if value is None else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RequestError("609", "Invalid JSON")
    return rows


def _shown(row: Asset) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": row.id, "name": row.name, "workspaceName": WORKSPACE}
    if row.program:
        shown["programName"] = row.program
    return shown | {"createdAt": iso_z(row.created), "updatedAt": iso_z(row.updated)}


def _campaign(row: Campaign) -> dict[str, Any]:
    return _shown(row) | {"type": row.kind, "active": row.active}
