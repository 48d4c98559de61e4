"""The control endpoint's business: people act by name, players play, and the flows are judged over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulators.clock import SystemClock
from simulators.run import Running
from simulators.stage import Settings
from simulators.world import Mix


@pytest.fixture
def running() -> Iterator[Running]:
    """Run eighty persons with thirty deals."""
    mix = Mix(role=0.0, contacts=0.5)
    settings = Settings(persons=80, overlap=0.9, seed=5, mix=mix, deals=30, lists=("N-01",))
    with Running(settings, SystemClock()) as started:
        yield started
        servers = (started.control, started.marketo, started.salesforce)
        assert [server.failures for server in servers] == [[], [], []]


def _post(running: Running, path: str, body: object = None, status: int = 200) -> Any:
    answer = httpx.post(f"{running.control.url}/control/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def _act(running: Running, action: str, side: str = "salesforce", **args: Any) -> Any:
    return _post(running, "human", {"side": side, "action": action, "args": args})["answer"]


def test_people_act_by_name(running: Running) -> None:
    """Whatever a state lets people do can be asked for; anything else is refused with the names of what there is."""
    market = httpx.get(f"{running.control.url}/control/market").json()
    account = market["accounts"][0][2]
    contact = _act(
        running, "human_create", object_name="Contact", values={"LastName": "Mori", "AccountId": account}
    )
    deal = _act(
        running, "human_open_deal", name="Machines", account=account, people=[[contact, "Evaluator", True]]
    )
    assert _act(running, "human_lose", deal=deal, reason="Timing") == deal
    row = running.stage.salesforce.state.tables["Opportunity"].rows[deal]
    assert (row["IsClosed"], row["IsWon"], row["ContactId"]) == (True, False, contact)
    lead = _act(running, "human_create", "marketo", values={"email": "mori@mail.example", "lastName": "Mori"})
    assert _act(running, "human_score", "marketo", lead_id=lead, change=80) == 80
    assert _act(running, "human_list", "marketo", name="N-01", lead_ids=[lead]) == 1
    refused = _post(running, "human", {"side": "salesforce", "action": "delete", "args": {}}, 400)
    assert "human_lose" in refused["error"]
    refused = _post(
        running, "human", {"side": "salesforce", "action": "human_lose", "args": {"deal": "x"}}, 400
    )
    assert "there is no live Opportunity" in refused["error"]


def test_a_channel_keeps_what_it_was_told_under_which_key(running: Running) -> None:
    """Notices are taken as they come, also one that comes twice: counting them is the reader's affair."""
    place = f"{running.control.url}/control/notices"
    for said in ("one", "two", "two"):
        answer = httpx.post(place, content=said, headers={"idempotency-key": said})
        assert answer.status_code == 200
    assert [(each["key"], each["said"]) for each in httpx.get(place).json()] == [
        ("one", "one"), ("two", "two"), ("two", "two"),
    ]  # fmt: skip


def test_firms_are_shown_as_both_sides_hold_them(running: Running) -> None:
    """Accounts by id, and companies by the id that they are known by."""
    running.stage.marketo.state.human_company("MC-1", {"company": "Machines"})
    firms = httpx.get(f"{running.control.url}/control/firms").json()
    assert firms["marketo"]["MC-1"]["company"] == "Machines"
    accounts = httpx.get(f"{running.control.url}/control/market").json()["accounts"]
    assert set(firms["salesforce"]) >= {record for _, _, record in accounts}


def test_players_play_and_the_flows_are_judged(running: Running) -> None:
    """Without a sync scores that rise are missed hand-overs and won deals differ; the log tells what was done."""
    since = time.time()
    assert _post(running, "deals/start", {"rate": 300, "seconds": 20, "weights": {"score": 3, "win": 1}})[
        "running"
    ]
    assert "already" in _post(running, "deals/start", {}, 400)["error"]
    time.sleep(0.8)
    played = _post(running, "deals/stop")
    assert (played["running"], played["error"]) == (False, None)
    assert {happening["what"] for happening in played["log"][30:]} == {"score", "win"}
    asked = {
        "since": since, "slack": 0.0, "patience": 0.0, "dwell": 0, "rates": {"USD": "150"}, "roles": ["Evaluator"],
        "routes": {"Timing": "N-01", "Bad fit": None}, "opt_outs": [["unsubscribed", "HasOptedOutOfEmail"]],
    }  # fmt: skip
    verdict = _post(running, "flows", asked)
    assert verdict["ok"] is False
    assert verdict["counts"]["missed hand-over"] > 0
    assert verdict["counts"]["won amount differs"] > 0
    assert {offence["kind"] for offence in verdict["offences"]} <= {"missed hand-over", "won amount differs"}
    assert "this cannot be used" in _post(running, "flows", {"since": "soon"}, 400)["error"].lower()


def test_a_world_without_deals_has_no_business() -> None:
    """The plain world says how to get one with business in it."""
    with Running(Settings(persons=5), SystemClock()) as started:
        refused = _post(started, "deals/start", {}, 400)
    assert "--deals" in refused["error"]
