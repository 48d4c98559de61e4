"""Who may call the fake Marketo, and how often.

Tokens, the sliding window, the daily quota and the day's usage. Rates are per instance, whoever calls.
Knows no lead. Sources: the vendor's pages "Authentication" and "Integration best practices" (limits),
"Usage".
"""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from simulators.clock import Clock
from simulators.http import Request, Response, json_response

CENTRAL = "America/Chicago"  # the quota's day is counted in US Central
OTHER = "other@app.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Calls per sliding window and per day; None switches a limit off."""

    calls: int | None = 100
    window: float = 20.0
    daily: int | None = 50_000


UNLIMITED = Quota(calls=None, daily=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One custom service, tied to one API-only user."""

    client_id: str
    client_secret: str
    user: str = "renkei@api.example"


class Gate:
    """Lets calls in or names the code of the refusal."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        credentials: Credentials,
        quota: Quota = UNLIMITED,
        token_lifetime: float = 3600.0,
    ) -> None:
        self._clock, self._rng, self._credentials = clock, rng, credentials
        self.quota, self.token_lifetime = quota, token_lifetime
        self._token, self._expires = "", 0.0
        self._shut = False
        self._recent: deque[float] = deque()
        self._zone = ZoneInfo(CENTRAL)
        self._day, self.used_today = 0, 0
        self.highest = 0
        self.usage: Counter[str] = Counter()

    def identity(self, request: Request) -> Response:
        """Answer the token endpoint: the same token until it expires, 401 for anybody else."""
        ask = request.first
        known = (self._credentials.client_id, self._credentials.client_secret)
        if ask("grant_type") != "client_credentials":
            problem = {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}
            return json_response(problem, 400)
        if self._shut or (ask("client_id"), ask("client_secret")) != known:
            problem = {"error": "unauthorized", "error_description": "Bad client credentials"}
            return json_response(problem, 401)
        now = self._clock.now()
        if now >= self._expires:
            self._token = f"{self._rng.getrandbits(128):032x}:int"
            self._expires = now + self.token_lifetime
        return json_response(
            {
                "access_token": self._token,
                "token_type": "bearer",
                "expires_in": int(self._expires - now),
                "scope": self._credentials.user,
            }
        )

    def shut(self, *, out: bool = True) -> None:
        """Know the custom service no more, and its token neither; or know it again."""
        self._shut = out
        self.expire_token()

    def expire_token(self) -> None:
        """Make the present token an expired one at once."""
        self._expires = self._clock.now()

    def admit(self, request: Request) -> tuple[str, str] | None:
        """Let a REST call in, or give (code, message); refusals for a bad token cost no quota."""
        return self._authenticate(request) or self._count()

    def _authenticate(self, request: Request) -> tuple[str, str] | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if "access_token" in request.query or scheme.lower() != "bearer" or not token:
            return "601", "Access token invalid"
        if token != self._token:
            return "601", "Access token invalid"
        if self._clock.now() >= self._expires:
            return "602", "Access token expired"
        return None

    def _count(self) -> tuple[str, str] | None:
        now, quota = self._clock.now(), self.quota
        self._turn(now)
        if quota.calls is not None:
            while self._recent and self._recent[0] <= now - quota.window:
                self._recent.popleft()
            if len(self._recent) >= quota.calls:
                return "606", f"Max rate limit '{quota.calls}' exceeded with in '{quota.window:.0f}' secs"
            self._recent.append(now)
        if quota.daily is not None and self.used_today >= quota.daily:
            return "607", "Daily quota reached"
        self.used_today += 1
        self.highest = max(self.highest, self.used_today)
        self.usage[self._credentials.user] += 1
        return None

    def spend(self, calls: int, user: str = OTHER) -> int:
        """Let another application call, as often as the day allows; give how often that was. `highest` does not see
        these calls: it is the day's count at the highest at which a call of ours was let in.
        """
        self._turn(self._clock.now())
        room = calls if self.quota.daily is None else max(0, self.quota.daily - self.used_today)
        taken = min(calls, room)
        self.used_today += taken
        self.usage[user] += taken
        return taken

    def _turn(self, now: float) -> None:
        day = datetime.fromtimestamp(now, self._zone).toordinal()
        if day != self._day:
            self._day, self.used_today = day, 0
            self.usage.clear()

    def report(self) -> dict[str, object]:
        """Give today's usage as the statistics endpoint shows it."""
        users = [{"userId": user, "count": count} for user, count in self.usage.items()]
        day = datetime.fromtimestamp(self._clock.now(), self._zone).date()
        return {"date": day.isoformat(), "total": self.used_today, "users": users}
