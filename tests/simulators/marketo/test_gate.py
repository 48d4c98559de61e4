"""Tokens and quotas of the fake Marketo."""

from __future__ import annotations

import json

from simulators.marketo.gate import Quota
from tests.support.fake_marketo import fake_marketo

USAGE = "/rest/v1/stats/usage.json"


def test_the_token_stays_the_same_until_it_expires() -> None:
    """Asking again gives the same token with the rest of its life; after that, a new one."""
    marketo = fake_marketo()
    query = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    first = json.loads(marketo.send("GET", "/identity/oauth/token", query).body)
    marketo.clock.advance(3598)
    form = b"grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    again = json.loads(marketo.send("POST", "/identity/oauth/token", body=form, headers=headers).body)
    assert (first["token_type"], first["expires_in"], again["expires_in"]) == ("bearer", 3600, 2)
    assert again["access_token"] == first["access_token"]
    marketo.clock.advance(3)
    assert marketo.token() != first["access_token"]


def test_wrong_credentials_are_a_real_401() -> None:
    """Identity is one of the few places that answer with an HTTP status."""
    query = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "wrong"}
    answer = fake_marketo().send("GET", "/identity/oauth/token", query)
    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "unauthorized"


def test_bad_and_expired_tokens_are_refused_in_the_body() -> None:
    """601 for a foreign or missing token and for one in the query, 602 for an expired one; none costs
    quota.
    """
    marketo = fake_marketo(quota=Quota(daily=1))
    token = marketo.token()

    def code(query: dict[str, object] | None = None, **headers: str) -> str:
        answer = marketo.send("GET", USAGE, query, headers=headers)
        assert answer.status == 200
        return str(json.loads(answer.body)["errors"][0]["code"])

    assert code(authorization="Bearer other") == "601"
    assert code() == "601"
    assert code({"access_token": token}) == "601"
    marketo.clock.advance(3600)
    assert code(authorization=f"Bearer {token}") == "602"
    assert marketo.rows("GET", USAGE)[0]["total"] == 1


def test_the_window_slides() -> None:
    """The 101st call within 20 s is refused with 606; one more fits as soon as the oldest leaves the
    window.
    """
    marketo = fake_marketo(quota=Quota(daily=None))
    marketo.rows("GET", USAGE)
    marketo.clock.advance(10)
    for _ in range(99):
        marketo.rows("GET", USAGE)
    assert marketo.code("GET", USAGE) == "606"
    marketo.clock.advance(10)
    marketo.rows("GET", USAGE)
    assert marketo.code("GET", USAGE) == "606"


def test_the_daily_quota_returns_at_midnight_central() -> None:
    """607 until the day begins that the vendor counts in: 05:00 UTC, because this is in September."""
    marketo = fake_marketo(quota=Quota(calls=None, daily=2))
    marketo.rows("GET", USAGE)
    (usage,) = marketo.rows("GET", USAGE)
    assert usage["total"] == 2
    assert usage["users"] == [{"userId": "renkei@api.example", "count": 2}]
    assert marketo.code("GET", USAGE) == "607"
    marketo.clock.advance(86_400 - marketo.clock.now() % 86_400 + 5 * 3600 - 1)
    assert marketo.code("GET", USAGE) == "607"
    marketo.clock.advance(1)
    assert marketo.rows("GET", USAGE)[0]["total"] == 1


def test_another_application_eats_from_the_same_day() -> None:
    """Its calls stand in the day's usage under its own name, and end where the day does."""
    marketo = fake_marketo(quota=Quota(calls=None, daily=10))
    marketo.rows("GET", USAGE)
    gate = marketo.api.gate
    assert (gate.spend(7), gate.used_today, gate.highest) == (7, 8, 1)
    marketo.rows("GET", USAGE)
    assert (gate.spend(7), gate.used_today, gate.highest) == (1, 10, 9)
    assert marketo.code("GET", USAGE) == "607"
