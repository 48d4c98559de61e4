"""Who may call: the token endpoint and the sessions it opens.

Grants: client credentials, refresh token, JWT bearer. The answer has no `expires_in`; a session ends after
the organisation's session time or when it is ended. A JWT is checked for its claims, not for its
signature. SOAP login and the password grant are not offered: the vendor is closing both.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from simulators.http import Request, Response, json_response, parse_query
from simulators.salesforce.directory import API_USER
from simulators.salesforce.state import SalesforceState

ORGANISATION = "00D5g000000000AEAA"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_MAX_AGE = 300.0
SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the one external app of the organisation knows; `run_as` False = no user for client credentials."""

    client_id: str = "sim-client"
    client_secret: str = "sim-secret"  # noqa: S105 - the fake vendor's own, public
    refresh_token: str = "sim-refresh-1"  # noqa: S105
    username: str = "integration@sales.example"
    run_as: bool = True
    rotate_refresh: bool = False


class GrantError(Exception):
    """A grant is refused: the OAuth error word and its description."""

    def __init__(self, word: str, description: str) -> None:
        super().__init__(f"{word}: {description}")
        self.word, self.description = word, description


class Sessions:
    """Issues tokens and says which still count."""

    def __init__(self, state: SalesforceState, credentials: Credentials) -> None:
        self._state = state
        self.credentials = credentials
        self._issued: dict[str, float] = {}
        self._refresh = {credentials.refresh_token}
        self._count = 0

    def answer(self, request: Request, instance_url: str) -> Response:
        """Treat a request of the token endpoint; a refused grant is HTTP 400 with the OAuth error body."""
        form = {name: values[0] for name, values in parse_query(request.body.decode()).items()}
        self._state.calls["token"] += 1
        try:
            extra = self._grant(form, request.headers)
        except GrantError as error:
            return json_response({"error": error.word, "error_description": error.description}, status=400)
        return json_response({**self._open(instance_url), **extra})

    def valid(self, token: str) -> bool:
        """Say whether a session is open."""
        since = self._issued.get(token)
        limit = self._state.switches.session_seconds
        return since is not None and (limit is None or self._state.clock.now() - since < limit)

    def end_all(self) -> None:
        """End every session now, as an administrator or a policy does."""
        self._issued.clear()

    def _open(self, instance_url: str) -> dict[str, Any]:
        self._count += 1
        token = f"{ORGANISATION[:15]}!AQ{self._count:06d}"
        now = self._state.clock.now()
        self._issued[token] = now
        return {
            "access_token": token,
            "instance_url": instance_url,
            "id": f"https://login.salesforce.com/id/{ORGANISATION}/{API_USER}",
            "token_type": "Bearer",
            "issued_at": str(round(now * 1000)),
            "signature": "c2ln",
            "scope": "api",
            "token_format": "opaque",
        }

    def _grant(self, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
        match form.get("grant_type"):
            case "client_credentials":
                self._client(form, headers)
                return self._client_credentials(headers.get("host", ""))
            case "refresh_token":
                self._client(form, headers)
                return self._refreshed(form.get("refresh_token", ""))
            case grant if grant == JWT_GRANT:
                self._assertion(form.get("assertion", ""))
                return {}
            case _:
                raise GrantError("unsupported_grant_type", "grant type not supported")

    def _client(self, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        name, secret = form.get("client_id"), form.get("client_secret")
        kind, _, coded = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(coded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise GrantError("invalid_client", "invalid client credentials") from error
        if name != self.credentials.client_id:
            raise GrantError("invalid_client_id", "client identifier invalid")
        if secret != self.credentials.client_secret:
            raise GrantError("invalid_client", "invalid client credentials")

    def _client_credentials(self, host: str) -> dict[str, str]:
        if host.lower() in SHARED_HOSTS:
            raise GrantError("invalid_grant", "request not supported on this domain")
        if not self.credentials.run_as:
            raise GrantError("invalid_grant", "no client credentials user enabled")
        return {}

    def _refreshed(self, token: str) -> dict[str, str]:
        if token not in self._refresh:
            raise GrantError("invalid_grant", "expired access/refresh token")
        if not self.credentials.rotate_refresh:
            return {}
        fresh = f"sim-refresh-{self._count + 2}"
        self._refresh = {fresh}
        return {"refresh_token": fresh}

    def _assertion(self, assertion: str) -> None:
        claims = _claims(assertion)
        if claims.get("iss") != self.credentials.client_id:
            raise GrantError("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in {f"https://{host}" for host in SHARED_HOSTS}:
            raise GrantError("invalid_grant", "audience is invalid")
        if claims.get("sub") != self.credentials.username:
            raise GrantError("invalid_grant", "user hasn't approved this consumer")
        try:
            expires = float(claims.get("exp", 0))
        except (TypeError, ValueError) as error:
            raise GrantError("invalid_grant", "invalid assertion") from error
        now = self._state.clock.now()
        if not now < expires <= now + JWT_MAX_AGE:
            raise GrantError("invalid_grant", "invalid assertion")


def _claims(assertion: str) -> dict[str, Any]:
    """Read the middle part of a JWT."""
    parts = assertion.split(".")
    try:
        header, claims = (
            msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2]
        )
    except (ValueError, msgspec.DecodeError) as error:
        raise GrantError("invalid_grant", "invalid assertion") from error
    if len(parts) != 3 or not parts[2] or not isinstance(claims, dict) or header.get("alg") != "RS256":
        raise GrantError("invalid_grant", "invalid assertion")
    return claims
