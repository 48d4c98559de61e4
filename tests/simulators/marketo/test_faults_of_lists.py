"""Every transport fault at the calls that add to lists, request campaigns and write companies, over a real socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulators.clock import SystemClock
from simulators.server import Server, serve
from tests.support.fake_marketo import Marketo, fake_marketo

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/rest/v1/lists/2001/leads.json", {"input": [{"id": 1001}]}),
    ("/rest/v1/campaigns/3001/trigger.json", {"input": {"leads": [{"id": 1001}]}}),
    ("/rest/v1/companies.json", {"input": [{"externalCompanyId": "C1", "company": "New"}]}),
)
TIMEOUT = 0.5


@pytest.fixture
def marketo() -> Marketo:
    """Give an instance with a lead, a list, a campaign and a company."""
    fake = fake_marketo()
    fake.state.human_company("C1", {"company": "Old"})
    fake.state.human_create({"email": "a@x.example", "externalCompanyId": "C1"})
    fake.state.add_list("Nurture")
    fake.state.add_campaign("Wake")
    return fake


@pytest.fixture
def server(marketo: Marketo) -> Iterator[Server]:
    """Serve it with a short time-out; nothing may have failed inside at the end."""
    with serve(
        marketo.api, marketo.faults, SystemClock(), server_timeout=TIMEOUT, slow_seconds=0.1
    ) as running:
        yield running
        assert running.failures == []


def _done(marketo: Marketo) -> int:
    """Count which of the three calls took effect."""
    state = marketo.state
    company = state.leads[1001].values.get("company")
    return len(state.members("Nurture")) + state.campaigns.counts.total() + (company == "New")


def _call_all(server: Server, marketo: Marketo) -> list[str]:
    """Make the three calls; gives the outcome of each: a code, "ok", an HTTP status or "broken"."""
    headers = {"authorization": f"Bearer {marketo.token()}"}
    said: list[str] = []
    for path, body in CALLS:
        try:
            answer = httpx.post(server.url + path, json=body, headers=headers, timeout=5)
            shown = answer.json() if answer.status_code == 200 else {}
            said.append("ok" if shown.get("success") else shown.get("errors", [{"code": "502"}])[0]["code"])
        except httpx.HTTPError:
            said.append("broken")
    return said


@pytest.mark.parametrize(
    ("kind", "said", "done"),
    [
        ("rate_limited", "606", 0),
        ("server_error", "502", 0),
        ("dropped_before", "broken", 0),
        ("lost_after_commit", "broken", 3),
        ("half_answer", "broken", 3),
        ("slow", "ok", 3),
    ],
)
def test_transport_faults(server: Server, marketo: Marketo, kind: str, said: str, done: int) -> None:
    """What is refused or dropped is not done; what is lost or cut short is done although the caller cannot know."""
    marketo.faults.set(kind, 1.0)
    assert _call_all(server, marketo) == [said] * len(CALLS)
    assert _done(marketo) == done


def test_acts_late(server: Server, marketo: Marketo) -> None:
    """A call whose connection breaks at once is done later, but within the server's time-out."""
    marketo.faults.set("acts_late", 1.0)
    began = time.monotonic()
    assert _call_all(server, marketo) == ["broken"] * len(CALLS)
    assert _done(marketo) < len(CALLS)
    while _done(marketo) < len(CALLS) and time.monotonic() < began + 3 * TIMEOUT:
        time.sleep(0.01)
    assert _done(marketo) == len(CALLS)


def test_resending_after_a_lost_answer(server: Server, marketo: Marketo) -> None:
    """A list addition may be sent again without a trace, a campaign request runs the lead twice."""
    marketo.faults.set("lost_after_commit", 1.0)
    _call_all(server, marketo)
    marketo.faults.quiet()
    assert _call_all(server, marketo) == ["ok"] * len(CALLS)
    assert len(marketo.state.lists["Nurture"]) == 1
    assert marketo.state.campaigns.counts == {("Wake", 1001): 2}
