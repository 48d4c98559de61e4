"""A fake Marketo on a manual clock, called without a socket."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.http import Response, build_request
from simulators.marketo.api import MarketoApi
from simulators.marketo.extract import Pace
from simulators.marketo.gate import UNLIMITED, Quota
from simulators.marketo.state import MarketoState


@dataclass(frozen=True, slots=True, kw_only=True)
class Marketo:
    """The parts of one fake instance and the shortest way to ask it something."""

    clock: ManualClock
    faults: Faults
    state: MarketoState
    api: MarketoApi

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        received: float | None = None,
    ) -> Response:
        """Send one request without any token of its own."""
        target = path + ("?" + urlencode(query) if query else "")
        sent = dict(headers or {})
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("content-type", "application/json")
        at = self.clock.now() if received is None else received
        return self.api(build_request(method, target, sent, raw, at))

    def token(self) -> str:
        """Log in."""
        known = self.api.credentials
        query = {
            "grant_type": "client_credentials",
            "client_id": known.client_id,
            "client_secret": known.client_secret,
        }
        answer = self.send("GET", "/identity/oauth/token", query)
        return str(json.loads(answer.body)["access_token"])

    def ask(self, method: str, path: str, query: Mapping[str, object] | None = None, **more: Any) -> Any:
        """Send one request with a token and give the decoded answer."""
        headers = {"authorization": f"Bearer {self.token()}", **more.pop("headers", {})}
        answer = self.send(method, path, query, headers=headers, **more)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def rows(self, method: str, path: str, query: Mapping[str, object] | None = None, **more: Any) -> Any:
        """Ask, and give the result of a success."""
        answer = self.ask(method, path, query, **more)
        assert answer["success"], answer
        return answer["result"]

    def code(self, method: str, path: str, query: Mapping[str, object] | None = None, **more: Any) -> str:
        """Ask, and give the code of a failure."""
        answer = self.ask(method, path, query, **more)
        assert not answer["success"], answer
        return str(answer["errors"][0]["code"])

    def sync(self, rows: list[Any], **more: Any) -> Any:
        """Sync leads and give the result rows."""
        return self.rows("POST", "/rest/v1/leads.json", body={"input": rows, **more})


def fake_marketo(
    shares: Mapping[str, float] | None = None,
    *,
    seed: int = 1,
    quota: Quota = UNLIMITED,
    empty_pages: float = 0.0,
    pace: Pace | None = None,
) -> Marketo:
    """Make a fake instance."""
    clock = ManualClock()
    faults = Faults(random.Random(seed), shares)
    state = MarketoState(clock, random.Random(seed + 1), faults)
    api = MarketoApi(state, quota=quota, empty_pages=empty_pages, pace=pace, rng=random.Random(seed + 2))
    return Marketo(clock=clock, faults=faults, state=state, api=api)
