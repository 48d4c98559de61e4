"""Tasks, accounts and staff, and the moves of salespeople."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.salesforce.directory import HUMAN_USERS
from simulators.salesforce.human_deals import Part
from simulators.salesforce.state import SalesforceState
from tests.support.fake_salesforce import lead, organisation, soql


def _contacts(state: SalesforceState, count: int) -> list[str]:
    account = state.human_create("Account", {"Name": "Acme", "Corp_No__c": "9000012345678", "Site": "本社"})
    values = ({"LastName": f"Last{number}", "AccountId": account} for number in range(count))
    return [state.human_create("Contact", value) for value in values]


def _deal(state: SalesforceState, *people: Part, **more: Any) -> str:
    return state.human_open_deal("Machines", people=people, CloseDate="2026-12-31", **more)


def _row(state: SalesforceState, object_name: str, key: str) -> Any:
    row = state.by_ids(object_name, [key])[0]
    assert row is not None
    return row


def _codes(results: Any) -> list[str]:
    return [result.errors[0].code if result.errors else "" for result in results]


def test_a_task_is_held_to_its_rules() -> None:
    """No «related to» with a lead, no account as person, no inactive or converted ones; defaults are filled."""
    state = organisation()
    (contact,) = _contacts(state, 1)
    person, sealed = (state.human_create("Lead", lead(number)) for number in range(2))
    state.human_convert(sealed)
    deal, left = _deal(state), state.human_staff("Ken", "Left", "left@sales.example")
    state.human_leave(left)
    results = state.create(
        "Task",
        [
            {"WhoId": person, "WhatId": deal}, {"WhoId": _row(state, "Contact", contact)["AccountId"]},
            {"WhoId": sealed}, {"WhoId": person, "OwnerId": left},
            {"WhoId": contact, "WhatId": deal, "ActivityDate": "2026-11-23", "Subject": "Call"},
        ],
    )  # fmt: skip
    assert _codes(results) == [
        "FIELD_INTEGRITY_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION", "CANNOT_UPDATE_CONVERTED_LEAD",
        "INACTIVE_OWNER_OR_USER", "",
    ]  # fmt: skip
    assert results[1].errors[0].message.startswith("Name ID: id value of incorrect type: 001")
    key = results[-1].id or ""
    row = _row(state, "Task", key)
    assert (row["Status"], row["Priority"], row["IsClosed"]) == ("Not Started", "Normal", False)
    assert _codes(state.update("Task", [{"Id": key, "WhoId": person}])) == ["FIELD_INTEGRITY_EXCEPTION"]
    state.human_edit("Task", key, {"Status": "Completed"})
    assert _row(state, "Task", key)["IsClosed"] is True
    assert state.human_own("Opportunity", deal, left) == deal  # deals may belong to whoever has left


def test_a_task_can_be_told_to_be_the_same_one() -> None:
    """A unique own key: a second create is refused with the id of the first, an upsert updates it."""
    state = organisation()
    (contact,) = _contacts(state, 1)
    row = {"WhoId": contact, "Subject": "Call", "Renkei_Key__c": "hand-over:7:1"}
    (made,) = state.create("Task", [row])
    (again,) = state.create("Task", [row])
    assert _codes([again]) == ["DUPLICATE_VALUE"]
    assert (made.id or "")[:15] in again.errors[0].message
    (same,) = state.upsert("Task", "Renkei_Key__c", [row | {"Subject": "Call soon"}])
    assert (same.id, same.created) == (made.id, False)


def test_accounts_have_sites_parents_and_keys() -> None:
    """Head office and branch share a corporate number, which is no unique key; the company's id is one."""
    state = organisation()
    head = state.human_create("Account", {"Name": "Acme", "Corp_No__c": "9000012345678"})
    branch = {"Name": "Acme", "Site": "大阪", "Corp_No__c": "9000012345678", "ParentId": head}
    results = state.create(
        "Account", [branch | {"Marketo_Company_Id__c": "C1"}, {"Name": "x", "Marketo_Company_Id__c": "c1"}]
    )
    assert _codes(results) == ["", "DUPLICATE_VALUE"]
    rows = soql(state, "SELECT Site, Parent.Name FROM Account WHERE Corp_No__c = '9000012345678' ORDER BY Id")
    assert rows == [{"Site": None, "Parent": None}, {"Site": "大阪", "Parent": {"Name": "Acme"}}]
    refused = state.upsert("Account", "Corp_No__c", [{"Name": "Acme", "Corp_No__c": "9000012345678"}])
    assert _codes(refused) == ["DUPLICATE_EXTERNAL_ID"]


def test_salespeople_lose_reopen_win_and_correct() -> None:
    """Every move is one commit; a reason may be missing and stays when a deal is reopened; all ways lead back."""
    state = organisation()
    deal = _deal(state, Amount=500)
    entries = len(state.ledger)
    state.human_lose(deal, "Timing", revisit_on="2027-04-01")
    state.human_reopen(deal)
    assert _row(state, "Opportunity", deal)["Loss_Reason__c"] == "Timing"
    state.human_win(deal, 750, currency="USD")
    state.human_lose(deal)
    row = _row(state, "Opportunity", deal)
    assert (row["IsWon"], row["Loss_Reason__c"], row["CloseDate"]) == (False, None, "2026-11-22")
    state.human_win(deal)
    assert _row(state, "Opportunity", deal)["Amount"] == 750.0
    states = [entry.changes.get("IsClosed") for entry in state.ledger[entries:]]
    assert states == [(False, True), (True, False), (False, True), None, None]
    with pytest.raises(ValueError, match="there is no stage"):
        state.human_move(deal, "Won!")


def test_salespeople_reject_hand_on_and_note_bounces() -> None:
    """A lead is sent back with or without a reason; an owner changes; a bounce is noted and shown."""
    state = organisation()
    person = state.human_create("Lead", lead(0))
    state.human_reject(person, "Timing")
    assert _row(state, "Lead", person)["Reject_Reason__c"] == "Timing"
    state.human_reject(person, status="Unqualified")
    row = _row(state, "Lead", person)
    assert (row["Status"], row["Reject_Reason__c"]) == ("Unqualified", None)
    state.human_own("Lead", person, HUMAN_USERS[2])
    (contact,) = _contacts(state, 1)
    state.human_bounce("Contact", contact)
    assert soql(state, "SELECT IsEmailBounced FROM Contact") == [{"IsEmailBounced": True}]
    assert _codes(state.create("Lead", [lead(1, EmailBouncedReason="x")])) == [
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    ]


def test_staff_come_and_go() -> None:
    """Users can be found by e-mail, also those who have left; nobody has a name twice; the API cannot make any."""
    state = organisation()
    key = state.human_staff("Ken", "Mori", "mori@sales.example")
    state.human_leave(key)
    rows = soql(state, "SELECT Id, Name, IsActive FROM User WHERE Email = 'MORI@sales.example'")
    assert rows == [{"Id": key, "Name": "Ken Mori", "IsActive": False}]
    assert len(soql(state, "SELECT Id FROM User")) == 6
    with pytest.raises(ValueError, match="taken"):
        state.human_staff("Ken", "Mori", "mori@sales.example")
    with pytest.raises(Exception, match="cannot be written"):
        state.create("User", [{"LastName": "x"}])


def test_deals_suffer_the_same_faults_as_people() -> None:
    """Locks, ignored fields and late visibility strike deals, roles and tasks written by the API."""
    state = organisation({"row_refused": 0.5})
    row = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    results = state.create("Opportunity", [row] * 40) + state.create("Task", [{"Subject": "x"}] * 40)
    assert set(_codes(results)) == {"", "UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    state.faults.use({"late_visibility": 1.0})
    (made,) = state.create("Task", [{"Subject": "late", "Renkei_Key__c": "k"}])
    assert soql(state, "SELECT Id FROM Task WHERE Subject = 'late'") == []
    assert soql(state, "SELECT Id FROM Task WHERE Renkei_Key__c = 'k'") == [{"Id": made.id}]
    state.faults.use({"ignored_field": 1.0})
    state.update("Task", [{"Id": made.id, "Subject": "other"}])
    assert _row(state, "Task", made.id or "")["Subject"] == "late"
