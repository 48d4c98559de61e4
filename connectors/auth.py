"""How tokens are got, kept and renewed: generators that yield requests and are sent replies, without any I/O.

They decide when a token is asked for again and that a request refused for its token is replayed once, never twice.
One thread renews while the others wait. Secrets stay in `SecretStr` and appear in no representation, log or error.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from pydantic import SecretStr

from sync.errors import Fatal, Retryable
from sync.ports import Clock

Flow = Generator[httpx.Request, httpx.Response, None]
RENEW_BEFORE = 60.0
_SMALL = 2048


class _Token(NamedTuple):
    value: str
    renew_at: float

    def __repr__(self) -> str:
        return "_Token(…)"


class TokenAuth(httpx.Auth, ABC):
    """A bearer token that all threads share; vendors say how it is asked for and how its refusal looks."""

    requires_response_body = True

    def __init__(self, system: str, clock: Clock) -> None:
        self._system, self._clock = system, clock
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """Put a token on the request, and replay it once under a new one where the vendor refuses the first."""
        token = self._token
        if token is None or self._clock.now() >= token.renew_at:
            token = yield from self._renewed(token)
        response = yield self._signed(request, token)
        response.read()
        if self._refused(response):
            token = yield from self._renewed(token)
            yield self._signed(request, token)

    def _renewed(self, old: _Token | None) -> Generator[httpx.Request, httpx.Response, _Token]:
        with self._lock:
            current = self._token
            if current is not None and current is not old:
                return current  # another thread was faster
            response = yield self._question()
            response.read()
            self._token = self._answer(response)
            return self._token

    def _signed(self, request: httpx.Request, token: _Token) -> httpx.Request:
        request.headers["authorization"] = f"Bearer {token.value}"
        return request

    @abstractmethod
    def _question(self) -> httpx.Request:
        """The request for a token."""

    @abstractmethod
    def _answer(self, response: httpx.Response) -> _Token:
        """The token in the vendor's reply."""

    def _refused(self, response: httpx.Response) -> bool:
        return response.status_code == 401

    def _decoded(self, response: httpx.Response) -> dict[str, Any]:
        """The token's reply. Raises Fatal where the credentials are refused, Retryable where the vendor is ill."""
        status = response.status_code
        if status >= 500 or status == 429:
            raise Retryable(f"{self._system} gives no token now (HTTP {status}).", 5.0)
        try:
            reply = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            reply = None
        if status == 200 and isinstance(reply, dict) and isinstance(reply.get("access_token"), str):
            return reply
        if _is_busy(reply):
            raise Retryable(f"{self._system} gives no token now; it is asked for too much.", 5.0)
        word = reply.get("error", "") if isinstance(reply, dict) else ""
        raise Fatal(
            f"{self._system} refuses our credentials (HTTP {status} {word if word in _WORDS else ''}".rstrip()
            + ").",
            "check client_id, client_secret and the addresses in the settings, and that the vendor's application "
            "and its API user are active",
        )


_WORDS = frozenset(
    {"invalid_grant", "invalid_client", "invalid_client_id", "unauthorized", "unauthorized_client"}
    | {"invalid_request", "unsupported_grant_type", "inactive_user", "inactive_org"}
)


# Not now: time-out, system error, rate, quota, concurrency (Marketo's page "Error Codes", Salesforce's "Status Codes").
_BUSY = frozenset({"604", "606", "607", "608", "611", "614", "615", "713", "719", "REQUEST_LIMIT_EXCEEDED"})


def _is_busy(reply: object) -> bool:
    """True for an answer without a token that only means «not now», whatever its HTTP status."""
    errors = reply.get("errors") if isinstance(reply, dict) else reply
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and str(first.get("code", first.get("errorCode"))) in _BUSY


class MarketoAuth(TokenAuth):
    """Client credentials at the identity service; the same token comes back until it has expired.

    A refused token looks like a good reply: HTTP 200 with error 601 or 602 in its body.
    """

    def __init__(
        self,
        system: str,
        clock: Clock,
        *,
        identity_url: str,
        client_id: str,
        client_secret: SecretStr,
        method: Literal["GET", "POST"] = "GET",
    ) -> None:
        super().__init__(system, clock)
        self._url = f"{identity_url.rstrip('/')}/oauth/token"
        self._client_id, self._client_secret, self._method = client_id, client_secret, method

    def _question(self) -> httpx.Request:
        form = _form(
            grant_type="client_credentials",
            client_id=self._client_id,
            client_secret=self._client_secret.get_secret_value(),
        )
        if self._method == "GET":
            return httpx.Request("GET", f"{self._url}?{form}")
        return httpx.Request("POST", self._url, content=form, headers=_FORM)

    def _answer(self, response: httpx.Response) -> _Token:
        reply = self._decoded(response)
        rest = float(reply.get("expires_in") or 0)
        return _Token(reply["access_token"], self._clock.now() + max(rest - RENEW_BEFORE, rest / 2))

    def _refused(self, response: httpx.Response) -> bool:
        body = response.content
        if len(body) > _SMALL or (b"601" not in body and b"602" not in body):
            return False
        try:
            reply = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return False
        errors = reply.get("errors") if isinstance(reply, dict) else None
        return any(str(error.get("code")) in {"601", "602"} for error in errors or ())


class SalesforceAuth(TokenAuth):
    """Client credentials, or a refresh token; the reply says where the organisation lives and who we are.

    Tokens carry no term: they are renewed when refused. Requests are addressed to `login_url` and moved here to the
    organisation's own address. `rotated` is told of a new refresh token before it is used.
    """

    def __init__(
        self,
        system: str,
        clock: Clock,
        *,
        login_url: str,
        client_id: str,
        client_secret: SecretStr,
        refresh_token: SecretStr | None = None,
        instance_url: str = "",
        rotated: Callable[[SecretStr], None] | None = None,
    ) -> None:
        super().__init__(system, clock)
        self._login_url = login_url.rstrip("/")
        self._client_id, self._client_secret, self._refresh = client_id, client_secret, refresh_token
        self._fixed, self._rotated = instance_url, rotated
        self._home: httpx.URL | None = httpx.URL(instance_url) if instance_url else None
        self.user_id = self.organisation = ""

    def _question(self) -> httpx.Request:
        who = {"client_id": self._client_id, "client_secret": self._client_secret.get_secret_value()}
        if self._refresh is None:
            form = _form(grant_type="client_credentials", **who)
        else:
            form = _form(grant_type="refresh_token", refresh_token=self._refresh.get_secret_value(), **who)
        return httpx.Request("POST", f"{self._login_url}/services/oauth2/token", content=form, headers=_FORM)

    def _answer(self, response: httpx.Response) -> _Token:
        reply = self._decoded(response)
        new = reply.get("refresh_token")
        if self._refresh is not None and isinstance(new, str) and new != self._refresh.get_secret_value():
            self._refresh = SecretStr(new)
            if self._rotated is not None:
                self._rotated(self._refresh)
        *_, self.organisation, self.user_id = ("", "", *str(reply.get("id") or "").split("/"))
        if not self._fixed:
            self._home = self._trusted(str(reply.get("instance_url") or self._login_url))
        return _Token(reply["access_token"], float("inf"))

    def _trusted(self, address: str) -> httpx.URL:
        """The organisation's address, which may not be less secure than where we signed in."""
        if urlsplit(self._login_url).scheme == "https" and urlsplit(address).scheme != "https":
            raise Fatal(
                f"{self._system} names an address without TLS as its own.", "check login_url in the settings"
            )
        return httpx.URL(address)

    def _signed(self, request: httpx.Request, token: _Token) -> httpx.Request:
        home = self._home
        if home is not None and (request.url.netloc, request.url.scheme) != (home.netloc, home.scheme):
            request.url = request.url.copy_with(scheme=home.scheme, host=home.host, port=home.port)
            request.headers["host"] = home.netloc.decode("ascii")
        return super()._signed(request, token)


_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


def _form(**fields: str) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
