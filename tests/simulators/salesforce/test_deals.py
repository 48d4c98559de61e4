"""Deals, their stages, roles and tasks: what the vendor derives, refuses and takes along."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.salesforce.directory import HUMAN_USERS, record_type_id
from simulators.salesforce.family import ROLE
from simulators.salesforce.human_deals import Part
from simulators.salesforce.state import SalesforceState
from simulators.salesforce.writes import Options
from tests.support.fake_salesforce import advance, lead, organisation, soql


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


def test_the_stage_decides_flags_and_forecast_and_only_suggests_the_probability() -> None:
    """Opportunity: IsClosed, IsWon, ForecastCategory are derived and read-only; Probability is a default, writable."""
    state = organisation()
    key = _deal(state, Amount=1000)
    row = _row(state, "Opportunity", key)
    assert (row["IsClosed"], row["IsWon"], row["Probability"], row["ExpectedRevenue"]) == (
        False,
        False,
        10.0,
        100.0,
    )
    assert row["LastStageChangeDate"] is None
    advance(state, 5)
    state.update("Opportunity", [{"Id": key, "StageName": "Negotiation/Review", "Probability": 66}])
    row = _row(state, "Opportunity", key)
    assert (row["Probability"], row["ForecastCategory"]) == (66.0, "BestCase")
    assert row["LastStageChangeDate"] == row["SystemModstamp"]
    state.update("Opportunity", [{"Id": key, "StageName": "Closed Cancelled"}])
    row = _row(state, "Opportunity", key)
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, False, 0.0)
    for name, value in (
        ("IsWon", True),
        ("ForecastCategory", "Closed"),
        ("ContactId", _contacts(state, 1)[0]),
    ):
        assert _codes(state.update("Opportunity", [{"Id": key, name: value}])) == [
            "INVALID_FIELD_FOR_INSERT_UPDATE"
        ]
    (made,) = state.create(
        "Opportunity", [{"Name": "x", "StageName": "Our own word", "CloseDate": "2026-01-01"}]
    )
    assert _row(state, "Opportunity", made.id or "")["IsClosed"] is False


def test_what_a_deal_must_have_and_may_not_have() -> None:
    """Name, StageName and CloseDate are required; a currency, a record type and an account must be real ones."""
    state = organisation()
    good: dict[str, Any] = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    rows: list[dict[str, Any]] = [
        {"Name": "x"},
        good | {"CurrencyIsoCode": "ZZZ"},
        good | {"RecordTypeId": record_type_id("Partner", "Lead")},
        good | {"AccountId": HUMAN_USERS[0]},
        good | {"AccountId": "0015g0000000999AAA"},
        good | {"Amount": 10**17},
        good | {"Loss_Reason__c": "Whatever somebody typed"},
    ]
    results = state.create("Opportunity", rows)
    assert _codes(results) == [
        "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_CROSS_REFERENCE_KEY",
        "FIELD_INTEGRITY_EXCEPTION", "INVALID_CROSS_REFERENCE_KEY", "NUMBER_OUTSIDE_VALID_RANGE", "",
    ]  # fmt: skip
    assert results[0].errors[0].fields == ("StageName", "CloseDate")
    row = _row(state, "Opportunity", results[-1].id or "")
    assert (row["CurrencyIsoCode"], row["Probability"]) == ("JPY", 10.0)
    assert row["RecordTypeId"] == record_type_id("New", "Opportunity")


def test_stages_can_be_asked_for() -> None:
    """OpportunityStage tells names, labels and meanings; several stages may be closed and not won."""
    state = organisation()
    rows = soql(
        state,
        "SELECT ApiName, MasterLabel, IsActive, IsWon, DefaultProbability FROM OpportunityStage "
        "WHERE IsClosed = true ORDER BY SortOrder",
    )
    assert [(row["ApiName"], row["MasterLabel"], row["IsWon"]) for row in rows] == [
        ("Closed Won", "受注", True), ("Closed Lost", "失注", False), ("Closed Cancelled", "見送り", False),
    ]  # fmt: skip
    (inactive,) = soql(state, "SELECT ApiName FROM OpportunityStage WHERE IsActive = false")
    assert inactive["ApiName"] not in state.schema["Opportunity"].fields["StageName"].picklist


def test_one_primary_role_per_deal_and_the_deal_does_not_notice() -> None:
    """A new primary takes the flag from the old one; the deal's ContactId follows, its stamps do not."""
    state = organisation()
    one, two = _contacts(state, 2)
    deal = _deal(state, Part(one, "Evaluator", primary=True))
    before = _row(state, "Opportunity", deal)
    assert before["ContactId"] == one
    entries = len(state.ledger)
    advance(state, 60)
    state.human_role(deal, two, "Decision Maker", primary=True)
    rows = soql(state, f"SELECT ContactId, IsPrimary FROM {ROLE} ORDER BY Id")
    assert rows == [{"ContactId": one, "IsPrimary": False}, {"ContactId": two, "IsPrimary": True}]
    after = _row(state, "Opportunity", deal)
    assert after["ContactId"] == two
    assert after["SystemModstamp"] == before["SystemModstamp"]
    assert [row["Id"] for row in state.changed_since("Opportunity", before["SystemModstamp"], deal)] == []
    assert len(state.changed_since(ROLE, before["SystemModstamp"])) == 2
    assert {entry.object for entry in state.ledger[entries:]} == {ROLE}
    (role,) = state.find(ROLE, "ContactId", [two])
    state.human_unrole(role["Id"])
    assert _row(state, "Opportunity", deal)["ContactId"] is None
    assert _codes(state.update(ROLE, [{"Id": role["Id"], "Role": "Other"}])) == ["ENTITY_IS_DELETED"]


def test_a_contact_given_at_the_creation_becomes_the_primary_role() -> None:
    """Opportunity.ContactId may be set on create only; the role comes into being with the deal, or not at all."""
    state = organisation()
    (one,) = _contacts(state, 1)
    row = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31", "ContactId": one}
    results = state.create("Opportunity", [row, {"Name": "bad"}], Options(all_or_none=True))
    assert [result.success for result in results] == [False, False]
    assert state.tables[ROLE].rows == {}
    assert state.ledger[-1].object == "Contact"
    (made,) = state.create("Opportunity", [row])
    assert soql(state, f"SELECT OpportunityId, IsPrimary FROM {ROLE}") == [
        {"OpportunityId": made.id, "IsPrimary": True}
    ]


def test_roles_need_both_ends_and_keep_their_deal() -> None:
    """A role without a contact is refused, one of a lead too; its deal cannot be exchanged."""
    state = organisation()
    (one,) = _contacts(state, 1)
    deal, other, person = _deal(state), _deal(state), state.human_create("Lead", lead(0))
    results = state.create(
        ROLE, [{"OpportunityId": deal}, {"OpportunityId": deal, "ContactId": person},
               {"OpportunityId": deal, "ContactId": one, "Role": "Our own word"}],
    )  # fmt: skip
    assert _codes(results) == ["REQUIRED_FIELD_MISSING", "FIELD_INTEGRITY_EXCEPTION", ""]
    change = {"Id": results[-1].id, "OpportunityId": other}
    assert _codes(state.update(ROLE, [change])) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


def test_children_are_deleted_and_restored_with_their_parent() -> None:
    """Roles and tasks go with the deal and come back with it; what was deleted before stays deleted."""
    state = organisation()
    one, two = _contacts(state, 2)
    deal = _deal(state, Part(one, primary=True), Part(two))
    (gone,) = state.find(ROLE, "ContactId", [two])
    state.human_unrole(gone["Id"])
    state.create("Task", [{"WhatId": deal, "Subject": "Call"}])
    advance(state, 1)
    assert state.delete("Opportunity", [deal])[0].success
    assert [entry.verb for entry in state.ledger[-3:]] == ["delete"] * 3
    assert soql(state, f"SELECT Id FROM {ROLE}") == soql(state, "SELECT Id FROM Task") == []
    assert len(soql(state, f"SELECT Id FROM {ROLE} WHERE IsDeleted = true", deleted=True)) == 2
    advance(state, 1)
    state.human_undelete("Opportunity", deal)
    assert soql(state, f"SELECT ContactId FROM {ROLE}") == [{"ContactId": one}]
    assert soql(state, "SELECT Subject FROM Task") == [{"Subject": "Call"}]
    account = _row(state, "Contact", one)["AccountId"]
    state.human_delete("Account", account)
    assert soql(state, "SELECT Id FROM Contact") == soql(state, f"SELECT Id FROM {ROLE}") == []


def test_a_merge_takes_the_children_along() -> None:
    """The winner of merged contacts gets roles and tasks, that of merged accounts deals and branches."""
    state = organisation()
    one, two = _contacts(state, 2)
    deal = _deal(state, Part(one, "Evaluator", primary=True))
    state.create("Task", [{"WhoId": one}])
    state.human_merge("Contact", two, one)
    assert soql(state, f"SELECT ContactId FROM {ROLE}") == [{"ContactId": two}]
    assert soql(state, "SELECT WhoId FROM Task") == [{"WhoId": two}]
    assert _row(state, "Opportunity", deal)["ContactId"] == two
    head, double = (state.human_create("Account", {"Name": name}) for name in ("Head", "Double"))
    branch = state.human_create("Account", {"Name": "Branch", "ParentId": double})
    state.human_edit("Opportunity", deal, {"AccountId": double})
    state.human_merge("Account", head, double)
    assert _row(state, "Opportunity", deal)["AccountId"] == head
    assert _row(state, "Account", branch)["ParentId"] == head
    assert _codes(state.update("Account", [{"Id": head, "ParentId": branch}])) == ["CIRCULAR_DEPENDENCY"]


def test_a_conversion_may_make_a_deal_with_or_without_a_role() -> None:
    """The lead names the deal; the role may lack its flag or be missing; the lead's tasks move to the contact."""
    state = organisation()
    leads = [state.human_create("Lead", lead(number)) for number in range(4)]
    state.create("Task", [{"WhoId": leads[0], "Subject": "Call"}])
    contacts = [
        state.human_convert(leads[0], deal="First"), state.human_convert(leads[1], deal="Second", role="plain"),
        state.human_convert(leads[2], deal="Third", role="none"), state.human_convert(leads[3]),
    ]  # fmt: skip
    rows = soql(
        state,
        "SELECT ConvertedOpportunity.Name, ConvertedOpportunity.CloseDate FROM Lead ORDER BY Id",
    )
    assert [row["ConvertedOpportunity"] and row["ConvertedOpportunity"]["Name"] for row in rows] == [
        "First", "Second", "Third", None,
    ]  # fmt: skip
    assert rows[0]["ConvertedOpportunity"]["CloseDate"] == "2026-12-31"
    roles = soql(state, f"SELECT ContactId, IsPrimary FROM {ROLE} ORDER BY Id")
    assert roles == [
        {"ContactId": contacts[0], "IsPrimary": True}, {"ContactId": contacts[1], "IsPrimary": False}
    ]  # fmt: skip
    assert soql(state, "SELECT WhoId FROM Task") == [{"WhoId": contacts[0]}]


def test_relations_are_followed_also_where_they_point_to_several_objects() -> None:
    """Owner.Email, Account.Name, RecordType.Name, a role's Contact and Opportunity; Who only gives what all have."""
    state = organisation()
    (contact,) = _contacts(state, 1)
    account = _row(state, "Contact", contact)["AccountId"]
    deal = _deal(state, Part(contact), account=account, record_type="Renewal", user=HUMAN_USERS[0])
    person = state.human_create("Lead", lead(0))
    assert soql(state, "SELECT Owner.Email, Account.Name, RecordType.Name FROM Opportunity") == [
        {
            "Owner": {"Email": "tanaka@sales.example"},
            "Account": {"Name": "Acme"},
            "RecordType": {"Name": "Renewal"},
        }
    ]
    where = (
        f"SELECT Contact.Account.Name, Opportunity.StageName FROM {ROLE} WHERE Opportunity.IsClosed = false"
    )
    assert soql(state, where) == [
        {"Contact": {"Account": {"Name": "Acme"}}, "Opportunity": {"StageName": "Prospecting"}}
    ]
    state.create("Task", [{"WhoId": person}, {"WhoId": contact, "WhatId": deal}, {}])
    rows = soql(state, "SELECT Who.Email, Who.LastName, What.Name FROM Task ORDER BY Id")
    assert [row["Who"] and row["Who"]["LastName"] for row in rows] == ["Last0", "Last0", None]
    assert [row["What"] for row in rows] == [None, {"Name": "Machines"}, None]
    assert len(soql(state, "SELECT Id FROM Task WHERE Who.LastName = 'Last0'")) == 2
    with pytest.raises(Exception, match="No such column 'Company' on entity 'Name'"):
        soql(state, "SELECT Who.Company FROM Task")
    with pytest.raises(Exception, match="on entity 'Name'"):
        soql(state, "SELECT Who.Owner.Email FROM Task")
