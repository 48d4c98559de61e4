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
