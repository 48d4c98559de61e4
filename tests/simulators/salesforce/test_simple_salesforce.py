"""A client written by others, unpatched, against the fake organisation over real HTTP.

Only a transport adapter is mounted on its session, which sends the organisation's host to loopback. Each test says
which sentence of the vendor's documentation the client relies on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce, SFType
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from simulators.clock import SystemClock
from simulators.faults import Faults
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.state import SalesforceState
from simulators.server import serve
from tests.support.fake_salesforce import START, Rig, advance, lead, served
from tests.support.simple_client import HOST, session
from tests.support.simple_client import client as client_of


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Serve a quiet organisation."""
    with served() as running:
        yield running


@pytest.fixture
def client(rig: Rig) -> Iterator[Any]:
    """Give their client, logged in."""
    made = client_of(rig)
    yield made
    made.session.close()


def _content(error: SalesforceError) -> Any:
    return error.content


def test_it_logs_in_with_client_credentials(client: Any) -> None:
    """«OAuth 2.0 Client Credentials Flow»: the token request goes to My Domain with Basic credentials; the reply's
    instance_url is where the API is.
    """
    assert client.sf_instance == HOST
    assert client.session_id.startswith("00D")
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000


def test_a_wrong_secret_is_an_authentication_error(rig: Rig) -> None:
    """«OAuth 2.0 error codes»: a refused grant is 400 with error and error_description."""
    with (
        session(rig.server.url) as calls,
        pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"),
    ):
        Salesforce(consumer_key="sim-client", consumer_secret="no", domain="acme.my", session=calls)


def test_it_logs_in_with_a_signed_assertion() -> None:
    """«OAuth 2.0 JWT Bearer Flow»: an RS256 assertion with iss, sub, aud and a short exp is exchanged for a token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    clock, rng = SystemClock(), random.Random(1)
    state = SalesforceState(clock, rng, Faults(rng))
    api = SalesforceApi(state, instance_url=f"https://{HOST}")
    with serve(api, state.faults, clock) as server, session(server.url) as calls:
        login: dict[str, Any] = {
            "consumer_key": "sim-client",
            "privatekey": pem.decode(),
            "session": calls,
            "version": "68.0",
        }
        client: Any = Salesforce(username="integration@sales.example", **login)
        assert client.sf_instance == HOST
        assert client.query("SELECT COUNT() FROM User")["totalSize"] == 5
        with (
            pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"),
            pytest.warns(UserWarning, match="authorize"),
        ):
            Salesforce(username="somebody@sales.example", **login)


def test_it_pages_through_a_query(rig: Rig, client: Any) -> None:
    """«Query»: at most 2,000 records a page; nextRecordsUrl leads on until done is true; absent values are null."""
    for start in range(0, 4600, 200):
        rig.state.create("Lead", [lead(number) for number in range(start, start + 200)])
    text = "SELECT Id, Email, Phone, Owner.Email FROM Lead WHERE Email LIKE 'person%'"
    page = client.query(text)
    assert (page["totalSize"], page["done"], len(page["records"])) == (4600, False, 2000)
    page = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    page = client.query_more(page["nextRecordsUrl"].rpartition("/")[2], identifier_is_url=False)
    assert (page["done"], len(page["records"])) == (True, 600)
    assert len({row["Id"] for row in client.query_all_iter(text)}) == 4600
    everything = client.query_all(text)
    assert everything["totalSize"] == 4600
    assert everything["records"][0]["Phone"] is None
    assert everything["records"][0]["Owner"]["Email"] == "integration@sales.example"


def test_it_sees_deleted_records_when_asked(rig: Rig, client: Any) -> None:
    """«QueryAll»: records in the recycle bin are returned too, with IsDeleted true and a merge's MasterRecordId."""
    one, two = (rig.state.human_create("Lead", lead(number)) for number in range(2))
    rig.state.human_merge("Lead", two, one)
    text = "SELECT Id, IsDeleted, MasterRecordId FROM Lead ORDER BY Id"
    assert client.query(text)["totalSize"] == 1
    rows = client.query_all(text, include_deleted=True)["records"]
    assert [(row["IsDeleted"], row["MasterRecordId"]) for row in rows] == [(True, two), (False, None)]


def test_it_upserts_creates_updates_and_deletes_single_records(client: Any) -> None:
    """«sObject Rows», «Upsert by External ID»: 201 created, 200 updated with a body, 204 without one, 404 when gone."""
    made = client.Lead.create(lead(0))
    assert made["success"] is True
    key = made["id"]
    assert client.Lead.update(key, {"Phone": "03"}) == 204
    body = {"LastName": "New", "Company": "New"}
    assert client.Lead.upsert("Marketo_Id__c/77", body) == 201
    assert client.Lead.upsert("Marketo_Id__c/77", {"Phone": "04"}) == 200
    assert client.Lead.get_by_custom_id("Marketo_Id__c", "77")["Phone"] == "04"
    assert client.Lead.get(key)["Phone"] == "03"
    assert client.Lead.delete(key) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        client.Lead.get(key)
    assert _content(gone.value)[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_it_upserts_and_creates_a_collection(client: Any) -> None:
    """«sObject Collections»: 200 with one result per row in order; a failed row carries statusCode, message, fields."""
    rows = [{"attributes": {"type": "Lead"}, **lead(number)} for number in range(3)]
    made = client.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows[:2]})
    assert [row["success"] for row in made] == [True, True]
    rows[0]["Email"] = "bad"
    both = client.restful(
        "composite/sobjects/Lead/Marketo_Id__c", method="PATCH", json={"allOrNone": False, "records": rows}
    )
    assert [(row["success"], row["created"]) for row in both] == [(False, False), (True, False), (True, True)]
    assert both[0]["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    keys = [made[1]["id"], "00Q5g0000000999AAA"]
    found = client.restful("composite/sobjects/Lead", method="POST", json={"ids": keys, "fields": ["Email"]})
    assert [row and row["Email"] for row in found] == ["person1@mail.example", None]
    ids = ",".join(row["id"] for row in made)
    gone = client.restful("composite/sobjects", method="DELETE", params={"ids": ids, "allOrNone": "false"})
    assert [row["success"] for row in gone] == [True, True]


def test_it_describes(rig: Rig, client: Any) -> None:
    """«sObject Describe»: required on create = createable, not nillable, not defaulted; hidden fields are absent."""
    described = client.describe()
    assert described is not None
    assert {row["name"] for row in described["sobjects"]} >= {"Lead", "Contact", "Account"}
    fields = client.Lead.describe()["fields"]
    required = {
        f["name"] for f in fields if f["createable"] and not f["nillable"] and not f["defaultedOnCreate"]
    }
    assert required == {"LastName", "Company"}
    assert client.Contact.metadata()["objectDescribe"]["keyPrefix"] == "003"
    rig.state.hide_field("Lead", "MA_Score__c")
    assert "MA_Score__c" not in {field["name"] for field in client.Lead.describe()["fields"]}


def test_it_asks_for_updated_and_deleted_ids(rig: Rig, client: Any) -> None:
    """«Get Updated», «Get Deleted»: ids of a window of time, with the date up to which the answer is complete."""
    one, two = (rig.state.human_create("Lead", lead(number)) for number in range(2))
    rig.state.human_delete("Lead", two)
    advance(rig.state, 300)
    start = datetime.fromtimestamp(START, UTC)
    end = start + timedelta(minutes=4)
    updated = client.Lead.updated(start, end)
    assert updated == {"ids": [one], "latestDateCovered": "2026-11-22T00:04:00.000+0000"}
    deleted = client.Lead.deleted(start, end)
    assert [row["id"] for row in deleted["deletedRecords"]] == [two]


def test_its_errors_are_told_apart(rig: Rig, client: Any) -> None:
    """«Status Codes and Error Responses»: 300, 400, 403, 404, 412 reach the caller as the client's own exceptions."""
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        client.query("SELECT Id FROM Lead WHERE")
    assert _content(malformed.value)[0]["errorCode"] == "MALFORMED_QUERY"
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Lead.create({"LastName": "No company"})
    assert _content(refused.value) == [
        {
            "message": "Required fields are missing: [Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["Company"],
        }
    ]
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get("00Q5g0000000999AAA")
    key = client.Lead.create(lead(0))["id"]
    advance(rig.state, 60)
    rig.state.human_edit("Lead", key, {"Phone": "1"})
    with pytest.raises(SalesforceGeneralError) as changed:
        client.Lead.update(
            key, {"Phone": "2"}, headers={"If-Unmodified-Since": "Sun, 22 Nov 2026 00:00:30 GMT"}
        )
    assert changed.value.status == 412
    rig.state.alter_field("Lead", "Marketo_Id__c", unique=False)
    rig.state.human_create("Lead", lead(0))
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Lead.get_by_custom_id("Marketo_Id__c", "1000")
    rig.state.switches.daily_calls = 1
    with pytest.raises(SalesforceRefusedRequest) as exhausted:
        client.Lead.get(key)
    assert _content(exhausted.value)[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_it_renews_an_ended_session_by_itself(rig: Rig, client: Any) -> None:
    """«Session expired or invalid»: 401 INVALID_SESSION_ID makes a client log in again and repeat the call once."""
    rig.api.sessions.end_all()
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 0
    advance(rig.state, 7201)
    assert client.Lead.create(lead(0))["success"] is True
    bare = SFType("Lead", "00Dsomething!else", HOST, sf_version="68.0", session=client.session)
    with pytest.raises(SalesforceExpiredSession):
        bare.get("00Q5g0000000999AAA")


def test_a_lost_answer_leaves_one_record_under_an_external_id(rig: Rig, client: Any) -> None:
    """«Upsert»: repeated after an answer was lost, an upsert by external id updates instead of inserting again."""
    rig.state.faults.set("lost_after_commit", 1.0)
    with pytest.raises(requests.ConnectionError):
        client.Lead.upsert("Marketo_Id__c/5", {"LastName": "x", "Company": "y"})
    rig.state.faults.quiet()
    assert client.Lead.upsert("Marketo_Id__c/5", {"LastName": "x", "Company": "y"}) == 200
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 1
