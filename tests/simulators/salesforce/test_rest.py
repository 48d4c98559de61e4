"""The organisation over real HTTP: shapes of errors, queries, single records, describe."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from tests.support.fake_salesforce import BASE, START, Rig, advance, lead, served


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Serve a quiet organisation with a client logged in."""
    with served() as running:
        yield running


def _error(answer: Any) -> tuple[int, str]:
    """Status and code of a refused request, which must be an array."""
    (item,) = answer.json()
    return answer.status_code, item["errorCode"]


def test_a_query_comes_in_pages_with_nulls(rig: Rig) -> None:
    """Checklist: cursor pages with an adjustable size; empty values are null and present."""
    for number in range(5):
        rig.state.human_create("Lead", lead(number))
    rig.state.switches.page_size = 2
    page = rig.query("SELECT Id, Email, Phone FROM Lead ORDER BY Email")
    assert (page["totalSize"], page["done"]) == (5, False)
    assert page["records"][0]["attributes"]["type"] == "Lead"
    assert page["records"][0]["attributes"]["url"] == f"{BASE}/sobjects/Lead/{page['records'][0]['Id']}"
    assert page["records"][0]["Phone"] is None
    emails = [row["Email"] for row in page["records"]]
    assert page["nextRecordsUrl"].startswith(f"{BASE}/query/01g")
    while not page["done"]:
        page = rig.http.get(page["nextRecordsUrl"]).json()
        emails += [row["Email"] for row in page["records"]]
    assert emails == [f"person{number}@mail.example" for number in range(5)]
    assert "nextRecordsUrl" not in page


def test_a_cursor_is_no_snapshot_and_can_be_lost(rig: Rig) -> None:
    """A further page shows rows as they are by then; after two days, or when lost, INVALID_QUERY_LOCATOR."""
    keys = [rig.state.human_create("Lead", lead(number)) for number in range(4)]
    rig.state.switches.page_size = 2
    page = rig.query("SELECT Id, Phone FROM Lead")
    rig.state.human_edit("Lead", keys[2], {"Phone": "new"})
    rig.state.human_delete("Lead", keys[3])
    second = rig.http.get(page["nextRecordsUrl"]).json()
    assert [(row["Id"], row["Phone"]) for row in second["records"]] == [(keys[2], "new")]
    rig.state.switches.session_seconds = None
    advance(rig.state, 2 * 86_400 + 1)
    assert _error(rig.http.get(page["nextRecordsUrl"])) == (400, "INVALID_QUERY_LOCATOR")
    page = rig.query("SELECT Id FROM Lead")
    rig.api.queries.forget()
    assert _error(rig.http.get(page["nextRecordsUrl"])) == (400, "INVALID_QUERY_LOCATOR")


def test_the_page_size_follows_the_hint(rig: Rig) -> None:
    """`Sforce-Query-Options: batchSize` asks for smaller pages, never fewer than 200 rows."""
    for start in (0, 200):
        rig.state.create("Lead", [lead(number) for number in range(start, start + 200)])
    for hint, size in (("batchSize=250", 250), ("batchSize=1", 200)):
        answer = rig.http.get(
            f"{BASE}/query", params={"q": "SELECT Id FROM Lead"}, headers={"sforce-query-options": hint}
        )
        assert len(answer.json()["records"]) == size


def test_deleted_rows_are_in_query_all_only(rig: Rig) -> None:
    """Checklist: queryAll. COUNT() gives a total without records."""
    key = rig.state.human_create("Lead", lead(0))
    rig.state.human_delete("Lead", key)
    assert rig.query("SELECT COUNT() FROM Lead") == {"totalSize": 0, "done": True, "records": []}
    assert rig.query("SELECT COUNT() FROM Lead", "queryAll")["totalSize"] == 1
    (row,) = rig.query("SELECT Id, IsDeleted FROM Lead", "queryAll")["records"]
    assert (row["Id"], row["IsDeleted"]) == (key, True)


def test_request_errors_are_an_array(rig: Rig) -> None:
    """Checklist: array errors. Bad query, unknown object, bad JSON, wrong method, unknown path, endless URL."""
    assert _error(rig.http.get(f"{BASE}/query", params={"q": "SELECT"})) == (400, "MALFORMED_QUERY")
    assert _error(rig.http.get(f"{BASE}/query")) == (400, "MALFORMED_QUERY")
    assert _error(rig.http.get(f"{BASE}/sobjects/Nope/describe")) == (404, "NOT_FOUND")
    headers = {"content-type": "application/json"}
    assert _error(rig.http.post(f"{BASE}/sobjects/Lead", content=b"{", headers=headers)) == (
        400,
        "JSON_PARSER_ERROR",
    )
    assert _error(rig.http.post(f"{BASE}/sobjects/Lead", data={"a": "b"})) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert _error(rig.http.put(f"{BASE}/sobjects/Lead", json={})) == (405, "METHOD_NOT_ALLOWED")
    assert _error(rig.http.get(f"{BASE}/nowhere")) == (404, "NOT_FOUND")
    assert _error(rig.http.get(f"{BASE}/query", params={"q": "x" * 20_000})) == (414, "URI_TOO_LONG")
    assert _error(rig.http.post(f"{BASE}/sobjects/User", json={"LastName": "x"})) == (
        403,
        "INSUFFICIENT_ACCESS_OR_READONLY",
    )


def test_a_single_record_lives_and_dies(rig: Rig) -> None:
    """201 on create, 204 on update and delete, 404 afterwards; a row error is an array with fields."""
    made = rig.http.post(f"{BASE}/sobjects/Lead/", json=lead(0))
    assert (made.status_code, made.json()["success"]) == (201, True)
    at = f"{BASE}/sobjects/Lead/{made.json()['id']}"
    assert rig.http.patch(at, json={"Phone": "03"}).status_code == 204
    assert rig.http.get(at).json()["Phone"] == "03"
    assert set(rig.http.get(at, params={"fields": "Phone"}).json()) == {"attributes", "Id", "Phone"}
    bad = rig.http.patch(at, json={"Email": "bad"})
    assert bad.status_code == 400
    assert bad.json() == [
        {
            "message": "Email: invalid email address: bad",
            "errorCode": "INVALID_EMAIL_ADDRESS",
            "fields": ["Email"],
        }
    ]
    assert rig.http.delete(at).status_code == 204
    assert _error(rig.http.get(at))[0] == 404
    assert rig.http.delete(at).json()[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert _error(rig.http.get(f"{BASE}/sobjects/Lead/00Q5g0000000999AAA"))[0] == 404
    assert _error(rig.http.get(f"{BASE}/sobjects/Lead/nonsense")) == (404, "NOT_FOUND")


def test_an_update_can_be_bound_to_an_unchanged_record(rig: Rig) -> None:
    """`If-Unmodified-Since` before the last change is 412 and writes nothing; `If-Modified-Since` gives 304."""
    key = rig.state.human_create("Lead", lead(0))
    at = f"{BASE}/sobjects/Lead/{key}"
    then = formatdate(START, usegmt=True)
    assert rig.http.patch(at, json={"Phone": "1"}, headers={"if-unmodified-since": then}).status_code == 204
    assert rig.http.get(at, headers={"if-modified-since": then}).status_code == 304
    advance(rig.state, 10)
    rig.state.human_edit("Lead", key, {"Phone": "2"})
    refused = rig.http.patch(at, json={"Phone": "3"}, headers={"if-unmodified-since": then})
    assert _error(refused) == (412, "PRECONDITION_FAILED")
    assert rig.http.get(at).json()["Phone"] == "2"


def test_a_record_by_external_id_is_created_updated_or_ambiguous(rig: Rig) -> None:
    """Checklist: External Id upsert 201/200/300; the key may hold a slash and may not stand in the body."""
    at = f"{BASE}/sobjects/Lead/Marketo_Id__c/a%2Fb"
    body = {"LastName": "x", "Company": "y"}
    made = rig.http.patch(at, json=body)
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = rig.http.patch(at, json={"Phone": "03"})
    assert (again.status_code, again.json()["created"], again.json()["id"]) == (200, False, made.json()["id"])
    old = rig.http.patch(at.replace("v68.0", "v45.0"), json={"Phone": "04"})
    assert (old.status_code, old.content) == (204, b"")
    assert rig.http.get(at).json()["Marketo_Id__c"] == "a/b"
    assert _error(rig.http.patch(at, json={"Marketo_Id__c": "a/b"})) == (400, "INVALID_FIELD")
    missing = f"{BASE}/sobjects/Lead/Marketo_Id__c/none"
    assert _error(rig.http.get(missing)) == (404, "NOT_FOUND")
    assert rig.http.patch(missing, params={"updateOnly": "true"}, json=body).status_code == 404
    rig.state.alter_field("Lead", "Marketo_Id__c", unique=False)
    rig.state.human_create("Lead", lead(2, Marketo_Id__c="A/B"))
    several = rig.http.patch(at, json={"Phone": "05"})
    assert several.status_code == 300
    assert len(several.json()) == 2
    assert _error(rig.http.get(f"{BASE}/sobjects/Lead/Phone/03")) == (404, "NOT_FOUND")


def test_duplicate_rules_name_the_records(rig: Rig) -> None:
    """Checklist: duplicate rules. Alert can be overruled by a header, block cannot; the answer names the matches."""
    key = rig.state.human_create("Lead", lead(0))
    twin = lead(1, Email="person0@mail.example")
    rig.state.switches.duplicate_rules["Lead"] = "alert"
    refused = rig.http.post(f"{BASE}/sobjects/Lead", json=twin)
    assert _error(refused) == (400, "DUPLICATES_DETECTED")
    result = refused.json()[0]["duplicateResult"]
    assert result["allowSave"] is True
    assert result["matchResults"][0]["matchRecords"][0]["record"]["Id"] == key
    allow = {"sforce-duplicate-rule-header": "allowSave=true; includeRecordDetails=false"}
    assert rig.http.post(f"{BASE}/sobjects/Lead", json=twin, headers=allow).status_code == 201
    rig.state.switches.duplicate_rules["Lead"] = "block"
    third = lead(2, Email="person0@mail.example")
    assert _error(rig.http.post(f"{BASE}/sobjects/Lead", json=third, headers=allow)) == (
        400,
        "DUPLICATES_DETECTED",
    )


def test_assignment_is_on_unless_the_header_says_false(rig: Rig) -> None:
    """`Sforce-Auto-Assign` is TRUE by default and moves the owner on create and update."""
    with_rule = rig.http.post(f"{BASE}/sobjects/Lead", json=lead(0)).json()["id"]
    off = {"sforce-auto-assign": "FALSE"}
    without = rig.http.post(f"{BASE}/sobjects/Lead", json=lead(1), headers=off).json()["id"]
    owners = {
        row["Id"]: row["Owner"]["Email"] for row in rig.query("SELECT Id, Owner.Email FROM Lead")["records"]
    }
    assert owners == {with_rule: "lead.desk@sales.example", without: "integration@sales.example"}
    rig.http.patch(f"{BASE}/sobjects/Lead/{without}", json={"Phone": "1"}, headers=off)
    assert rig.query("SELECT OwnerId FROM Lead WHERE Owner.Email LIKE 'integration%'")["totalSize"] == 1
    rig.http.patch(f"{BASE}/sobjects/Lead/{without}", json={"Phone": "2"})
    assert rig.query("SELECT OwnerId FROM Lead WHERE Owner.Email LIKE 'integration%'")["totalSize"] == 0


def test_describe_tells_what_the_user_may_see(rig: Rig) -> None:
    """Describe lists objects and fields with their attributes, hides what is hidden, and knows 304."""
    listed = {row["name"] for row in rig.http.get(f"{BASE}/sobjects").json()["sobjects"]}
    assert listed == {
        "Lead", "Contact", "Account", "User", "RecordType", "Opportunity", "OpportunityStage",
        "OpportunityContactRole", "Task", "Campaign",
    }  # fmt: skip
    answer = rig.http.get(f"{BASE}/sobjects/Lead/describe")
    fields = {field["name"]: field for field in answer.json()["fields"]}
    key = fields["Marketo_Id__c"]
    assert (key["externalId"], key["unique"], key["caseSensitive"], key["length"]) == (True, True, False, 40)
    assert (fields["Company"]["nillable"], fields["Company"]["defaultedOnCreate"]) == (False, False)
    assert fields["SystemModstamp"]["updateable"] is False
    assert fields["Industry"]["restrictedPicklist"] is True
    assert "Manufacturing" in {value["value"] for value in fields["Industry"]["picklistValues"]}
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    seen = {"if-modified-since": answer.headers["last-modified"]}
    assert rig.http.get(f"{BASE}/sobjects/Lead/describe", headers=seen).status_code == 304
    advance(rig.state, 2)
    rig.state.hide_field("Lead", "Phone")
    changed = rig.http.get(f"{BASE}/sobjects/Lead/describe", headers=seen)
    assert "Phone" not in {field["name"] for field in changed.json()["fields"]}
    answer = rig.http.get(f"{BASE}/query", params={"q": "SELECT Id, Phone FROM Lead"})
    assert _error(answer) == (400, "INVALID_FIELD")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limited", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("server_error", 500, "UNKNOWN_EXCEPTION"),
    ],
)
def test_transport_faults_speak_the_dialect(kind: str, status: int, code: str) -> None:
    """What the server refuses is worded as this vendor words it, and nothing is executed."""
    with served() as rig:
        rig.state.faults.set(kind, 1.0)
        answer = rig.http.post(f"{BASE}/sobjects/Lead", json=lead(0))
        rig.state.faults.quiet()
        assert _error(answer) == (status, code)
        assert rig.state.ledger == []
        assert rig.api.refuse("timed_out").status == 503
