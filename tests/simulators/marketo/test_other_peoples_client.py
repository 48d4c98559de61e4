"""A client written by others (marketorestpython, unpatched) lives with the fake Marketo over real HTTP.

Each call stands under the rule of a vendor page that it checks. The client spaces its calls by a fifth of
a second, so they are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from marketorestpython.client import MarketoClient
from marketorestpython.helper.exceptions import MarketoException

from simulators.clock import SystemClock, iso_z
from simulators.marketo.extract import Pace
from simulators.server import Server, serve
from tests.support.fake_marketo import Marketo, fake_marketo

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def marketo() -> Marketo:
    """Give an instance whose jobs end at once and whose feeds now and then answer an empty page."""
    return fake_marketo(pace=Pace(queued=0, runs=0, refresh=0), empty_pages=0.3)


@pytest.fixture
def server(marketo: Marketo) -> Iterator[Server]:
    """Serve it; nothing may have failed inside at the end."""
    with serve(marketo.api, marketo.faults, SystemClock()) as running:
        yield running
        assert running.failures == []


def _client(server: Server, secret: str = "demo-secret") -> Any:
    client = MarketoClient("123-ABC-456", "demo-client", secret, max_retry_time=2)
    client.host = server.url
    return client


def test_login_schema_and_reading(server: Server, marketo: Marketo) -> None:
    """It logs in, describes the lead, reads one by id and 350 by filter in two pages."""
    for number in range(350):
        marketo.state.human_create({"email": f"p{number}@x.example", "sfaId": "shared"})
    # Authentication: wrong client credentials are answered with an error description, not with a token.
    with pytest.raises(Exception, match="Bad client credentials"):
        _client(server, secret="wrong").authenticate()
    client = _client(server)
    # Describe: every field lists its REST name and its type.
    assert {"email", "leadScore"} <= {field["rest"]["name"] for field in client.describe()}
    # Leads, describe2: the list of searchable fields says what a filter may use.
    assert ["sfaId"] in client.describe2()[0]["searchableFields"]
    # Leads, get by id: one lead comes as a list of one.
    assert client.get_lead_by_id(1001, fields="id,email") == [{"id": 1001, "email": "p0@x.example"}]
    # Leads, get by id: a lead that is not there is error 1004 of the call.
    with pytest.raises(MarketoException) as missing:
        client.get_lead_by_id(5)
    assert missing.value.code == "1004"
    # Leads, query: long queries may be posted with _method=GET, and pages of 300 are chained by nextPageToken.
    found = client.get_multiple_leads_by_filter_type("sfaId", ["shared"], fields="id")
    assert [row["id"] for row in found] == list(range(1001, 1351))
    assert marketo.state.calls["leads"] == 2
    # Authentication: asking again before expiry gives the same token, so two log-ins share one.
    other = _client(server)
    other.authenticate()
    assert other.token == client.token


def test_writing(server: Server, marketo: Marketo) -> None:
    """It upserts a batch, reads row errors and call errors, merges and deletes."""
    marketo.state.human_create({"email": "old@x.example"})
    client = _client(server)
    # Leads, create and update: results stand in the order of the input, skipped rows with reasons.
    rows = [
        {"email": "new@x.example"},
        {"email": "old@x.example", "leadScore": "x"},
        {"email": "old@x.example"},
    ]
    results = client.create_update_leads(rows)
    assert [row["status"] for row in results] == ["created", "skipped", "updated"]
    assert results[1]["reasons"][0]["code"] == "1001"
    # Leads, create and update: with createOnly an existing lead is skipped with 1005.
    again = client.create_update_leads([{"email": "new@x.example"}], action="createOnly")
    assert again[0]["reasons"][0]["code"] == "1005"
    # Leads, create and update: id as lookup field works with updateOnly only.
    with pytest.raises(MarketoException) as refused:
        client.create_update_leads([{"id": 1001}], action="createOrUpdate", lookupField="id")
    assert refused.value.code == "1003"
    # Merge leads: the answer says success and nothing else.
    assert client.merge_lead(1001, [results[0]["id"]]) is True
    # Leads, delete: each lead gets a row, a missing one is skipped with 1004.
    deleted = client.delete_lead([1001, 9])
    assert [row["status"] for row in deleted] == ["deleted", "skipped"]
    assert deleted[1]["reasons"][0]["code"] == "1004"


def test_feeds(server: Server, marketo: Marketo) -> None:
    """It follows lead changes, activities and deletions to their end, over empty pages."""
    leads = [marketo.state.human_create({"email": f"{n}@x.example"}) for n in range(5)]
    for lead in leads:
        marketo.state.human_edit(lead, {"company": f"Company {lead}"})
    marketo.state.human_delete(leads[0])
    client = _client(server)
    # Activities, lead changes: a token starts at a time; new leads and changes of the named fields follow in order,
    # and moreResult, not the page's length, says whether to go on.
    changes = client.get_lead_changes(["company"], sinceDatetime=LONG_AGO, batchSize=2)
    assert [row["activityTypeId"] for row in changes] == [12] * 5 + [13] * 5
    assert changes[-1]["fields"][0]["newValue"] == f"Company {leads[-1]}"
    # Activities: up to ten types in one call, each row with its own GUID.
    rows = client.get_lead_activities(["12", "37"], sinceDatetime=LONG_AGO)
    assert len({row["marketoGUID"] for row in rows}) == 6
    # Activities, deleted leads: deletions are type 37.
    deleted = client.get_deleted_leads(sinceDatetime=LONG_AGO)
    assert [(row["leadId"], row["activityTypeId"]) for row in deleted] == [(leads[0], 37)]


def test_bulk_extract_and_an_expired_token(server: Server, marketo: Marketo) -> None:
    """It runs an export job to its file; an expired token is 602 inside the body, which it raises."""
    marketo.state.human_create({"email": "a@x.example"})
    client = _client(server)
    now = marketo.clock.now()
    span = {"startAt": iso_z(now - 60), "endAt": iso_z(now + 60)}
    # Bulk Lead Extract: create, enqueue, status, file; the file is CSV with a header row.
    job = client.create_leads_export_job(fields=["id", "email"], filters={"createdAt": span})[0]["exportId"]
    client.enqueue_leads_export_job(job)
    assert client.get_leads_export_job_status(job)[0]["status"] == "Completed"
    assert client.get_leads_export_job_file(job) == b"id,email\n1001,a@x.example\n"
    # Usage: the day's total counts the calls that were let in.
    assert client.get_daily_usage()[0]["total"] == 5
    # Authentication: an expired token is error 602 with HTTP status 200.
    marketo.api.gate.expire_token()
    with pytest.raises(MarketoException) as expired:
        client.describe()
    assert expired.value.code == "602"


def test_companies(server: Server, marketo: Marketo) -> None:
    """It describes, writes, reads and deletes companies, and joins leads to them."""
    client = _client(server)
    # Companies, describe: dedupeFields and searchableFields say how companies are written and found.
    described = client.describe_company()[0]
    assert (described["idField"], described["dedupeFields"]) == ("id", ["externalCompanyId"])
    # Lead Database, create and update: each row of the result has its seq, the id and a status.
    rows = [{"externalCompanyId": "C1", "company": "Alpha"}, {"externalCompanyId": "C2", "nonsense": 1}]
    results = client.create_update_companies(rows, action="createOrUpdate", dedupeBy="dedupeFields")
    assert results[0] == {"seq": 0, "id": 501, "status": "created"}
    assert (results[1]["seq"], results[1]["reasons"][0]["code"]) == (1, "1006")
    # Companies: leads are added to a company by externalCompanyId and then inherit its values.
    lead = client.create_update_leads([{"email": "a@x.example", "externalCompanyId": "C1"}])[0]["id"]
    assert client.get_lead_by_id(lead, fields="company") == [{"company": "Alpha"}]
    # Error Codes: 1021, a company update is not allowed during syncLead.
    refused = client.create_update_leads([{"email": "a@x.example", "company": "Other"}])[0]
    assert refused["reasons"][0]["code"] == "1021"
    # Companies, query: the default fields are id, dedupeFields, updatedAt and createdAt; long filters are posted.
    found = client.get_companies("dedupeFields", ["C1", "C9"])
    assert [set(row) for row in found] == [{"seq", "id", "externalCompanyId", "updatedAt", "createdAt"}]
    # Activities: nearly every change is recorded against the lead's activity log.
    client.create_update_companies([{"id": 501, "company": "Alpha KK"}], dedupeBy="idField")
    changes = client.get_lead_changes(["company"], sinceDatetime=LONG_AGO)
    assert changes[-1]["fields"][0]["newValue"] == "Alpha KK"
    # Error Codes: 1022, no deletion of an object in use; Companies, delete: a missing one is 1013.
    gone = client.delete_companies([{"externalCompanyId": "C1"}, {"externalCompanyId": "C9"}])
    assert [row["reasons"][0]["code"] for row in gone] == ["1022", "1013"]
    # Error Codes: 1018, the instance has a native CRM integration.
    marketo.state.native_sync = True
    with pytest.raises(MarketoException) as closed:
        client.describe_company()
    assert closed.value.code == "1018"


def test_static_lists(server: Server, marketo: Marketo) -> None:
    """It finds a list, adds, checks, reads and removes members."""
    leads = [marketo.state.human_create({"email": f"{n}@x.example"}) for n in range(3)]
    wanted = marketo.state.add_list("N-01 時期")
    marketo.state.add_list("N-04 乗換")
    client = _client(server)
    # Lists, get: lists are found by name, and pages are chained by nextPageToken.
    assert [row["id"] for row in client.get_multiple_lists(name=["N-01 時期"])] == [wanted]
    assert len(client.get_multiple_lists(batchSize=1)) == 2
    # List Membership, add: a status for each lead id; a missing lead is skipped with 1004.
    added = client.add_leads_to_list(wanted, [leads[0], leads[1], 9])
    assert [row["status"] for row in added] == ["added", "added", "skipped"]
    assert (added[2]["id"], added[2]["reasons"][0]["code"]) == (9, "1004")
    # List Membership, member of list: memberof, notmemberof, or skipped.
    standing = client.member_of_list(wanted, [leads[0], leads[2], 9])
    assert [row["status"] for row in standing] == ["memberof", "notmemberof", "skipped"]
    # List Membership, get leads by list id: the lead fields that were asked for, in pages.
    shown = client.get_multiple_leads_by_list_id(wanted, fields="id", batchSize=1)
    assert [row["id"] for row in shown] == leads[:2]
    # List Membership, remove: removed; Error Codes: 1015, the lead is not in the list.
    removed = client.remove_leads_from_list(wanted, [leads[0], leads[2]])
    assert (removed[0]["status"], removed[1]["reasons"][0]["code"]) == ("removed", "1015")
    # Activities: additions are type 24, removals type 25, with the list as primary attribute.
    rows = client.get_lead_activities(["24", "25"], sinceDatetime=LONG_AGO)
    assert [(row["activityTypeId"], row["primaryAttributeValueId"]) for row in rows] == [
        (24, wanted),
        (24, wanted),
        (25, wanted),
    ]
    assert [member.change for member in marketo.state.lists["N-01 時期"]] == ["added", "added", "removed"]


def test_campaigns(server: Server, marketo: Marketo) -> None:
    """It finds a campaign and requests it for leads, with tokens."""
    lead = marketo.state.human_create({"email": "a@x.example"})
    wake = marketo.state.add_campaign("Wake")
    batch = marketo.state.add_campaign("Batch", "batch")
    client = _client(server)
    # Campaigns, get: each one tells its type and whether it is active.
    found = client.get_multiple_campaigns(name=["Wake"])
    assert [(row["id"], row["type"], row["active"]) for row in found] == [(wake, "trigger", True)]
    # Smart Campaigns, request: leads pass through the flow; tokens override the program's own.
    assert client.request_campaign(wake, [lead], tokens={"my.stage": "Lost"}) is True
    assert client.request_campaign(wake, [lead]) is True
    assert marketo.state.campaigns.counts == {("Wake", lead): 2}
    assert marketo.state.campaigns.runs[0].tokens == {"{{my.stage}}": "Lost"}
    # Error Codes: 1003, Request Campaign used on a batch campaign; 1013, no campaign of that id.
    for campaign, code in ((batch, "1003"), (77, "1013")):
        with pytest.raises(MarketoException) as refused:
            client.request_campaign(campaign, [lead])
        assert refused.value.code == code
