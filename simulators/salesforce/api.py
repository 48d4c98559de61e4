"""The organisation behind HTTP: routing, sessions, the daily allowance, and refusals in its dialect.

The resources themselves live in `records`, `batches`, `queries`, `describe`, `replication`, `oauth`. The
server calls this front with `lock` held, one request at a time.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from urllib.parse import unquote

from simulators.http import Request, Response, json_response
from simulators.salesforce import batches, describe, records, replication
from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.oauth import Credentials, Sessions
from simulators.salesforce.queries import Queries
from simulators.salesforce.rest import Call, http_date, not_found, refusal, wrong_method
from simulators.salesforce.state import SalesforceState

MAX_TARGET = 16_384  # the vendor's limit of a URL; the figure is «unverified»
_VERSION = re.compile(r"v(\d{1,3})\.0\Z")
_REFUSALS = {
    "rate_limited": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "too_many": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "server_error": (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId."),
    "timed_out": (503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable."),
}


class Quota:
    """Calls of the last 24 hours, counted by the hour."""

    def __init__(self) -> None:
        self._hours: dict[int, int] = {}
        self.highest = 0

    def admit(self, now: float) -> None:
        """Count a call of the client under test; `highest` is the count at the highest at which one was let in."""
        self.spend(now)
        self.highest = max(self.highest, self.used(now))

    def spend(self, now: float, calls: int = 1) -> None:
        """Count calls; other programs of the organisation spend from the same allowance."""
        hour = int(now // 3600)
        self._hours[hour] = self._hours.get(hour, 0) + calls

    def used(self, now: float) -> int:
        """Give the calls of the last 24 hours."""
        oldest = int(now // 3600) - 23
        for hour in [hour for hour in self._hours if hour < oldest]:
            del self._hours[hour]
        return sum(self._hours.values())


class SalesforceApi:
    """The vendor front; `instance_url` is what tokens name (by default the host that the client asked)."""

    def __init__(
        self,
        state: SalesforceState,
        credentials: Credentials | None = None,
        *,
        instance_url: str | None = None,
    ) -> None:
        self.state = state
        self.lock = threading.Lock()
        self.instance_url = instance_url
        self.sessions = Sessions(state, credentials or Credentials())
        self.queries = Queries()
        self.quota = Quota()

    def __call__(self, request: Request) -> Response:
        try:
            response = self._route(request)
        except RequestError as error:
            response = refusal(error)
        now = self.state.clock.now()
        usage = f"api-usage={self.quota.used(now)}/{self.state.switches.daily_calls}"
        return replace(
            response, headers={**response.headers, "date": http_date(now), "sforce-limit-info": usage}
        )

    def refuse(self, kind: str) -> Response:
        """Word a refusal that the server decided on."""
        status, code, message = _REFUSALS[kind]
        return refusal(RequestError(status, code, message))

    def _route(self, request: Request) -> Response:
        if len(request.target) > MAX_TARGET:
            raise RequestError(414, "URI_TOO_LONG", "The length of the URI exceeds the limit")
        raw = request.target.partition("?")[0] or request.path
        parts = tuple(unquote(part) for part in raw.split("/") if part)
        if parts == ("services", "oauth2", "token"):
            return self._token(request)
        if parts[:2] != ("services", "data"):
            raise not_found()
        if len(parts) == 2:
            return json_response(describe.versions())
        self._authenticate(request)
        version = _version(parts[2])
        now = self.state.clock.now()
        if self.quota.used(now) >= self.state.switches.daily_calls:
            raise RequestError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.quota.admit(now)
        return self._resource(Call(state=self.state, request=request, version=version, parts=parts[3:]))

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            raise wrong_method(request)
        host = request.headers.get("host", "localhost")
        scheme = "https" if host.endswith(".salesforce.com") else "http"
        return self.sessions.answer(request, self.instance_url or f"{scheme}://{host}")

    def _authenticate(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind not in ("Bearer", "OAuth", "") or not (token or kind == ""):
            raise RequestError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        if not self.sessions.valid(token):
            raise RequestError(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def _resource(self, call: Call) -> Response:
        match call.parts:
            case ("query" | "queryAll",) | ("query" | "queryAll", _):
                return self.queries.answer(call)
            case ("limits",):
                return describe.limits(call, self.quota.used(self.state.clock.now()))
            case ("sobjects",):
                return describe.all_objects(call)
            case ("sobjects", name, *rest):
                return _sobject(call, self.state.spec(name), rest)
            case ("composite", "sobjects"):
                return batches.mixed(call)
            case ("composite", "sobjects", name):
                return batches.retrieve(call, self.state.spec(name))
            case ("composite", "sobjects", name, key_field):
                return batches.upsert(call, self.state.spec(name), key_field)
            case _:
                raise not_found()


def _sobject(call: Call, spec: ObjectSpec, rest: list[str]) -> Response:
    match rest:
        case []:
            return records.object_resource(call, spec)
        case ["describe"]:
            return describe.one_object(call, spec)
        case ["updated"]:
            return replication.updated(call, spec)
        case ["deleted"]:
            return replication.deleted(call, spec)
        case [key]:
            return records.by_id(call, spec, key)
        case [name, value]:
            return records.by_external_id(call, spec, name, value)
        case _:
            raise not_found()


def _version(text: str) -> str:
    """Read `v68.0`; RequestError 410 for a version that was removed, 404 for one that never was."""
    found = _VERSION.match(text)
    if found is None or int(found[1]) not in describe.VERSIONS:
        if found is not None and int(found[1]) < describe.RETIRED_BELOW:
            raise RequestError(410, "UNSUPPORTED_API_VERSION", f"Version {found[1]}.0 has been removed")
        raise not_found()
    return f"{found[1]}.0"
