"""Static lists, requested campaigns and scores of the fake Marketo."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.marketo import log
from tests.support.fake_marketo import Marketo, fake_marketo

WAIT, SWITCH = 2001, 2002
MEMBERS = f"/rest/v1/lists/{WAIT}/leads.json"
IS_MEMBER = f"/rest/v1/lists/{WAIT}/leads/ismember.json"


@pytest.fixture
def marketo() -> Marketo:
    """Give an instance with two lists, three leads (1001 to 1003) and campaign 3001."""
    fake = fake_marketo()
    for number in range(3):
        fake.state.human_create({"email": f"{number}@x.example"})
    fake.state.add_list("N-01 時期", "Nurture")
    fake.state.add_list("N-04 乗換")
    fake.state.add_campaign("Wake", program="Nurture")
    return fake


def _ids(*leads: int) -> dict[str, Any]:
    return {"input": [{"id": lead} for lead in leads]}


def _said(rows: Any) -> list[tuple[int, str]]:
    return [(row["id"], row.get("reasons", [{"code": row["status"]}])[0]["code"]) for row in rows]


def test_adding_and_removing(marketo: Marketo) -> None:
    """Adding again is harmless, a missing lead is 1004, removing one who is not there 1015; skipped rows name the
    lead.
    """
    assert _said(marketo.rows("POST", MEMBERS, body=_ids(1001, 1001, 9))) == [
        (1001, "added"),
        (1001, "added"),
        (9, "1004"),
    ]
    assert _said(marketo.rows("POST", f"{MEMBERS}?id=1002&id=1001")) == [(1002, "added"), (1001, "added")]
    assert _said(marketo.rows("DELETE", f"{MEMBERS}?id=1001&id=1003&id=9")) == [
        (1001, "removed"),
        (1003, "1015"),
        (9, "1004"),
    ]
    assert _said(marketo.rows("DELETE", MEMBERS, body=_ids(1002))) == [(1002, "removed")]
    history = marketo.state.lists["N-01 時期"]
    assert [(h.lead, h.change, h.by) for h in history] == [
        (1001, "added", "api"),
        (1002, "added", "api"),
        (1001, "removed", "api"),
        (1002, "removed", "api"),
    ]
    assert marketo.state.members("N-01 時期") == set()


def test_list_requests_are_refused_whole(marketo: Marketo) -> None:
    """An unknown list is 1013, more than 300 leads 1003, none 1002, an id that is no number 1001."""
    assert marketo.code("POST", "/rest/v1/lists/7/leads.json", body=_ids(1001)) == "1013"
    assert marketo.code("GET", "/rest/v1/lists/7.json") == "1013"
    assert marketo.code("POST", MEMBERS, body=_ids(*range(301))) == "1003"
    assert marketo.code("DELETE", MEMBERS + "?" + "&".join(f"id={n}" for n in range(301))) == "1003"
    assert marketo.code("DELETE", MEMBERS) == "1002"
    assert marketo.code("POST", MEMBERS, {"id": "x"}) == "1001"
    assert marketo.state.members("N-01 時期") == set()


def test_who_is_a_member(marketo: Marketo) -> None:
    """ismember says memberof, notmemberof or 1004 of each lead; the pages show the members' fields."""
    marketo.state.human_list("N-01 時期", [1001, 1003])
    said = _said(marketo.rows("GET", IS_MEMBER + "?id=1001&id=1002&id=9"))
    assert said == [(1001, "memberof"), (1002, "notmemberof"), (9, "1004")]
    assert marketo.rows("GET", MEMBERS, {"fields": "email", "batchSize": 1}) == [{"email": "0@x.example"}]
    first = marketo.ask("GET", f"/rest/v1/list/{WAIT}/leads.json", {"fields": "id", "batchSize": 1})
    query = {"fields": "id", "nextPageToken": first["nextPageToken"]}
    assert marketo.ask("GET", MEMBERS, query)["result"] == [{"id": 1003}]
    other = f"/rest/v1/lists/{SWITCH}/leads.json"
    assert marketo.code("GET", other, query) == "1003"
    assert marketo.code("GET", MEMBERS, {"fields": "nonsense"}) == "1006"


def test_browsing_lists(marketo: Marketo) -> None:
    """Lists are found by name, id and program, and come in pages."""
    path = "/rest/v1/lists.json"
    first = marketo.ask("GET", path, {"batchSize": 1})
    assert [row["name"] for row in first["result"]] == ["N-01 時期"]
    rest = marketo.ask("GET", path, {"batchSize": 1, "nextPageToken": first["nextPageToken"]})
    assert [row["id"] for row in rest["result"]] == [SWITCH]
    assert "nextPageToken" not in rest
    assert [row["id"] for row in marketo.rows("GET", path, {"name": "N-04 乗換"})] == [SWITCH]
    assert [row["programName"] for row in marketo.rows("GET", path, {"id": WAIT})] == ["Nurture"]
    assert marketo.rows("GET", path, {"name": "N-0"}) == []
    assert [row["id"] for row in marketo.rows("GET", f"/rest/v1/lists/{SWITCH}.json")] == [SWITCH]


def test_membership_is_logged_once(marketo: Marketo) -> None:
    """A change of membership is activity 24 or 25 with the list's id and name; adding again logs nothing."""
    for _ in range(2):
        marketo.rows("POST", MEMBERS, body=_ids(1001))
    marketo.state.human_list("N-01 時期", [1001], member=False)
    token = marketo.ask(
        "GET", "/rest/v1/activities/pagingtoken.json", {"sinceDatetime": "2020-01-01T00:00:00Z"}
    )
    query = {"nextPageToken": token["nextPageToken"], "activityTypeIds": "24,25"}
    rows = marketo.rows("GET", "/rest/v1/activities.json", query)
    assert [(row["activityTypeId"], row["leadId"]) for row in rows] == [(24, 1001), (25, 1001)]
    assert (rows[0]["primaryAttributeValueId"], rows[0]["primaryAttributeValue"]) == (WAIT, "N-01 時期")
    assert [row.by for row in marketo.state.lists["N-01 時期"]] == ["api", "human"]


def test_merged_and_deleted_members(marketo: Marketo) -> None:
    """A merged lead's memberships pass to the winner, a deleted lead leaves; both stand in the history."""
    state = marketo.state
    state.human_list("N-01 時期", [1001, 1002])
    state.human_list("N-04 乗換", [1001])
    state.merge(1003, [1001])
    state.delete_leads([1002])
    assert state.members("N-01 時期") == {1003}
    assert state.members("N-04 乗換") == {1003}
    assert [(h.lead, h.change, h.by) for h in state.lists["N-01 時期"][2:]] == [
        (1001, "removed", "merge"),
        (1003, "added", "merge"),
        (1002, "removed", "delete"),
    ]
    assert marketo.rows("GET", MEMBERS, {"fields": "id"}) == [{"id": 1003}]
    state.human_list("N-04 乗換", [1003], member=False)
    state.human_list("N-01 時期", [1003])
    assert len([h for h in state.lists["N-01 時期"] if h.change == "added"]) == 3


def test_late_membership(marketo: Marketo) -> None:
    """A late addition is missing from pages and feeds, and ismember sees it at once; a late removal still shows."""
    marketo.faults.set("late_visibility", 1.0)
    marketo.rows("POST", MEMBERS, body=_ids(1001))
    assert marketo.rows("GET", MEMBERS, {"fields": "id"}) == []
    assert _said(marketo.rows("GET", IS_MEMBER, {"id": 1001})) == [(1001, "memberof")]
    assert marketo.state.activities(0, {log.ADD_TO_LIST}, 10).rows == []
    marketo.clock.advance(1.0)
    assert marketo.rows("GET", MEMBERS, {"fields": "id"}) == [{"id": 1001}]
    assert len(marketo.state.activities(0, {log.ADD_TO_LIST}, 10).rows) == 1
    marketo.rows("DELETE", MEMBERS, body=_ids(1001))
    assert marketo.rows("GET", MEMBERS, {"fields": "id"}) == [{"id": 1001}]
    marketo.clock.advance(1.0)
    assert marketo.rows("GET", MEMBERS, {"fields": "id"}) == []


def test_the_history_has_the_true_time(marketo: Marketo) -> None:
    """Where commits share one stamp, the history of a list still says when each change happened."""
    marketo.faults.set("equal_stamps", 1.0)
    marketo.clock.advance(0.3)
    marketo.rows("POST", MEMBERS, body=_ids(1001))
    assert marketo.state.lists["N-01 時期"][0].time == marketo.clock.now()
    assert marketo.state.log.rows[-1].time < marketo.clock.now()


def test_refused_members(marketo: Marketo) -> None:
    """A refused row is skipped with its lead and nothing happens to it."""
    marketo.faults.set("row_refused", 1.0)
    for method in ("POST", "DELETE"):
        (row,) = marketo.rows(method, MEMBERS, body=_ids(1001))
        assert (row["id"], row["status"]) == (1001, "skipped")
        assert row["reasons"][0]["code"] in {"719", "1008"}
    assert marketo.state.lists["N-01 時期"] == []


def _request(lead_ids: list[int], **tokens: str) -> dict[str, Any]:
    named = [{"name": "{{my." + name + "}}", "value": value} for name, value in tokens.items()]
    return {"input": {"leads": [{"id": lead} for lead in lead_ids], "tokens": named}}


def test_each_request_runs_once_more(marketo: Marketo) -> None:
    """The reply names the campaign only; the same request again is another run of each lead."""
    path = "/rest/v1/campaigns/3001/trigger.json"
    for _ in range(2):
        assert marketo.rows("POST", path, body=_request([1001, 1002], stage="Lost")) == [{"id": 3001}]
    campaigns = marketo.state.campaigns
    assert campaigns.counts == {("Wake", 1001): 2, ("Wake", 1002): 2}
    assert (campaigns.runs[0].lead, campaigns.runs[0].tokens) == (1001, {"{{my.stage}}": "Lost"})


def test_requests_that_run_nobody(marketo: Marketo) -> None:
    """Batch, inactive and not requestable campaigns, too many leads or tokens and odd token names are 1003, a
    missing lead 1004, a missing campaign 1013, no lead 1002.
    """
    state = marketo.state
    batch = state.add_campaign("Batch", "batch")
    idle, deaf = state.add_campaign("Idle", active=False), state.add_campaign("Deaf", requestable=False)
    good = _request([1001])
    for campaign, body, code in (
        (batch, good, "1003"),
        (idle, good, "1003"),
        (deaf, good, "1003"),
        (99, good, "1013"),
        (3001, _request(list(range(1001, 1102))), "1003"),
        (3001, _request([1001], **{f"t{n}": "x" for n in range(101)}), "1003"),
        (3001, {"input": {"leads": [{"id": 1001}], "tokens": [{"name": "stage", "value": "x"}]}}, "1003"),
        (3001, _request([1001, 9]), "1004"),
        (3001, _request([]), "1002"),
        (3001, {"input": []}, "1002"),
        (3001, {"input": {"leads": "1001"}}, "609"),
    ):
        path = f"/rest/v1/campaigns/{campaign}/trigger.json"
        assert marketo.code("POST", path, body=body) == code
    assert state.campaigns.runs == []


def test_browsing_campaigns(marketo: Marketo) -> None:
    """Campaigns tell their type and whether they are active, and are found by name and program."""
    marketo.state.add_campaign("Batch", "batch", active=False)
    path = "/rest/v1/campaigns.json"
    rows = marketo.rows("GET", path)
    assert [(row["name"], row["type"], row["active"]) for row in rows] == [
        ("Wake", "trigger", True),
        ("Batch", "batch", False),
    ]
    assert [row["id"] for row in marketo.rows("GET", path, {"programName": "Nurture"})] == [3001]
    assert [row["name"] for row in marketo.rows("GET", "/rest/v1/campaigns/3002.json")] == ["Batch"]
    assert marketo.code("GET", "/rest/v1/campaigns/9.json") == "1013"


def test_a_score_change_says_why(marketo: Marketo) -> None:
    """Scoring adds to a score; activity 22 carries new, old, change and reason."""
    state = marketo.state
    assert (state.human_score(1001, 30, "Visited prices"), state.human_score(1001, -5)) == (30, 25)
    token = marketo.ask(
        "GET", "/rest/v1/activities/pagingtoken.json", {"sinceDatetime": "2020-01-01T00:00:00Z"}
    )
    query = {"nextPageToken": token["nextPageToken"], "activityTypeIds": "22"}
    rows = marketo.rows("GET", "/rest/v1/activities.json", query)
    shown = [{a["name"]: a["value"] for a in row["attributes"]} for row in rows]
    assert shown[0]["Reason"] == "Visited prices"
    assert (shown[1]["Old Value"], shown[1]["New Value"], shown[1]["Change Value"]) == ("30", "25", "-5")


def test_a_merge_sums_the_default_score_only(marketo: Marketo) -> None:
    """Three leads of 10 make one of 30; a further score field keeps the winner's value."""
    state = marketo.state
    for lead in (1001, 1002, 1003):
        state.human_edit(lead, {"leadScore": 10, "behaviorScore": lead - 1000})
    state.human_merge(1002, [1001, 1003])
    assert state.lead(1002, ("leadScore", "behaviorScore")) == {"leadScore": 30, "behaviorScore": 2}
    (row,) = [row for row in state.log.rows if row.reason]
    assert (row.type, row.old, row.new) == (log.CHANGE_SCORE, "10", "30")


def test_deal_fields_take_their_types(marketo: Marketo) -> None:
    """Amounts are numbers, days are days; what is none is refused, and blank clears."""
    row = {
        "email": "0@x.example",
        "dealStage": "Lost",
        "dealAmount": "1200000.5",
        "wonTotalJPY": 3000000,
        "lossReason": "時期尚早",
        "lastWonDate": "2026-04-01",
        "revisitOn": "2027-01-15",
        "recycleKey": "006A/1",
        "leadStatus": "Recycled",
        "emailInvalid": "true",
        "demoRequest": True,
        "ownerEmail": "s@x.example",
    }
    assert marketo.sync([row])[0]["status"] == "updated"
    stored = marketo.state.lead(1001, tuple(row))
    assert stored == {**row, "dealAmount": 1200000.5, "wonTotalJPY": 3000000.0, "emailInvalid": True}
    amounts = [r.new for r in marketo.state.log.rows if r.field in {"dealAmount", "wonTotalJPY"}]
    assert amounts == ["1200000.5", "3000000"]
    for bad in ({"dealAmount": "much"}, {"revisitOn": "2026-13-01"}, {"wonTotalJPY": True}):
        (refused,) = marketo.sync([{"email": "0@x.example", **bad}])
        assert refused["reasons"][0]["code"] == "1001"
    marketo.sync([{"email": "0@x.example", "revisitOn": "", "dealAmount": None}])
    assert marketo.state.lead(1001, ("revisitOn", "dealAmount")) == {}
