"""Sessions, versions and the daily allowance of the organisation over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.salesforce.oauth import Credentials
from tests.support.fake_salesforce import BASE, CLIENT_FORM, Rig, advance, served


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Serve a quiet organisation with a client logged in."""
    with served() as running:
        yield running


def _error(answer: Any) -> tuple[int, str]:
    """Status and code of a refused request, which must be an array."""
    (item,) = answer.json()
    return answer.status_code, item["errorCode"]


def test_a_token_has_an_instance_and_no_lifetime(rig: Rig) -> None:
    """Checklist: `instance_url`, token without `expires_in`."""
    token = rig.http.post("/services/oauth2/token", data=CLIENT_FORM).json()
    assert token["instance_url"] == rig.server.url
    assert token["token_type"] == "Bearer"
    assert "expires_in" not in token


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({**CLIENT_FORM, "client_secret": "wrong"}, "invalid_client"),
        ({**CLIENT_FORM, "client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({**CLIENT_FORM, "grant_type": "refresh_token", "refresh_token": "old"}, "invalid_grant"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"},
            "invalid_grant",
        ),
    ],
)
def test_a_bad_grant_is_400_with_an_oauth_body(rig: Rig, form: dict[str, str], word: str) -> None:
    """Token errors are an object with `error`, not the array of the REST resources."""
    answer = rig.http.post("/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, word)


def test_client_credentials_need_a_run_as_user_and_my_domain() -> None:
    """Without a run-as user, and at the shared login host, the grant is refused."""
    with served() as rig:
        answer = rig.http.post(
            "/services/oauth2/token", data=CLIENT_FORM, headers={"host": "login.salesforce.com"}
        )
        assert answer.json()["error"] == "invalid_grant"
        rig.api.sessions.credentials = Credentials(run_as=False)
        answer = rig.http.post("/services/oauth2/token", data=CLIENT_FORM)
        assert answer.json()["error_description"] == "no client credentials user enabled"


def test_a_refresh_token_may_rotate() -> None:
    """With rotation each refresh token is good once; the answer carries the next."""
    with served(credentials=Credentials(rotate_refresh=True)) as rig:
        form = {**CLIENT_FORM, "grant_type": "refresh_token", "refresh_token": "sim-refresh-1"}
        fresh = rig.http.post("/services/oauth2/token", data=form).json()["refresh_token"]
        assert rig.http.post("/services/oauth2/token", data=form).status_code == 400
        assert (
            rig.http.post("/services/oauth2/token", data={**form, "refresh_token": fresh}).status_code == 200
        )


def test_a_session_ends_by_time_or_by_hand(rig: Rig) -> None:
    """401 INVALID_SESSION_ID after the session time and after the sessions are ended; a login helps."""
    assert rig.http.get(f"{BASE}/limits").status_code == 200
    advance(rig.state, 7201)
    assert _error(rig.http.get(f"{BASE}/limits")) == (401, "INVALID_SESSION_ID")
    rig.login()
    assert rig.http.get(f"{BASE}/limits").status_code == 200
    rig.api.sessions.end_all()
    assert _error(rig.http.get(f"{BASE}/limits")) == (401, "INVALID_SESSION_ID")
    answer = rig.http.get(f"{BASE}/limits", headers={"authorization": "Basic eHg="})
    assert _error(answer) == (401, "INVALID_AUTH_HEADER")


def test_versions_are_listed_without_a_session_and_old_ones_are_gone(rig: Rig) -> None:
    """`GET /services/data/` needs no token; a removed version answers 410, a future one 404."""
    listed = rig.http.get("/services/data/", headers={"authorization": ""}).json()
    assert listed[-1]["version"] == "68.0"
    assert rig.http.get("/services/data/v30.0/limits").status_code == 410
    assert _error(rig.http.get("/services/data/v99.0/limits")) == (404, "NOT_FOUND")


def test_usage_is_told_and_the_allowance_ends(rig: Rig) -> None:
    """Checklist: `Sforce-Limit-Info` on every reply, 403 when the rolling day is used up, room again a day later."""
    rig.state.switches.daily_calls = 10
    first = rig.http.get(f"{BASE}/limits")
    assert first.headers["sforce-limit-info"] == "api-usage=1/10"
    assert first.json()["DailyApiRequests"] == {"Max": 10, "Remaining": 9}
    assert first.headers["date"] == "Sun, 22 Nov 2026 00:00:00 GMT"
    rig.api.quota.spend(rig.state.clock.now(), 9)
    refused = rig.http.get(f"{BASE}/limits")
    assert _error(refused) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert refused.json()[0]["message"] == "TotalRequests Limit exceeded."
    advance(rig.state, 86_400)
    rig.login()
    assert rig.http.get(f"{BASE}/limits").status_code == 200
