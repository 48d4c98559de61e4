"""Deals, roles, tasks and accounts through a client written by others, unpatched, over real HTTP.

Each test says which sentence of the vendor's documentation the client relies on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from simulators.salesforce.human_deals import Part
from tests.support.fake_salesforce import START, Rig, advance, lead, served
from tests.support.simple_client import client as client_of

DEAL = {"Name": "Machines", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


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


def _refusal(error: Any) -> tuple[str, list[str]]:
    return error.value.content[0]["errorCode"], error.value.content[0]["fields"]


def test_it_describes_what_a_deal_needs(client: Any) -> None:
    """«Opportunity»: Name, StageName and CloseDate are required; IsClosed and IsWon can be neither created nor updated;
    «PicklistEntry»: value is for programs, label for people.
    """
    fields = {field["name"]: field for field in client.Opportunity.describe()["fields"]}
    required = {
        name
        for name, f in fields.items()
        if f["createable"] and not f["nillable"] and not f["defaultedOnCreate"]
    }
    assert required == {"Name", "StageName", "CloseDate"}
    sealed = {name for name, field in fields.items() if not field["updateable"]}
    assert sealed >= {"IsClosed", "IsWon", "ForecastCategory", "ExpectedRevenue", "ContactId"}
    assert fields["ContactId"]["createable"] is True
    assert (fields["Amount"]["type"], fields["Probability"]["type"]) == ("currency", "percent")
    stages = {entry["value"]: entry["label"] for entry in fields["StageName"]["picklistValues"]}
    assert stages["Closed Lost"] == "失注"
    assert {info["name"] for info in client.Opportunity.describe()["recordTypeInfos"]} == {
        "New", "Upsell", "Renewal",
    }  # fmt: skip
    roles = {field["name"]: field for field in client.OpportunityContactRole.describe()["fields"]}
    assert (roles["OpportunityId"]["updateable"], roles["ContactId"]["updateable"]) == (False, True)
    who = next(field for field in client.Task.describe()["fields"] if field["name"] == "WhoId")
    assert (who["referenceTo"], who["polymorphicForeignKey"]) == (["Contact", "Lead"], True)
    described = client.describe()["sobjects"]
    flags = {row["name"]: (row["createable"], row["replicateable"]) for row in described}
    assert flags["OpportunityStage"] == (False, False)
    assert flags["Task"] == flags["OpportunityContactRole"] == (True, True)


def test_it_asks_what_the_stages_mean(client: Any) -> None:
    """«OpportunityStage»: ApiName, IsClosed, IsWon, DefaultProbability of each stage can be queried."""
    text = "SELECT ApiName, IsClosed, IsWon FROM OpportunityStage WHERE IsActive = true"
    rows = client.query_all(text)["records"]
    lost = {row["ApiName"] for row in rows if row["IsClosed"] and not row["IsWon"]}
    assert lost == {"Closed Lost", "Closed Cancelled"}
    assert [row["ApiName"] for row in rows if row["IsWon"]] == ["Closed Won"]


def test_it_follows_a_deal_through_its_stages(rig: Rig, client: Any) -> None:
    """«IsClosed», «IsWon»: directly controlled by StageName; «Probability»: implied by StageName, may be overridden."""
    key = client.Opportunity.create(DEAL | {"Amount": 1200000, "CurrencyIsoCode": "JPY"})["id"]
    assert client.Opportunity.update(key, {"StageName": "Closed Won", "Probability": 95}) == 204
    row = client.Opportunity.get(key)
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, True, 95.0)
    assert client.Opportunity.update(key, {"StageName": "Closed Lost", "Loss_Reason__c": "Timing"}) == 204
    row = client.Opportunity.get(key)
    assert (row["IsWon"], row["Probability"], row["Amount"]) == (False, 0.0, 1200000.0)
    with pytest.raises(SalesforceMalformedRequest) as sealed:
        client.Opportunity.update(key, {"IsWon": True})
    assert _refusal(sealed) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["IsWon"])
    with pytest.raises(SalesforceMalformedRequest) as short:
        client.Opportunity.create({"Name": "x"})
    assert _refusal(short) == ("REQUIRED_FIELD_MISSING", ["StageName", "CloseDate"])
    assert rig.state.ledger[-1].changes["IsWon"] == (True, False)


def test_it_reads_deals_with_their_relations(rig: Rig, client: Any) -> None:
    """«Relationship Queries»: child-to-parent paths such as Account.Name, Owner.Email, RecordType.Name; a custom and a
    date condition; «Polymorphic»: Who gives the fields that its objects share.
    """
    account = rig.state.human_create("Account", {"Name": "Acme"})
    contact = rig.state.human_create("Contact", {"LastName": "Mori", "AccountId": account})
    deal = rig.state.human_open_deal(
        "Machines", account=account, people=[Part(contact, "Evaluator", primary=True)], CloseDate="2026-12-31"
    )
    rig.state.human_lose(deal, "Timing", revisit_on="2027-04-01")
    text = (
        "SELECT Name, Account.Name, Owner.Email, RecordType.Name, Revisit_On__c FROM Opportunity "
        "WHERE IsClosed = true AND IsWon = false AND CloseDate <= 2026-11-22 AND Amount = null"
    )
    (row,) = client.query(text)["records"]
    assert (row["Account"]["Name"], row["RecordType"]["Name"]) == ("Acme", "New")
    assert row["Owner"]["Email"].endswith("@sales.example")
    (role,) = client.query("SELECT Role, Contact.LastName, Opportunity.IsWon FROM OpportunityContactRole")[
        "records"
    ]
    assert (role["Contact"]["LastName"], role["Opportunity"]["IsWon"]) == ("Mori", False)
    client.Task.create({"WhoId": contact, "WhatId": deal, "Subject": "Call"})
    (task,) = client.query("SELECT Who.LastName, What.Name FROM Task")["records"]
    assert (task["Who"]["attributes"]["type"], task["Who"]["LastName"]) == ("Contact", "Mori")
    assert task["What"]["attributes"]["type"] == "Opportunity"


def test_roles_change_without_the_deal(rig: Rig, client: Any) -> None:
    """«OpportunityContactRole»: «each Opportunity has only one primary contact»; getUpdated names roles, not deals."""
    contacts = [rig.state.human_create("Contact", {"LastName": name}) for name in ("One", "Two")]
    deal = client.Opportunity.create(DEAL | {"ContactId": contacts[0]})["id"]
    advance(rig.state, 120)
    row = {"OpportunityId": deal, "ContactId": contacts[1], "Role": "Decision Maker", "IsPrimary": True}
    role = client.OpportunityContactRole.create(row)["id"]
    rows = client.query("SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY Id")["records"]
    assert [row["IsPrimary"] for row in rows] == [False, True]
    assert client.Opportunity.get(deal)["ContactId"] == contacts[1]
    advance(rig.state, 300)
    start = datetime.fromtimestamp(START, UTC) + timedelta(minutes=1)
    end = start + timedelta(minutes=5)
    assert client.Opportunity.updated(start, end)["ids"] == []
    assert len(client.OpportunityContactRole.updated(start, end)["ids"]) == 2
    with pytest.raises(SalesforceMalformedRequest) as kept:
        client.OpportunityContactRole.update(role, {"OpportunityId": deal})
    assert _refusal(kept) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["OpportunityId"])


def test_a_deleted_deal_takes_its_roles_along(rig: Rig, client: Any) -> None:
    """«delete()»: children of a deleted record are deleted too; «QueryAll» and «Get Deleted» still name them."""
    contact = rig.state.human_create("Contact", {"LastName": "One"})
    deal = client.Opportunity.create(DEAL | {"ContactId": contact})["id"]
    assert client.Opportunity.delete(deal) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Opportunity.get(deal)
    text = "SELECT OpportunityId, IsDeleted FROM OpportunityContactRole"
    assert client.query(text)["totalSize"] == 0
    (row,) = client.query_all(text, include_deleted=True)["records"]
    assert (row["OpportunityId"], row["IsDeleted"]) == (deal, True)
    advance(rig.state, 300)
    start = datetime.fromtimestamp(START, UTC)
    deleted = client.OpportunityContactRole.deleted(start, start + timedelta(minutes=4))
    assert len(deleted["deletedRecords"]) == 1


def test_a_task_is_made_once_under_a_key(rig: Rig, client: Any) -> None:
    """«Upsert by External ID»: 201 once, then 200, also when the first answer was lost; «DUPLICATE_VALUE» otherwise."""
    person = rig.state.human_create("Lead", lead(0))
    body = {"WhoId": person, "Subject": "Call", "ActivityDate": "2026-11-23"}
    rig.state.faults.set("lost_after_commit", 1.0)
    with pytest.raises(requests.ConnectionError):
        client.Task.upsert("Renkei_Key__c/hand-over:7:1", body)
    rig.state.faults.quiet()
    assert client.Task.upsert("Renkei_Key__c/hand-over:7:1", body) == 200
    assert client.Task.upsert("Renkei_Key__c/hand-over:7:2", body) == 201
    assert client.Task.get_by_custom_id("Renkei_Key__c", "hand-over:7:1")["Status"] == "Not Started"
    with pytest.raises(SalesforceMalformedRequest) as twice:
        client.Task.create(body | {"Renkei_Key__c": "hand-over:7:1"})
    assert _refusal(twice)[0] == "DUPLICATE_VALUE"
    assert client.query("SELECT COUNT() FROM Task")["totalSize"] == 2


def test_a_task_of_a_lead_is_related_to_nothing_else(rig: Rig, client: Any) -> None:
    """«Task»: WhoId is a lead or a contact, and with a lead WhatId stays empty; owners of tasks are active users."""
    person = rig.state.human_create("Lead", lead(0))
    deal = client.Opportunity.create(DEAL)["id"]
    left = rig.state.human_staff("Ken", "Left", "left@sales.example", active=False)
    for body, refusal in (
        ({"WhoId": person, "WhatId": deal}, ("FIELD_INTEGRITY_EXCEPTION", ["WhatId"])),
        ({"WhoId": deal}, ("FIELD_INTEGRITY_EXCEPTION", ["WhoId"])),
        ({"WhoId": person, "OwnerId": left}, ("INACTIVE_OWNER_OR_USER", ["OwnerId"])),
    ):
        with pytest.raises(SalesforceMalformedRequest) as refused:
            client.Task.create(body)
        assert _refusal(refused) == refusal
    assert client.Opportunity.update(deal, {"OwnerId": left}) == 204
    rows = client.query("SELECT Id FROM User WHERE IsActive = false AND Email = 'left@sales.example'")[
        "records"
    ]
    assert [row["Id"] for row in rows] == [left]


def test_a_collection_may_mix_objects(rig: Rig, client: Any) -> None:
    """«sObject Collections»: rows of several types in one call, one result each; a refused field refuses its row."""
    contact = rig.state.human_create("Contact", {"LastName": "One"})
    deal = client.Opportunity.create(DEAL)["id"]
    rows = [
        {"attributes": {"type": "OpportunityContactRole"}, "OpportunityId": deal, "ContactId": contact},
        {"attributes": {"type": "Task"}, "WhoId": contact, "Status": "Completed"},
        {"attributes": {"type": "Task"}, "WhoId": contact, "IsClosed": True},
        {"attributes": {"type": "Account"}, "Name": "Acme", "Corp_No__c": "90000123456789"},
    ]
    made = client.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    assert [row["success"] for row in made] == [True, True, False, False]
    assert made[2]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert made[3]["errors"][0]["statusCode"] == "STRING_TOO_LONG"
    ids = ",".join([made[0]["id"], made[1]["id"]])
    gone = client.restful("composite/sobjects", method="DELETE", params={"ids": ids})
    assert [row["success"] for row in gone] == [True, True]


def test_accounts_are_upserted_by_an_own_key(client: Any) -> None:
    """«Upsert by External ID» on Account: a unique key gives one record, one that several share is 300 for a read."""
    body = {"Name": "Acme", "Corp_No__c": "9000012345678"}
    assert client.Account.upsert("Marketo_Company_Id__c/C-1", body) == 201
    assert client.Account.upsert("Marketo_Company_Id__c/C-1", {"Site": "本社"}) == 200
    head = client.Account.get_by_custom_id("Marketo_Company_Id__c", "C-1")["Id"]
    client.Account.create(body | {"Site": "大阪", "ParentId": head})
    text = "SELECT Site, Parent.Site FROM Account WHERE Corp_No__c = '9000012345678' AND ParentId != null"
    (row,) = client.query(text)["records"]
    assert (row["Site"], row["Parent"]["Site"]) == ("大阪", "本社")
    with pytest.raises(Exception, match="More than one record"):
        client.Account.get_by_custom_id("Corp_No__c", "9000012345678")


def test_a_converted_lead_names_its_deal(rig: Rig, client: Any) -> None:
    """«convertLead()»: the lead gets ConvertedOpportunityId; a new opportunity has no amount; the lead is sealed."""
    person = rig.state.human_create("Lead", lead(0))
    contact = rig.state.human_convert(person, deal="Machines", role="none")
    row = client.Lead.get(person)
    assert row["ConvertedContactId"] == contact
    deal = client.Opportunity.get(row["ConvertedOpportunityId"])
    assert (deal["Amount"], deal["AccountId"], deal["ContactId"]) == (None, row["ConvertedAccountId"], None)
    with pytest.raises(SalesforceMalformedRequest) as sealed:
        client.Lead.update(person, {"Status": "Rejected"})
    assert _refusal(sealed)[0] == "CANNOT_UPDATE_CONVERTED_LEAD"
