"""A fake Salesforce organisation for tests: the state alone, or behind real HTTP on loopback.

Decides only how it is set up; what it does is the simulator's affair.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.oauth import Credentials
from simulators.salesforce.soql_filter import Names
from simulators.salesforce.soql_run import compile_query, run
from simulators.salesforce.state import SalesforceState
from simulators.server import Server, serve

START = 1_795_305_600.0  # 2026-11-22T00:00:00Z
BASE = "/services/data/v68.0"


def organisation(faults: Mapping[str, float] | None = None, seed: int = 1) -> SalesforceState:
    """An organisation whose clock stands at START until a test advances it."""
    rng = random.Random(seed)
    return SalesforceState(ManualClock(START), rng, Faults(rng, faults))


def advance(state: SalesforceState, seconds: float) -> None:
    """Move the organisation's clock."""
    assert isinstance(state.clock, ManualClock)
    state.clock.advance(seconds)


def lead(number: int, **more: Any) -> dict[str, Any]:
    """Writable values of a plausible lead."""
    return {
        "LastName": f"Last{number}",
        "FirstName": f"First{number}",
        "Company": f"Company {number}",
        "Email": f"person{number}@mail.example",
        "Marketo_Id__c": str(1000 + number),
        **more,
    }


def soql(state: SalesforceState, text: str, *, deleted: bool = False) -> list[dict[str, Any]]:
    """Run a query without HTTP and give its records without their `attributes`."""
    plan = compile_query(Names(state.schema, state.tables), text, "68.0")
    rows = run(plan, state.table(plan.spec.name), deleted=deleted)
    return [_bare(plan.project(row)) for row in rows]


def _bare(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _bare(value) if isinstance(value, dict) else value
        for name, value in record.items()
        if name != "attributes"
    }


@dataclass(frozen=True, kw_only=True)
class Rig:
    """An organisation behind HTTP with a client that has a session."""

    state: SalesforceState
    api: SalesforceApi
    server: Server
    http: httpx.Client

    def login(self) -> None:
        """Open a session and send its token from now on."""
        answer = self.http.post("/services/oauth2/token", data=CLIENT_FORM)
        self.http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    def query(self, text: str, resource: str = "query") -> Any:
        """Give the JSON answer of a query."""
        return self.http.get(f"{BASE}/{resource}", params={"q": text}).json()


CLIENT_FORM = {"grant_type": "client_credentials", "client_id": "sim-client", "client_secret": "sim-secret"}


@contextmanager
def served(
    faults: Mapping[str, float] | None = None, credentials: Credentials | None = None
) -> Iterator[Rig]:
    """Serve an organisation on loopback, with a client logged in."""
    state = organisation(faults)
    api = SalesforceApi(state, credentials)
    with (
        serve(api, state.faults, state.clock) as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
    ):
        rig = Rig(state=state, api=api, server=server, http=http)
        rig.login()
        yield rig
        assert server.failures == []
