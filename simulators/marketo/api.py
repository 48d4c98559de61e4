"""The fake Marketo behind HTTP: bases, routes, size limits and the order in which a call is checked.

Decides which handler a request meets and turns every refusal into the vendor's envelope; the handlers
decide the rest.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from simulators.http import Request, Response, text_response
from simulators.marketo.company_routes import CompanyRoutes
from simulators.marketo.extract import ExtractRoutes, Pace
from simulators.marketo.feeds import FeedRoutes
from simulators.marketo.gate import UNLIMITED, Credentials, Gate, Quota
from simulators.marketo.leads import LeadRoutes
from simulators.marketo.list_routes import ListRoutes
from simulators.marketo.params import BODY_LIMIT, TARGET_LIMIT, form
from simulators.marketo.reply import Envelope
from simulators.marketo.state import MarketoState
from simulators.marketo.tokens import BadTokenError
from simulators.marketo.upsert import RequestError

Handler = Callable[..., Response]
DEMO_CREDENTIALS = Credentials(client_id="demo-client", client_secret="demo-secret")  # noqa: S106 - opens a toy only
CRM_OBJECTS = re.compile(r"/rest/v1/(companies|opportunities|salespersons)(/.*)?\.json")
"""What is managed by the CRM alone while the native sync is on (page "Lead Database")."""


class Route(NamedTuple):
    """A method, a path with one `(…)` at most, the label it is counted under, and who answers."""

    method: str
    path: re.Pattern[str]
    label: str
    handler: Handler


class MarketoApi:
    """One instance; call it with a request while holding `lock`."""

    def __init__(
        self,
        state: MarketoState,
        *,
        credentials: Credentials = DEMO_CREDENTIALS,
        quota: Quota = UNLIMITED,
        token_lifetime: float = 3600.0,
        empty_pages: float = 0.0,
        pace: Pace | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Take a state; `rng` makes tokens and empty pages, `empty_pages` is their share, `pace` that of
        extracts.
        """
        own = rng or random.Random(0)
        self.state, self.credentials = state, credentials
        self.lock = threading.Lock()
        self.gate = Gate(state.clock, own, credentials, quota, token_lifetime)
        self._envelope = Envelope()
        self.feeds = FeedRoutes(state, self._envelope, own, empty_pages)
        self.extract = ExtractRoutes(state, self._envelope, own, pace or Pace())
        self._routes = self._table(LeadRoutes(state, self._envelope)) + self._more()

    def refuse(self, kind: str) -> Response:
        """Word a refusal that the server makes."""
        return self._envelope.refuse(kind)

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if len(request.target) > TARGET_LIMIT:
            return text_response("URI too long", 414)
        if len(request.body) > BODY_LIMIT:
            return text_response("Request entity too large", 413)
        request = _as_get(request)
        if request.path == "/identity/oauth/token":
            self.state.calls["identity"] += 1
            return self.gate.identity(replace(request, query={**form(request), **request.query}))
        try:
            refusal = self.gate.admit(request)
            return self._envelope.failure(*refusal) if refusal else self._dispatch(request)
        except RequestError as error:
            return self._envelope.failure(error.code, error.message)
        except BadTokenError as error:
            return self._envelope.failure("1003", str(error))

    def _dispatch(self, request: Request) -> Response:
        if self.state.native_sync and CRM_OBJECTS.fullmatch(request.path):
            return self._envelope.failure("1018", "CRM Enabled")
        known = False
        for route in self._routes:
            match = route.path.fullmatch(request.path)
            if match and route.method == request.method:
                self.state.calls[route.label] += 1
                return route.handler(request, *match.groups())
            known = known or match is not None
        if known:
            return self._envelope.failure("605", f"HTTP Method '{request.method}' is not supported")
        return self._envelope.failure("610", "Requested resource not found")

    def _table(self, leads: LeadRoutes) -> tuple[Route, ...]:
        feeds, extract = self.feeds, self.extract
        number, job = r"(\d{1,15})", r"([0-9a-f-]{36})"
        rows: tuple[tuple[str, str, str, Handler], ...] = (
            ("GET", "/rest/v1/leads.json", "leads", leads.by_filter),
            ("POST", "/rest/v1/leads.json", "sync leads", leads.sync),
            ("DELETE", "/rest/v1/leads.json", "delete leads", leads.delete),
            ("GET", "/rest/v1/activities/leadchanges.json", "lead changes", feeds.changes),
            ("GET", "/rest/v1/activities.json", "activities", feeds.activities),
            ("GET", "/rest/v1/activities/pagingtoken.json", "paging token", feeds.paging_token),
            ("GET", "/rest/v1/activities/deletedleads.json", "deleted leads", feeds.deleted),
            ("GET", "/rest/v1/activities/types.json", "activity types", feeds.types),
            ("GET", f"/rest/v1/lead/{number}.json", "lead", leads.by_id),
            ("GET", "/rest/v1/leads/describe.json", "describe", leads.describe),
            ("GET", "/rest/v1/leads/describe2.json", "describe2", leads.describe2),
            ("POST", "/rest/v1/leads/delete.json", "delete leads", leads.delete),
            ("POST", f"/rest/v1/leads/{number}/merge.json", "merge leads", leads.merge),
            ("GET", "/rest/v1/stats/usage.json", "usage", self._usage),
            ("GET", "/bulk/v1/leads/export.json", "extract list", extract.jobs),
            ("POST", "/bulk/v1/leads/export/create.json", "extract create", extract.create),
            ("POST", f"/bulk/v1/leads/export/{job}/enqueue.json", "extract enqueue", extract.enqueue),
            ("POST", f"/bulk/v1/leads/export/{job}/cancel.json", "extract cancel", extract.cancel),
            ("GET", f"/bulk/v1/leads/export/{job}/status.json", "extract status", extract.status),
            ("GET", f"/bulk/v1/leads/export/{job}/file.json", "extract file", extract.file),
        )
        return _compiled(rows)

    def _more(self) -> tuple[Route, ...]:
        companies, lists = CompanyRoutes(self.state, self._envelope), ListRoutes(self.state, self._envelope)
        number = r"(\d{1,15})"
        return _compiled(
            (
                ("GET", "/rest/v1/companies.json", "companies", companies.by_filter),
                ("POST", "/rest/v1/companies.json", "sync companies", companies.sync),
                ("GET", "/rest/v1/companies/describe.json", "describe companies", companies.describe),
                ("POST", "/rest/v1/companies/delete.json", "delete companies", companies.delete),
                ("GET", "/rest/v1/lists.json", "lists", lists.lists),
                ("GET", f"/rest/v1/lists/{number}.json", "list", lists.list_by_id),
                ("GET", f"/rest/v1/lists?/{number}/leads.json", "list members", lists.members),
                ("POST", f"/rest/v1/lists/{number}/leads.json", "add to list", lists.add),
                ("DELETE", f"/rest/v1/lists/{number}/leads.json", "remove from list", lists.remove),
                ("GET", f"/rest/v1/lists/{number}/leads/ismember.json", "member of list", lists.is_member),
                ("GET", "/rest/v1/campaigns.json", "campaigns", lists.campaigns),
                ("GET", f"/rest/v1/campaigns/{number}.json", "campaign", lists.campaign_by_id),
                ("POST", f"/rest/v1/campaigns/{number}/trigger.json", "request campaign", lists.trigger),
            )
        )

    def _usage(self, _: Request) -> Response:
        return self._envelope.success([self.gate.report()])


def _compiled(rows: tuple[tuple[str, str, str, Handler], ...]) -> tuple[Route, ...]:
    return tuple(
        Route(method, re.compile(path.replace(".json", r"\.json")), label, handler)
        for method, path, label, handler in rows
    )


def _as_get(request: Request) -> Request:
    """Read `POST …?_method=GET` (also from the form) as the GET that it stands for."""
    if request.method != "POST":
        return request
    fields = form(request)
    if request.first("_method") != "GET" and fields.get("_method") != ["GET"]:
        return request
    return replace(request, method="GET", query={**request.query, **fields})
